/* Hashes, MACs and key derivation, and the few calls everything else needs. */
#include <sodium.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "crypto/hkdf.h"

int crypto_init(void)
{
	return sodium_init() < 0 ? ERR_CRYPTO : 0;
}

void random_bytes(void *p, size_t n)
{
	randombytes_buf(p, n);
}

void wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

bool equal_ct(const void *a, const void *b, size_t n)
{
	return !sodium_memcmp(a, b, n);
}

/* BLAKE2b over len(purpose) || purpose || in. The length in front makes the
 * split unambiguous; purposes are constants of ours and shorter than a byte counts. */
static void blake2(uint8_t *out, size_t out_len, struct span key, const char *purpose, struct span in)
{
	crypto_generichash_state st;
	uint8_t len = (uint8_t)strnlen(purpose, PURPOSE_MAX);

	crypto_generichash_init(&st, key.data, key.len, out_len);
	crypto_generichash_update(&st, &len, 1);
	crypto_generichash_update(&st, (const uint8_t *)purpose, len);
	crypto_generichash_update(&st, in.data, in.len);
	crypto_generichash_final(&st, out, out_len);
	wipe(&st, sizeof st);
}

void hash(uint8_t out[static HASH_LEN], const char *purpose, struct span in)
{
	blake2(out, HASH_LEN, SPAN_NONE, purpose, in);
}

void mac(uint8_t out[static MAC_LEN], const struct mac_key *k, const char *purpose, struct span in)
{
	blake2(out, MAC_LEN, SPAN_OF(k->b), purpose, in);
}

bool mac_ok(const uint8_t tag[static MAC_LEN], const struct mac_key *k, const char *purpose,
	    struct span in)
{
	uint8_t want[MAC_LEN];

	mac(want, k, purpose, in);
	bool ok = equal_ct(tag, want, sizeof want);
	wipe(want, sizeof want);
	return ok;
}

/* libsodium declares the pointer never NULL; an empty span's may be. */
static void hmac_add(crypto_auth_hmacsha256_state *st, struct span s)
{
	if (s.len)
		crypto_auth_hmacsha256_update(st, s.data, s.len);
}

void hkdf_extract(uint8_t prk[static HKDF_PRK_LEN], struct span salt, const struct span *ikm,
		  size_t pieces)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, salt.len ? salt.data : (const uint8_t *)"", salt.len);
	for (size_t i = 0; i < pieces; i++)
		hmac_add(&st, ikm[i]);
	crypto_auth_hmacsha256_final(&st, prk);
	wipe(&st, sizeof st);
}

void hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[static HKDF_PRK_LEN],
		 const struct span *info, size_t pieces)
{
	crypto_auth_hmacsha256_state st;
	uint8_t t[32];
	size_t n = 0;

	for (uint8_t block = 1; out_len > 0; block++, out += n, out_len -= n) {
		crypto_auth_hmacsha256_init(&st, prk, HKDF_PRK_LEN);
		if (block > 1)
			crypto_auth_hmacsha256_update(&st, t, sizeof t);
		for (size_t i = 0; i < pieces; i++)
			hmac_add(&st, info[i]);
		crypto_auth_hmacsha256_update(&st, &block, 1);
		crypto_auth_hmacsha256_final(&st, t);
		n = MIN(out_len, sizeof t);
		memcpy(out, t, n);
	}
	wipe(t, sizeof t);
	wipe(&st, sizeof st);
}

void hkdf(uint8_t *out, size_t out_len, struct span salt, struct span ikm, struct span info)
{
	uint8_t prk[HKDF_PRK_LEN];

	hkdf_extract(prk, salt, &ikm, 1);
	hkdf_expand(out, out_len, prk, &info, 1);
	wipe(prk, sizeof prk);
}
