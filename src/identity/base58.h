/* Base58 in Bitcoin's alphabet, as a number of a fixed width: generation 1 has
 * no use for the variable-length form. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum { BASE58_BYTES_MAX = 67 };

/* 0..57, or -1 for a character outside the alphabet. */
int base58_value(char c);
/* n bytes, big endian, as exactly that many digits; the number must fit. n <=
 * BASE58_BYTES_MAX; out has digits + 1 bytes. */
void base58_encode(char *out, size_t digits, const uint8_t *in, size_t n);
/* ERR_ALPHABET, or ERR_LENGTH if the number needs more than n bytes; out is undefined then. */
int base58_decode(uint8_t *out, size_t n, const char *text, size_t len) _must_check_;
