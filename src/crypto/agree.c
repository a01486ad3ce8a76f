/* X25519 (RFC 7748), alone and from an Ed25519 pair. */
#include <sodium.h>

#include "base/err.h"
#include "crypto/crypto.h"

void agree_public_of(struct agree_public *out, const struct agree_secret *sk)
{
	crypto_scalarmult_base(out->b, sk->b);
}

int agree(uint8_t out[static SHARED_LEN], const struct agree_secret *sk, const struct agree_public *pk)
{
	uint8_t shared[SHARED_LEN];

	if (crypto_scalarmult(shared, sk->b, pk->b) != 0)
		return ERR_WEAK;

	memcpy(out, shared, sizeof shared);
	wipe(shared, sizeof shared);
	return 0;
}

int agree_public_from_sign(struct agree_public *out, const struct sign_public *pk)
{
	uint8_t u[PUBLIC_KEY_LEN];
	int err = sign_public_check(pk);        /* the conversion alone takes other spellings of a point */

	if (err < 0)
		return err;
	if (crypto_sign_ed25519_pk_to_curve25519(u, pk->b) != 0)
		return ERR_WEAK;

	memcpy(out->b, u, sizeof u);
	return 0;
}

void agree_secret_from_sign(struct agree_secret *out, const struct sign_seed *seed)
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES], pk[PUBLIC_KEY_LEN];

	crypto_sign_seed_keypair(pk, sk, seed->b);
	crypto_sign_ed25519_sk_to_curve25519(out->b, sk);
	wipe(sk, sizeof sk);
}
