/* Who somebody is: an Ed25519 public key, and how it is written down.
 *
 * An identity is a plain value: copy it, compare it, put it in a struct. The
 * secret half lives behind vault.h, so code that only names peers cannot reach
 * a key. Text forms are in text.h. */
#pragma once

#include "crypto/crypto.h"

enum {
	IDENTITY_STR_MAX = 57,          /* 56 characters of generation 2 + NUL */
	FINGERPRINT_STR_MAX = 24,       /* "lusab-babad-gutih-tugad" + NUL */
};

struct identity {
	uint8_t key[PUBLIC_KEY_LEN];
};

bool identity_equal(const struct identity *a, const struct identity *b);
void identity_of_seed(struct identity *out, const struct sign_seed *seed);
static inline struct sign_public identity_public(const struct identity *id)
{
	struct sign_public p;

	memcpy(p.b, id->key, sizeof p.b);
	return p;
}

/* Total: every identity has exactly one text form, generation 2. */
void identity_format(char out[static IDENTITY_STR_MAX], const struct identity *id);
/* Generation 2 or 1; see text.h for the errors. *ret is written on success only. */
int identity_parse(struct identity *ret, const char *text) _must_check_;

/* 64 bits of hash("carrier fingerprint v1") as four proquints, for comparing by voice. */
void identity_fingerprint(char out[static FINGERPRINT_STR_MAX], const struct identity *id);
