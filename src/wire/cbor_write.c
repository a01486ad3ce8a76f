#include "wire/cbor.h"

#include <endian.h>

#include "base/err.h"
#include "wire/cbor_head.h"
#include "wire/utf8.h"

size_t cbor_head_write(uint8_t *out, enum cbor_major major, uint64_t arg)
{
	uint8_t type = (uint8_t)(major << 5);

	if (arg < 24) {
		out[0] = (uint8_t)(type | arg);
		return 1;
	}
	if (arg <= UINT8_MAX) {
		out[0] = type | 24;
		out[1] = (uint8_t)arg;
		return 2;
	}
	if (arg <= UINT16_MAX) {
		uint16_t be = htobe16((uint16_t)arg);

		out[0] = type | 25;
		memcpy(out + 1, &be, sizeof be);
		return 3;
	}
	if (arg <= UINT32_MAX) {
		uint32_t be = htobe32((uint32_t)arg);

		out[0] = type | 26;
		memcpy(out + 1, &be, sizeof be);
		return 5;
	}

	uint64_t be = htobe64(arg);
	out[0] = type | 27;
	memcpy(out + 1, &be, sizeof be);
	return 9;
}

static void put_head(struct buf *b, enum cbor_major major, uint64_t arg)
{
	uint8_t *p = buf_reserve(b, cbor_head_len(arg));

	if (p)
		buf_added(b, cbor_head_write(p, major, arg));
}

static void put_string(struct buf *b, enum cbor_major major, struct span s)
{
	size_t head = cbor_head_len(s.len);
	uint8_t *p = buf_reserve(b, s.len > SIZE_MAX - head ? SIZE_MAX : head + s.len);

	if (!p)
		return;
	cbor_head_write(p, major, s.len);
	if (s.len)
		memcpy(p + head, s.data, s.len);
	buf_added(b, head + s.len);
}

size_t cbor_open(struct buf *b)
{
	size_t at = b->len;

	buf_add_u8(b, 0);
	return at;
}

void cbor_close(struct buf *b, size_t at, enum cbor_major major, size_t count)
{
	size_t more = cbor_head_len(count) - 1;

	if (b->err || (more && !buf_reserve(b, more)))
		return;
	if (more) {
		memmove(b->data + at + 1 + more, b->data + at + 1, b->len - at - 1);
		buf_added(b, more);
	}
	cbor_head_write(b->data + at, major, count);
}

void cbor_put_uint(struct buf *b, uint64_t v) { put_head(b, MAJOR_UINT, v); }

void cbor_put_int(struct buf *b, int64_t v)
{
	if (v < 0)
		put_head(b, MAJOR_NEGINT, ~(uint64_t)v);        /* -1 - v */
	else
		put_head(b, MAJOR_UINT, (uint64_t)v);
}

void cbor_put_bytes(struct buf *b, struct span s) { put_string(b, MAJOR_BYTES, s); }

void cbor_put_text(struct buf *b, struct span s)
{
	if (!utf8_valid(s)) {
		b->err = b->err ?: ERR_PARSE;
		return;
	}
	put_string(b, MAJOR_TEXT, s);
}

void cbor_put_str(struct buf *b, const char *s) { cbor_put_text(b, SPAN_STR(s)); }
void cbor_put_bool(struct buf *b, bool v) { put_head(b, MAJOR_SIMPLE, v ? CBOR_TRUE : CBOR_FALSE); }
void cbor_put_null(struct buf *b) { put_head(b, MAJOR_SIMPLE, CBOR_NULL_VALUE); }
void cbor_put_array(struct buf *b, size_t items) { put_head(b, MAJOR_ARRAY, items); }
