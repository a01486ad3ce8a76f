/* A whole identity as one passphrase-encrypted file: header with the cost
 * parameters, Argon2id, XChaCha20-Poly1305; inside a CBOR map of the secret, the
 * networks and the configuration text. The same envelope encrypts the secret file.
 *
 * A restore is declared: it raises the counter `restored` in the configuration, so
 * that two machines with the same key are told apart from one that moved. */
#pragma once

#include "vault/home.h"

enum { BACKUP_SIZE_MAX = 2 << 20, BACKUP_MEM_MAX_MIB = 1024, BACKUP_OPS_MAX = 16 };

int envelope_seal(struct buf *out, const char *purpose, struct span passphrase, struct span plain,
		  unsigned mem_mib, unsigned ops) _must_check_;
int envelope_open(struct buf *out, const char *purpose, struct span passphrase,
		  struct span sealed) _must_check_;     /* ERR_CRYPTO: wrong passphrase or damaged */

int backup_export(struct buf *out, const struct home *h, const struct sign_seed *seed,
		  struct span passphrase) _must_check_;
/* Into an empty home, or one of the same identity; ERR_EXISTS where another
 * identity lives. */
int backup_restore(struct home *h, struct span file, struct span passphrase,
		   struct home_error *error) _must_check_;
