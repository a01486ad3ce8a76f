/* loop.h on a virtual clock. */
#include "loop/sim_internal.h"

#include <errno.h>

#include "base/err.h"

enum source_kind { SOURCE_TIMER, SOURCE_DEFER };

struct source {
	struct loop *loop;              /* NULL once the loop has gone before its source */
	struct list all, ready;
	enum source_kind kind;
	timer_fn *timer;
	defer_fn *defer;
	void *userdata;
	struct sim_event event;
};

static void run_defers(struct sim_event *e)
{
	struct loop *l = container_of(e, struct loop, defer_event);
	struct source *s;
	struct list now;

	sim_enter(l->host);
	l->ran++;
	list_init(&now);
	while ((s = list_first(&l->defers, struct source, ready))) {
		list_del(&s->ready);
		list_add_tail(&now, &s->ready);
	}
	while ((s = list_first(&now, struct source, ready))) {
		list_del(&s->ready);
		s->defer(s->userdata);
	}
}

int loop_new(struct loop **ret)
{
	struct sim_host *h = sim_current();
	struct loop *l;

	if (!h || h->crashed)
		return ERR_STATE;
	l = calloc(1, sizeof *l);
	if (!l)
		return -ENOMEM;
	l->sim = h->sim;
	l->host = h;
	l->defer_event = (struct sim_event){ .run = run_defers, .tag = 1 + 8 * (unsigned)h->index };
	list_init(&l->sources);
	list_init(&l->defers);
	list_init(&l->sockets);
	list_init(&l->by_host);
	list_add_tail(&h->loops, &l->by_host);
	*ret = l;
	return 0;
}

void sim_loop_kill(struct loop *l)
{
	struct source *s;

	if (l->dead)
		return;
	list_for_each(s, &l->sources, all) {
		sim_queue_del(&l->sim->queue, &s->event);
		list_del(&s->ready);
	}
	sim_queue_del(&l->sim->queue, &l->defer_event);
	sim_sockets_kill(l);
	l->dead = true;
}

void loop_free(struct loop *l)
{
	struct source *s;

	if (!l)
		return;
	sim_loop_kill(l);
	list_for_each(s, &l->sources, all) {
		list_del(&s->all);
		s->loop = NULL;
	}
	list_del(&l->by_host);
	free(l);
}

void loop_stop(struct loop *l, int result)
{
	l->stopped = true;
	l->result = result;
}

/* Other hosts live on while this loop waits. */
int loop_turn(struct loop *l, tstamp until)
{
	uint64_t before = l->ran;
	struct sim_event *e;

	if (l->dead || l->sim->running)
		return ERR_STATE;
	while (l->ran == before && !l->dead) {
		e = sim_queue_min(&l->sim->queue);
		if (!e && until == TSTAMP_NEVER)
			return -EDEADLK;        /* nothing will ever happen again */
		if (!e || e->at > MAX(until, l->sim->now)) {
			int err = sim_run_until(l->sim, until);
			return err < 0 ? err : 0;
		}
		int err = sim_step(l->sim);
		if (err < 0)
			return err;
	}
	return (int)(l->ran - before);
}

int loop_run(struct loop *l)
{
	while (!l->stopped) {
		int err = loop_turn(l, TSTAMP_NEVER);
		if (err < 0)
			return err;
	}
	l->stopped = false;
	return l->result;
}

tstamp loop_now(const struct loop *l)
{
	return l->sim ? l->sim->now : 0;
}

int loop_fd(struct loop *) { return -1; }

static void run_timer(struct sim_event *e)
{
	struct source *s = container_of(e, struct source, event);

	sim_enter(s->loop->host);
	s->loop->ran++;
	s->timer(s->userdata, s->loop->sim->now);
}

static int source_new(struct source **ret, struct loop *l, enum source_kind kind, void *userdata)
{
	struct source *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->loop = l;
	s->kind = kind;
	s->userdata = userdata;
	if (l->host)
		s->event = (struct sim_event){ .run = run_timer, .tag = 2 + 8 * (unsigned)l->host->index };
	list_init(&s->all);
	list_init(&s->ready);
	list_add_tail(&l->sources, &s->all);
	*ret = s;
	return 0;
}

int loop_add_timer(struct loop *l, struct source **ret, timer_fn *fn, void *userdata)
{
	struct source *s;
	int err = source_new(&s, l, SOURCE_TIMER, userdata);

	if (err < 0)
		return err;
	s->timer = fn;
	*ret = s;
	return 0;
}

int source_arm(struct source *s, tstamp at)
{
	if (!s->loop || s->kind != SOURCE_TIMER)
		return ERR_STATE;
	if (s->loop->dead)
		return 0;
	if (at != TSTAMP_NEVER)
		at = MAX(at, s->loop->sim->now);
	return sim_queue_set(&s->loop->sim->queue, &s->event, at);
}

int loop_add_defer(struct loop *l, struct source **ret, defer_fn *fn, void *userdata)
{
	struct source *s;
	int err = source_new(&s, l, SOURCE_DEFER, userdata);

	if (err < 0)
		return err;
	s->defer = fn;
	*ret = s;
	return 0;
}

void source_trigger(struct source *s)
{
	struct loop *l = s->loop;

	if (!l || l->dead || s->kind != SOURCE_DEFER || !list_empty(&s->ready))
		return;
	if (!l->defer_event.pos && sim_queue_set(&l->sim->queue, &l->defer_event, l->sim->now) < 0)
		return;
	list_add_tail(&l->defers, &s->ready);
}

void source_free(struct source *s)
{
	if (!s)
		return;
	if (s->loop && s->loop->sim)
		sim_queue_del(&s->loop->sim->queue, &s->event);
	list_del(&s->ready);
	list_del(&s->all);
	free(s);
}

/* ---- what does not exist here ---- */

int loop_add_io(struct loop *, struct source **, int, unsigned, io_fn *, void *) { return -ENOSYS; }
int source_events(struct source *, unsigned) { return ERR_STATE; }
int loop_add_signal(struct loop *, struct source **, int, signal_fn *, void *) { return -ENOSYS; }
int loop_add_child(struct loop *, struct source **, int, child_fn *, void *) { return -ENOSYS; }
