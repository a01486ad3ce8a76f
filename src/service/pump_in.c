#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/err.h"
#include "service/pump.h"

/* A socket must not raise SIGPIPE even where the process forgot to ignore it. */
static ssize_t put(int fd, struct span s)
{
	ssize_t n = send(fd, s.data, s.len, MSG_NOSIGNAL);

	return n < 0 && errno == ENOTSOCK ? write(fd, s.data, s.len) : n;
}

/* Writes what goes now; true if the descriptor is still of use. */
static bool push(struct pump_in *p, struct span *s)
{
	while (s->len) {
		ssize_t n = put(p->fd, *s);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0)
			return false;
		*s = span_from(*s, (size_t)n);
	}
	return true;
}

static void close_in(struct pump_in *p)
{
	if (!p->active)
		return;
	(void)shutdown(p->fd, SHUT_WR); /* the other direction's copy keeps a socket open */
	pump_in_done(p);
}

/* What still comes is dropped, as a pipe does, unless somebody wants to know. */
static void reader_gone(struct pump_in *p)
{
	close_in(p);
	if (p->gone)
		p->gone(p->userdata);
}

static void on_writable(void *userdata, unsigned events)
{
	struct pump_in *p = userdata;
	struct span rest = buf_span(&p->pending);
	struct stream *s = p->stream;
	bool alive = push(p, &rest) && !((events & LOOP_HUP) && !(events & LOOP_OUT));

	if (alive && rest.len) {
		buf_consume(&p->pending, p->pending.len - rest.len);
		return;
	}
	buf_done(&p->pending);
	if (!alive && p->gone) {
		reader_gone(p);
		return;
	}
	if (!alive || p->ending || source_events(p->source, 0) < 0)
		close_in(p);
	stream_resume(s);       /* last: it may end the stream, and with it p */
}

int pump_in_start(struct pump_in *p, struct loop *loop, int fd, struct stream *s)
{
	int flags = fcntl(fd, F_GETFL);
	int err;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	*p = (struct pump_in){ .stream = s, .fd = fd };
	err = loop_add_io(loop, &p->source, fd, 0, on_writable, p);
	if (err < 0)
		return err;
	p->active = true;
	return 0;
}

void pump_in_write(struct pump_in *p, struct span data)
{
	int err;

	if (!p->active || p->ending)
		return;
	if (!p->pending.len && !push(p, &data)) {
		reader_gone(p);
		return;
	}
	if (!data.len)
		return;

	buf_add_span(&p->pending, data);
	err = buf_err(&p->pending);
	if (err >= 0)
		err = source_events(p->source, LOOP_OUT);
	if (err < 0)
		stream_reset(p->stream, STREAM_CODE_INTERNAL);
	else
		stream_pause(p->stream);
}

void pump_in_end(struct pump_in *p)
{
	if (!p->active)
		return;
	p->ending = true;
	if (!p->pending.len)
		close_in(p);
}

void pump_in_done(struct pump_in *p)
{
	if (!p->active)
		return;
	p->active = false;
	source_free(p->source);
	close(p->fd);
	buf_done(&p->pending);
}
