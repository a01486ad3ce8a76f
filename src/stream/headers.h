/* The header block that opens each direction of a stream: a deterministic CBOR map
 * from text to text, bytes, unsigned or bool. ":path", ":method", ":status" and
 * ":error" are ours, other keys are free. */
#pragma once

#include "wire/cbor.h"

enum { HEADERS_LEN_MAX = 8192, HEADERS_ENTRIES_MAX = 64, HEADER_PATH_MAX = 255 };

struct headers {
	struct span block;              /* validated; borrowed */
};

/* Validates shape and limits. */
int headers_parse(struct headers *ret, struct span block) _must_check_;
/* "" / SPAN_NONE / fallback where absent or of another type. */
struct span headers_text(const struct headers *h, const char *key);
struct span headers_bytes(const struct headers *h, const char *key);
uint64_t headers_uint(const struct headers *h, const char *key, uint64_t fallback);
bool headers_bool(const struct headers *h, const char *key, bool fallback);
bool headers_has(const struct headers *h, const char *key);
/* Copies text as a C string; ERR_LENGTH if it does not fit, ERR_UNKNOWN if absent. */
int headers_copy(const struct headers *h, const char *key, char *out, size_t size) _must_check_;
/* The i-th entry in order; false at the end. value is its CBOR encoding. */
bool headers_at(const struct headers *h, size_t i, struct span *ret_key, struct span *ret_value);

/* Building: cbor_map_begin(&m, &buf); cbor_map_str(&m, ":path", p); ...; cbor_map_end(&m). */
/* The status-only block of an answer; error may be NULL. */
void headers_put_status(struct buf *out, unsigned status, const char *error);
