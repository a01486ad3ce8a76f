#include "base/err.h"
#include "service/shell.h"

static void on_headers(void *userdata, struct stream *, const struct headers *h)
{
	struct shell_client *c = userdata;

	c->status = (unsigned)headers_uint(h, ":status", 0);
	if (c->ops->opened)
		c->ops->opened(c->userdata, c->status, headers_text(h, ":error"));
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct shell_client *c = userdata;
	struct shell_message msg;
	int err = c->exited ? ERR_PROTOCOL : shell_message_parse(&msg, m, false);

	if (err < 0) {
		c->err = err;
		stream_reset(s, STREAM_CODE_PROTOCOL);
	} else if (msg.kind == SHELL_EXIT) {
		c->exited = true;
		if (c->ops->exited)
			c->ops->exited(c->userdata, msg.exit);
	} else if (msg.kind == SHELL_STDERR) {
		if (c->ops->error_output)
			c->ops->error_output(c->userdata, msg.data);
	} else if (c->ops->output) {
		c->ops->output(c->userdata, msg.data);
	}
}

/* The device is done, so are we. */
static void on_end(void *, struct stream *s) { stream_end(s); }

static void on_writable(void *userdata, struct stream *)
{
	struct shell_client *c = userdata;

	if (c->ops->writable)
		c->ops->writable(c->userdata);
}

static void on_closed(void *userdata, struct stream *, int err)
{
	struct shell_client *c = userdata;

	c->stream = NULL;
	if (c->err)
		err = c->err;
	else if (!err && !c->exited && c->status < 300)
		err = ERR_PROTOCOL;     /* an end without a status */
	if (c->ops->closed)
		c->ops->closed(c->userdata, c->exited && !c->err ? 0 : err);
}

int shell_client_open(struct shell_client *c, struct streams *ss, const struct shell_request *rq,
		      const struct shell_client_ops *ops, void *userdata)
{
	static const struct stream_handler handler = {
		.headers = on_headers, .message = on_message, .end = on_end,
		.writable = on_writable, .closed = on_closed,
	};
	_cleanup_buf_ struct buf b = {};
	int err = shell_request_headers(&b, rq);

	if (err < 0)
		return err;
	*c = (struct shell_client){ .ops = ops, .userdata = userdata };
	return stream_open(ss, buf_span(&b), false, &handler, c, &c->stream);
}

int shell_client_write(struct shell_client *c, struct span data)
{
	uint8_t m[1 + SHELL_DATA_MAX];
	int err;

	if (!c->stream)
		return ERR_CLOSED;
	data = span_first(data, SHELL_DATA_MAX);
	if (!data.len)
		return 0;       /* an empty message would be the end of input */
	m[0] = SHELL_DATA;
	memcpy(m + 1, data.data, data.len);
	err = stream_send(c->stream, SPAN(m, 1 + data.len));
	return err < 0 ? err : (int)data.len;
}

int shell_client_end_input(struct shell_client *c)
{
	static const uint8_t m[] = { SHELL_DATA };

	return c->stream ? stream_send(c->stream, SPAN_OF(m)) : ERR_CLOSED;
}

int shell_client_resize(struct shell_client *c, const struct shell_window *w)
{
	uint8_t m[SHELL_WINDOW_LEN];

	shell_window_format(m, w);
	return c->stream ? stream_send(c->stream, SPAN_OF(m)) : ERR_CLOSED;
}

void shell_client_cancel(struct shell_client *c)
{
	if (c->stream)
		stream_reset(c->stream, STREAM_CODE_CANCEL);
}
