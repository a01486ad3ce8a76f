#include "cli/ask.h"

#include <string.h>

#include "base/err.h"
#include "service/fetch.h"
#include "service/service.h"

struct ask {
	struct session session;
	const struct ask_ops *ops;
	void *userdata;
	const char *path;
	struct span header_block;
	struct fetch *fetch;
};

int ask_refusal(const struct session *s, const char *path, unsigned status, const char *error)
{
	char self[IDENTITY_STR_MAX];

	identity_format(self, vault_identity(s->vault));
	if (status == 404)
		return cli_fail(CLI_DENIED, "%s has no %s for us: it is unknown there, or needs 'carrier authorize %s %s %s'",
				s->called, path, s->called, self, path);
	if (status == 401)
		return cli_fail(CLI_DENIED, "%s asks for its claim code, the one printed with its QR code: --claim CODE", s->called);
	int code = !strcmp(error, err_text(ERR_LASTWAY)) ? CLI_DENIED : cli_status_of(service_status_err(status));
	if (status == 400 || code == CLI_OK)
		code = CLI_FAILED;
	return cli_fail(code, "%s: %s", s->called, error[0] ? error : err_text(service_status_err(status)));
}

static void on_headers(void *userdata, const struct headers *h)
{
	struct ask *a = userdata;

	if (a->ops->headers && headers_uint(h, ":status", 0) < 300)
		a->ops->headers(a->userdata, h);
}

static void on_message(void *userdata, struct span m)
{
	struct ask *a = userdata;

	a->ops->message(a->userdata, a, m);
}

static void on_done(void *userdata, const struct fetch_answer *answer)
{
	struct ask *a = userdata;

	a->fetch = NULL;
	if (answer->err < 0 && session_tells(&a->session, answer->err))
		return;
	if (answer->status >= 300)
		ask_stop(a, ask_refusal(&a->session, a->path, answer->status, answer->error));
	else if (answer->err < 0)
		ask_stop(a, cli_fail(cli_status_of(answer->err), "%s: %s: %s", a->session.called, a->path, err_text(answer->err)));
	else
		ask_stop(a, CLI_OK);
}

static void up(void *userdata, struct session *s)
{
	static const struct fetch_ops ops = { .headers = on_headers, .message = on_message, .done = on_done };
	struct ask *a = userdata;
	int err = fetch_start(&a->fetch, peer_streams(s->peer), a->header_block, SPAN_NONE, session_early(a->path), &ops, a);

	if (err < 0)
		session_stop(s, cli_fail(CLI_FAILED, "%s", err_text(err)));
}

int ask_run(struct cli *c, const char *target, const char *path, struct span header_block,
	    const struct ask_ops *ops, void *userdata)
{
	static const struct session_ops session_ops = { .up = up };
	struct ask a = { .ops = ops, .userdata = userdata, .path = path, .header_block = header_block };
	int status = session_open(&a.session, c);

	if (!status)
		status = session_dial(&a.session, target, &session_ops, &a);
	if (!status)
		status = session_run(&a.session);
	fetch_cancel(take(a.fetch));
	session_done(&a.session);
	return status;
}

struct session *ask_session(struct ask *a) { return &a->session; }
struct stream *ask_stream(struct ask *a) { return a->fetch ? fetch_stream(a->fetch) : NULL; }
void ask_stop(struct ask *a, int status) { session_stop(&a->session, status); }
