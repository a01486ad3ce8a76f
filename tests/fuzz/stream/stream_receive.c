/* The receiving half on a transport that is not there: arbitrary bytes, cut anywhere,
 * with pauses, resets, ends and half-closes in between.
 *
 *   byte 0     bit 0: we opened the stream; bits 1..: what the handler does
 *   then       an operation a byte, as in `enum op`, data operations with a length byte */
#include <stdlib.h>

#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool b)
{
	if (!b)
		abort();
}

/* ---- the transport that is not there ---- */

struct transport { bool ended; };
struct transport_stream { void *userdata; size_t got, consumed; bool aborted, finished, gone; };

static struct transport_stream ts;

int transport_stream_open(struct transport *t, bool early, void *userdata, struct transport_stream **ret)
{
	(void)t;
	(void)early;
	ts.userdata = userdata;
	*ret = &ts;
	return 0;
}

bool transport_ended(const struct transport *t, struct transport_end *ret)
{
	*ret = (struct transport_end){};
	return t->ended;
}

void transport_stream_bind(struct transport_stream *s, void *userdata) { s->userdata = userdata; }
size_t transport_stream_queued(const struct transport_stream *s) { (void)s; return 0; }

int transport_stream_write(struct transport_stream *s, struct span data)
{
	(void)data;
	must(!s->gone && !s->aborted && !s->finished);
	return 0;
}

void transport_stream_write_chunk(struct transport_stream *s, struct chunk *c)
{
	(void)s;
	c->release(c);
}

void transport_stream_finish(struct transport_stream *s)
{
	must(!s->gone);
	s->finished = true;
}

void transport_stream_consume(struct transport_stream *s, size_t n)
{
	must(!s->gone);
	s->consumed += n;
	must(s->consumed <= s->got);
}

void transport_stream_abort(struct transport_stream *s, uint64_t code)
{
	(void)code;
	must(!s->gone);
	s->aborted = true;
}

/* ---- the user ---- */

static struct {
	struct stream *s;
	uint8_t does;
	unsigned headers, messages, ends, closed;
	bool paused;
} user;

static void act(struct stream *s)
{
	must(!user.closed && !user.paused);
	if (user.does & 2 && user.messages % 3 == 1) {
		stream_pause(s);
		user.paused = true;
	}
	if (user.does & 4 && user.messages % 5 == 2)
		stream_reset(s, STREAM_CODE_CANCEL);
	if (user.does & 8)
		stream_end(s);
	if (user.does & 16 && user.paused) {
		user.paused = false;
		stream_resume(s);
	}
}

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	(void)userdata;
	(void)h;
	must(++user.headers == 1 && !user.messages);
	act(s);
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	volatile uint8_t sum = 0;

	(void)userdata;
	must(user.headers == 1 && !user.ends && m.len <= STREAM_MESSAGE_MAX);
	for (size_t i = 0; i < m.len; i++)
		sum = (uint8_t)(sum + m.data[i]);
	user.messages++;
	act(s);
	for (size_t i = 0; i < m.len; i++)      /* still there, whatever act() did */
		sum = (uint8_t)(sum + m.data[i]);
}

static void on_end(void *userdata, struct stream *s)
{
	(void)userdata;
	must(++user.ends == 1);
	act(s);
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	(void)userdata;
	(void)s;
	must(++user.closed == 1);
	must(err <= 0 && (err < 0 || user.ends));
	user.s = NULL;
}

static const struct stream_handler handler = {
	.headers = on_headers, .message = on_message, .end = on_end, .closed = on_closed,
};

static void on_accept(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	(void)userdata;
	(void)early;
	if (user.does & 32)
		return;
	user.s = s;
	stream_attach(s, &handler, NULL);
	on_headers(NULL, s, h);
}

static const struct streams_ops ops = { .accept = on_accept };

/* ---- the input ---- */

enum op { OP_DATA, OP_FIN, OP_RESUME, OP_PAUSE, OP_LONG, OP_CLOSED, OP_RESET, OP_END, _OP_MAX };

static void give(struct span data, bool fin)
{
	/* of its exact size, so that a sanitizer sees who reads behind it */
	uint8_t *copy = malloc(data.len + 1);

	must(copy);
	if (data.len)
		memcpy(copy + 1, data.data, data.len);
	ts.got += data.len;
	streams_on_data(ts.userdata, SPAN(copy + 1, data.len), fin, false);
	free(copy);
}

static void closed_by_transport(void)
{
	streams_on_closed(ts.userdata);
	ts.gone = true;
	must(ts.consumed == ts.got);
}

static struct span operate(struct span in)
{
	enum op op = in.data[0] % _OP_MAX;
	size_t n = in.len > 1 && (op == OP_DATA || op == OP_FIN) ? in.data[1] : 0;

	in = span_from(in, op == OP_DATA || op == OP_FIN ? 2 : 1);
	switch (op) {
	case OP_DATA:
	case OP_FIN:
		give(span_first(in, n), op == OP_FIN);
		return span_from(in, n);
	case OP_LONG: {
		static uint8_t many[90000];
		memset(many, 0x7f, sizeof many);        /* read as lengths: 16 KiB each */
		give(SPAN_OF(many), false);
		break;
	}
	case OP_RESUME:
		user.paused = false;
		if (user.s)
			stream_resume(user.s);
		break;
	case OP_PAUSE:
		user.paused |= user.s != NULL;
		if (user.s)
			stream_pause(user.s);
		break;
	case OP_CLOSED:
		closed_by_transport();
		break;
	case OP_RESET:
		streams_on_reset(ts.userdata, 1);
		break;
	default:
		if (user.s)
			stream_end(user.s);
		break;
	}
	return in;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct transport t = {};
	struct streams *ss;
	struct span in = SPAN(data, len);

	if (!len)
		return 0;
	ts = (struct transport_stream){};
	memset(&user, 0, sizeof user);
	user.does = data[0];
	must(streams_new(&ss, &ops, NULL) >= 0);
	streams_set_transport(ss, &t);
	if (user.does & 1)
		must(stream_open(ss, SPAN("\xa0", 1), false, &handler, NULL, &user.s) >= 0);
	else
		streams_on_opened(ss, &ts);
	for (in = span_from(in, 1); in.len && !ts.gone;)
		in = operate(in);
	if (!ts.gone && user.does & 64) {
		t.ended = true;
		closed_by_transport();
	}
	streams_free(ss, 0);
	must(user.closed == (user.does & 1 || (user.headers && !(user.does & 32))));
	return 0;
}
