#include "identity/serial.h"

#include "base/err.h"
#include "identity/base32.h"
#include "identity/refuse.h"

enum { NUMBER_LEN = 8, NUMBER_CHARS = 13 };

/* The digits behind the first character. */
static int decode(uint8_t *out, size_t n, const char *digits, size_t len, struct text_error *detail)
{
	int err = base32_decode(out, n, digits, len);

	if (err == ERR_ALPHABET)
		for (size_t i = 0; i < len; i++)
			if (base32_value(digits[i]) < 0)
				return refuse_char(detail, digits[i], i + 2, "base32");
	if (err == ERR_CANON)
		return refuse(detail, err, "the last character is not the canonical one");
	return err;
}

void alias_format(char out[static ALIAS_STR_MAX], uint64_t number)
{
	uint8_t bytes[NUMBER_LEN];

	for (int i = 0; i < NUMBER_LEN; i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	out[0] = 'a';
	base32_encode(out + 1, bytes, sizeof bytes);
}

int alias_parse(uint64_t *ret, const char *text, struct text_error *detail)
{
	uint8_t bytes[NUMBER_LEN];
	size_t len = strlen(text);
	uint64_t n = 0;
	int err;

	if (text[0] != 'a')
		return refuse(detail, ERR_PREFIX, "an alias begins with 'a'");
	if (len != 1 + NUMBER_CHARS)
		return refuse(detail, ERR_LENGTH, "an alias has %d characters, this has %zu",
			      1 + NUMBER_CHARS, len);

	err = decode(bytes, sizeof bytes, text + 1, len - 1, detail);
	if (err < 0)
		return err;

	for (int i = 0; i < NUMBER_LEN; i++)
		n = n << 8 | bytes[i];
	*ret = n;
	return 0;
}

void serial_format(char out[static SERIAL_STR_MAX], uint64_t number)
{
	uint8_t bytes[NUMBER_LEN];
	size_t n = 0;

	for (; number; number >>= 8)
		bytes[n++] = (uint8_t)number;
	out[0] = '+';
	base32_encode(out + 1, bytes, n);
}

int serial_parse(uint64_t *ret, const char *text, struct text_error *detail)
{
	uint8_t bytes[NUMBER_LEN] = {};
	char digits[NUMBER_CHARS] = {};
	size_t len = strlen(text), n;
	uint64_t number = 0;
	int err;

	if (text[0] != '+' && text[0] != '=')
		return refuse(detail, ERR_PREFIX, "a serial begins with '+' or '='");
	len--;
	n = len * 5 / 8;
	if (len > NUMBER_CHARS || base32_len(n) != len)
		return refuse(detail, ERR_LENGTH, "no serial of 64 bits has %zu characters", len + 1);

	for (size_t i = 0; i < len; i++) {
		char c = text[1 + i];

		digits[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	err = decode(bytes, n, digits, len, detail);
	if (err < 0)
		return err;
	if (n > 0 && !bytes[n - 1])
		return refuse(detail, ERR_CANON, "the serial has zero bytes at its end");

	for (size_t i = n; i > 0; i--)
		number = number << 8 | bytes[i - 1];
	*ret = number;
	return 0;
}
