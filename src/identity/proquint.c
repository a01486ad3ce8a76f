#include "identity/proquint.h"

static char *add_word(char *out, unsigned w)
{
	static const char consonants[] = "bdfghjklmnprstvz", vowels[] = "aiou";

	*out++ = consonants[w >> 12 & 15];
	*out++ = vowels[w >> 10 & 3];
	*out++ = consonants[w >> 6 & 15];
	*out++ = vowels[w >> 4 & 3];
	*out++ = consonants[w & 15];
	return out;
}

void proquint_format(char out[static FINGERPRINT_STR_MAX], const uint8_t bytes[static 8])
{
	char *p = out;

	for (int i = 0; i < 4; i++) {
		p = add_word(p, (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1]);
		*p++ = i < 3 ? '-' : 0;
	}
}
