/* JSON out: a streaming writer for --json, and CBOR printed as JSON. Bytes become
 * hex text; control characters are escaped; output is one line unless indented. */
#pragma once

#include "base/buf.h"

struct json {
	struct buf *out;
	int indent;             /* 0: one line; else spaces per level */
	int depth;
	bool comma;             /* something stands in this container already */
	bool keyed;             /* a key was written, its value comes next */
};
#define JSON(buf) ((struct json){ .out = (buf) })

void json_object(struct json *j);       /* { */
void json_array(struct json *j);        /* [ */
void json_close(struct json *j, char bracket);  /* '}' or ']' */
void json_key(struct json *j, const char *key);
void json_key_span(struct json *j, struct span key);
void json_str(struct json *j, const char *s);   /* NULL writes null */
void json_text(struct json *j, struct span s);  /* invalid UTF-8 becomes U+FFFD */
void json_hex(struct json *j, struct span s);
void json_raw(struct json *j, struct span value);       /* a value that is JSON already */
void json_uint(struct json *j, uint64_t v);
void json_int(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);

/* One CBOR item as JSON. Fails as cbor_validate() does, and with ERR_TYPE for a
 * map key that is not text; then nothing is written. */
int json_from_cbor(struct json *j, struct span item) _must_check_;

/* One JSON text (RFC 8259) as deterministic CBOR, appended to out; nothing is on
 * failure. *ret_at: byte offset of the error in text, written on failure only.
 *
 * ERR_PARSE   not JSON, or a surrogate without its other half
 * ERR_TYPE    a number with a fraction or an exponent
 * ERR_EXISTS  a key twice in one object
 * ERR_LIMIT   an integer outside int64 and uint64, deeper than CBOR_DEPTH_MAX,
 *             more than CBOR_MAP_ENTRIES_MAX keys, or more than out may hold */
int json_to_cbor(struct buf *out, struct span text, size_t *ret_at) _must_check_;
