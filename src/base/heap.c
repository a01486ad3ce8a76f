#include "base/heap.h"

#include <errno.h>

static void place(struct heap *h, size_t i, struct heap_node *n)
{
	h->nodes[i] = n;
	n->pos = i + 1;
}

static void sift_up(struct heap *h, size_t i, struct heap_node *n)
{
	while (i && h->nodes[(i - 1) / 2]->at > n->at) {
		place(h, i, h->nodes[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, n);
}

static void sift_down(struct heap *h, size_t i, struct heap_node *n)
{
	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= h->len)
			break;
		if (c + 1 < h->len && h->nodes[c + 1]->at < h->nodes[c]->at)
			c++;
		if (h->nodes[c]->at >= n->at)
			break;
		place(h, i, h->nodes[c]);
		i = c;
	}
	place(h, i, n);
}

void heap_done(struct heap *h)
{
	free(h->nodes);
	*h = (struct heap){};
}

void heap_del(struct heap *h, struct heap_node *n)
{
	if (!n->pos)
		return;

	size_t i = n->pos - 1;
	struct heap_node *last = h->nodes[--h->len];
	n->pos = 0;
	if (last == n)
		return;
	if (i && h->nodes[(i - 1) / 2]->at > last->at)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

int heap_set(struct heap *h, struct heap_node *n, tstamp at)
{
	if (at == TSTAMP_NEVER) {
		heap_del(h, n);
		n->at = at;
		return 0;
	}
	if (!n->pos) {
		if (h->len == h->cap) {
			size_t cap = h->cap ? h->cap * 2 : 16;
			struct heap_node **nodes = reallocarray(h->nodes, cap, sizeof *nodes);
			if (!nodes)
				return -ENOMEM;
			h->nodes = nodes;
			h->cap = cap;
		}
		n->at = at;
		sift_up(h, h->len++, n);
		return 0;
	}

	tstamp was = n->at;
	n->at = at;
	if (at < was)
		sift_up(h, n->pos - 1, n);
	else
		sift_down(h, n->pos - 1, n);
	return 0;
}
