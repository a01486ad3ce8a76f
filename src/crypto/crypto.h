/* The primitives we use, with typed keys. Every use names its purpose, so that
 * a signature, hash or MAC made for one kind of message is worthless as another.
 *
 * Over libsodium. crypto_init() once per process before anything else. */
#pragma once

#include "base/mem.h"
#include "base/span.h"

enum {
	HASH_LEN = 32,
	SEED_LEN = 32,
	PUBLIC_KEY_LEN = 32,
	SIGNATURE_LEN = 64,
	SHARED_LEN = 32,
	AEAD_KEY_LEN = 32,
	AEAD_TAG_LEN = 16,
	MAC_LEN = 16,
	PURPOSE_MAX = 255,
};

struct sign_seed { uint8_t b[SEED_LEN]; };              /* Ed25519 seed, secret */
struct sign_public { uint8_t b[PUBLIC_KEY_LEN]; };
struct signature { uint8_t b[SIGNATURE_LEN]; };
struct agree_secret { uint8_t b[SEED_LEN]; };           /* X25519 scalar, secret */
struct agree_public { uint8_t b[PUBLIC_KEY_LEN]; };
struct mac_key { uint8_t b[32]; };

int crypto_init(void) _must_check_;
void random_bytes(void *p, size_t n);
void wipe(void *p, size_t n);
bool equal_ct(const void *a, const void *b, size_t n);  /* constant time */

/* BLAKE2b-256 over len(purpose) || purpose || in; the length is one byte, a
 * purpose is a constant of at most PURPOSE_MAX bytes. */
void hash(uint8_t out[static HASH_LEN], const char *purpose, struct span in);

/* Keyed BLAKE2b-128 over purpose and in, purpose bound as in hash(). */
void mac(uint8_t out[static MAC_LEN], const struct mac_key *k, const char *purpose, struct span in);
bool mac_ok(const uint8_t tag[static MAC_LEN], const struct mac_key *k, const char *purpose,
	    struct span in);    /* constant time */

/* HKDF-SHA256 (RFC 5869). out_len <= 255*32. */
void hkdf(uint8_t *out, size_t out_len, struct span salt, struct span ikm, struct span info);

void sign_seed_new(struct sign_seed *out);
void sign_public_of(struct sign_public *out, const struct sign_seed *seed);
/* Ed25519 over purpose || 0x00 || message. The empty purpose signs the bare
 * message: only for TLS (vault) and the books' `sign` command. */
int sign_make(struct signature *out, const struct sign_seed *seed, const char *purpose,
	      struct span message) _must_check_;
/* ERR_SIGNATURE if it does not verify (strict: small order and non-canonical refused). */
int sign_verify(const struct sign_public *signer, const char *purpose, struct span message,
		const struct signature *sig) _must_check_;
/* Valid, canonical, main-subgroup point? ERR_WEAK otherwise. */
int sign_public_check(const struct sign_public *pk) _must_check_;

void agree_public_of(struct agree_public *out, const struct agree_secret *sk);
int agree(uint8_t out[static SHARED_LEN], const struct agree_secret *sk,
	  const struct agree_public *pk) _must_check_;  /* ERR_WEAK on a low-order point */
/* The X25519 forms of an Ed25519 pair (RFC 7748 birational map). */
int agree_public_from_sign(struct agree_public *out, const struct sign_public *pk) _must_check_;
void agree_secret_from_sign(struct agree_secret *out, const struct sign_seed *seed);

/* ChaCha20-Poly1305 (RFC 8439). out has in.len + AEAD_TAG_LEN bytes. */
void aead_seal(uint8_t *out, const uint8_t key[static AEAD_KEY_LEN], const uint8_t nonce[static 12],
	       struct span ad, struct span in);
int aead_open(uint8_t *out, const uint8_t key[static AEAD_KEY_LEN], const uint8_t nonce[static 12],
	      struct span ad, struct span in) _must_check_;     /* ERR_CRYPTO (out is zeroed); out has in.len - 16 bytes */

/* A passphrase to a key: Argon2id. opslimit and memlimit as in libsodium, bounded
 * by the caller's file format. ERR_LIMIT outside libsodium's bounds, -ENOMEM. */
int passphrase_key(uint8_t out[static AEAD_KEY_LEN], struct span passphrase,
		   const uint8_t salt[static 16], uint64_t ops, uint64_t mem_bytes) _must_check_;
/* XChaCha20-Poly1305 for data at rest, random nonces. */
void secretbox_seal(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 24],
		    struct span ad, struct span in);
int secretbox_open(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 24],
		   struct span ad, struct span in) _must_check_;
