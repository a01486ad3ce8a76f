/* Standard output (or another descriptor that we share with others and so must not
 * make non-blocking) fed from a stream: who reads slowly slows the device down, and
 * never stops this process. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"
#include "stream/stream.h"

struct outlet {
	struct loop *loop;
	int fd;
	struct source *source;
	struct buf pending;
	struct stream *stream;          /* paused while something is pending; NULL: none */
	void (*drained)(void *userdata);        /* after something was pending; may be NULL */
	void *userdata;
	int err;                        /* sticky: nobody reads any more, the disk is full */
};

void outlet_open(struct outlet *o, struct loop *loop, int fd);
/* stream: whose data it is. Negative once writing failed. */
int outlet_write(struct outlet *o, struct stream *stream, struct span data);
void outlet_forget_stream(struct outlet *o, const struct stream *stream);
bool outlet_empty(const struct outlet *o);
/* What is pending, waiting for the reader; then frees. */
int outlet_finish(struct outlet *o);
