#include "stream/headers.h"

#include "base/err.h"

enum { METHOD_MAX = 32, STATUS_MIN = 100, STATUS_MAX = 999 };

/* Paths and methods go into logs and rules: no control characters. */
static int check_clean(struct cbor *value, size_t max)
{
	struct span s = cbor_text(value);

	if (value->err)
		return value->err;
	if (!s.len || s.len > max)
		return ERR_LIMIT;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			return ERR_PARSE;
	return 0;
}

static int check_own(struct span key, struct cbor value)
{
	if (span_is(key, ":path"))
		return check_clean(&value, HEADER_PATH_MAX);
	if (span_is(key, ":method"))
		return check_clean(&value, METHOD_MAX);
	if (span_is(key, ":error"))
		cbor_text(&value);
	if (span_is(key, ":status") && cbor_uint_max(&value, STATUS_MAX) < STATUS_MIN)
		return value.err ?: ERR_LIMIT;
	return value.err;
}

static bool is_allowed(enum cbor_type t)
{
	return t == CBOR_TEXT || t == CBOR_BYTES || t == CBOR_UINT || t == CBOR_BOOL;
}

int headers_parse(struct headers *ret, struct span block)
{
	struct cbor c = CBOR(block);
	struct span last = SPAN_NONE;
	int err;

	if (block.len > HEADERS_LEN_MAX)
		return ERR_LIMIT;

	size_t n = cbor_map(&c, HEADERS_ENTRIES_MAX);
	while (n--) {
		struct span key = cbor_key(&c, &last);

		if (!c.err && !is_allowed(cbor_peek(&c)))
			cbor_fail(&c, ERR_TYPE);
		struct cbor value = c;
		cbor_skip(&c);
		if (c.err)
			break;
		err = check_own(key, value);
		if (err < 0)
			return err;
	}

	err = cbor_end(&c);
	if (err < 0)
		return err;

	*ret = (struct headers){ block };
	return 0;
}

static struct cbor find(const struct headers *h, const char *key, enum cbor_type type)
{
	struct cbor c = cbor_map_find(h->block, key);

	if (c.err || cbor_peek(&c) != type)
		c = (struct cbor){ .err = ERR_UNKNOWN };
	return c;
}

struct span headers_text(const struct headers *h, const char *key)
{
	struct cbor c = find(h, key, CBOR_TEXT);

	return c.err ? SPAN_NONE : cbor_text(&c);
}

struct span headers_bytes(const struct headers *h, const char *key)
{
	struct cbor c = find(h, key, CBOR_BYTES);

	return c.err ? SPAN_NONE : cbor_bytes(&c);
}

uint64_t headers_uint(const struct headers *h, const char *key, uint64_t fallback)
{
	struct cbor c = find(h, key, CBOR_UINT);

	return c.err ? fallback : cbor_uint(&c);
}

bool headers_bool(const struct headers *h, const char *key, bool fallback)
{
	struct cbor c = find(h, key, CBOR_BOOL);

	return c.err ? fallback : cbor_bool(&c);
}

bool headers_has(const struct headers *h, const char *key)
{
	struct cbor c = cbor_map_find(h->block, key);

	return !c.err && c.in.len;
}

int headers_copy(const struct headers *h, const char *key, char *out, size_t size)
{
	struct cbor c = find(h, key, CBOR_TEXT);
	struct span s;

	if (c.err)
		return ERR_UNKNOWN;
	s = cbor_text(&c);
	if (s.len >= size)
		return ERR_LENGTH;
	if (s.len && memchr(s.data, 0, s.len))
		return ERR_PARSE;

	if (s.len)
		memcpy(out, s.data, s.len);
	out[s.len] = 0;
	return 0;
}

bool headers_at(const struct headers *h, size_t i, struct span *ret_key, struct span *ret_value)
{
	struct cbor c = CBOR(h->block);
	struct span last = SPAN_NONE, key, value;
	size_t n = cbor_map(&c, HEADERS_ENTRIES_MAX);

	if (i >= n)
		return false;
	do {
		key = cbor_key(&c, &last);
		value = cbor_skip(&c);
	} while (i--);
	if (c.err)
		return false;

	*ret_key = key;
	*ret_value = value;
	return true;
}

void headers_put_status(struct buf *out, unsigned status, const char *error)
{
	struct cbor_map m;

	cbor_map_begin(&m, out);
	cbor_map_uint(&m, ":status", status);
	if (error)
		cbor_map_str(&m, ":error", error);
	cbor_map_end(&m);
}
