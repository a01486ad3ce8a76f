/* Random values and their encoding, and a copy of any item through reader and writer. */
#pragma once

#include "wire/cbor.h"

struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *r);
static inline uint64_t rng_below(struct rng *r, uint64_t n) { return rng_next(r) % n; }

/* Appends one random item. json_only: nothing that JSON cannot carry back. */
void tree_put(struct buf *b, struct rng *r, int depth, bool json_only);

/* Reads the next item of c and writes it to b, map entries in reverse order. */
void tree_copy(struct buf *b, struct cbor *c);
