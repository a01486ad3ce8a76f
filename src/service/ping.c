/* Gives every message back: what a round trip costs, through the same streams that
 * everything else uses. */
#include <errno.h>

#include "base/err.h"
#include "service/internal.h"
#include "service/ping.h"

struct ping {
	struct buf held;                /* an echo that the stream did not take; the caller is paused */
	bool waiting;
};

static void fail(struct stream *s, int err)
{
	if (err != ERR_CLOSED)
		stream_reset(s, err == ERR_LIMIT ? STREAM_CODE_LIMIT : STREAM_CODE_INTERNAL);
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct ping *p = userdata;
	int err = m.len > PING_MESSAGE_MAX ? ERR_LIMIT : stream_send(s, m);

	if (err == ERR_AGAIN) {
		buf_add_span(&p->held, m);
		p->waiting = true;
		stream_pause(s);
		err = buf_err(&p->held);
	}
	if (err < 0)
		fail(s, err);
}

static void on_writable(void *userdata, struct stream *s)
{
	struct ping *p = userdata;
	int err;

	if (!p->waiting)
		return;
	err = stream_send(s, buf_span(&p->held));
	if (err == ERR_AGAIN)
		return;
	p->waiting = false;
	buf_done(&p->held);
	if (err < 0)
		fail(s, err);
	stream_resume(s);
}

static void on_end(void *, struct stream *s) { stream_end(s); }

static void on_closed(void *userdata, struct stream *, int)
{
	struct ping *p = userdata;

	buf_done(&p->held);
	free(p);
}

void ping_open(struct services *, const struct service_call *call)
{
	static const struct stream_handler handler = {
		.message = on_message, .end = on_end, .writable = on_writable, .closed = on_closed,
	};
	_cleanup_buf_ struct buf b = {};
	struct ping *p = calloc(1, sizeof *p);

	headers_put_status(&b, SERVICE_STATUS_OK, NULL);
	if (!p || buf_err(&b) < 0) {
		free(p);
		service_answer_err(call->stream, -ENOMEM);
		return;
	}
	stream_attach(call->stream, &handler, p);
	if (stream_send_headers(call->stream, buf_span(&b)) < 0)
		stream_reset(call->stream, STREAM_CODE_INTERNAL);
}
