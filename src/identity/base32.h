/* Base32 of RFC 4648 without padding, upper case, and only in its canonical
 * spelling: bits behind the last byte must be zero. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

static inline size_t base32_len(size_t bytes) { return (bytes * 8 + 4) / 5; }

/* 0..31, or -1 for a character outside the alphabet. */
int base32_value(char c);
/* out has base32_len(n) + 1 bytes. */
void base32_encode(char *out, const uint8_t *in, size_t n);
/* Exactly n bytes. ERR_LENGTH if len is not base32_len(n), ERR_ALPHABET, ERR_CANON;
 * out is undefined then. */
int base32_decode(uint8_t *out, size_t n, const char *text, size_t len) _must_check_;
