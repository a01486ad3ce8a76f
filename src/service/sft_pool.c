/* Buffers of a source, used again and again: the stream has them until the other side
 * has acknowledged, and that may be after the source is gone. */
#include <errno.h>

#include "base/err.h"
#include "service/sft_internal.h"

struct piece {
	struct chunk chunk;
	struct sft_pool *pool;
	struct piece *next;             /* at hand */
	uint8_t data[];
};

struct sft_pool {
	size_t chunk_len, made;
	struct piece *first;
	bool orphan;                    /* the source is gone */
};

static void settle(struct sft_pool *p)
{
	struct piece *c;

	if (!p->orphan)
		return;
	while ((c = p->first)) {
		p->first = c->next;
		p->made--;
		free(c);
	}
	if (!p->made)
		free(p);
}

static void put_back(struct piece *c)
{
	c->next = c->pool->first;
	c->pool->first = c;
	settle(c->pool);
}

static void released(struct chunk *c) { put_back(container_of(c, struct piece, chunk)); }

int sft_pool_new(struct sft_pool **ret, size_t chunk_len)
{
	struct sft_pool *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	p->chunk_len = chunk_len;
	*ret = p;
	return 0;
}

void sft_pool_free(struct sft_pool *p)
{
	if (!p)
		return;
	p->orphan = true;
	settle(p);
}

uint8_t *sft_pool_get(struct sft_pool *p)
{
	struct piece *c = p->first;

	if (c) {
		p->first = c->next;
		return c->data;
	}
	c = malloc(sizeof *c + p->chunk_len);
	if (!c)
		return NULL;
	c->pool = p;
	p->made++;
	return c->data;
}

void sft_pool_put(uint8_t *data)
{
	if (data)
		put_back((struct piece *)(void *)(data - offsetof(struct piece, data)));
}

int sft_pool_send(uint8_t *data, size_t len, struct stream *s)
{
	struct piece *c = (struct piece *)(void *)(data - offsetof(struct piece, data));

	c->chunk = (struct chunk){ .data = data, .len = len, .release = released };
	list_init(&c->chunk.link);
	return stream_send_chunk(s, SPAN_NONE, &c->chunk);
}
