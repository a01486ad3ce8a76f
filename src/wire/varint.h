/* Variable-length integers of QUIC (RFC 9000 16): two bits of the first byte say
 * how many bytes there are. A longer form than necessary is valid. */
#pragma once

#include "base/span.h"

#define VARINT_MAX (((uint64_t)1 << 62) - 1)
enum { VARINT_LEN_MAX = 8 };

/* 1, 2, 4 or 8; 0 if v is too large. */
static inline size_t varint_len(uint64_t v)
{
	if (v < 1u << 6)
		return 1;
	if (v < 1u << 14)
		return 2;
	if (v < 1u << 30)
		return 4;
	return v <= VARINT_MAX ? 8 : 0;
}

/* Writes the shortest form; returns its length, 0 if v is too large. */
static inline size_t varint_put(uint8_t *out, uint64_t v)
{
	size_t n = varint_len(v);

	for (size_t i = n; i; i--, v >>= 8)
		out[i - 1] = (uint8_t)v;
	if (n)
		out[0] |= (uint8_t)(__builtin_ctz((unsigned)n) << 6);
	return n;
}

/* Returns the bytes consumed; 0 if more bytes are needed, *ret is untouched then. */
static inline int varint_get(uint64_t *ret, struct span in)
{
	if (!in.len)
		return 0;

	size_t n = (size_t)1 << (in.data[0] >> 6);
	if (in.len < n)
		return 0;

	uint64_t v = in.data[0] & 0x3f;
	for (size_t i = 1; i < n; i++)
		v = v << 8 | in.data[i];
	*ret = v;
	return (int)n;
}
