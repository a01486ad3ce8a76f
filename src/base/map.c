#include "base/map.h"

#include <errno.h>
#include <string.h>

/* SipHash-1-3 would do; this multiply-xorshift over seeded words is enough to
 * keep a stranger from choosing buckets, and the keys are mostly random. */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

static size_t slot_of(const struct map *m, const void *key)
{
	const uint8_t *p = key;
	uint64_t h = m->seed[0], w;
	size_t n = m->key_len;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = mix(h ^ w) + m->seed[1];
	}
	if (n) {
		w = 0;
		memcpy(&w, p, n);
		h = mix(h ^ w) + m->seed[1];
	}
	return (size_t)mix(h) & (m->cap - 1);
}

static const void *key_of(const struct map *m, const void *value)
{
	return (const char *)value + m->key_off;
}

void map_init(struct map *m, size_t key_off, size_t key_len, const uint64_t seed[2])
{
	*m = (struct map){ .key_off = key_off, .key_len = key_len, .seed = { seed[0], seed[1] } };
}

void map_done(struct map *m)
{
	free(m->slots);
	m->slots = NULL;
	m->cap = m->len = 0;
}

static size_t find(const struct map *m, const void *key)
{
	size_t i = slot_of(m, key);

	while (m->slots[i] && memcmp(key_of(m, m->slots[i]), key, m->key_len))
		i = (i + 1) & (m->cap - 1);
	return i;
}

void *map_get(const struct map *m, const void *key)
{
	return m->len ? m->slots[find(m, key)] : NULL;
}

static int grow(struct map *m)
{
	struct map bigger = *m;

	bigger.cap = m->cap ? m->cap * 2 : 16;
	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i])
			bigger.slots[find(&bigger, key_of(m, m->slots[i]))] = m->slots[i];
	free(m->slots);
	*m = bigger;
	return 0;
}

int map_put(struct map *m, void *value)
{
	if (m->len * 4 >= m->cap * 3) {
		int err = grow(m);
		if (err < 0)
			return err;
	}

	size_t i = find(m, key_of(m, value));
	if (m->slots[i])
		return -EEXIST;
	m->slots[i] = value;
	m->len++;
	return 0;
}

void *map_del(struct map *m, const void *key)
{
	if (!m->len)
		return NULL;

	size_t i = find(m, key), j = i;
	void *value = m->slots[i];
	if (!value)
		return NULL;

	for (;;) {
		j = (j + 1) & (m->cap - 1);
		if (!m->slots[j])
			break;
		size_t home = slot_of(m, key_of(m, m->slots[j]));
		/* may the entry at j move back to i without passing its home? */
		if (((j - home) & (m->cap - 1)) >= ((j - i) & (m->cap - 1))) {
			m->slots[i] = m->slots[j];
			i = j;
		}
	}
	m->slots[i] = NULL;
	m->len--;
	return value;
}

void *map_next(const struct map *m, size_t *at)
{
	while (*at < m->cap) {
		void *v = m->slots[(*at)++];
		if (v)
			return v;
	}
	return NULL;
}
