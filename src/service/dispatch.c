/* From a header block to a service, or to one and the same 404. */
#include <stdio.h>

#include "base/err.h"
#include "service/internal.h"

const struct stream_handler service_ignore;

bool service_is_allowed(const struct services *ss, const struct service *sv, const struct identity *caller,
			const char *method, struct auth_decision *ret)
{
	const struct services_config *c = &ss->config;
	struct auth_request rq = {
		.caller = *caller, .path = sv->path, .method = method,
		.now = c->unix_time ? c->unix_time() : AUTH_TIME_UNKNOWN,
	};

	*ret = auth_decide(c->auth, &rq);
	if (ret->reason == AUTH_UNCLAIMED)
		ret->allow = sv->claims && c->claim;
	else if (!ret->allow && sv->any_grant && auth_admits(c->auth, caller, rq.now))
		*ret = (struct auth_decision){ .allow = true, .reason = AUTH_BY_RULE };
	return ret->allow;
}

static bool word_is_in(const char *words, const char *word)
{
	size_t n = strlen(word);

	while (*words) {
		size_t w = strcspn(words, " ");
		if (w == n && !strncmp(words, word, n))
			return true;
		words += w + strspn(words + w, " ");
	}
	return false;
}

/* A rule may allow some methods only; with any of them the path counts as usable. */
static bool is_usable(const struct services *ss, const struct service *sv, const struct identity *caller)
{
	const char *methods = sv->methods ?: "GET POST PUT DELETE HEAD PATCH";
	char method[SERVICE_METHOD_MAX + 1];
	struct auth_decision d;

	if (!sv->methods && service_is_allowed(ss, sv, caller, NULL, &d))
		return true;
	while (*methods) {
		size_t n = strcspn(methods, " ");

		snprintf(method, sizeof method, "%.*s", (int)n, methods);
		if (service_is_allowed(ss, sv, caller, method, &d))
			return true;
		methods += n + strspn(methods + n, " ");
	}
	return false;
}

const struct service *services_allowed_at(const struct services *ss, const struct identity *caller, size_t *at)
{
	while (*at < ss->len) {
		const struct service *sv = ss->rows[(*at)++];
		if (is_usable(ss, sv, caller))
			return sv;
	}
	return NULL;
}

static void say(const struct services *ss, const struct service_call *call, enum log_level level, const char *what,
		const struct auth_decision *d)
{
	char id[IDENTITY_STR_MAX], by[48] = "";

	identity_format(id, &call->caller);
	if (d && d->rule && d->rule->line)
		snprintf(by, sizeof by, " (authorize, line %u)", d->rule->line);
	log_to(ss->config.log, level, "service", "%s %s%s%s: %s%s", id, call->method ?: "", call->method ? " " : "",
	       call->path, what, by);
}

/* What the caller may, and how it may ask, is its business only once it may. */
static void open_if_well_asked(struct services *ss, const struct service_call *call, const struct auth_decision *d)
{
	const struct service *sv = call->service;

	if (sv->methods && !word_is_in(sv->methods, call->method)) {
		say(ss, call, LOG_INFO, "method not offered", NULL);
		service_answer(call->stream, 405, "method not offered");
		return;
	}
	if (call->early && !sv->replay_safe) {
		say(ss, call, LOG_INFO, "refused in 0-RTT", NULL);
		service_answer(call->stream, 425, "ask again once connected");
		return;
	}
	say(ss, call, sv->replay_safe ? LOG_DEBUG : LOG_INFO,
	    d->reason == AUTH_UNCLAIMED ? "asks to claim this device" : "allowed", d);
	sv->open(ss, call);
}

static void dispatch(struct services *ss, struct service_call *call)
{
	struct auth_decision d;

	call->service = services_find(ss, call->path);
	if (!call->service) {
		say(ss, call, LOG_INFO, "no such service", NULL);
		service_answer_unknown(call->stream);
		return;
	}
	if (!call->method && call->service->methods)
		call->method = "GET";
	call->path = call->service->path;
	if (!service_is_allowed(ss, call->service, &call->caller, call->method, &d)) {
		say(ss, call, LOG_WARN, auth_reason_text(d.reason), &d);
		service_answer_unknown(call->stream);
		return;
	}
	call->rule = d.rule;
	open_if_well_asked(ss, call, &d);
}

void services_accept(struct services *ss, const struct identity *caller, struct stream *s,
		     const struct headers *h, bool early)
{
	char path[HEADER_PATH_MAX + 1] = "", method[SERVICE_METHOD_MAX + 1];
	struct service_call call = {
		.stream = s, .headers = h, .caller = *caller, .path = path, .method = method, .early = early,
	};
	int err;

	stream_attach(s, &service_ignore, NULL);
	err = headers_copy(h, ":method", method, sizeof method);
	if (err == ERR_UNKNOWN)
		call.method = NULL;
	if ((err < 0 && err != ERR_UNKNOWN) || headers_copy(h, ":path", path, sizeof path) < 0) {
		call.method = NULL;
		say(ss, &call, LOG_INFO, "no path, or one of no use", NULL);
		service_answer_unknown(s);
		return;
	}
	dispatch(ss, &call);
}
