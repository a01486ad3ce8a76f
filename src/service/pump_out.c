#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "base/err.h"
#include "service/pump.h"

int pump_dup(int fd)
{
	int r = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return r < 0 ? -errno : r;
}

static void end(struct pump_out *p)
{
	void (*ended)(void *userdata) = p->ended;
	void *userdata = p->userdata;

	pump_out_done(p);
	if (ended)
		ended(userdata);
}

/* Closed is for the stream's owner to hear; until then there is nothing to do. */
static void stop(struct pump_out *p, int err)
{
	if (err != ERR_CLOSED)
		stream_reset(p->stream, STREAM_CODE_INTERNAL);
	pump_out_done(p);
}

/* Negative, once the pump rests. */
static int hold(struct pump_out *p, struct span m)
{
	int err;

	buf_add_span(&p->held, m);
	err = buf_err(&p->held);
	if (err >= 0)
		err = source_events(p->source, 0);
	if (err < 0)
		stop(p, err);
	return ERR_AGAIN;
}

static int give(struct pump_out *p, struct span m)
{
	int err = stream_send(p->stream, m);

	if (err == ERR_AGAIN)
		return hold(p, m);
	if (err < 0)
		stop(p, err);
	return err;
}

/* One read. 1: there may be more; 0: nothing now, or the end; negative: rests. */
static int step(struct pump_out *p)
{
	uint8_t b[1 + PUMP_READ_MAX];
	size_t head = p->prefix != PUMP_NO_PREFIX;
	ssize_t n = p->left ? read(p->fd, b + head, MIN((size_t)PUMP_READ_MAX, p->left)) : 0;

	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0 && errno != EIO)
		p->err = -errno;
	if (n <= 0) {           /* a terminal whose last user left says EIO */
		end(p);
		return 0;
	}
	if (p->left != SIZE_MAX)
		p->left -= (size_t)n;
	if (head)
		b[0] = (uint8_t)p->prefix;

	int err = give(p, SPAN(b, head + (size_t)n));
	if (err < 0)
		return err;
	if (p->left)
		return 1;
	end(p);
	return 0;
}

static void run(struct pump_out *p)
{
	for (int i = 0; i < PUMP_TURNS_MAX && p->active; i++)
		if (step(p) <= 0)
			return;
}

static void readable(void *userdata, unsigned)
{
	struct pump_out *p = userdata;

	if (!p->held.len)
		run(p);
}

int pump_out_start(struct pump_out *p, struct loop *loop, int fd, struct stream *s, int prefix,
		   void (*ended)(void *userdata), void *userdata)
{
	int flags = fcntl(fd, F_GETFL);
	int err;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	*p = (struct pump_out){
		.stream = s, .fd = fd, .prefix = prefix, .left = SIZE_MAX, .ended = ended, .userdata = userdata,
	};
	err = loop_add_io(loop, &p->source, fd, LOOP_IN, readable, p);
	if (err < 0)
		return err;
	p->active = true;
	return 0;
}

void pump_out_writable(struct pump_out *p)
{
	int err;

	if (!p->active || !p->held.len)
		return;
	err = stream_send(p->stream, buf_span(&p->held));
	if (err == ERR_AGAIN)
		return;
	buf_done(&p->held);
	if (err >= 0)
		err = source_events(p->source, LOOP_IN);
	if (err < 0)
		stop(p, err);
	else if (!p->left)
		end(p);
}

void pump_out_finish(struct pump_out *p)
{
	int there = 0;

	if (!p->active)
		return;
	if (ioctl(p->fd, FIONREAD, &there) < 0)
		there = 0;
	p->left = (size_t)there;
	if (!p->left && !p->held.len)
		end(p);
}

void pump_out_done(struct pump_out *p)
{
	if (!p->active)
		return;
	p->active = false;
	source_free(p->source);
	close(p->fd);
	buf_done(&p->held);
}
