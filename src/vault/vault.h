/* Sign and agree by handle: who holds a vault can use the identity's key for the
 * purposes it permits, and cannot read it. Behind the handle stands the secret in
 * this process (vault_new_local) or another process (vault_new_remote). */
#pragma once

#include "identity/identity.h"
#include "vault/purpose.h"

struct vault;

struct vault_ops {
	int (*sign)(void *userdata, enum vault_purpose p, struct span message, struct signature *ret);
	/* X25519 of the identity's key (converted) with pk. What leaves is never the raw
	 * shared point but hash("carrier agree v1", point || lower || higher) with the two
	 * X25519 public keys in bytewise order, so that both sides get the same. */
	int (*agree)(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN]);
};

/* permit: bit set of 1 << purpose. Copies the seed into guarded memory. */
int vault_new_local(struct vault **ret, const struct sign_seed *seed, unsigned permit) _must_check_;
/* userdata must outlive the vault. */
int vault_new_remote(struct vault **ret, const struct identity *self, const struct vault_ops *ops,
		     void *userdata) _must_check_;
void vault_free(struct vault *v);       /* wipes */
DEFINE_FREEP(struct vault *, vault_free)

const struct identity *vault_identity(const struct vault *v);
/* ERR_DENIED: purpose not permitted; ERR_PARSE: not the form the purpose demands. */
int vault_sign(struct vault *v, enum vault_purpose p, struct span message, struct signature *ret) _must_check_;
int vault_agree(struct vault *v, const struct agree_public *pk, uint8_t out[static SHARED_LEN]) _must_check_;
/* The same with a key at hand, for ephemeral ones. ERR_WEAK on a low-order point. */
int vault_agree_with(const struct agree_secret *sk, const struct agree_public *pk,
		     uint8_t out[static SHARED_LEN]) _must_check_;
