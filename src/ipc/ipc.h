/* Messages between our own processes over a SOCK_SEQPACKET UNIX socket: type, id,
 * a CBOR body and up to IPC_FDS_MAX descriptors. Requests are answered by id. The
 * other side may be in a stranger's hands: lengths are bounded, the body is parsed
 * by whoever handles it, descriptors that nobody takes are closed. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

enum { IPC_BODY_MAX = 64 << 10, IPC_FDS_MAX = 4, IPC_PENDING_MAX = 1024, IPC_QUEUE_MAX = 4 << 20 };

struct ipc;

/* Descriptors of a message: set an entry to -1 to keep it; the rest is closed. */
struct ipc_message {
	uint16_t type;
	uint32_t id;            /* 0: a notice, wants no reply */
	struct span body;       /* valid for the call */
	int fds[IPC_FDS_MAX];
	size_t fds_len;
};

typedef void ipc_handler_fn(void *userdata, struct ipc *i, struct ipc_message *m);
typedef void ipc_done_fn(void *userdata, int err, struct ipc_message *reply);  /* err: the other side's, or ERR_CLOSED */
typedef void ipc_gone_fn(void *userdata, struct ipc *i);                        /* hang-up; free it here or later */

struct ipc_config {
	ipc_handler_fn *handler;
	ipc_gone_fn *gone;
	void *userdata;
};

int ipc_pair(int ret[2]) _must_check_;          /* close-on-exec, non-blocking */
int ipc_new(struct ipc **ret, struct loop *l, int fd, const struct ipc_config *config) _must_check_;    /* takes fd on success */
void ipc_free(struct ipc *i);                   /* pending requests end with ERR_CLOSED */
DEFINE_FREEP(struct ipc *, ipc_free)

/* fds are duplicated into the message; the caller keeps its own. ERR_LIMIT: too much
 * is queued. */
int ipc_request(struct ipc *i, uint16_t type, struct span body, const int *fds, size_t fds_len,
		ipc_done_fn *done, void *userdata) _must_check_;
/* Whoever waited as userdata is not called any more. */
void ipc_forget(struct ipc *i, const void *userdata);
int ipc_notify(struct ipc *i, uint16_t type, struct span body, const int *fds, size_t fds_len) _must_check_;
int ipc_reply(struct ipc *i, uint32_t id, int err, struct span body, const int *fds, size_t fds_len) _must_check_;

/* Blocking call on a descriptor that no loop watches (the keys process). Appends the
 * reply's body to ret. */
int ipc_call(int fd, uint16_t type, struct span body, struct buf *ret) _must_check_;
