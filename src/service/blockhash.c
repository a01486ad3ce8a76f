#include "service/blockhash.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sodium.h>
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "base/err.h"

enum { GMAC_KEY_LEN = 16, GMAC_NONCE_LEN = 12, GMAC_UNIT = 16 };

struct blockhash {
	enum blockhash_method method;
	int err;
	uint8_t key[BLOCKHASH_KEY_LEN];
	gnutls_cipher_hd_t gcm;
	uint8_t carry[GMAC_UNIT];       /* GnuTLS takes whole AES blocks, but for the last time */
	size_t carry_len;
	crypto_onetimeauth_state poly;
};

bool blockhash_gmac_is_fast(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & HWCAP_PMULL;
#else
	return false;
#endif
}

const char *blockhash_method_name(enum blockhash_method m)
{
	return m == BLOCKHASH_GMAC ? "gmac" : "poly1305";
}

int blockhash_method_parse(enum blockhash_method *ret, struct span name)
{
	for (enum blockhash_method m = BLOCKHASH_GMAC; m <= BLOCKHASH_POLY1305; m++)
		if (span_is(name, blockhash_method_name(m))) {
			*ret = m;
			return 0;
		}
	return ERR_UNKNOWN;
}

static int gmac_init(struct blockhash *h)
{
	uint8_t nonce[GMAC_NONCE_LEN] = {};
	gnutls_datum_t key = { h->key, GMAC_KEY_LEN }, iv = { nonce, sizeof nonce };

	return gnutls_cipher_init(&h->gcm, GNUTLS_CIPHER_AES_128_GCM, &key, &iv) < 0 ? ERR_CRYPTO : 0;
}

int blockhash_new(struct blockhash **ret, enum blockhash_method method, const uint8_t key[static BLOCKHASH_KEY_LEN])
{
	_cleanup_(blockhash_freep) struct blockhash *h = calloc(1, sizeof *h);
	int err;

	if (!h)
		return -ENOMEM;
	h->method = method;
	memcpy(h->key, key, sizeof h->key);
	err = method == BLOCKHASH_GMAC ? gmac_init(h) : 0;
	if (err < 0)
		return err;
	*ret = take(h);
	return 0;
}

void blockhash_free(struct blockhash *h)
{
	if (!h)
		return;
	if (h->gcm)
		gnutls_cipher_deinit(h->gcm);
	wipe(h, sizeof *h);
	free(h);
}

static void put_number(uint8_t out[static 8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (uint8_t)v;
}

/* ---- GMAC: AES-GCM without a text, the block is what is only authenticated ---- */

static void gmac_add(struct blockhash *h, struct span data)
{
	if (data.len && !h->err && gnutls_cipher_add_auth(h->gcm, data.data, data.len) < 0)
		h->err = ERR_CRYPTO;
}

static void gmac_begin(struct blockhash *h, uint64_t number)
{
	uint8_t nonce[GMAC_NONCE_LEN] = {};

	put_number(nonce + sizeof nonce - 8, number);
	gnutls_cipher_set_iv(h->gcm, nonce, sizeof nonce);
	h->carry_len = 0;
}

static void gmac_update(struct blockhash *h, struct span data)
{
	struct span whole;

	if (h->carry_len) {
		size_t n = MIN(data.len, GMAC_UNIT - h->carry_len);

		memcpy(h->carry + h->carry_len, data.data, n);
		h->carry_len += n;
		data = span_from(data, n);
		if (h->carry_len < GMAC_UNIT)
			return;
		gmac_add(h, SPAN_OF(h->carry));
		h->carry_len = 0;
	}
	whole = span_first(data, data.len - data.len % GMAC_UNIT);
	gmac_add(h, whole);
	data = span_from(data, whole.len);
	if (data.len)
		memcpy(h->carry, data.data, data.len);
	h->carry_len = data.len;
}

static void gmac_end(struct blockhash *h, uint8_t tag[static BLOCKHASH_TAG_LEN])
{
	gmac_add(h, SPAN(h->carry, h->carry_len));
	if (!h->err && gnutls_cipher_tag(h->gcm, tag, BLOCKHASH_TAG_LEN) < 0)
		h->err = ERR_CRYPTO;
}

/* ---- Poly1305 ---- */

static void poly_begin(struct blockhash *h, uint64_t number)
{
	uint8_t in[BLOCKHASH_KEY_LEN + 8], key[HASH_LEN];

	memcpy(in, h->key, BLOCKHASH_KEY_LEN);
	put_number(in + BLOCKHASH_KEY_LEN, number);
	hash(key, "carrier file block key", SPAN_OF(in));
	crypto_onetimeauth_init(&h->poly, key);
	wipe(in, sizeof in);
	wipe(key, sizeof key);
}

/* ---- either ---- */

void blockhash_begin(struct blockhash *h, uint64_t number)
{
	h->err = 0;
	if (h->method == BLOCKHASH_GMAC)
		gmac_begin(h, number);
	else
		poly_begin(h, number);
}

void blockhash_update(struct blockhash *h, struct span data)
{
	if (!data.len)
		return;
	if (h->method == BLOCKHASH_GMAC)
		gmac_update(h, data);
	else
		crypto_onetimeauth_update(&h->poly, data.data, data.len);
}

int blockhash_end(struct blockhash *h, uint8_t ret_tag[static BLOCKHASH_TAG_LEN])
{
	uint8_t tag[BLOCKHASH_TAG_LEN] = {};

	if (h->method == BLOCKHASH_GMAC)
		gmac_end(h, tag);
	else
		crypto_onetimeauth_final(&h->poly, tag);
	if (h->err < 0)
		return h->err;
	memcpy(ret_tag, tag, sizeof tag);
	return 0;
}

/* ---- the whole file ---- */

void filehash_init(struct filehash *f) { *f = (struct filehash){ 0 }; }

void filehash_add(struct filehash *f, const uint8_t tag[static BLOCKHASH_TAG_LEN])
{
	uint8_t in[HASH_LEN + BLOCKHASH_TAG_LEN];

	memcpy(in, f->chain, HASH_LEN);
	memcpy(in + HASH_LEN, tag, BLOCKHASH_TAG_LEN);
	hash(f->chain, "carrier file blocks", SPAN_OF(in));
}

void filehash_end(uint8_t out[static HASH_LEN], const struct filehash *f, uint64_t size)
{
	uint8_t in[8 + HASH_LEN];

	put_number(in, size);
	memcpy(in + 8, f->chain, HASH_LEN);
	hash(out, "carrier file", SPAN_OF(in));
}

/* ---- SHA-256 ---- */

struct sha256 {
	gnutls_hash_hd_t hd;
};

int sha256_new(struct sha256 **ret)
{
	struct sha256 *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	if (gnutls_hash_init(&s->hd, GNUTLS_DIG_SHA256) < 0) {
		free(s);
		return ERR_CRYPTO;
	}
	*ret = s;
	return 0;
}

void sha256_free(struct sha256 *s)
{
	if (!s)
		return;
	gnutls_hash_deinit(s->hd, NULL);
	free(s);
}

int sha256_update(struct sha256 *s, struct span data)
{
	return data.len && gnutls_hash(s->hd, data.data, data.len) < 0 ? ERR_CRYPTO : 0;
}

void sha256_end(struct sha256 *s, uint8_t out[static 32]) { gnutls_hash_output(s->hd, out); }
