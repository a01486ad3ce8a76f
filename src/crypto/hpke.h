/* HPKE (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
 * Modes base and auth. The secret key is reached through a callback, so that it
 * can live in another process. */
#pragma once

#include "crypto/crypto.h"

enum { HPKE_ENC_LEN = 32 };

/* dh = X25519(the key this object stands for, pk). */
struct hpke_key {
	int (*dh)(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN]);
	void *userdata;
	struct agree_public pub;
};

struct hpke_context {
	uint8_t key[AEAD_KEY_LEN], base_nonce[12], exporter[32];
	uint64_t seq;
};

void hpke_key_local(struct hpke_key *out, const struct agree_secret *sk);       /* borrows sk */

/* Sender. auth NULL: base mode. Writes the encapsulated key. */
int hpke_send(struct hpke_context *out, uint8_t enc[static HPKE_ENC_LEN], const struct agree_public *to,
	      const struct hpke_key *auth, struct span info) _must_check_;
/* The same with a given ephemeral key: known-answer tests only, a key used twice
 * gives both messages away. */
int hpke_send_with(struct hpke_context *out, uint8_t enc[static HPKE_ENC_LEN],
		   const struct agree_secret *ephemeral, const struct agree_public *to,
		   const struct hpke_key *auth, struct span info) _must_check_;
/* Receiver. from NULL: base mode. */
int hpke_receive(struct hpke_context *out, const uint8_t enc[static HPKE_ENC_LEN],
		 const struct hpke_key *own, const struct agree_public *from,
		 struct span info) _must_check_;
/* ERR_LIMIT when the sequence is used up. A failed open does not advance it. */
int hpke_seal(struct hpke_context *c, uint8_t *out, struct span aad, struct span pt) _must_check_;   /* pt.len + 16 */
int hpke_open(struct hpke_context *c, uint8_t *out, struct span aad, struct span ct) _must_check_;
/* len <= 255*32. */
void hpke_export(const struct hpke_context *c, uint8_t *out, size_t len, struct span context);
void hpke_wipe(struct hpke_context *c);
