/* Numbers as text, without a checksum: the books' alias (64 bits, always 14
 * characters) and identitykit's serial ("+" and as many characters as it takes). */
#pragma once

#include "identity/text.h"

enum { ALIAS_STR_MAX = 15, SERIAL_STR_MAX = 15 };

/* "a" and base32 of eight bytes, big endian. */
void alias_format(char out[static ALIAS_STR_MAX], uint64_t number);
int alias_parse(uint64_t *ret, const char *text, struct text_error *detail) _must_check_;

/* "+" and base32 of the little-endian bytes without trailing zeros; zero is "+"
 * alone. Read too: "=" for "+", lower case. */
void serial_format(char out[static SERIAL_STR_MAX], uint64_t number);
int serial_parse(uint64_t *ret, const char *text, struct text_error *detail) _must_check_;
