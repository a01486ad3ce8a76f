/* An intrusive, circular, doubly linked list. A node that is on no list points
 * at itself, so list_del() may be called twice. */
#pragma once

#include <stdbool.h>

#include "base/mem.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_add_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))

/* The current element may be deleted in the body; its neighbour may not. */
#define list_for_each(pos, head, member)                                                          \
	for (struct list *_at = (head)->next, *_next = _at->next;                                 \
	     _at != (head) && ((pos) = (void *)((char *)_at - LIST_OFFSET(pos, member)), 1);      \
	     _at = _next, _next = _at->next)
#define LIST_OFFSET(pos, member) offsetof(typeof(*(pos)), member)
