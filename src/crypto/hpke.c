/* RFC 9180 with one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. */
#include "crypto/hpke.h"

#include "base/err.h"
#include "crypto/hkdf.h"

enum { MODE_BASE = 0, MODE_AUTH = 2, NONCE_LEN = 12 };

static const uint8_t kem_suite[] = { 'K', 'E', 'M', 0x00, 0x20 };
static const uint8_t hpke_suite[] = { 'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 };

/* RFC 9180 4, LabeledExtract. */
static void extract(uint8_t prk[static HKDF_PRK_LEN], struct span suite, struct span salt,
		    const char *label, struct span ikm)
{
	const struct span pieces[] = { SPAN_STR("HPKE-v1"), suite, SPAN_STR(label), ikm };

	hkdf_extract(prk, salt, pieces, ARRAY_LEN(pieces));
}

/* RFC 9180 4, LabeledExpand. */
static void expand(uint8_t *out, size_t len, struct span suite, const uint8_t prk[static HKDF_PRK_LEN],
		   const char *label, struct span info)
{
	const uint8_t length[] = { (uint8_t)(len >> 8), (uint8_t)len };
	const struct span pieces[] = { SPAN_OF(length), SPAN_STR("HPKE-v1"), suite, SPAN_STR(label), info };

	hkdf_expand(out, len, prk, pieces, ARRAY_LEN(pieces));
}

/* RFC 9180 4.1, ExtractAndExpand. enc, receiver and (auth mode) sender are bound
 * into the secret, so swapping one of them gives another. */
static void kem_secret(uint8_t shared[static SHARED_LEN], struct span dh,
		       const uint8_t enc[static HPKE_ENC_LEN], const struct agree_public *to,
		       const struct agree_public *from)
{
	uint8_t context[3 * PUBLIC_KEY_LEN], prk[HKDF_PRK_LEN];
	size_t len = 2 * PUBLIC_KEY_LEN;

	memcpy(context, enc, HPKE_ENC_LEN);
	memcpy(context + PUBLIC_KEY_LEN, to->b, PUBLIC_KEY_LEN);
	if (from) {
		memcpy(context + len, from->b, PUBLIC_KEY_LEN);
		len += PUBLIC_KEY_LEN;
	}
	extract(prk, SPAN_OF(kem_suite), SPAN_NONE, "eae_prk", dh);
	expand(shared, SHARED_LEN, SPAN_OF(kem_suite), prk, "shared_secret", SPAN(context, len));
	wipe(prk, sizeof prk);
}

/* RFC 9180 5.1, KeySchedule with no pre-shared key. */
static void schedule(struct hpke_context *out, uint8_t mode, const uint8_t shared[static SHARED_LEN],
		     struct span info)
{
	const struct span suite = SPAN_OF(hpke_suite);
	uint8_t context[1 + 2 * HKDF_PRK_LEN], secret[HKDF_PRK_LEN];

	context[0] = mode;
	extract(context + 1, suite, SPAN_NONE, "psk_id_hash", SPAN_NONE);
	extract(context + 1 + HKDF_PRK_LEN, suite, SPAN_NONE, "info_hash", info);
	extract(secret, suite, SPAN(shared, SHARED_LEN), "secret", SPAN_NONE);

	expand(out->key, sizeof out->key, suite, secret, "key", SPAN_OF(context));
	expand(out->base_nonce, sizeof out->base_nonce, suite, secret, "base_nonce", SPAN_OF(context));
	expand(out->exporter, sizeof out->exporter, suite, secret, "exp", SPAN_OF(context));
	out->seq = 0;
	wipe(secret, sizeof secret);
}

/* A key in another process may not have looked at the result (RFC 9180 7.1.4). */
static int dh_with(const struct hpke_key *k, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	static const uint8_t zero[SHARED_LEN];
	int err = k->dh(k->userdata, pk, out);

	if (err < 0)
		return err;
	return equal_ct(out, zero, sizeof zero) ? ERR_WEAK : 0;
}

/* dh1 and, with a second pair, dh2 behind it: the shared secret of both sides. */
static int derive(struct hpke_context *out, const struct hpke_key *k1, const struct agree_public *pk1,
		  const struct hpke_key *k2, const struct agree_public *pk2,
		  const uint8_t enc[static HPKE_ENC_LEN], const struct agree_public *to,
		  const struct agree_public *from, struct span info)
{
	uint8_t dh[2 * SHARED_LEN], shared[SHARED_LEN];
	size_t len = SHARED_LEN;
	int err = dh_with(k1, pk1, dh);

	if (err >= 0 && from) {
		err = dh_with(k2, pk2, dh + len);
		len += SHARED_LEN;
	}
	if (err >= 0) {
		kem_secret(shared, SPAN(dh, len), enc, to, from);
		schedule(out, from ? MODE_AUTH : MODE_BASE, shared, info);
		wipe(shared, sizeof shared);
	}
	wipe(dh, sizeof dh);
	return MIN(err, 0);
}

int hpke_send_with(struct hpke_context *out, uint8_t enc[static HPKE_ENC_LEN],
		   const struct agree_secret *ephemeral, const struct agree_public *to,
		   const struct hpke_key *auth, struct span info)
{
	struct hpke_key e;
	int err;

	hpke_key_local(&e, ephemeral);
	err = derive(out, &e, to, auth, to, e.pub.b, to, auth ? &auth->pub : NULL, info);
	if (err < 0)
		return err;

	memcpy(enc, e.pub.b, HPKE_ENC_LEN);
	return 0;
}

int hpke_send(struct hpke_context *out, uint8_t enc[static HPKE_ENC_LEN], const struct agree_public *to,
	      const struct hpke_key *auth, struct span info)
{
	struct agree_secret ephemeral;
	int err;

	random_bytes(ephemeral.b, sizeof ephemeral.b);
	err = hpke_send_with(out, enc, &ephemeral, to, auth, info);
	wipe(&ephemeral, sizeof ephemeral);
	return err;
}

int hpke_receive(struct hpke_context *out, const uint8_t enc[static HPKE_ENC_LEN],
		 const struct hpke_key *own, const struct agree_public *from, struct span info)
{
	struct agree_public e;

	memcpy(e.b, enc, sizeof e.b);
	return derive(out, own, &e, own, from, enc, &own->pub, from, info);
}

static int dh_local(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	return agree(out, userdata, pk);
}

void hpke_key_local(struct hpke_key *out, const struct agree_secret *sk)
{
	*out = (struct hpke_key){ .dh = dh_local, .userdata = (void *)sk };
	agree_public_of(&out->pub, sk);
}

/* RFC 9180 5.2, ComputeNonce. */
static void nonce_at(uint8_t out[static NONCE_LEN], const struct hpke_context *c)
{
	memcpy(out, c->base_nonce, NONCE_LEN);
	for (int i = 0; i < 8; i++)
		out[NONCE_LEN - 1 - i] ^= (uint8_t)(c->seq >> (8 * i));
}

int hpke_seal(struct hpke_context *c, uint8_t *out, struct span aad, struct span pt)
{
	uint8_t nonce[NONCE_LEN];

	if (c->seq == UINT64_MAX)
		return ERR_LIMIT;

	nonce_at(nonce, c);
	aead_seal(out, c->key, nonce, aad, pt);
	c->seq++;
	return 0;
}

int hpke_open(struct hpke_context *c, uint8_t *out, struct span aad, struct span ct)
{
	uint8_t nonce[NONCE_LEN];
	int err;

	if (c->seq == UINT64_MAX)
		return ERR_LIMIT;

	nonce_at(nonce, c);
	err = aead_open(out, c->key, nonce, aad, ct);
	if (err < 0)
		return err;

	c->seq++;
	return 0;
}

void hpke_export(const struct hpke_context *c, uint8_t *out, size_t len, struct span context)
{
	expand(out, len, SPAN_OF(hpke_suite), c->exporter, "sec", context);
}

void hpke_wipe(struct hpke_context *c)
{
	wipe(c, sizeof *c);
}
