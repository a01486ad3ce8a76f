#include "identity/base58.h"

#include <string.h>

#include "base/err.h"
#include "crypto/crypto.h"

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

int base58_value(char c)
{
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

void base58_encode(char *out, size_t digits, const uint8_t *in, size_t n)
{
	uint8_t num[BASE58_BYTES_MAX];

	memcpy(num, in, n);
	out[digits] = 0;
	while (digits > 0) {
		unsigned rest = 0;

		for (size_t i = 0; i < n; i++) {
			rest = rest << 8 | num[i];
			num[i] = (uint8_t)(rest / 58);
			rest %= 58;
		}
		out[--digits] = alphabet[rest];
	}
	wipe(num, sizeof num);
}

int base58_decode(uint8_t *out, size_t n, const char *text, size_t len)
{
	memset(out, 0, n);
	for (size_t at = 0; at < len; at++) {
		int v = base58_value(text[at]);

		if (v < 0)
			return ERR_ALPHABET;

		unsigned carry = (unsigned)v;
		for (size_t i = n; i > 0; i--) {
			carry += 58u * out[i - 1];
			out[i - 1] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry)
			return ERR_LENGTH;
	}
	return 0;
}
