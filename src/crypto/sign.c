/* Ed25519 (RFC 8032) signatures that name their purpose. */
#include <errno.h>
#include <sodium.h>

#include "base/err.h"
#include "crypto/crypto.h"

enum { SHORT_MAX = 512 };       /* longer texts go to the heap */

/* purpose || 0x00 || message in one piece. */
struct bound {
	struct span text;
	uint8_t *heap;
	uint8_t small[SHORT_MAX];
};

static void bound_done(struct bound *b)
{
	free(b->heap);
}

static int bound_init(struct bound *b, const char *purpose, struct span message)
{
	size_t prefix = strlen(purpose) + 1;
	uint8_t *p = b->small;

	b->heap = NULL;
	if (!*purpose) {
		b->text = message;
		return 0;
	}
	if (message.len > SIZE_MAX - prefix)
		return ERR_LIMIT;

	if (prefix + message.len > sizeof b->small) {
		p = b->heap = malloc(prefix + message.len);
		if (!p)
			return -ENOMEM;
	}
	memcpy(p, purpose, prefix);
	if (message.len)
		memcpy(p + prefix, message.data, message.len);
	b->text = SPAN(p, prefix + message.len);
	return 0;
}

void sign_seed_new(struct sign_seed *out)
{
	random_bytes(out->b, sizeof out->b);
}

void sign_public_of(struct sign_public *out, const struct sign_seed *seed)
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(out->b, sk, seed->b);
	wipe(sk, sizeof sk);
}

int sign_make(struct signature *out, const struct sign_seed *seed, const char *purpose,
	      struct span message)
{
	_cleanup_(bound_done) struct bound b;
	uint8_t sk[crypto_sign_SECRETKEYBYTES], pk[PUBLIC_KEY_LEN];
	int err = bound_init(&b, purpose, message);

	if (err < 0)
		return err;

	crypto_sign_seed_keypair(pk, sk, seed->b);
	crypto_sign_detached(out->b, NULL, b.text.data, b.text.len, sk);
	wipe(sk, sizeof sk);
	return 0;
}

int sign_verify(const struct sign_public *signer, const char *purpose, struct span message,
		const struct signature *sig)
{
	_cleanup_(bound_done) struct bound b;
	int err = bound_init(&b, purpose, message);

	if (err < 0)
		return err;

	/* Refuses S >= L, an R or a key of small order and a non-canonical key. */
	if (crypto_sign_verify_detached(sig->b, b.text.data, b.text.len, signer->b) != 0)
		return ERR_SIGNATURE;
	return 0;
}

int sign_public_check(const struct sign_public *pk)
{
	return crypto_core_ed25519_is_valid_point(pk->b) ? 0 : ERR_WEAK;
}
