/* The user's own programs: the host gives a socket (to a program it has started, or
 * to one that listens), the first line on it says in JSON who asks for what, and
 * after it there are only bytes. Message borders are not kept. */
#include <errno.h>

#include "base/err.h"
#include "service/internal.h"
#include "service/pump.h"
#include "wire/json.h"

struct program {
	struct stream *stream;
	struct buf line;
	struct pump_in in;
	struct pump_out out;
};

static void program_free(void *userdata)
{
	struct program *p = userdata;

	pump_in_done(&p->in);
	pump_out_done(&p->out);
	buf_wipe(&p->line);
	free(p);
}

static void on_message(void *userdata, struct stream *, struct span m)
{
	struct program *p = userdata;

	pump_in_write(&p->in, m);
}

static void on_end(void *userdata, struct stream *)
{
	struct program *p = userdata;

	pump_in_end(&p->in);
}

static void on_writable(void *userdata, struct stream *)
{
	struct program *p = userdata;

	pump_out_writable(&p->out);
}

static void on_closed(void *userdata, struct stream *, int) { program_free(userdata); }

/* What it may still read is its own matter: no answer can follow any more. */
static void output_ended(void *userdata)
{
	struct program *p = userdata;

	stream_end(p->stream);
	pump_in_done(&p->in);
	stream_resume(p->stream);
}

static const struct stream_handler handler = {
	.message = on_message, .end = on_end, .writable = on_writable, .closed = on_closed,
};

static int start(struct program *p, struct loop *loop, int socket)
{
	_cleanup_close_ int out = socket, in = -1;
	int err;

	if (out < 0)
		return -EBADF;
	in = pump_dup(out);
	if (in < 0)
		return in;
	err = pump_in_start(&p->in, loop, in, p->stream);
	if (err < 0)
		return err;
	take_fd(in);
	err = pump_out_start(&p->out, loop, out, p->stream, PUMP_NO_PREFIX, output_ended, p);
	if (err < 0)
		return err;
	take_fd(out);
	return 0;
}

static void started(struct services *ss, struct stream *s, void *userdata, int err, struct span,
		    int *fds, size_t fds_len)
{
	_cleanup_buf_ struct buf b = {};
	struct program *p = userdata;

	p->stream = s;
	if (err >= 0)
		err = start(p, ss->config.loop, service_take_fd(fds, fds_len, 0));
	if (err < 0) {
		program_free(p);
		service_answer_err(s, err);
		return;
	}

	stream_attach(s, &handler, p);
	headers_put_status(&b, SERVICE_STATUS_OK, NULL);
	if (stream_send_headers(s, buf_span(&b)) < 0) {
		stream_reset(s, STREAM_CODE_INTERNAL);
		return;
	}
	pump_in_write(&p->in, buf_span(&p->line));
	buf_wipe(&p->line);
}

/* {"identity":"c...","path":"/x","method":"GET","headers":{...}} and a newline. */
static int put_line(struct buf *out, const struct service_call *call)
{
	char id[IDENTITY_STR_MAX];
	struct json j = JSON(out);
	int err;

	identity_format(id, &call->caller);
	json_object(&j);
	json_key(&j, "identity");
	json_str(&j, id);
	json_key(&j, "path");
	json_str(&j, call->path);
	json_key(&j, "method");
	json_str(&j, call->method);
	json_key(&j, "early");
	json_bool(&j, call->early);
	json_key(&j, "headers");
	err = json_from_cbor(&j, call->headers->block);
	if (err < 0)
		return err;
	json_close(&j, '}');
	buf_add_u8(out, '\n');
	return buf_err(out);
}

static int put_args(struct buf *out, const struct service_call *call)
{
	struct cbor_map m;

	cbor_map_begin(&m, out);
	cbor_map_str(&m, "path", call->path);
	cbor_map_bytes(&m, "headers", call->headers->block);
	cbor_map_end(&m);
	return buf_err(out);
}

void program_open(struct services *ss, const struct service_call *call)
{
	_cleanup_buf_ struct buf args = {};
	struct program *p = calloc(1, sizeof *p);
	int err = p ? put_line(&p->line, call) : -ENOMEM;

	if (err >= 0)
		err = put_args(&args, call);
	if (err < 0) {
		if (p)
			program_free(p);
		service_answer_err(call->stream, err);
		return;
	}
	service_ask(ss, call, HOST_SERVICE, buf_span(&args), started, program_free, p);
}
