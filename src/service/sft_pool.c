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

uint8_t *sft_pool_get(struct sft_pool *p, int *ret_err)
{
	struct piece *c = p->first;

	*ret_err = ERR_AGAIN;
	if (c) {
		p->first = c->next;
		return c->data;
	}
	if (p->made >= SFT_POOL_MAX)
		return NULL;
	c = malloc(sizeof *c + p->chunk_len);
	if (!c) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	c->pool = p;
	p->made++;
	return c->data;
}

int sft_pool_send(struct sft_pool *p, uint8_t *data, size_t len, struct stream *s)
{
	struct piece *c = container_of(data, struct piece, data);
	int err = ERR_STATE;

	if (len <= p->chunk_len) {
		c->chunk = (struct chunk){ .data = data, .len = len, .release = released };
		list_init(&c->chunk.link);
		err = stream_send_chunk(s, SPAN_NONE, &c->chunk);
	}
	if (err < 0)
		put_back(c);
	return err;
}
