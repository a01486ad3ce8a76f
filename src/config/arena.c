/* Memory of one tree. */
#include <errno.h>

#include "config/document.h"

enum { CHUNK_MIN = 4096, CHUNK_MAX = 64 << 10 };

struct toml_chunk {
	struct toml_chunk *next;
	size_t used, cap;
	_Alignas(max_align_t) uint8_t data[];
};

void *toml_arena_alloc(struct toml_arena *a, size_t n)
{
	struct toml_chunk *c = a->head;

	n = (n + _Alignof(max_align_t)) & ~(_Alignof(max_align_t) - 1);
	if (!c || c->cap - c->used < n) {
		size_t cap = c ? MIN(c->cap * 2, (size_t)CHUNK_MAX) : (size_t)CHUNK_MIN;

		cap = MAX(cap, n);
		c = calloc(1, sizeof *c + cap);
		if (!c)
			return NULL;
		c->cap = cap;
		c->next = a->head;
		a->head = c;
	}
	c->used += n;
	return c->data + c->used - n;
}

char *toml_arena_dup(struct toml_arena *a, struct span s)
{
	char *out = toml_arena_alloc(a, s.len + 1);

	if (out && s.len)
		memcpy(out, s.data, s.len);
	return out;
}

void toml_arena_done(struct toml_arena *a)
{
	while (a->head) {
		struct toml_chunk *c = a->head;

		a->head = c->next;
		explicit_bzero(c->data, c->used);
		free(c);
	}
}

int toml_vec_push(struct toml_vec *vec, struct toml_arena *a, struct toml_value *v)
{
	if (vec->n == vec->cap) {
		size_t cap = vec->cap ? vec->cap * 2 : 4;
		struct toml_value **grown = toml_arena_alloc(a, cap * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		if (vec->n)
			memcpy(grown, vec->v, vec->n * sizeof *grown);
		vec->v = grown;
		vec->cap = cap;
	}
	vec->v[vec->n++] = v;
	return 0;
}
