/* A request of a caller's making, and messages after it, to every built-in service
 * and a program: whatever comes ends the stream at most, nothing stays behind, and a
 * caller without a grant learns nothing.
 *
 * Input: flags, then pieces of a two-byte length and that many bytes; the first is
 * the header block, the others are messages. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "rig.h"
#include "service/service.h"

enum { EARLY = 1, GRANTED = 2, NEED_CODE = 4, HOST_FAILS = 8, HOST_IS_LATE = 16, STALLED = 32, LEAVES = 64 };
enum { MESSAGES_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Sockets whose other ends have said something and gone. */
static int give_sockets(struct rig_host *h, struct span, int *fds, size_t *len)
{
	size_t n = h->what == HOST_SHELL ? 4 : 1;

	for (; *len < n; (*len)++) {
		int s[2];
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
			abort();
		if (write(s[1], "\0\0\0\7", 4) != 4)
			abort();
		if (*len)
			close(s[1]);
		else
			shutdown(s[1], SHUT_WR);
		if (!*len)
			close(s[1]);
		fds[*len] = s[0];
	}
	return 0;
}

static bool next_piece(struct span *in, struct span *ret)
{
	size_t n;

	if (in->len < 2)
		return false;
	n = (size_t)in->data[0] << 8 | in->data[1];
	*in = span_from(*in, 2);
	*ret = span_first(*in, n);
	*in = span_from(*in, n);
	return true;
}

static void turn(struct rig *r)
{
	for (int i = 0; i < 4; i++) {
		rig_settle(r);
		if (loop_turn(r->loop, 0) < 0)
			abort();
	}
	rig_settle(r);
}

static void send_all(struct rig *r, struct seen *s, struct span in)
{
	struct span m;

	for (int i = 0; i < MESSAGES_MAX && s->stream && next_piece(&in, &m); i++) {
		if (stream_send(s->stream, m) < 0)
			return;
		if (i % 4 == 0)
			turn(r);
	}
}

static void run(struct rig *r, uint8_t flags, struct span block, struct span in)
{
	struct seen s;

	seen_open(r, &s, block);
	send_all(r, &s, in);
	turn(r);
	rig_host_answer(r);
	turn(r);
	if (s.stream && (flags & LEAVES))
		stream_reset(s.stream, STREAM_CODE_CANCEL);
	else if (s.stream)
		stream_end(s.stream);
	wire_stall(r->wire, false);
	turn(r);
	if (s.stream)
		stream_reset(s.stream, STREAM_CODE_CANCEL);
	turn(r);
	if (!s.closed || wire_len(r->wire))
		abort();
	if (!(flags & GRANTED) && s.status && s.status != 404 && r->host.calls == 0 && s.messages)
		abort();
	seen_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span in = SPAN(data, len), block;
	struct headers h;
	uint8_t flags;

	if (!len)
		return 0;
	flags = data[0];
	in = span_from(in, 1);
	if (!next_piece(&in, &block) || headers_parse(&h, block) < 0)
		return 0;

	signal(SIGPIPE, SIG_IGN);
	struct rig *r = rig_new(NULL, true);
	if (services_add_program(r->ss, "/p", true) < 0)
		abort();
	if (flags & GRANTED)
		rig_allow(r, &r->caller, "*", NULL);
	r->claim.need_code = flags & NEED_CODE;
	r->host.plain = true;
	r->host.later = flags & HOST_IS_LATE;
	r->host.err = flags & HOST_FAILS ? -EIO : 0;
	r->host.carry_out = give_sockets;
	r->host.answer = SPAN("\xa0", 1);
	wire_set_early(r->wire, flags & EARLY);
	wire_stall(r->wire, flags & STALLED);
	run(r, flags, block, in);
	rig_free(r);
	return 0;
}
