#include "tree.h"

#include "test.h"

uint64_t rng_next(struct rng *r)        /* splitmix64 */
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t random_text(char *out, size_t max, struct rng *r)
{
	static const char *const parts[] = {
		"a", "b", "Z", "0", " ", "\"", "\\", "/", "\n", "\x01", "\x7f", "\xc2\x85", "\xc3\xbc",
		"\xe6\xb0\xb4", "\xf0\x90\x85\x91", "carrier", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf",
	};
	size_t n = rng_below(r, 12), len = 0;

	while (n--) {
		const char *part = parts[rng_below(r, ARRAY_LEN(parts))];

		if (len + strlen(part) > max)
			break;
		memcpy(out + len, part, strlen(part));
		len += strlen(part);
	}
	return len;
}

static void put_map(struct buf *b, struct rng *r, int depth, bool json_only)
{
	size_t n = rng_below(r, rng_below(r, 20) ? 8 : 80);
	struct cbor_map m;
	char key[96];

	cbor_map_begin(&m, b);
	while (n--) {
		size_t len = random_text(key, sizeof key, r);

		if (!cbor_map_has(&m, SPAN(key, len)))
			tree_put(cbor_map_key_span(&m, SPAN(key, len)), r, depth - 1, json_only);
	}
	cbor_map_end(&m);
}

void tree_put(struct buf *b, struct rng *r, int depth, bool json_only)
{
	char text[96];
	size_t n;

	switch (rng_below(r, depth > 0 ? 9 : 7)) {
	case 0:
		cbor_put_uint(b, rng_next(r) >> rng_below(r, 64));
		break;
	case 1:
		cbor_put_int(b, (int64_t)rng_next(r) >> rng_below(r, 64));
		break;
	case 2:
		cbor_put_bool(b, rng_below(r, 2));
		break;
	case 3:
		cbor_put_null(b);
		break;
	case 4:
		if (json_only)
			cbor_put_null(b);
		else
			cbor_put_bytes(b, SPAN(text, random_text(text, sizeof text, r)));
		break;
	case 5:
	case 6:
		cbor_put_text(b, SPAN(text, random_text(text, sizeof text, r)));
		break;
	case 7:
		n = rng_below(r, rng_below(r, 20) ? 6 : 300);
		cbor_put_array(b, n);
		while (n--)
			tree_put(b, r, depth - 2, json_only);
		break;
	default:
		put_map(b, r, depth, json_only);
	}
}

static void copy_map(struct buf *b, struct cbor *c)
{
	enum { MAX = 1000 };
	struct { struct span key; struct cbor value; } pairs[MAX];
	struct span last = SPAN_NONE;
	size_t n = cbor_map(c, MAX);
	struct cbor_map m;

	for (size_t i = 0; i < n; i++) {
		pairs[i].key = cbor_key(c, &last);
		pairs[i].value = CBOR(cbor_skip(c));
	}
	cbor_map_begin(&m, b);
	while (n--) {
		cbor_map_key_span(&m, pairs[n].key);
		tree_copy(b, &pairs[n].value);
		cbor_fail(c, cbor_end(&pairs[n].value));
	}
	cbor_map_end(&m);
}

void tree_copy(struct buf *b, struct cbor *c)
{
	struct cbor whole;
	int64_t i;
	size_t n;

	switch (cbor_peek(c)) {
	case CBOR_UINT:
		cbor_put_uint(b, cbor_uint(c));
		break;
	case CBOR_NEGINT:
		whole = *c;
		i = cbor_int(&whole);
		if (whole.err) {
			buf_add_span(b, cbor_skip(c));  /* below int64: the writer has no way to say it */
		} else {
			cbor_put_int(b, i);
			*c = whole;
		}
		break;
	case CBOR_BYTES:
		cbor_put_bytes(b, cbor_bytes(c));
		break;
	case CBOR_TEXT:
		cbor_put_text(b, cbor_text(c));
		break;
	case CBOR_ARRAY:
		n = cbor_array(c, SIZE_MAX);
		cbor_put_array(b, n);
		while (n--)
			tree_copy(b, c);
		break;
	case CBOR_MAP:
		copy_map(b, c);
		break;
	case CBOR_BOOL:
		cbor_put_bool(b, cbor_bool(c));
		break;
	case CBOR_NULL:
		cbor_null(c);
		cbor_put_null(b);
		break;
	default:
		cbor_fail(c, ERR_PARSE);
	}
}
