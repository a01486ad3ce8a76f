#include "service/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/err.h"
#include "service/service.h"

/* ---- the pump ---- */

static void give_up(struct tcp_pump *p, enum stream_code code)
{
	if (p->over)
		return;
	p->over = true;
	stream_reset(p->stream, code);
}

static void reading_ended(void *userdata)
{
	struct tcp_pump *p = userdata;

	p->socket = -1;
	if (p->out.err < 0)
		give_up(p, STREAM_CODE_CANCEL);
	else
		stream_end(p->stream);
}

static void reader_gone(void *userdata) { give_up(userdata, STREAM_CODE_CANCEL); }

int tcp_pump_start(struct tcp_pump *p, struct loop *loop, struct stream *s, int read_fd, int write_fd)
{
	int err;

	*p = (struct tcp_pump){ .stream = s, .socket = read_fd };
	err = pump_in_start(&p->in, loop, write_fd, s);
	if (err < 0)
		return err;
	p->in.gone = reader_gone;
	p->in.userdata = p;
	err = pump_out_start(&p->out, loop, read_fd, s, PUMP_NO_PREFIX, reading_ended, p);
	if (err < 0) {
		/* The caller keeps both: undone without closing. */
		source_free(take(p->in.source));
		p->in.active = false;
	}
	return err;
}

void tcp_pump_message(struct tcp_pump *p, struct span m)
{
	if (m.len > TCP_MESSAGE_MAX)
		give_up(p, STREAM_CODE_LIMIT);
	else if (!p->over)
		pump_in_write(&p->in, m);
}

void tcp_pump_end(struct tcp_pump *p) { pump_in_end(&p->in); }

void tcp_pump_writable(struct tcp_pump *p)
{
	if (!p->over)
		pump_out_writable(&p->out);
}

void tcp_pump_done(struct tcp_pump *p, bool broken)
{
	const struct linger at_once = { .l_onoff = 1 };
	int fd = p->out.active ? p->socket : p->in.active ? p->in.fd : -1;

	p->over = true;
	if (broken && fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	pump_in_done(&p->in);
	pump_out_done(&p->out);
}

/* ---- the asking half ---- */

struct tcp_client {
	const struct tcp_ops *ops;
	void *userdata;
	struct stream *stream;
	struct tcp_pump pump;
	unsigned status;
	bool canceled;
	char text[TCP_ERROR_MAX + 1];
};

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	struct tcp_client *c = userdata;
	struct span text = headers_text(h, ":error");

	c->status = (unsigned)headers_uint(h, ":status", 0);
	if (c->status == SERVICE_STATUS_OK) {
		if (c->ops->opened)
			c->ops->opened(c->userdata);
		return;
	}
	snprintf(c->text, sizeof c->text, "%.*s", (int)MIN(text.len, (size_t)TCP_ERROR_MAX), (const char *)text.data);
	stream_reset(s, STREAM_CODE_CANCEL);
}

static void on_message(void *userdata, struct stream *, struct span m)
{
	struct tcp_client *c = userdata;

	tcp_pump_message(&c->pump, m);
}

static void on_end(void *userdata, struct stream *)
{
	struct tcp_client *c = userdata;

	tcp_pump_end(&c->pump);
}

static void on_writable(void *userdata, struct stream *)
{
	struct tcp_client *c = userdata;

	tcp_pump_writable(&c->pump);
}

static void on_closed(void *userdata, struct stream *, int err)
{
	struct tcp_client *c = userdata;

	tcp_pump_done(&c->pump, err < 0);
	if (c->canceled)
		err = -ECANCELED;
	else if (c->status && c->status != SERVICE_STATUS_OK)
		err = c->status == 502 ? -ECONNREFUSED : service_status_err(c->status);
	else if (c->pump.out.err < 0)
		err = c->pump.out.err;
	c->ops->done(c->userdata, err, c->text[0] ? c->text : NULL);
	free(c);
}

static int put_request(struct buf *b, const char *host, uint16_t port)
{
	struct cbor_map m;

	if (host && strlen(host) > TCP_HOST_MAX)
		return -ENAMETOOLONG;
	cbor_map_begin(&m, b);
	cbor_map_str(&m, ":path", TCP_PATH);
	cbor_map_str(&m, ":method", "CONNECT");
	cbor_map_uint(&m, "port", port);
	if (host)
		cbor_map_str(&m, "host", host);
	cbor_map_end(&m);
	return buf_err(b);
}

int tcp_client_open(struct tcp_client **ret, struct streams *ss, struct loop *loop, const char *host, uint16_t port,
		    int read_fd, int write_fd, const struct tcp_ops *ops, void *userdata)
{
	static const struct stream_handler ended;
	static const struct stream_handler handler = {
		.headers = on_headers, .message = on_message, .end = on_end,
		.writable = on_writable, .closed = on_closed,
	};
	_cleanup_free_ struct tcp_client *c = calloc(1, sizeof *c);
	_cleanup_buf_ struct buf b = {};
	int err;

	if (!c)
		return -ENOMEM;
	*c = (struct tcp_client){ .ops = ops, .userdata = userdata };
	err = put_request(&b, host, port);
	if (err >= 0)
		err = stream_open(ss, buf_span(&b), false, &handler, c, &c->stream);
	if (err < 0)
		return err;
	err = tcp_pump_start(&c->pump, loop, c->stream, read_fd, write_fd);
	if (err < 0) {
		stream_attach(c->stream, &ended, NULL);
		stream_reset(c->stream, STREAM_CODE_CANCEL);
		return err;
	}
	*ret = take(c);
	return 0;
}

void tcp_client_cancel(struct tcp_client *c)
{
	c->canceled = true;
	stream_reset(c->stream, STREAM_CODE_CANCEL);
}
