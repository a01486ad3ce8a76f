/* The rules of this device, one message each; there may be more than the stream
 * takes at once. Rules that change meanwhile may be missed or come twice. */
#include <errno.h>

#include "base/err.h"
#include "service/host_rule.h"
#include "service/internal.h"

struct listing {
	const struct auth *auth;
	size_t at;
};

static int send_one(struct stream *s, const struct auth_rule *r)
{
	_cleanup_buf_ struct buf b = {};

	host_rule_put(&b, r, "resource", NULL);
	return buf_err(&b) < 0 ? buf_err(&b) : stream_send(s, buf_span(&b));
}

static void go_on(void *userdata, struct stream *s)
{
	struct listing *l = userdata;
	int err = 0;

	while (l->at < auth_len(l->auth)) {
		err = send_one(s, auth_at(l->auth, l->at));
		if (err < 0)
			break;
		l->at++;
	}
	if (err == ERR_AGAIN)
		return;
	if (err < 0 && err != ERR_CLOSED)
		stream_reset(s, STREAM_CODE_INTERNAL);
	else
		stream_end(s);
}

static void on_closed(void *userdata, struct stream *, int) { free(userdata); }

void config_auth_list_open(struct services *ss, const struct service_call *call)
{
	static const struct stream_handler handler = { .writable = go_on, .closed = on_closed };
	_cleanup_buf_ struct buf b = {};
	struct listing *l = malloc(sizeof *l);

	headers_put_status(&b, SERVICE_STATUS_OK, NULL);
	if (!l || buf_err(&b) < 0) {
		free(l);
		service_answer_err(call->stream, -ENOMEM);
		return;
	}
	*l = (struct listing){ .auth = ss->config.auth };
	stream_attach(call->stream, &handler, l);
	if (stream_send_headers(call->stream, buf_span(&b)) < 0)
		stream_reset(call->stream, STREAM_CODE_INTERNAL);
	else
		go_on(l, call->stream);
}
