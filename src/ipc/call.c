/* The same messages for a process without a loop. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

#include "base/err.h"
#include "ipc/frame.h"

static int wait_for(int fd, short events, tstamp until)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int timeout = -1;

		if (until != TSTAMP_NEVER) {
			tstamp now = time_monotonic();
			timeout = now < until ? (int)((until - now) / MILLIS(1)) + 1 : 0;
		}
		int n = poll(&p, 1, timeout);
		if (n > 0)
			return 0;
		if (n == 0 && until != TSTAMP_NEVER && time_monotonic() >= until)
			return ERR_TIMEOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int receive(int fd, tstamp until, struct ipc_area *area, struct frame *f, int fds[static IPC_FDS_MAX])
{
	for (;;) {
		int err = frame_recv(fd, area, f, fds);
		if (err != ERR_AGAIN)
			return err;
		err = wait_for(fd, POLLIN, until);
		if (err < 0)
			return err;
	}
}

static int put(int fd, const struct frame *f, const int *fds, tstamp until)
{
	if (f->body.len > IPC_BODY_MAX || f->fds_len > IPC_FDS_MAX)
		return ERR_LIMIT;
	for (;;) {
		int err = frame_send(fd, f, fds);
		if (err != ERR_AGAIN)
			return err;
		err = wait_for(fd, POLLOUT, until);
		if (err < 0)
			return err;
	}
}

void ipc_message_done(struct ipc_message *m)
{
	for (size_t i = 0; i < m->fds_len; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	m->fds_len = 0;
}

int ipc_wait(int fd, int timeout_ms, struct ipc_area *area, struct ipc_message *m)
{
	tstamp until = timeout_ms < 0 ? TSTAMP_NEVER : time_monotonic() + MILLIS(timeout_ms);
	struct ipc_message got = {};
	struct frame f;
	int err = receive(fd, until, area, &f, got.fds);

	if (err < 0)
		return err;
	got.type = f.type;
	got.id = f.id;
	got.body = f.body;
	got.fds_len = f.fds_len;
	if (f.kind == FRAME_REPLY) {
		ipc_message_done(&got);
		return ERR_PROTOCOL;
	}
	*m = got;
	return 0;
}

int ipc_tell(int fd, uint16_t type, struct span body, const int *fds, size_t fds_len)
{
	struct frame f = { .kind = FRAME_NOTICE, .type = type, .body = body, .fds_len = fds_len };

	return put(fd, &f, fds, TSTAMP_NEVER);
}

int ipc_answer(int fd, uint32_t id, int err, struct span body)
{
	struct frame f = { .kind = FRAME_REPLY, .id = id, .err = MIN(err, 0), .body = body };

	return put(fd, &f, NULL, TSTAMP_NEVER);
}

int ipc_call(int fd, uint16_t type, struct span body, struct buf *ret)
{
	/* Unique in the process, so that the late answer to a call that was given up is
	 * nobody else's. */
	static atomic_uint_least32_t ids;
	tstamp until = time_monotonic() + SECONDS(IPC_CALL_SECONDS);
	struct frame f = { .kind = FRAME_REQUEST, .type = type, .body = body };
	_cleanup_free_ struct ipc_area *area = malloc(sizeof *area);
	int fds[IPC_FDS_MAX], err;

	if (!area)
		return -ENOMEM;
	do
		f.id = (uint32_t)atomic_fetch_add(&ids, 1) + 1;
	while (!f.id);
	uint32_t id = f.id;

	err = put(fd, &f, NULL, until);
	while (err >= 0) {
		err = receive(fd, until, area, &f, fds);
		if (err < 0)
			return err;
		for (size_t i = 0; i < f.fds_len; i++)
			close(fds[i]);
		if (f.kind != FRAME_REPLY)
			return ERR_PROTOCOL;
		if (f.id != id)
			continue;
		if (f.err)
			return f.err;
		if (ret)
			buf_add_span(ret, f.body);
		return ret ? buf_err(ret) : 0;
	}
	return err;
}
