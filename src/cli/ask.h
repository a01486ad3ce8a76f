/* Most commands are one question to one peer: dial, ask, print, end. */
#pragma once

#include "cli/session.h"

struct ask;
struct ask_ops {
	void (*headers)(void *userdata, const struct headers *h);       /* may be NULL */
	void (*message)(void *userdata, struct ask *a, struct span m);
};

/* Prints what goes wrong. path: to name it in that. Returns the exit status. */
int ask_run(struct cli *c, const char *target, const char *path, struct span header_block,
	    const struct ask_ops *ops, void *userdata) _must_check_;
struct session *ask_session(struct ask *a);
struct stream *ask_stream(struct ask *a);       /* NULL once it is over */
/* Enough: the command ends with this status. */
void ask_stop(struct ask *a, int status);

/* The same words and status for every verb that a device answers with a status of 300 or more. */
int ask_refusal(const struct session *s, const char *path, unsigned status, const char *error);
