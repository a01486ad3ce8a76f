/* A whole identity as one passphrase-encrypted file: header with the cost
 * parameters, Argon2id, XChaCha20-Poly1305; inside a CBOR map of the secret and the
 * texts of the configuration (the networks are in it) and of named.toml. The same
 * envelope encrypts the secret file.
 *
 *   19  "carrier envelope 1\n"
 *    2  memory in MiB, big endian        1  passes
 *   16  salt                            24  nonce
 *    .  ciphertext and tag; associated data: purpose, zero byte, everything above
 *
 * A restore is declared: it raises the counter `restored` in the configuration, so
 * that two machines with the same key are told apart from one that moved. */
#pragma once

#include "vault/home.h"

enum { BACKUP_SIZE_MAX = 2 << 20, BACKUP_MEM_MAX_MIB = 1024, BACKUP_OPS_MAX = 16 };

/* RFC 9106, section 4, second recommended option. */
enum { BACKUP_MEM_MIB = 64, BACKUP_OPS = 3 };
enum { ENVELOPE_HEAD_LEN = 62, ENVELOPE_MEM_AT = 19, ENVELOPE_OPS_AT = 21 };

bool envelope_is(struct span file);
/* ERR_LIMIT: cost outside 1..BACKUP_MEM_MAX_MIB, 1..BACKUP_OPS_MAX, or too large;
 * ERR_LENGTH: empty passphrase. Nothing costly happens before these checks. */
int envelope_seal(struct buf *out, const char *purpose, struct span passphrase, struct span plain,
		  unsigned mem_mib, unsigned ops) _must_check_;
int envelope_open(struct buf *out, const char *purpose, struct span passphrase,
		  struct span sealed) _must_check_;     /* ERR_CRYPTO: wrong passphrase or damaged; ERR_PREFIX: no envelope */

int backup_export(struct buf *out, const struct home *h, const struct sign_seed *seed,
		  struct span passphrase) _must_check_;
/* Into an empty home, or one of the same identity; ERR_EXISTS where another
 * identity lives. A configuration that is there is kept beside, as
 * carrier.toml.before-restore. The secret is written plain: encrypting it again is
 * home_write_secret()'s. Cut anywhere, it can be done again. */
int backup_restore(struct home *h, struct span file, struct span passphrase,
		   struct home_error *error) _must_check_;
