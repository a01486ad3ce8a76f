#include "wire/cbor.h"

#include <endian.h>

#include "base/err.h"
#include "wire/cbor_head.h"
#include "wire/utf8.h"

enum { INFO_1_BYTE = 24, INFO_2_BYTES, INFO_4_BYTES, INFO_8_BYTES, INFO_INDEFINITE = 31 };

void cbor_fail(struct cbor *c, int err)
{
	c->err = c->err ?: err;
}

/* Why no item of our profile begins with this byte. */
static int why_refused(struct span in)
{
	enum cbor_major major = in.data[0] >> 5;
	unsigned info = in.data[0] & 31;

	if (info > INFO_8_BYTES && info < INFO_INDEFINITE)
		return ERR_PARSE;
	if (info == INFO_INDEFINITE)
		return major >= MAJOR_BYTES && major <= MAJOR_MAP ? ERR_CANON : ERR_PARSE;
	if (major == MAJOR_SIMPLE && info == INFO_1_BYTE && (in.len < 2 || in.data[1] < 32))
		return ERR_PARSE;       /* RFC 8949 3.3: not well-formed */
	return ERR_TYPE;
}

/* The argument that follows the first byte; sizes known to the compiler are loads. */
static uint64_t load_arg(const uint8_t *p, unsigned info)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (info) {
	case INFO_1_BYTE:
		return p[0];
	case INFO_2_BYTES:
		memcpy(&v16, p, sizeof v16);
		return be16toh(v16);
	case INFO_4_BYTES:
		memcpy(&v32, p, sizeof v32);
		return be32toh(v32);
	default:
		memcpy(&v64, p, sizeof v64);
		return be64toh(v64);
	}
}

bool cbor_head_read(struct cbor *c, struct cbor_head *ret)
{
	if (c->err)
		return false;
	if (!c->in.len) {
		c->err = ERR_PARSE;
		return false;
	}

	uint8_t first = c->in.data[0];
	unsigned info = first & 31;
	struct cbor_head head = { .major = first >> 5, .arg = info };
	bool simple = first >= (MAJOR_SIMPLE << 5 | CBOR_FALSE) &&
		      first <= (MAJOR_SIMPLE << 5 | CBOR_NULL_VALUE);

	if ((head.major >= MAJOR_TAG && !simple) || info > INFO_8_BYTES) {
		c->err = why_refused(c->in);
		return false;
	}

	size_t len = 1;
	if (info >= INFO_1_BYTE) {
		size_t n = (size_t)1 << (info - INFO_1_BYTE);

		if (c->in.len - 1 < n) {
			c->err = ERR_PARSE;
			return false;
		}
		head.arg = load_arg(c->in.data + 1, info);
		len += n;
		if (cbor_head_len(head.arg) != len) {
			c->err = ERR_CANON;
			return false;
		}
	}
	c->in.data += len;
	c->in.len -= len;
	*ret = head;
	return true;
}

/* The argument of the next item, which must be of this kind. */
static bool expect(struct cbor *c, enum cbor_major major, uint64_t *ret)
{
	struct cbor_head head;

	if (!cbor_head_read(c, &head))
		return false;
	if (head.major != major) {
		c->err = ERR_TYPE;
		return false;
	}
	*ret = head.arg;
	return true;
}

static struct span take_bytes(struct cbor *c, uint64_t len)
{
	if (len > c->in.len) {
		c->err = ERR_PARSE;
		return SPAN_NONE;
	}

	struct span out = SPAN(c->in.data, (size_t)len);
	c->in.data += len;
	c->in.len -= (size_t)len;
	return out;
}

static struct span take_text(struct cbor *c, uint64_t len)
{
	struct span s = take_bytes(c, len);

	if (!utf8_valid(s)) {
		c->err = ERR_PARSE;
		return SPAN_NONE;
	}
	return s;
}

enum cbor_type cbor_peek(const struct cbor *c)
{
	static const enum cbor_type types[] = {
		[MAJOR_UINT] = CBOR_UINT, [MAJOR_NEGINT] = CBOR_NEGINT, [MAJOR_BYTES] = CBOR_BYTES,
		[MAJOR_TEXT] = CBOR_TEXT, [MAJOR_ARRAY] = CBOR_ARRAY, [MAJOR_MAP] = CBOR_MAP,
	};

	if (c->err || !c->in.len)
		return CBOR_NONE;

	uint8_t first = c->in.data[0];
	enum cbor_major major = first >> 5;
	if (major <= MAJOR_MAP)
		return types[major];
	if (first == (MAJOR_SIMPLE << 5 | CBOR_FALSE) || first == (MAJOR_SIMPLE << 5 | CBOR_TRUE))
		return CBOR_BOOL;
	return first == (MAJOR_SIMPLE << 5 | CBOR_NULL_VALUE) ? CBOR_NULL : CBOR_NONE;
}

uint64_t cbor_uint(struct cbor *c)
{
	uint64_t v;

	return expect(c, MAJOR_UINT, &v) ? v : 0;
}

uint64_t cbor_uint_max(struct cbor *c, uint64_t max)
{
	uint64_t v = cbor_uint(c);

	if (v > max) {
		c->err = ERR_LIMIT;
		return 0;
	}
	return v;
}

int64_t cbor_int(struct cbor *c)
{
	struct cbor_head head;

	if (!cbor_head_read(c, &head))
		return 0;
	if (head.major > MAJOR_NEGINT) {
		c->err = ERR_TYPE;
		return 0;
	}
	if (head.arg > INT64_MAX) {
		c->err = ERR_LIMIT;
		return 0;
	}
	return head.major == MAJOR_UINT ? (int64_t)head.arg : -1 - (int64_t)head.arg;
}

struct span cbor_bytes(struct cbor *c)
{
	uint64_t len;

	return expect(c, MAJOR_BYTES, &len) ? take_bytes(c, len) : SPAN_NONE;
}

void cbor_bytes_exact(struct cbor *c, void *out, size_t len)
{
	struct span s = cbor_bytes(c);

	if (!c->err && s.len != len)
		c->err = ERR_LENGTH;
	if (c->err)
		memset(out, 0, len);
	else if (len)
		memcpy(out, s.data, len);
}

struct span cbor_text(struct cbor *c)
{
	uint64_t len;

	return expect(c, MAJOR_TEXT, &len) ? take_text(c, len) : SPAN_NONE;
}

bool cbor_bool(struct cbor *c)
{
	uint64_t v;

	if (!expect(c, MAJOR_SIMPLE, &v))
		return false;
	if (v == CBOR_NULL_VALUE)
		c->err = ERR_TYPE;
	return v == CBOR_TRUE;
}

void cbor_null(struct cbor *c)
{
	uint64_t v;

	if (expect(c, MAJOR_SIMPLE, &v) && v != CBOR_NULL_VALUE)
		c->err = ERR_TYPE;
}

/* Every item takes a byte at least, so a count that cannot fit is refused
 * before anybody allocates for it. */
static size_t take_count(struct cbor *c, enum cbor_major major, size_t max, size_t item_min)
{
	uint64_t n;

	if (!expect(c, major, &n))
		return 0;
	if (n > max || n > c->in.len / item_min) {
		c->err = n > max ? ERR_LIMIT : ERR_PARSE;
		return 0;
	}
	return (size_t)n;
}

size_t cbor_array(struct cbor *c, size_t max) { return take_count(c, MAJOR_ARRAY, max, 1); }
size_t cbor_map(struct cbor *c, size_t max) { return take_count(c, MAJOR_MAP, max, 2); }

/* Bytewise, as RFC 8949 4.2.1 sorts; for two encoded items, neither of which
 * can be the beginning of the other. */
static int compare_encoded(struct span a, struct span b)
{
	return memcmp(a.data, b.data, MIN(a.len, b.len));
}

static void check_order(struct cbor *c, int order)
{
	if (order >= 0)
		c->err = order ? ERR_CANON : ERR_EXISTS;
}

struct span cbor_key(struct cbor *c, struct span *last)
{
	struct span key = cbor_text(c);

	if (c->err)
		return SPAN_NONE;
	if (last->data) {
		/* the order of the encodings: the length stands in front of the text */
		if (last->len != key.len)
			check_order(c, last->len < key.len ? -1 : 1);
		else
			check_order(c, key.len ? memcmp(last->data, key.data, key.len) : 0);
	}
	if (c->err)
		return SPAN_NONE;
	*last = key;
	return key;
}

static void skip_item(struct cbor *c);

static void skip_array(struct cbor *c, uint64_t items)
{
	if (items > c->in.len)
		c->err = ERR_PARSE;
	while (items-- && !c->err)
		skip_item(c);
}

static void skip_map(struct cbor *c, uint64_t pairs)
{
	struct span last = SPAN_NONE;

	if (pairs > c->in.len / 2)
		c->err = ERR_PARSE;
	while (pairs-- && !c->err) {
		struct span key = cbor_skip(c);

		if (!c->err && last.data)
			check_order(c, compare_encoded(last, key));
		last = key;
		skip_item(c);
	}
}

static void skip_item(struct cbor *c)
{
	struct cbor_head head;

	if (!cbor_head_read(c, &head))
		return;
	if (head.major == MAJOR_BYTES)
		take_bytes(c, head.arg);
	if (head.major == MAJOR_TEXT)
		take_text(c, head.arg);
	if (head.major != MAJOR_ARRAY && head.major != MAJOR_MAP)
		return;

	if (c->depth == CBOR_DEPTH_MAX) {
		c->err = ERR_LIMIT;
		return;
	}
	c->depth++;
	if (head.major == MAJOR_ARRAY)
		skip_array(c, head.arg);
	else
		skip_map(c, head.arg);
	c->depth--;
}

struct span cbor_skip(struct cbor *c)
{
	struct span in = c->in;

	skip_item(c);
	return c->err ? SPAN_NONE : span_first(in, in.len - c->in.len);
}

int cbor_end(const struct cbor *c)
{
	if (c->err)
		return c->err;
	return c->in.len ? ERR_PARSE : 0;
}

struct cbor cbor_map_find(struct span map, const char *key)
{
	struct cbor c = { .in = map, .depth = 1 };      /* the values lie inside the map */
	struct span last = SPAN_NONE, found = SPAN_NONE;

	for (size_t n = cbor_map(&c, SIZE_MAX); n && !c.err; n--) {
		bool same = span_is(cbor_key(&c, &last), key);
		struct span value = cbor_skip(&c);

		if (same)
			found = value;
	}
	return (struct cbor){ .in = found, .err = cbor_end(&c) };
}

int cbor_validate(struct span item)
{
	struct cbor c = CBOR(item);

	cbor_skip(&c);
	return cbor_end(&c);
}
