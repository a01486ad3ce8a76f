/* The head of a CBOR item (RFC 8949 3): a major type and an argument. Private to wire/. */
#pragma once

#include "wire/cbor.h"

enum cbor_major {
	MAJOR_UINT, MAJOR_NEGINT, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE,
};

enum { CBOR_FALSE = 20, CBOR_TRUE = 21, CBOR_NULL_VALUE = 22 };

enum { CBOR_HEAD_MAX = 9 };

struct cbor_head {
	enum cbor_major major;
	uint64_t arg;
};

/* False, with the error set, unless a head in our profile comes next. */
bool cbor_head_read(struct cbor *c, struct cbor_head *ret);

static inline size_t cbor_head_len(uint64_t arg)
{
	if (arg < 24)
		return 1;
	if (arg <= UINT8_MAX)
		return 2;
	if (arg <= UINT16_MAX)
		return 3;
	return arg <= UINT32_MAX ? 5 : 9;
}

size_t cbor_head_write(uint8_t *out, enum cbor_major major, uint64_t arg);

/* An array or map whose count is known only at its end: open it, write the
 * items, close it with the offset that opening returned. */
size_t cbor_open(struct buf *b);
void cbor_close(struct buf *b, size_t at, enum cbor_major major, size_t count);
