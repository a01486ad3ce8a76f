#include "loop/sim_internal.h"

#include <errno.h>

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void place(struct sim_queue *q, size_t i, struct sim_event *e)
{
	q->events[i] = e;
	e->pos = i + 1;
}

static void sift(struct sim_queue *q, size_t i, struct sim_event *e)
{
	while (i && before(e, q->events[(i - 1) / 2])) {
		place(q, i, q->events[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (size_t c; (c = 2 * i + 1) < q->len; i = c) {
		if (c + 1 < q->len && before(q->events[c + 1], q->events[c]))
			c++;
		if (!before(q->events[c], e))
			break;
		place(q, i, q->events[c]);
	}
	place(q, i, e);
}

void sim_queue_del(struct sim_queue *q, struct sim_event *e)
{
	if (!e->pos)
		return;

	size_t i = e->pos - 1;
	struct sim_event *last = q->events[--q->len];
	e->pos = 0;
	if (last != e)
		sift(q, i, last);
}

int sim_queue_set(struct sim_queue *q, struct sim_event *e, tstamp at)
{
	sim_queue_del(q, e);
	if (at == TSTAMP_NEVER)
		return 0;
	if (q->len == q->cap) {
		size_t cap = q->cap ? q->cap * 2 : 64;
		struct sim_event **events = reallocarray(q->events, cap, sizeof *events);

		if (!events)
			return -ENOMEM;
		q->events = events;
		q->cap = cap;
	}
	e->at = at;
	e->seq = q->seq++;
	q->len++;
	sift(q, q->len - 1, e);
	return 0;
}
