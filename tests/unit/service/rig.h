/* A device with services and a caller, joined in memory. */
#pragma once

#include "service/service.h"
#include "wire.h"

enum { RIG_FDS_MAX = 4 };

/* What the host was asked last, and what it answers. */
struct rig_host {
	unsigned calls, forgotten;
	enum host_call what;
	char path[256];
	struct buf args;
	struct span answer;             /* for calls that nothing below carries out */
	int err;
	bool plain;                     /* carries nothing out itself: answer, err and carry_out only */
	bool later;                     /* answers in rig_host_answer() */
	int (*carry_out)(struct rig_host *h, struct span args, int *fds, size_t *len);  /* opens descriptors */
	host_done_fn *done;
	void *done_userdata;
};

struct rig {
	struct loop *loop;
	struct auth *auth;
	struct claim claim;
	struct services *ss;
	struct wire *wire;
	struct rig_host host;
	struct identity caller, other;
	struct buf log;
};

int rig_setup(void **state);
int rig_teardown(void **state);
struct rig *rig_new(const struct wire_config *config, bool builtin);
void rig_free(struct rig *r);
/* identity NULL: everybody; methods: one word or NULL. */
void rig_allow(struct rig *r, const struct identity *who, const char *path, const char *method);
void rig_host_answer(struct rig *r);

/* The caller's view of one stream. */
struct seen {
	struct stream *stream;
	struct buf header;              /* the answer's block */
	struct buf text;                /* every message */
	struct buf last;                /* the last message */
	unsigned status;
	char error[256];
	size_t messages;
	bool end, closed;
	int err;
};

/* Opens with this block (its own builder or service_put_request()). */
void seen_open(struct rig *r, struct seen *s, struct span block);
void seen_ask(struct rig *r, struct seen *s, const char *path, const char *method);     /* and half-closes */
void seen_done(struct seen *s);
/* Runs until the condition, or a time in which anything would have happened. */
bool rig_until(struct rig *r, bool (*ready)(void *), void *userdata);
bool seen_is_closed(void *s);
bool seen_is_answered(void *s);
/* With a stalled reader: the stream's queue has filled up, and stays within its bound. */
void rig_fill(struct rig *r);
bool rig_settle(struct rig *r);         /* until nothing moves */
/* seen_ask, run to the end, the status. */
unsigned rig_status(struct rig *r, const char *path, const char *method);

/* carry_out for HOST_SHELL and HOST_SERVICE: real processes. */
int host_shell(struct rig_host *h, struct span args, int *fds, size_t *len);
int host_program(struct rig_host *h, struct span args, int *fds, size_t *len);
extern int host_shell_pid;              /* the last one's */
