#include "cli/inlet.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"

enum { READ_MAX = 32 << 10 };

/* True: everything went. */
static bool hand_on(struct inlet *in)
{
	while (in->held.len) {
		int n = in->give(in->userdata, buf_span(&in->held));
		if (n <= 0)
			break;
		buf_consume(&in->held, (size_t)n);
	}
	return !in->held.len;
}

static void stop(struct inlet *in) { source_free(take(in->source)); }

static void finish(struct inlet *in)
{
	stop(in);
	in->ended = true;
	if (in->end)
		in->end(in->userdata);
}

static void on_readable(void *userdata, unsigned)
{
	struct inlet *in = userdata;
	uint8_t *room = buf_reserve(&in->held, READ_MAX);
	ssize_t n = room ? read(in->fd, room, READ_MAX) : -1;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		finish(in);
		return;
	}
	buf_added(&in->held, (size_t)n);
	if (!hand_on(in) && in->source)
		(void)!source_events(in->source, 0);
}

int inlet_open(struct inlet *in, struct loop *loop, int fd)
{
	in->fd = fd;
	return loop_add_io(loop, &in->source, fd, LOOP_IN, on_readable, in);
}

void inlet_resume(struct inlet *in)
{
	if (in->source && hand_on(in) && in->source)
		(void)!source_events(in->source, LOOP_IN);
}

void inlet_close(struct inlet *in)
{
	stop(in);
	buf_wipe(&in->held);
}
