/* What net may ask, on behalf of which service, and who judges it. A request for a
 * call that the service has no business with is refused whatever the rules say. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "carrierd/clock.h"
#include "carrierd/messages.h"
#include "carrierd/monitor.h"
#include "wire/cbor.h"

typedef int answer_fn(struct monitor *m, const struct request *rq, struct reply *out);

#define PATH_AUTHORIZE "/v2/carrier.certificate.v1/authorize"
enum { PATHS_MAX = 3 };

enum judge {
	BY_RULE = 1,            /* a rule for caller and path */
	BY_RULE_OR_CLAIM,       /* the same, or the device is unclaimed and the handler checks the claim */
	BY_HANDLER,             /* it needs more than the path: judges by permit_judge() itself */
};

static const struct permit {
	enum judge judge;
	answer_fn *answer;
	const char *paths[PATHS_MAX];   /* none: any; the handler compares */
} permits[_HOST_CALL_MAX] = {
	[HOST_SYSINFO] = { BY_RULE, answer_sysinfo,
			   { "/v2/carrier.sysinfo.v1/sysinfo", "/v3/carrier.sysinfo.v1/sysinfo" } },
	[HOST_SHELL] = { BY_RULE, answer_shell, { "/v0/shell" } },
	[HOST_FILES] = { BY_HANDLER, answer_files, { "/v0/sft" } },
	[HOST_TCP] = { BY_HANDLER, answer_tcp, { "/v0/tcp" } },
	[HOST_SERVICE] = { BY_RULE, answer_service },
	[HOST_RULES_ADD] = { BY_RULE_OR_CLAIM, answer_rules_add, { AUTH_CHANGE_PATH, PATH_AUTHORIZE } },
	[HOST_RULES_DEL] = { BY_RULE, answer_rules_del, { "/v3/carrier.config.v1/auth_del", PATH_AUTHORIZE } },
	[HOST_NET_JOIN] = { BY_RULE, answer_net_join, { "/v3/carrier.config.v1/net_join" } },
	[HOST_NET_LEAVE] = { BY_RULE, answer_net_leave, { "/v3/carrier.config.v1/net_leave" } },
	[HOST_NET_GET] = { BY_RULE, answer_net_get, { "/v3/carrier.config.v1/net_get" } },
};

static bool path_fits(const struct permit *p, const char *path)
{
	if (!p->paths[0])
		return true;
	for (size_t i = 0; i < PATHS_MAX && p->paths[i]; i++)
		if (!strcmp(p->paths[i], path))
			return true;
	return false;
}

int permit_judge(const struct monitor *m, const struct auth_request *wanted, const struct auth_rule **ret_rule)
{
	struct auth_request rq = *wanted;

	rq.now = clock_unix_time();
	struct auth_decision d = auth_decide(m->auth, &rq);
	/* Most calls do not say the method: it is known to net alone, which has judged it. */
	if (!d.allow && d.reason == AUTH_METHOD && !rq.method) {
		rq.method = d.rule->methods[0];
		d = auth_decide(m->auth, &rq);
	}
	if (!d.allow)
		return ERR_DENIED;
	*ret_rule = d.rule;
	return 0;
}

static int judge(const struct monitor *m, const struct permit *p, struct request *rq)
{
	switch (p->judge) {
	case BY_RULE_OR_CLAIM:
		if (!auth_claimed(m->auth))
			return 0;
		break;
	case BY_HANDLER:
		return 0;
	case BY_RULE:
		break;
	}
	return permit_judge(m, &(struct auth_request){ .caller = rq->caller, .path = rq->path }, &rq->rule);
}

static int parse(struct request *rq, struct span body)
{
	struct cbor c = CBOR(body);

	if (cbor_array(&c, 3) != 3)
		return ERR_PARSE;
	cbor_bytes_exact(&c, rq->caller.key, sizeof rq->caller.key);
	struct span path = cbor_text(&c);
	rq->args = cbor_bytes(&c);
	int err = cbor_end(&c);
	if (err < 0)
		return err;
	if (!path.len || path.len > AUTH_PATH_MAX || memchr(path.data, 0, path.len))
		return ERR_PARSE;
	memcpy(rq->path, path.data, path.len);
	return cbor_peek(&CBOR(rq->args)) == CBOR_MAP ? cbor_validate(rq->args) : ERR_PARSE;
}

static int answer_call(struct monitor *m, uint16_t type, struct request *rq, struct span body, struct reply *out)
{
	const struct permit *p = &permits[type];
	int err = parse(rq, body);

	if (err < 0)
		return err;
	if (!path_fits(p, rq->path))
		return ERR_DENIED;
	err = judge(m, p, rq);
	return err < 0 ? err : p->answer(m, rq, out);
}

static void on_log(const struct monitor *m, struct span body)
{
	struct cbor c = CBOR(body);
	char topic[32], text[MESSAGE_LOG_MAX];

	if (cbor_array(&c, 3) != 3)
		return;
	uint64_t level = cbor_uint_max(&c, LOG_DEBUG);
	struct span t = span_first(cbor_text(&c), sizeof topic - 1);
	struct span s = span_first(cbor_text(&c), sizeof text - 1);
	if (cbor_end(&c) < 0)
		return;
	snprintf(topic, sizeof topic, "%.*s", (int)t.len, (const char *)t.data);
	snprintf(text, sizeof text, "%.*s", (int)s.len, (const char *)s.data);
	log_to(m->log, (enum log_level)level, topic, "%s", text);
}

static void on_notice(struct monitor *m, const struct ipc_message *msg)
{
	if (msg->type == MONITOR_LOG)
		on_log(m, msg->body);
	if (msg->type == MONITOR_READY && m->options->serving)
		m->options->serving(m->options->userdata);
}

void permit_message(void *userdata, struct ipc *i, struct ipc_message *msg)
{
	struct monitor *m = userdata;
	_cleanup_(reply_done) struct reply out = {};
	struct request rq = { .id = msg->id };
	int err = ERR_DENIED;

	(void)i;
	if (!msg->id) {
		on_notice(m, msg);
		return;
	}
	if (msg->type == MONITOR_RESOLVE)
		err = answer_resolve(m, msg->id, msg->body);
	else if (msg->type < _HOST_CALL_MAX && permits[msg->type].answer)
		err = answer_call(m, msg->type, &rq, msg->body, &out);
	if (err == ERR_DENIED)
		log_to(m->log, LOG_WARN, "monitor", "refused: request %u for %s", msg->type, rq.path);
	if (err != ANSWER_LATER)
		monitor_answer(m, msg->id, err, &out);
}
