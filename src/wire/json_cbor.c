#include "wire/json.h"

#include <stdio.h>

#include "wire/cbor_head.h"

static void put_item(struct json *j, struct cbor *c);

static void put_array(struct json *j, struct cbor *c)
{
	json_array(j);
	for (size_t n = cbor_array(c, SIZE_MAX); n && !c->err; n--)
		put_item(j, c);
	json_close(j, ']');
}

static void put_map(struct json *j, struct cbor *c)
{
	struct span last = SPAN_NONE;

	json_object(j);
	for (size_t n = cbor_map(c, SIZE_MAX); n && !c->err; n--) {
		json_key_span(j, cbor_key(c, &last));
		put_item(j, c);
	}
	json_close(j, '}');
}

/* CBOR goes down to -2^64, which no integer type of C holds. */
static void put_negint(struct json *j, struct cbor *c)
{
	struct cbor_head head = {};
	char text[24] = "-18446744073709551616";

	cbor_head_read(c, &head);
	if (head.arg <= INT64_MAX) {
		json_int(j, -1 - (int64_t)head.arg);
		return;
	}
	if (head.arg < UINT64_MAX)
		snprintf(text, sizeof text, "-%llu", (unsigned long long)head.arg + 1);
	json_raw(j, SPAN_STR(text));
}

static void put_item(struct json *j, struct cbor *c)
{
	switch (cbor_peek(c)) {
	case CBOR_UINT:
		json_uint(j, cbor_uint(c));
		break;
	case CBOR_NEGINT:
		put_negint(j, c);
		break;
	case CBOR_BYTES:
		json_hex(j, cbor_bytes(c));
		break;
	case CBOR_TEXT:
		json_text(j, cbor_text(c));
		break;
	case CBOR_ARRAY:
		put_array(j, c);
		break;
	case CBOR_MAP:
		put_map(j, c);
		break;
	case CBOR_BOOL:
		json_bool(j, cbor_bool(c));
		break;
	default:        /* null: the item is validated */
		json_null(j);
		cbor_null(c);
	}
}

int json_from_cbor(struct json *j, struct span item)
{
	struct cbor c = CBOR(item);
	struct json before = *j;
	size_t len = j->out->len;
	int err = cbor_validate(item);

	if (err < 0)
		return err;
	put_item(j, &c);
	err = buf_err(j->out) ?: cbor_end(&c);
	if (err < 0) {
		j->out->len = len;
		*j = before;
	}
	return err;
}
