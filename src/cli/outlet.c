#include "cli/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/err.h"

/* A pipe that poll() calls writable takes PIPE_BUF bytes without blocking (pipe(7)). */
static ssize_t write_some(int fd, struct span data, int timeout)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int n = poll(&p, 1, timeout);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (!n)
		return 0;
	ssize_t done = write(fd, data.data, MIN(data.len, (size_t)PIPE_BUF));
	if (done < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return done;
}

static void release(struct outlet *o)
{
	if (o->stream) {
		stream_resume(o->stream);
		o->stream = NULL;
	}
	if (o->drained)
		o->drained(o->userdata);
}

static void on_writable(void *userdata, unsigned)
{
	struct outlet *o = userdata;

	while (o->pending.len) {
		ssize_t n = write_some(o->fd, buf_span(&o->pending), 0);
		if (n < 0) {
			o->err = (int)n;
			buf_done(&o->pending);
			break;
		}
		if (!n)
			return;
		buf_consume(&o->pending, (size_t)n);
	}
	source_free(take(o->source));
	release(o);
}

void outlet_open(struct outlet *o, struct loop *loop, int fd)
{
	*o = (struct outlet){ .loop = loop, .fd = fd };
}

int outlet_write(struct outlet *o, struct stream *stream, struct span data)
{
	while (!o->err && data.len && !o->pending.len) {
		ssize_t n = write_some(o->fd, data, 0);
		if (n < 0)
			o->err = (int)n;
		if (n <= 0)
			break;
		data = span_from(data, (size_t)n);
	}
	if (o->err || !data.len)
		return o->err;
	buf_add_span(&o->pending, data);
	if (!o->err)
		o->err = buf_err(&o->pending);
	if (!o->err && !o->source)
		o->err = MIN(loop_add_io(o->loop, &o->source, o->fd, LOOP_OUT, on_writable, o), 0);
	if (!o->err && stream && !o->stream) {
		o->stream = stream;
		stream_pause(stream);
	}
	return o->err;
}

void outlet_forget_stream(struct outlet *o, const struct stream *stream)
{
	if (o->stream == stream)
		o->stream = NULL;
}

bool outlet_empty(const struct outlet *o) { return !o->pending.len; }

int outlet_finish(struct outlet *o)
{
	source_free(take(o->source));
	while (!o->err && o->pending.len) {
		ssize_t n = write_some(o->fd, buf_span(&o->pending), -1);
		if (n < 0)
			o->err = (int)n;
		else
			buf_consume(&o->pending, (size_t)n);
	}
	buf_done(&o->pending);
	return o->err;
}
