#include "loop/internal.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

int loop_new(struct loop **ret)
{
	_cleanup_(loop_freep) struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	l->epoll_fd = l->timer_fd = l->wake_fd = -1;
	l->timer_fd_at = TSTAMP_NEVER;
	list_init(&l->sources);
	list_init(&l->defers);

	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		return -errno;
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->timer_fd < 0)
		return -errno;

	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &l->timer_fd };
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->timer_fd, &ev) < 0)
		return -errno;

	/* The default slack of 50 us is longer than the gap between two paced packets. */
	(void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	*ret = take(l);
	return 0;
}

void loop_free(struct loop *l)
{
	struct source *s;

	if (!l)
		return;
	list_for_each(s, &l->sources, all) {
		if (s->kind == SOURCE_SIGNAL)
			signal_release(s);
		list_del(&s->all);
		list_del(&s->ready);
		s->timer = (struct heap_node){};
		s->loop = NULL;
	}
	heap_done(&l->timers);
	if (l->scratch)
		munmap(l->scratch, l->scratch_len);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->timer_fd >= 0)
		close(l->timer_fd);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	free(l);
}

void loop_refresh(struct loop *l)
{
	l->now = time_monotonic();
}

int loop_scratch(struct loop *l, size_t len, void **ret)
{
	if (!l->scratch) {
		void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			return -errno;
		l->scratch = p;
		l->scratch_len = len;
	}
	*ret = l->scratch;
	return 0;
}

/* When the next turn has something to do without any descriptor's help. */
static tstamp next_work(const struct loop *l)
{
	const struct heap_node *min = heap_min(&l->timers);

	if (l->always || !list_empty(&l->defers))
		return 0;
	return min ? min->at : TSTAMP_NEVER;
}

static int set_timer_fd(struct loop *l, tstamp at)
{
	struct itimerspec its = {};

	if (at == l->timer_fd_at && at == TSTAMP_NEVER)
		return 0;
	if (at != TSTAMP_NEVER) {
		/* A zero value would switch it off. */
		its.it_value.tv_sec = (time_t)(at / SECONDS(1));
		its.it_value.tv_nsec = (long)(MAX(at, (tstamp)1) % SECONDS(1));
	}
	if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &its, NULL) < 0)
		return -errno;
	l->timer_fd_at = at;
	return 0;
}

/* An outer poll on loop_fd() must see what was armed since the last turn. */
static int publish(struct loop *l)
{
	tstamp at;

	if (!l->shared || l->turning)
		return 0;
	at = next_work(l);
	return at == l->timer_fd_at ? 0 : set_timer_fd(l, at);
}

/* Fills l->events. Interrupted or timed out: none. */
static int wait_events(struct loop *l, tstamp until)
{
	tstamp at = MIN(until, next_work(l));
	int n;

	l->events_len = 0;
	if (!l->no_pwait2 && at != TSTAMP_NEVER) {
		tstamp now = at ? time_monotonic() : 0;
		tstamp left = at > now ? at - now : 0;
		struct timespec ts = { (time_t)(left / SECONDS(1)), (long)(left % SECONDS(1)) };

		n = epoll_pwait2(l->epoll_fd, l->events, LOOP_EVENTS_MAX, &ts, NULL);
		if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
			l->no_pwait2 = true;    /* Linux < 5.11, or a filter that does not know it */
			return wait_events(l, until);
		}
	} else {
		int timeout = at == 0 ? 0 : -1;

		if (timeout && at != TSTAMP_NEVER) {
			int err = set_timer_fd(l, at);
			if (err < 0)
				return err;
		}
		n = epoll_wait(l->epoll_fd, l->events, LOOP_EVENTS_MAX, timeout);
	}
	if (n < 0 && errno != EINTR)
		return -errno;
	l->events_len = MAX(n, 0);
	return 0;
}

static unsigned from_epoll(uint32_t e)
{
	return (e & (EPOLLIN | EPOLLPRI) ? LOOP_IN : 0u) | (e & EPOLLOUT ? LOOP_OUT : 0u) |
	       (e & (EPOLLHUP | EPOLLERR) ? LOOP_HUP : 0u);
}

static void unwatch(struct source *s)
{
	if (s->watched)
		(void)epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	s->watched = false;
}

static void dispatch_io(struct source *s, unsigned events)
{
	/* A hang-up that nobody waits for would end every wait at once. */
	if (!s->events && (events & LOOP_HUP))
		unwatch(s);
	loop_refresh(s->loop);
	s->fn.io(s->userdata, events);
}

static size_t run_events(struct loop *l)
{
	size_t ran = 0;

	for (int i = 0; i < l->events_len; i++) {
		void *p = l->events[i].data.ptr;
		struct source *s = p;

		if (!p)
			continue;
		if (p == &l->timer_fd) {
			(void)set_timer_fd(l, TSTAMP_NEVER);    /* also clears it */
		} else if (p == &l->wake_fd) {
			ran += loop_dispatch_signals(l);
		} else if (s->kind == SOURCE_CHILD) {
			ran += child_dispatch(s);
		} else {
			dispatch_io(s, from_epoll(l->events[i].events));
			ran++;
		}
	}
	l->events_len = 0;
	return ran;
}

static size_t run_always(struct loop *l)
{
	struct list ready;
	struct source *s;
	size_t ran = 0;

	if (!l->always)
		return 0;
	list_init(&ready);
	list_for_each(s, &l->sources, all)
		if (s->always && s->events)
			list_add_tail(&ready, &s->ready);
	while ((s = list_first(&ready, struct source, ready))) {
		list_del(&s->ready);
		dispatch_io(s, s->events);
		ran++;
	}
	return ran;
}

/* Only what is due now: a callback that arms for the past runs in the next turn. */
static size_t run_timers(struct loop *l)
{
	struct heap_node *n;
	struct list due;
	struct source *s;
	size_t ran = 0;

	if (!heap_min(&l->timers))
		return 0;
	list_init(&due);
	loop_refresh(l);
	while ((n = heap_min(&l->timers)) && n->at <= l->now) {
		heap_del(&l->timers, n);
		list_add_tail(&due, &container_of(n, struct source, timer)->ready);
	}
	while ((s = list_first(&due, struct source, ready))) {
		list_del(&s->ready);
		loop_refresh(l);
		s->fn.timer(s->userdata, l->now);
		ran++;
	}
	return ran;
}

static size_t run_defers(struct loop *l)
{
	struct list now;
	struct source *s;
	size_t ran = 0;

	list_init(&now);
	while ((s = list_first(&l->defers, struct source, ready))) {
		list_del(&s->ready);
		list_add_tail(&now, &s->ready);
	}
	while ((s = list_first(&now, struct source, ready))) {
		list_del(&s->ready);
		loop_refresh(l);
		s->fn.defer(s->userdata);
		ran++;
	}
	return ran;
}

int loop_turn(struct loop *l, tstamp until)
{
	size_t ran;
	int err;

	if (l->turning)
		return ERR_STATE;
	l->turning = true;
	err = wait_events(l, until);
	if (err < 0) {
		l->turning = false;
		return err;
	}

	/* Input before timers: an answer that has come must not count as missing. */
	ran = run_events(l);
	ran += run_always(l);
	ran += run_timers(l);
	ran += run_defers(l);
	l->turning = false;

	err = publish(l);
	return err < 0 ? err : (int)ran;
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

void loop_stop(struct loop *l, int result)
{
	l->stopped = true;
	l->result = result;
}

tstamp loop_now(const struct loop *l)
{
	return l->turning ? l->now : time_monotonic();
}

int loop_fd(struct loop *l)
{
	l->shared = true;
	(void)publish(l);
	return l->epoll_fd;
}

int source_new(struct source **ret, struct loop *l, enum source_kind kind, void *userdata)
{
	struct source *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->loop = l;
	s->kind = kind;
	s->userdata = userdata;
	s->fd = -1;
	list_init(&s->ready);
	list_init(&s->all);
	list_add_tail(&l->sources, &s->all);
	*ret = s;
	return 0;
}

int source_watch(struct source *s, unsigned events)
{
	struct epoll_event ev = {
		.events = (events & LOOP_IN ? EPOLLIN : 0u) | (events & LOOP_OUT ? EPOLLOUT : 0u),
		.data.ptr = s,
	};

	if (epoll_ctl(s->loop->epoll_fd, s->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s->fd, &ev) < 0)
		return -errno;
	s->watched = true;
	return 0;
}

int source_events(struct source *s, unsigned events)
{
	int err;

	if (!s->loop || s->kind != SOURCE_IO)
		return ERR_STATE;
	events &= LOOP_IN | LOOP_OUT;
	if (s->always) {
		s->loop->always += (events != 0);
		s->loop->always -= (s->events != 0);
		s->events = events;
		if (!events)
			list_del(&s->ready);
		return publish(s->loop);
	}
	if (events == s->events && (s->watched || !events))
		return 0;
	err = source_watch(s, events);
	if (err < 0)
		return err;
	s->events = events;
	return 0;
}

int loop_add_io(struct loop *l, struct source **ret, int fd, unsigned events, io_fn *fn, void *userdata)
{
	_cleanup_(source_freep) struct source *s = NULL;
	int err;

	err = source_new(&s, l, SOURCE_IO, userdata);
	if (err < 0)
		return err;
	s->fn.io = fn;
	s->fd = fd;
	err = source_watch(s, events);
	if (err == -EPERM) {
		s->always = true;
		err = source_events(s, events);
	}
	if (err < 0)
		return err;
	s->events = events & (LOOP_IN | LOOP_OUT);
	*ret = take(s);
	return 0;
}

int loop_add_timer(struct loop *l, struct source **ret, timer_fn *fn, void *userdata)
{
	struct source *s;
	int err = source_new(&s, l, SOURCE_TIMER, userdata);

	if (err < 0)
		return err;
	s->fn.timer = fn;
	*ret = s;
	return 0;
}

int source_arm(struct source *s, tstamp at)
{
	int err;

	if (!s->loop || s->kind != SOURCE_TIMER)
		return ERR_STATE;
	list_del(&s->ready);
	err = heap_set(&s->loop->timers, &s->timer, at);
	return err < 0 ? err : publish(s->loop);
}

int loop_add_defer(struct loop *l, struct source **ret, defer_fn *fn, void *userdata)
{
	struct source *s;
	int err = source_new(&s, l, SOURCE_DEFER, userdata);

	if (err < 0)
		return err;
	s->fn.defer = fn;
	*ret = s;
	return 0;
}

void source_trigger(struct source *s)
{
	if (!s->loop || s->kind != SOURCE_DEFER || !list_empty(&s->ready))
		return;
	list_add_tail(&s->loop->defers, &s->ready);
	(void)publish(s->loop);
}

void source_free(struct source *s)
{
	struct loop *l;

	if (!s)
		return;
	l = s->loop;
	if (l) {
		for (int i = 0; i < l->events_len; i++)
			if (l->events[i].data.ptr == s)
				l->events[i].data.ptr = NULL;
		unwatch(s);
		if (s->always && s->events)
			l->always--;
		if (s->kind == SOURCE_SIGNAL)
			signal_release(s);
		heap_del(&l->timers, &s->timer);
		list_del(&s->ready);
		list_del(&s->all);
	}
	if (s->kind == SOURCE_CHILD && s->fd >= 0)
		close(s->fd);
	free(s);
}
