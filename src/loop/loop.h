/* One thread's event loop. Callbacks run one at a time; nothing here locks.
 *
 * A source is owned by whoever added it. source_free() takes effect at once: the
 * callback will not run again, not even for an event already fetched, so an
 * object may free its sources and then itself.
 *
 * Two implementations stand behind this header and udp.h: loop.c (epoll) and the
 * simulated twin sim_loop.c (virtual clock and network), chosen at link time. Nothing
 * in this header is epoll's, so a poll(2) backend has its place beside loop.c. */
#pragma once

#include "base/mem.h"
#include "base/time.h"

struct loop;
struct source;

enum { LOOP_IN = 1, LOOP_OUT = 2, LOOP_HUP = 4 };       /* HUP: error or hang-up, always reported */

typedef void io_fn(void *userdata, unsigned events);
typedef void timer_fn(void *userdata, tstamp now);
typedef void signal_fn(void *userdata, int signo);
typedef void child_fn(void *userdata, int wait_status);
typedef void defer_fn(void *userdata);

int loop_new(struct loop **ret) _must_check_;
void loop_free(struct loop *l);
DEFINE_FREEP(struct loop *, loop_free)
/* Until loop_stop(); returns the value given there, or a negative error. */
int loop_run(struct loop *l) _must_check_;
/* One turn, waits at most until then; returns how many callbacks ran. ERR_STATE inside a callback. */
int loop_turn(struct loop *l, tstamp until) _must_check_;
void loop_stop(struct loop *l, int result);
tstamp loop_now(const struct loop *l);          /* fixed while one event is handled */
/* For a caller's own poll loop: readable when loop_turn(l, 0) has work; -1 in the simulator. */
int loop_fd(struct loop *l);

/* The descriptor stays the caller's; free the source before closing it. Files
 * that cannot be polled count as always ready. Without any interest a hang-up is
 * reported once, until the interest changes. */
int loop_add_io(struct loop *l, struct source **ret, int fd, unsigned events, io_fn *fn,
		void *userdata) _must_check_;
int source_events(struct source *s, unsigned events) _must_check_;      /* change the interest */
int loop_add_timer(struct loop *l, struct source **ret, timer_fn *fn, void *userdata) _must_check_;
int source_arm(struct source *s, tstamp at) _must_check_;               /* TSTAMP_NEVER disarms */
/* Runs once at the end of this turn, however often it is triggered before. */
int loop_add_defer(struct loop *l, struct source **ret, defer_fn *fn, void *userdata) _must_check_;
void source_trigger(struct source *s);
/* One loop of the process owns a signal, with any number of sources: ERR_EXISTS
 * for another. Dispositions are restored when the last source goes. */
int loop_add_signal(struct loop *l, struct source **ret, int signo, signal_fn *fn, void *userdata) _must_check_;
/* Reaps the child; the callback runs once, with a negative error for a status when
 * somebody else has reaped it. -ECHILD if it is not ours. */
int loop_add_child(struct loop *l, struct source **ret, int pid, child_fn *fn, void *userdata) _must_check_;
void source_free(struct source *s);             /* NULL is fine */
DEFINE_FREEP(struct source *, source_free)
