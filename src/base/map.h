/* A hash map from fixed-size keys to pointers. The key lives inside the value
 * (at key_off), so an entry costs one pointer and no allocation of its own.
 * Open addressing with backward-shift deletion, seeded so that a stranger who
 * chooses keys cannot choose collisions. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct map {
	void **slots;
	size_t cap, len;        /* cap is zero or a power of two */
	size_t key_off, key_len;
	uint64_t seed[2];
};

/* Nothing is allocated until the first insertion. key_len <= 64. */
void map_init(struct map *m, size_t key_off, size_t key_len, const uint64_t seed[2]);
void map_done(struct map *m);   /* frees the table, not the values */

void *map_get(const struct map *m, const void *key);    /* NULL if absent */

/* -EEXIST if the key is there already, -ENOMEM. */
int map_put(struct map *m, void *value) _must_check_;
void *map_del(struct map *m, const void *key);          /* the value removed, or NULL */

/* Iterate: for (size_t i = 0; (v = map_next(m, &i)); ) ...  Not across changes. */
void *map_next(const struct map *m, size_t *at);
