/* One identity's home on disk: carrier.toml (both generations' keys are read,
 * unknown ones kept) and beside it the secret in a file of its own, 0600.
 *
 *   ~/.devguard/carrier.toml     or --config, CARRIER_CONFIG
 *   ~/.devguard/carrier.secret   the seed, text type 3, or encrypted (see backup.h)
 *   ~/.devguard/state/           tickets, partial transfers: may be deleted at any time
 *   ~/.devguard/named.toml       further aliases, read only
 *
 * Another configuration NAME.toml in the same folder has NAME.secret and NAME.state.
 *
 * CARRIER_SECRETKIT (text type 1: secret and network secret) or CARRIER_SECRET in the
 * environment replace the secret file. */
#pragma once

#include "config/toml.h"
#include "identity/network.h"
#include "vault/vault.h"

struct home {
	char *config_path, *secret_path, *state_path;
	struct toml *config;            /* never NULL after home_open() */
	uint8_t seen[HASH_LEN];         /* of the file as it was read or written last */
};

/* What went wrong, for the user: file, line, column, what, what to do. */
struct home_error {
	char text[512];
};

/* Resolves the paths (explicit_path NULL: CARRIER_CONFIG, else ~/.devguard) and
 * parses the file; a missing file is an empty configuration. */
int home_open(struct home *ret, const char *explicit_path, struct home_error *error) _must_check_;
void home_done(struct home *h);
/* Writes the configuration back, atomically, 0600, creating the folder. ERR_CHANGED
 * when somebody else wrote the file meanwhile: reload and edit again. */
int home_save(struct home *h, struct home_error *error) _must_check_;
/* Re-reads the file if its content changed: 1 changed, 0 same, <0 error and the old one stays. */
int home_reload(struct home *h, struct home_error *error) _must_check_;

/* Reads the secret: environment, secret file (passphrase asked through ask), or the
 * old `secret = ` key of carrier.toml. -ENOENT when there is none. ERR_CONFIG too
 * when file and key hold different identities: which one is meant? */
typedef int home_ask_fn(void *userdata, const char *prompt, struct buf *ret_passphrase);
int home_secret(const struct home *h, struct sign_seed *ret, home_ask_fn *ask, void *userdata,
		struct home_error *error) _must_check_;
/* First use: makes the secret and a network of its own unless they are there.
 * Idempotent. 1: something was created. */
int home_setup(struct home *h, struct home_error *error) _must_check_;
/* Writes the secret file, 0600. passphrase empty: plain text form. Refuses to
 * overwrite another secret unless replace. */
int home_write_secret(struct home *h, const struct sign_seed *seed, struct span passphrase,
		      bool replace, struct home_error *error) _must_check_;

/* The network this home publishes and subscribes on: [network], [publish] or
 * [subscribe] `secret`. -ENOENT when none. An old X25519 `shadow` that does not
 * belong to the new derivation is explained in error with ERR_CONFIG only if the
 * secret is missing too. */
int home_network(const struct home *h, struct network_secret *ret, struct home_error *error) _must_check_;
