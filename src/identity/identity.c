#include "identity/identity.h"

#include "identity/proquint.h"
#include "identity/text.h"

bool identity_equal(const struct identity *a, const struct identity *b)
{
	return !memcmp(a->key, b->key, sizeof a->key);
}

void identity_of_seed(struct identity *out, const struct sign_seed *seed)
{
	struct sign_public pk;

	sign_public_of(&pk, seed);
	memcpy(out->key, pk.b, sizeof out->key);
}

void identity_format(char out[static IDENTITY_STR_MAX], const struct identity *id)
{
	char text[TEXT_STR_MAX];

	text_format2(text, TEXT_IDENTITY, id->key);
	memcpy(out, text, IDENTITY_STR_MAX);
}

int identity_parse(struct identity *ret, const char *text)
{
	return text_parse(ret->key, TEXT_IDENTITY, text, NULL);
}

void identity_fingerprint(char out[static FINGERPRINT_STR_MAX], const struct identity *id)
{
	uint8_t h[HASH_LEN];

	hash(h, "carrier fingerprint v1", SPAN_OF(id->key));
	proquint_format(out, h);
}
