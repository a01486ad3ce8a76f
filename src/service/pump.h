/* Bytes between a descriptor and a stream, one struct a direction, without losing
 * any and without keeping more than one message: who cannot give stops who sends.
 *
 * Two directions of one socket or terminal need a descriptor each (pump_dup()), for
 * the loop watches a descriptor once. Descriptors become non-blocking. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "loop/loop.h"
#include "stream/stream.h"

enum {
	PUMP_READ_MAX = 32 << 10,       /* one read, and so one message */
	PUMP_TURNS_MAX = 8,             /* reads before others have their turn */
	PUMP_NO_PREFIX = -1,
};

int pump_dup(int fd) _must_check_;      /* close-on-exec; -errno */

/* ---- descriptor to stream ---- */
struct pump_out {
	struct stream *stream;
	struct source *source;
	int fd, prefix;                 /* prefix: a byte before every message, or PUMP_NO_PREFIX */
	struct buf held;                /* a message that the stream did not take yet */
	int err;                        /* once ended: what reading said, 0: end of file */
	size_t left;                    /* bytes that still count; SIZE_MAX: all until the end */
	bool active;
	void (*ended)(void *userdata);  /* everything there was is with the stream; called once, last */
	void *userdata;
};

/* Takes fd on success. */
int pump_out_start(struct pump_out *p, struct loop *loop, int fd, struct stream *s, int prefix,
		   void (*ended)(void *userdata), void *userdata) _must_check_;
void pump_out_writable(struct pump_out *p);     /* of the stream */
/* No more than what the pipe or socket holds at this moment: who wrote is gone, and
 * whoever inherited the descriptor does not count. */
void pump_out_finish(struct pump_out *p);
void pump_out_done(struct pump_out *p);         /* closes; a zeroed one is fine */

/* ---- stream to descriptor ---- */
struct pump_in {
	struct stream *stream;
	struct source *source;
	int fd;
	struct buf pending;             /* of one message at most, the stream is paused then */
	bool active, ending;
	void (*gone)(void *userdata);   /* or NULL: who read has gone before the end; once, last */
	void *userdata;
};

int pump_in_start(struct pump_in *p, struct loop *loop, int fd, struct stream *s) _must_check_;
void pump_in_write(struct pump_in *p, struct span data);
/* End of file for the reader, after what is pending. */
void pump_in_end(struct pump_in *p);
void pump_in_done(struct pump_in *p);
