/* An identity that reads is a usable key, prints in one way and reads back. */
#include <stdlib.h>

#include "identity/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool so)
{
	if (!so)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1), out[IDENTITY_STR_MAX], fingerprint[FINGERPRINT_STR_MAX];
	struct identity id, again;

	if (!text)
		return 0;
	if (len)
		memcpy(text, data, len);
	text[len] = 0;
	if (identity_parse(&id, text) >= 0) {
		struct sign_public pk = identity_public(&id);

		must(sign_public_check(&pk) >= 0);
		identity_format(out, &id);
		must(strlen(out) == IDENTITY_STR_MAX - 1);
		must(identity_parse(&again, out) >= 0 && identity_equal(&id, &again));
		identity_fingerprint(fingerprint, &id);
		must(strlen(fingerprint) == FINGERPRINT_STR_MAX - 1);
	}
	free(text);
	return 0;
}
