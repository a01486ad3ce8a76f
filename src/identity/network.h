/* A network (the books' "shadow"): a secret seed and the Ed25519 public key
 * derived from it, its address. Being a member means knowing the secret, and is
 * proved to a broker by a signature that names who, where and when; knowing the
 * address alone proves nothing. */
#pragma once

#include "identity/identity.h"
#include "identity/text.h"

struct network_secret { uint8_t b[SEED_LEN]; };
struct network_address { uint8_t key[PUBLIC_KEY_LEN]; };

enum { NETWORK_PROOF_LEN = SIGNATURE_LEN, NETWORK_NONCE_LEN = 16 };

void network_secret_new(struct network_secret *out);
void network_address_of(struct network_address *out, const struct network_secret *secret);
/* Text type 6, and type 4 (written) or 3 (read too) for the secret. */
void network_address_format(char out[static IDENTITY_STR_MAX], const struct network_address *a);
int network_address_parse(struct network_address *ret, const char *text, struct text_error *detail) _must_check_;
void network_secret_format(char out[static IDENTITY_STR_MAX], const struct network_secret *s);
int network_secret_parse(struct network_secret *ret, const char *text, struct text_error *detail) _must_check_;
/* The old X25519 address of a secret (both books' carrier-style derivation), to
 * recognise and explain it. */
void network_old_address_of(uint8_t out[static 32], const struct network_secret *secret);

enum network_role { NETWORK_PUBLISH = 1, NETWORK_SUBSCRIBE = 2 };

/* Signs (role, member, broker, nonce); the nonce is the broker's, per connection. */
int network_prove(uint8_t out[static NETWORK_PROOF_LEN], const struct network_secret *secret,
		  enum network_role role, const struct identity *member, const struct identity *broker,
		  const uint8_t nonce[static NETWORK_NONCE_LEN]) _must_check_;
int network_verify(const struct network_address *network, enum network_role role,
		   const struct identity *member, const struct identity *broker,
		   const uint8_t nonce[static NETWORK_NONCE_LEN],
		   const uint8_t proof[static NETWORK_PROOF_LEN]) _must_check_;
