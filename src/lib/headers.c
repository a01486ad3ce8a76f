/* A set of headers is always its own encoding: what is put is checked by the reader
 * that will check it on the other side. */
#include <errno.h>

#include "base/err.h"
#include "lib/internal.h"

static const uint8_t empty_map[] = { 0xa0 };

int carrier_headers_new(carrier_headers **ret_h)
{
	struct carrier_headers *h = calloc(1, sizeof *h);

	if (!h)
		return -ENOMEM;
	h->h.block = SPAN_OF(empty_map);
	*ret_h = h;
	return 0;
}

void carrier_headers_free(carrier_headers *h)
{
	if (!h)
		return;
	buf_done(&h->own);
	free(h);
}

/* ---- putting ---- */

/* Writes all entries but *key*'s and leaves the map open for its new value, which goes to
 * the buffer that is returned. */
static struct buf *begin_with(struct cbor_map *m, struct buf *out, const struct headers *h, const char *key)
{
	struct span k, v;

	out->max = 2 * HEADERS_LEN_MAX;
	cbor_map_begin(m, out);
	for (size_t i = 0; headers_at(h, i, &k, &v); i++)
		if (!span_is(k, key))
			buf_add_span(cbor_map_key_span(m, k), v);
	return cbor_map_key(m, key);
}

static int end_with(struct cbor_map *m, struct buf *out, struct headers *ret)
{
	cbor_map_end(m);
	return buf_err(out) < 0 ? buf_err(out) : headers_parse(ret, buf_span(out));
}

static int finish_put(struct carrier_headers *h, struct cbor_map *m, struct buf *b)
{
	struct headers parsed;
	int err = end_with(m, b, &parsed);

	if (err < 0) {
		buf_done(b);
		return err;
	}
	buf_done(&h->own);
	h->own = *b;
	h->h = parsed;
	return 0;
}

int carrier_headers_put_text(carrier_headers *h, const char *key, const char *value, size_t len)
{
	struct buf b = {};
	struct cbor_map m;

	if (len > HEADERS_LEN_MAX)
		return ERR_LIMIT;
	cbor_put_text(begin_with(&m, &b, &h->h, key), SPAN(value, len));
	return finish_put(h, &m, &b);
}

int carrier_headers_put_bytes(carrier_headers *h, const char *key, const void *value, size_t len)
{
	struct buf b = {};
	struct cbor_map m;

	if (len > HEADERS_LEN_MAX)
		return ERR_LIMIT;
	cbor_put_bytes(begin_with(&m, &b, &h->h, key), SPAN(value, len));
	return finish_put(h, &m, &b);
}

int carrier_headers_put_uint(carrier_headers *h, const char *key, uint64_t value)
{
	struct buf b = {};
	struct cbor_map m;

	cbor_put_uint(begin_with(&m, &b, &h->h, key), value);
	return finish_put(h, &m, &b);
}

int carrier_headers_put_bool(carrier_headers *h, const char *key, int value)
{
	struct buf b = {};
	struct cbor_map m;

	cbor_put_bool(begin_with(&m, &b, &h->h, key), value != 0);
	return finish_put(h, &m, &b);
}

static const struct headers *headers_of(const struct carrier_headers *h)
{
	static const struct headers none = { { empty_map, sizeof empty_map } };

	return h ? &h->h : &none;
}

int headers_with_text(struct buf *out, const struct carrier_headers *more, const char *key, const char *value)
{
	struct cbor_map m;
	struct headers h;

	cbor_put_str(begin_with(&m, out, headers_of(more), key), value);
	return end_with(&m, out, &h);
}

int headers_with_uint(struct buf *out, const struct carrier_headers *more, const char *key, uint64_t value)
{
	struct cbor_map m;
	struct headers h;

	cbor_put_uint(begin_with(&m, out, headers_of(more), key), value);
	return end_with(&m, out, &h);
}

/* ---- getting ---- */

static int find(struct cbor *ret, const struct carrier_headers *h, const char *key, enum cbor_type type)
{
	struct cbor c = cbor_map_find(h->h.block, key);

	if (c.err || !c.in.len)
		return ERR_UNKNOWN;
	if (cbor_peek(&c) != type)
		return ERR_TYPE;
	*ret = c;
	return 0;
}

int carrier_headers_get_text(const carrier_headers *h, const char *key, const char **ret_value, size_t *ret_len)
{
	struct cbor c;
	int err = find(&c, h, key, CBOR_TEXT);

	if (err < 0)
		return err;
	struct span s = cbor_text(&c);
	*ret_value = (const char *)s.data;
	*ret_len = s.len;
	return 0;
}

int carrier_headers_get_bytes(const carrier_headers *h, const char *key, const void **ret_value, size_t *ret_len)
{
	struct cbor c;
	int err = find(&c, h, key, CBOR_BYTES);

	if (err < 0)
		return err;
	struct span s = cbor_bytes(&c);
	*ret_value = s.data;
	*ret_len = s.len;
	return 0;
}

int carrier_headers_get_uint(const carrier_headers *h, const char *key, uint64_t *ret_value)
{
	struct cbor c;
	int err = find(&c, h, key, CBOR_UINT);

	if (err < 0)
		return err;
	*ret_value = cbor_uint(&c);
	return 0;
}

int carrier_headers_get_bool(const carrier_headers *h, const char *key, int *ret_value)
{
	struct cbor c;
	int err = find(&c, h, key, CBOR_BOOL);

	if (err < 0)
		return err;
	*ret_value = cbor_bool(&c);
	return 0;
}

size_t carrier_headers_len(const carrier_headers *h)
{
	struct span k, v;
	size_t n = 0;

	while (headers_at(&h->h, n, &k, &v))
		n++;
	return n;
}

int carrier_headers_key(const carrier_headers *h, size_t i, const char **ret_key, size_t *ret_len)
{
	struct span k, v;

	if (!headers_at(&h->h, i, &k, &v))
		return ERR_UNKNOWN;
	*ret_key = (const char *)k.data;
	*ret_len = k.len;
	return 0;
}
