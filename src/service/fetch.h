/* Asks one path and collects what it answers: the asking half of every service that
 * is a question with an answer (disco, sysinfo, config, and the user's own). */
#pragma once

#include "stream/stream.h"

enum { FETCH_ERROR_MAX = 256 };

struct fetch;

struct fetch_answer {
	int err;                        /* 0: the stream ended in order, look at the status */
	unsigned status;                /* 0: no header block came */
	char error[FETCH_ERROR_MAX];    /* the device's words; cut */
};

struct fetch_ops {
	/* May be NULL. The block is borrowed for the call. */
	void (*headers)(void *userdata, const struct headers *h);
	void (*message)(void *userdata, struct span m);
	/* Exactly once, unless cancelled; the fetch is gone after it. */
	void (*done)(void *userdata, const struct fetch_answer *answer);
};

/* body: one message that goes with the request; empty: none. early only for
 * services that are replay safe. */
int fetch_start(struct fetch **ret, struct streams *ss, struct span header_block, struct span body, bool early,
		const struct fetch_ops *ops, void *userdata) _must_check_;
/* Nothing is called any more. NULL is fine. */
void fetch_cancel(struct fetch *f);
struct stream *fetch_stream(struct fetch *f);   /* to pause and resume */
