/* Deterministic CBOR (RFC 8949 4.2.1), strict: shortest integers and lengths,
 * definite lengths, map keys sorted bytewise and unique, valid UTF-8, no floats,
 * no tags, no undefined; simple values only false, true, null.
 *
 * The reader is bounded and sticky: after the first error every read returns a
 * zero value, so a parser reads a whole message straight through and checks once
 * in cbor_end(). Text and bytes are borrowed from the input.
 *
 * ERR_PARSE   not CBOR at all, cut short, left-over bytes, bad UTF-8
 * ERR_CANON   CBOR, but not the deterministic spelling
 * ERR_EXISTS  a key twice in one map
 * ERR_TYPE    another type than the caller reads, or one that we never take
 * ERR_LIMIT   nested too deep, or above the caller's maximum
 * ERR_LENGTH  bytes that are not of the exact length */
#pragma once

#include "base/buf.h"

enum { CBOR_DEPTH_MAX = 16 };

enum cbor_type {
	CBOR_UINT, CBOR_NEGINT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_BOOL, CBOR_NULL,
	CBOR_NONE,      /* end of input or error */
};

/* ---- writing: appends to a buf, whose sticky error is the only one ----
 * Text that is not UTF-8 sets ERR_PARSE. */
void cbor_put_uint(struct buf *b, uint64_t v);
void cbor_put_int(struct buf *b, int64_t v);
void cbor_put_bytes(struct buf *b, struct span s);
void cbor_put_text(struct buf *b, struct span s);
void cbor_put_str(struct buf *b, const char *s);
void cbor_put_bool(struct buf *b, bool v);
void cbor_put_null(struct buf *b);
void cbor_put_array(struct buf *b, size_t items);       /* then that many items */

/* A map whose entries may come in any order: the writer sorts them on closing.
 *
 *   struct cbor_map m;
 *   cbor_map_begin(&m, b);
 *   cbor_put_uint(cbor_map_key(&m, "port"), 443);  -- or the shorthands below
 *   cbor_map_end(&m);
 *
 * cbor_map_key() returns the buf to which exactly one value must be written
 * before the next key. A duplicate key or a missing value sets ERR_STATE, more
 * entries than the maximum ERR_LIMIT. Maps nest. cbor_map_end() must be reached,
 * or cbor_map_done() where the map is given up; few entries allocate nothing. */
enum { CBOR_MAP_ENTRIES_MAX = 256, CBOR_MAP_ENTRIES_FEW = 16 };
struct cbor_map {
	struct buf *out;        /* the entries stand here as they came until the end sorts them */
	size_t at;              /* where in out the map begins; entries count from there */
	size_t len;
	struct cbor_map_entry { uint32_t key_at, value_at, end; } few[CBOR_MAP_ENTRIES_FEW], *more;
};
void cbor_map_begin(struct cbor_map *m, struct buf *out);
struct buf *cbor_map_key(struct cbor_map *m, const char *key);
struct buf *cbor_map_key_span(struct cbor_map *m, struct span key);
bool cbor_map_has(const struct cbor_map *m, struct span key);    /* written already? */
void cbor_map_end(struct cbor_map *m);
void cbor_map_done(struct cbor_map *m); /* frees; after the end it does nothing */
#define cbor_map_uint(m, k, v) cbor_put_uint(cbor_map_key((m), (k)), (v))
#define cbor_map_int(m, k, v) cbor_put_int(cbor_map_key((m), (k)), (v))
#define cbor_map_bytes(m, k, s) cbor_put_bytes(cbor_map_key((m), (k)), (s))
#define cbor_map_text(m, k, s) cbor_put_text(cbor_map_key((m), (k)), (s))
#define cbor_map_str(m, k, s) cbor_put_str(cbor_map_key((m), (k)), (s))
#define cbor_map_bool(m, k, v) cbor_put_bool(cbor_map_key((m), (k)), (v))

/* ---- reading ---- */
struct cbor {
	struct span in;         /* what is left */
	int err;
	int depth;              /* of the containers that cbor_skip() is in */
};
#define CBOR(span) ((struct cbor){ .in = (span) })

enum cbor_type cbor_peek(const struct cbor *c);
uint64_t cbor_uint(struct cbor *c);
uint64_t cbor_uint_max(struct cbor *c, uint64_t max);   /* ERR_LIMIT above max */
int64_t cbor_int(struct cbor *c);
struct span cbor_bytes(struct cbor *c);
void cbor_bytes_exact(struct cbor *c, void *out, size_t len);   /* out is zeroed on error */
struct span cbor_text(struct cbor *c);
bool cbor_bool(struct cbor *c);
void cbor_null(struct cbor *c);
size_t cbor_array(struct cbor *c, size_t max);          /* number of items that follow; ERR_LIMIT above max */
size_t cbor_map(struct cbor *c, size_t max);            /* number of pairs that follow */
/* Reads one text key and checks that keys ascend inside one map: *last is zeroed
 * before the first pair. */
struct span cbor_key(struct cbor *c, struct span *last);
struct span cbor_skip(struct cbor *c);                  /* one whole item, validated; returns its encoding */
void cbor_fail(struct cbor *c, int err);

/* ERR_PARSE (or the first error) if anything was wrong or bytes are left over. */
int cbor_end(const struct cbor *c) _must_check_;

/* Find a text key in an encoded map: returns a reader on its value; a reader with
 * in.len == 0 and err 0 if the key is absent; err set if the map is malformed. */
struct cbor cbor_map_find(struct span map, const char *key);

/* One complete, deterministic item and nothing else? */
int cbor_validate(struct span item) _must_check_;
