#include "ipc/frame.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/err.h"

enum { SYSTEM_ERR_MAX = 4095 };

_Static_assert(sizeof(struct ipc_area) > FRAME_MAX, "a datagram that is too long must show");

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static bool is_err(int err)
{
	return (err < 0 && err >= -SYSTEM_ERR_MAX) || (err <= -ERR_BASE && err > -ERR_BASE - 1000);
}

int frame_parse(struct frame *ret, struct span datagram)
{
	const uint8_t *p = datagram.data;
	struct frame f;

	if (datagram.len < FRAME_HEADER_LEN || datagram.len > FRAME_MAX || p[1] > IPC_FDS_MAX)
		return ERR_PROTOCOL;
	f.kind = p[0];
	f.fds_len = p[1];
	f.type = (uint16_t)(p[2] << 8 | p[3]);
	f.id = get32(p + 4);
	f.err = (int)get32(p + 8);
	f.body = span_from(datagram, FRAME_HEADER_LEN);

	switch (f.kind) {
	case FRAME_REQUEST:
		if (!f.id || f.err)
			return ERR_PROTOCOL;
		break;
	case FRAME_REPLY:
		if (!f.id || f.type || (f.err && !is_err(f.err)))
			return ERR_PROTOCOL;
		break;
	case FRAME_NOTICE:
		if (f.id || f.err)
			return ERR_PROTOCOL;
		break;
	default:
		return ERR_PROTOCOL;
	}
	*ret = f;
	return 0;
}

void frame_write_header(uint8_t out[static FRAME_HEADER_LEN], const struct frame *f)
{
	out[0] = (uint8_t)f->kind;
	out[1] = (uint8_t)f->fds_len;
	out[2] = (uint8_t)(f->type >> 8);
	out[3] = (uint8_t)f->type;
	put32(out + 4, f->id);
	put32(out + 8, (uint32_t)f->err);
}

int frame_send(int fd, const struct frame *f, const int *fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
	} control = {};
	uint8_t header[FRAME_HEADER_LEN];
	struct iovec iov[2] = {
		{ header, sizeof header },
		{ (void *)f->body.data, f->body.len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = f->body.len ? 2 : 1 };
	ssize_t n;

	frame_write_header(header, f);
	if (f->fds_len) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(f->fds_len * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(f->fds_len * sizeof(int));
		memcpy(CMSG_DATA(c), fds, f->fds_len * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);

	if (n >= 0)
		return 0;
	if (errno == EAGAIN)
		return ERR_AGAIN;
	return errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED : -errno;
}

static size_t take_fds(struct msghdr *msg, int fds[static IPC_FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count && n < IPC_FDS_MAX; i++)
			memcpy(&fds[n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return n;
}

int frame_recv(int fd, struct ipc_area *area, struct frame *ret, int fds[static IPC_FDS_MAX])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { area->bytes, sizeof area->bytes };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof control,
	};
	struct frame f;
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? ERR_AGAIN : errno == ECONNRESET ? ERR_CLOSED : -errno;

	size_t fds_len = take_fds(&msg, fds);
	int err = n == 0 ? ERR_CLOSED : frame_parse(&f, SPAN(area->bytes, (size_t)n));
	/* Truncated control data: the kernel has closed what did not fit. */
	if (err >= 0 && ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || f.fds_len != fds_len))
		err = ERR_PROTOCOL;
	if (err < 0) {
		while (fds_len)
			close(fds[--fds_len]);
		return err;
	}
	*ret = f;
	return 0;
}
