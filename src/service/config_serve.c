/* Changes to rules and networks: checked here so that the caller hears what is wrong,
 * then asked of the host, which judges again and is the one that writes. */
#include "base/err.h"
#include "identity/network.h"
#include "service/config_rule.h"
#include "service/host_rule.h"
#include "service/internal.h"

static void pass_on(struct services *, struct stream *s, void *, int err, struct span answer, int *, size_t)
{
	if (err < 0)
		service_answer_err(s, err);
	else
		service_answer_message(s, answer);
}

static void ask_with(struct services *ss, const struct service_call *call, enum host_call what,
		     const struct buf *args, service_answered_fn *fn)
{
	if (buf_err(args) < 0)
		service_answer_err(call->stream, buf_err(args));
	else
		service_ask(ss, call, what, buf_span(args), fn, NULL, NULL);
}

/* ---- rules ---- */

/* False if the call has been answered. *code: what to show to the host, or NULL. */
static bool may_add(struct services *ss, const struct service_call *call, char *buf, size_t size, const char **code)
{
	const struct services_config *c = &ss->config;
	int err;

	*code = NULL;
	if (auth_claimed(c->auth))
		return true;
	if (headers_copy(call->headers, "code", buf, size) >= 0)
		*code = buf;
	err = claim_check(c->claim, c->auth, *code, loop_now(c->loop));
	if (err < 0) {
		log_to(c->log, LOG_WARN, "service", "claim refused: %s", err_text(err));
		service_answer_err(call->stream, err);
	}
	return err >= 0;
}

void config_auth_add_open(struct services *ss, const struct service_call *call)
{
	_cleanup_(auth_rule_done) struct auth_rule r = { 0 };
	_cleanup_(buf_wipe) struct buf args = {};
	char why[CONFIG_WHY_MAX], typed[HOST_CODE_MAX + 1];
	const char *code;
	int err = config_rule_of_headers(&r, call->headers, &call->caller, true, why);

	if (err == ERR_PARSE)
		service_answer(call->stream, 400, why);
	else if (err < 0)
		service_answer_err(call->stream, err);
	else if (may_add(ss, call, typed, sizeof typed, &code)) {
		host_rule_put(&args, &r, "path", code);
		ask_with(ss, call, HOST_RULES_ADD, &args, pass_on);
	}
	wipe(typed, sizeof typed);
}

void config_auth_del_open(struct services *ss, const struct service_call *call)
{
	_cleanup_(auth_rule_done) struct auth_rule r = { 0 };
	_cleanup_buf_ struct buf args = {};
	char why[CONFIG_WHY_MAX], subject[AUTH_SUBJECT_STR_MAX];
	struct cbor_map m;
	int err = config_rule_of_headers(&r, call->headers, &call->caller, false, why);

	if (err < 0) {
		if (err == ERR_PARSE)
			service_answer(call->stream, 400, why);
		else
			service_answer_err(call->stream, err);
		return;
	}
	auth_subject_format(subject, &r);
	cbor_map_begin(&m, &args);
	cbor_map_str(&m, "identity", subject);
	if (r.path)
		cbor_map_str(&m, "path", r.path);
	cbor_map_end(&m);
	ask_with(ss, call, HOST_RULES_DEL, &args, pass_on);
}

/* Generation 1: one path, three methods. */
void config_authorize_open(struct services *ss, const struct service_call *call)
{
	if (!strcmp(call->method, "POST"))
		config_auth_add_open(ss, call);
	else if (!auth_claimed(ss->config.auth))
		service_answer_unknown(call->stream);
	else if (!strcmp(call->method, "DELETE"))
		config_auth_del_open(ss, call);
	else
		config_auth_list_open(ss, call);
}

/* ---- networks ---- */

static void show_network(struct services *, struct stream *s, void *, int err, struct span answer, int *, size_t)
{
	_cleanup_buf_ struct buf b = {};
	struct network_address a;
	char text[IDENTITY_STR_MAX];
	struct cbor_map m;

	if (err < 0) {
		service_answer_err(s, err);
		return;
	}
	cbor_map_begin(&m, &b);
	struct cbor c = cbor_map_find(answer, "address");
	if (c.in.len) {
		cbor_bytes_exact(&c, a.key, sizeof a.key);
		network_address_format(text, &a);
		cbor_map_str(&m, "address", text);
	}
	cbor_map_end(&m);
	if (c.err || buf_err(&b) < 0)
		service_answer(s, 500, NULL);
	else
		service_answer_message(s, buf_span(&b));
}

static void ask_network(struct services *ss, const struct service_call *call, enum host_call what,
			service_answered_fn *fn)
{
	static const uint8_t nothing[] = { 0xa0 };      /* {} */

	service_ask(ss, call, what, SPAN_OF(nothing), fn, NULL, NULL);
}

void config_net_get_open(struct services *ss, const struct service_call *call)
{
	ask_network(ss, call, HOST_NET_GET, show_network);
}

void config_net_leave_open(struct services *ss, const struct service_call *call)
{
	ask_network(ss, call, HOST_NET_LEAVE, pass_on);
}

void config_net_join_open(struct services *ss, const struct service_call *call)
{
	_cleanup_(buf_wipe) struct buf args = {};
	struct text_error detail = { "a network secret is missing" };
	struct network_secret secret;
	char text[TEXT_STR_MAX] = "";
	struct cbor_map m;
	int err = headers_copy(call->headers, "secret", text, sizeof text);

	if (err >= 0)
		err = network_secret_parse(&secret, text, &detail);
	wipe(text, sizeof text);
	if (err < 0) {
		service_answer(call->stream, 400, detail.text);
		return;
	}
	cbor_map_begin(&m, &args);
	cbor_map_bytes(&m, "secret", SPAN_OF(secret.b));
	cbor_map_end(&m);
	wipe(&secret, sizeof secret);
	ask_with(ss, call, HOST_NET_JOIN, &args, show_network);
}
