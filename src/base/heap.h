/* A binary min-heap of timers. The node sits inside its owner and knows its
 * place, so that re-arming costs O(log n) and no search. */
#pragma once

#include "base/mem.h"
#include "base/time.h"

struct heap_node {
	tstamp at;
	size_t pos;     /* place in the heap + 1; 0: not in it */
};

struct heap {
	struct heap_node **nodes;
	size_t len, cap;
};

void heap_done(struct heap *h);
int heap_set(struct heap *h, struct heap_node *n, tstamp at) _must_check_; /* TSTAMP_NEVER removes */
void heap_del(struct heap *h, struct heap_node *n);
static inline struct heap_node *heap_min(const struct heap *h) { return h->len ? h->nodes[0] : NULL; }
