/* What loop.c, process.c and udp.c share. Nothing above this folder includes it. */
#pragma once

#include <stdbool.h>
#include <sys/epoll.h>

#include "base/heap.h"
#include "base/list.h"
#include "loop/loop.h"

enum {
	LOOP_EVENTS_MAX = 64,           /* fetched by one turn; the rest waits for the next */
};

enum source_kind { SOURCE_IO, SOURCE_TIMER, SOURCE_DEFER, SOURCE_SIGNAL, SOURCE_CHILD };

struct source {
	struct loop *loop;              /* NULL once the loop has gone before its source */
	struct list all;
	struct list ready;              /* waits to be run in this turn (a defer: or the next) */
	enum source_kind kind;
	union {
		io_fn *io;
		timer_fn *timer;
		defer_fn *defer;
		signal_fn *signal;
		child_fn *child;
	} fn;
	void *userdata;

	int fd;                         /* io: borrowed; child: our pidfd; else -1 */
	unsigned events;                /* io: the interest */
	bool always;                    /* io: epoll refuses it (a file), so it is always ready */
	bool watched;                   /* io: epoll knows it */
	int number;                     /* the signal, or the child's pid */
	struct heap_node timer;
};

struct loop {
	int epoll_fd, timer_fd, wake_fd;
	struct list sources;            /* all of them, by source.all */
	struct list defers;             /* triggered, by source.ready */
	struct heap timers;
	size_t always;                  /* io sources that need no waiting */
	struct epoll_event events[LOOP_EVENTS_MAX];
	int events_len;                 /* fetched; a freed source's entry gets a NULL pointer */
	tstamp now;
	tstamp timer_fd_at;             /* what the timerfd is set to, TSTAMP_NEVER when off */
	bool turning;                   /* inside loop_turn() */
	bool shared;                    /* somebody polls loop_fd(): keep the timerfd current */
	bool no_pwait2;
	bool stopped;
	int result;
	void *scratch;                  /* one receive area for every udp socket of the loop */
	size_t scratch_len;
};

int source_new(struct source **ret, struct loop *l, enum source_kind kind, void *userdata) _must_check_;
/* Registers fd with the epoll instance. -EPERM when it is an ordinary file. */
int source_watch(struct source *s, unsigned events) _must_check_;

/* Pages that only cost memory once touched; the same area at every call. */
int loop_scratch(struct loop *l, size_t len, void **ret) _must_check_;
void loop_refresh(struct loop *l);              /* reads the clock into l->now */

/* process.c */
size_t loop_dispatch_signals(struct loop *l);   /* how many callbacks ran */
void signal_release(struct source *s);
size_t child_dispatch(struct source *s);
