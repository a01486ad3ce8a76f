/* Messages between our own processes over a SOCK_SEQPACKET UNIX socket: type, id,
 * a CBOR body and up to IPC_FDS_MAX descriptors. Requests are answered by id. The
 * other side may be in a stranger's hands: lengths are bounded, the body is parsed
 * by whoever handles it, descriptors that nobody takes are closed. Byte layout:
 * docs/protocol/processes.md. */
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
/* err: the other side's, or ERR_CLOSED and reply NULL. */
typedef void ipc_done_fn(void *userdata, int err, struct ipc_message *reply);
typedef void ipc_gone_fn(void *userdata, struct ipc *i);                        /* hang-up; free it here or later */

struct ipc_config {
	ipc_handler_fn *handler;        /* NULL: the other side may only answer; anything else ends the channel */
	ipc_gone_fn *gone;              /* or NULL */
	void *userdata;
};

int ipc_pair(int ret[2]) _must_check_;          /* close-on-exec, non-blocking */
int ipc_new(struct ipc **ret, struct loop *l, int fd, const struct ipc_config *config) _must_check_;    /* takes fd on success */
void ipc_free(struct ipc *i);                   /* pending requests end with ERR_CLOSED */
DEFINE_FREEP(struct ipc *, ipc_free)

/* fds are duplicated into the message; the caller keeps its own. done never runs before
 * this has returned. ERR_LIMIT: too much is queued, or too many requests wait; ERR_CLOSED. */
int ipc_request(struct ipc *i, uint16_t type, struct span body, const int *fds, size_t fds_len,
		ipc_done_fn *done, void *userdata) _must_check_;
/* Whoever waited as userdata is not called any more. */
void ipc_forget(struct ipc *i, const void *userdata);
int ipc_notify(struct ipc *i, uint16_t type, struct span body, const int *fds, size_t fds_len) _must_check_;
/* err: 0 or a negative error. Each request is answered once. */
int ipc_reply(struct ipc *i, uint32_t id, int err, struct span body, const int *fds, size_t fds_len) _must_check_;

/* ---- for a process without a loop: a descriptor that no struct ipc holds ---- */

enum { IPC_CALL_SECONDS = 10 };

/* Asks and waits. Appends the reply's body to ret (which may be NULL). The other side's
 * error; ERR_TIMEOUT after IPC_CALL_SECONDS, ERR_CLOSED, ERR_PROTOCOL. */
int ipc_call(int fd, uint16_t type, struct span body, struct buf *ret) _must_check_;

struct ipc_area {
	uint8_t bytes[IPC_BODY_MAX + 16];
};
/* Waits for a request or notice; m->body lies in *area. The caller closes m->fds.
 * timeout_ms -1: for ever. ERR_TIMEOUT, ERR_CLOSED, ERR_PROTOCOL. */
int ipc_wait(int fd, int timeout_ms, struct ipc_area *area, struct ipc_message *m) _must_check_;
/* Waits until there is room. */
int ipc_tell(int fd, uint16_t type, struct span body, const int *fds, size_t fds_len) _must_check_;
int ipc_answer(int fd, uint32_t id, int err, struct span body) _must_check_;

void ipc_message_done(struct ipc_message *m);   /* closes what nobody took */
