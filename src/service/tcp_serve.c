/* The answering half of /v0/tcp: the rule says where to, the host connects. */
#include <errno.h>

#include "base/err.h"
#include "service/internal.h"
#include "service/tcp.h"

struct serve {
	struct tcp_pump pump;
};

static void on_message(void *userdata, struct stream *, struct span m)
{
	struct serve *sv = userdata;

	tcp_pump_message(&sv->pump, m);
}

static void on_end(void *userdata, struct stream *)
{
	struct serve *sv = userdata;

	tcp_pump_end(&sv->pump);
}

static void on_writable(void *userdata, struct stream *)
{
	struct serve *sv = userdata;

	tcp_pump_writable(&sv->pump);
}

static void on_closed(void *userdata, struct stream *, int err)
{
	struct serve *sv = userdata;

	tcp_pump_done(&sv->pump, err < 0);
	free(sv);
}

static const struct stream_handler handler = {
	.message = on_message, .end = on_end, .writable = on_writable, .closed = on_closed,
};

/* What the device's own rules refuse looks as if the path were not there; that nobody
 * listens is the caller's to know. */
static void answer_failure(struct stream *s, int err)
{
	if (err == ERR_DENIED || err == ERR_STATE)
		service_answer_unknown(s);
	else if (err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == ERR_LIMIT || err == ERR_CLOSED)
		service_answer_err(s, err);
	else
		service_answer(s, 502, err_text(err));
}

static int start(struct services *ss, struct stream *s, int *fds, size_t fds_len)
{
	_cleanup_close_ int fd = service_take_fd(fds, fds_len, 0);
	_cleanup_close_ int copy = fd < 0 ? -EREMOTEIO : pump_dup(fd);
	_cleanup_free_ struct serve *sv = calloc(1, sizeof *sv);
	_cleanup_buf_ struct buf b = {};
	int err;

	if (!sv || copy < 0)
		return sv ? copy : -ENOMEM;
	headers_put_status(&b, SERVICE_STATUS_OK, NULL);
	err = buf_err(&b);
	if (err >= 0)
		err = tcp_pump_start(&sv->pump, ss->config.loop, s, fd, copy);
	if (err < 0)
		return err;
	take_fd(fd);
	take_fd(copy);
	stream_attach(s, &handler, sv);
	take(sv);
	if (stream_send_headers(s, buf_span(&b)) < 0)
		stream_reset(s, STREAM_CODE_INTERNAL);
	return 0;
}

static void connected(struct services *ss, struct stream *s, void *, int err, struct span, int *fds, size_t fds_len)
{
	if (err >= 0)
		err = start(ss, s, fds, fds_len);
	if (err < 0)
		answer_failure(s, err);
}

void tcp_open(struct services *ss, const struct service_call *call)
{
	char host[TCP_HOST_MAX + 1] = "127.0.0.1";
	uint64_t port = headers_uint(call->headers, "port", 0);
	_cleanup_buf_ struct buf args = {};
	struct auth_decision d;
	struct cbor_map m;
	int err = headers_copy(call->headers, "host", host, sizeof host);

	if ((err < 0 && err != ERR_UNKNOWN) || !*host || !port || port > UINT16_MAX) {
		service_answer(call->stream, 400, "port or host is missing or not well formed");
		return;
	}
	d = auth_decide(ss->config.auth, &(struct auth_request){
		.caller = call->caller, .path = call->path, .method = call->method,
		.tcp_host = host, .tcp_port = (uint16_t)port,
		.now = ss->config.unix_time ? ss->config.unix_time() : AUTH_TIME_UNKNOWN,
	});
	if (!d.allow || !d.rule) {
		log_to(ss->config.log, LOG_WARN, "service", "%s %s:%u: %s", call->path, host, (unsigned)port,
		       auth_reason_text(d.reason));
		service_answer_unknown(call->stream);
		return;
	}
	cbor_map_begin(&m, &args);
	cbor_map_str(&m, "host", host);
	cbor_map_uint(&m, "port", port);
	cbor_map_end(&m);
	service_ask(ss, call, HOST_TCP, buf_span(&args), connected, NULL, NULL);
}
