/* Standard input handed on as it comes, no faster than it is taken. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

struct inlet {
	struct source *source;
	int fd;
	struct buf held;
	bool ended;
	/* How many bytes were taken; ERR_AGAIN: none, inlet_resume() follows. */
	int (*give)(void *userdata, struct span data);
	void (*end)(void *userdata);
	void *userdata;
};

int inlet_open(struct inlet *in, struct loop *loop, int fd) _must_check_;      /* give, end, userdata are set */
void inlet_resume(struct inlet *in);
void inlet_close(struct inlet *in);
