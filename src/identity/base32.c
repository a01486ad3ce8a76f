#include "identity/base32.h"

#include "base/err.h"

int base32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

void base32_encode(char *out, const uint8_t *in, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned acc = 0, bits = 0;

	for (size_t i = 0; i < n; i++) {
		acc = (acc << 8 | in[i]) & 0xfff;       /* at most 4 bits wait for a byte */
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = alphabet[acc >> (bits - 5) & 31];
	}
	if (bits)
		*out++ = alphabet[acc << (5 - bits) & 31];
	*out = 0;
}

int base32_decode(uint8_t *out, size_t n, const char *text, size_t len)
{
	unsigned acc = 0, bits = 0;

	if (len != base32_len(n))
		return ERR_LENGTH;

	for (size_t i = 0; i < len; i++) {
		int v = base32_value(text[i]);

		if (v < 0)
			return ERR_ALPHABET;
		acc = (acc << 5 | (unsigned)v) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (uint8_t)(acc >> bits);
		}
	}
	return acc & ((1u << bits) - 1) ? ERR_CANON : 0;
}
