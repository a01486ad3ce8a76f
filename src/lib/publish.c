/* The device side: routes in a registry of services, judged by rules. */
#include <errno.h>
#include <time.h>

#include "base/err.h"
#include "lib/internal.h"
#include "service/sysinfo.h"

struct route {
	struct list entry;
	struct carrier *c;
	carrier_route_fn *handler;
	void *userdata;
};

enum { CLOCK_PLAUSIBLE = 1704067200 };  /* 2024-01-01: a clock before it was never set */

static int64_t unix_time(void)
{
	int64_t now = time(NULL);

	return now < CLOCK_PLAUSIBLE ? AUTH_TIME_UNKNOWN : now;
}

/* ---- what services ask of their host ---- */

static void host_call(void *userdata, enum host_call what, const struct identity *caller, const char *path,
		      struct span args, host_done_fn *done, void *done_userdata)
{
	_cleanup_buf_ struct buf b = { .max = SYSINFO_LEN_MAX };
	int err = what == HOST_SYSINFO ? sysinfo_collect(&b) : ERR_DENIED;

	(void)userdata;
	(void)caller;
	(void)path;
	(void)args;
	done(done_userdata, err, err < 0 ? SPAN_NONE : buf_span(&b), NULL, 0);
}

static void host_forget(void *userdata, void *done_userdata)
{
	(void)userdata;         /* every answer came at once */
	(void)done_userdata;
}

/* ---- life ---- */

int publish_new(struct carrier *c)
{
	struct toml_error error = { 0 };
	struct services_config config = {
		.loop = c->loop, .host = { .call = host_call, .forget = host_forget, .userdata = c }, .log = &c->log,
		.self = c->self, .application = c->application, .application_version = c->application_version,
		.unix_time = unix_time,
	};

	int err = auth_new(&c->auth);
	if (err < 0)
		return err;
	err = auth_load(c->auth, c->home.config, &c->self, &error);
	if (err == ERR_CONFIG)
		return lib_fail(c, err, "%s:%u:%u: %s", c->home.config_path, error.line, error.column, error.text);
	if (err < 0)
		return err;
	config.auth = c->auth;
	err = services_new(&c->services, &config);
	return err < 0 ? err : services_add_named(c->services, "disco");
}

void publish_free(struct carrier *c)
{
	struct route *r;

	services_free(c->services);
	auth_free(c->auth);
	while ((r = list_first(&c->routes, struct route, entry))) {
		list_del(&r->entry);
		free(r);
	}
}

/* ---- callers ---- */

/* Without any rule auth_admits() says yes to everybody, for the claim that we do not offer. */
bool publish_admits(void *userdata, const struct identity *who)
{
	const struct carrier *c = userdata;

	return c->publishing && auth_claimed(c->auth) && auth_admits(c->auth, who, unix_time());
}

void publish_stream(void *userdata, struct peer *p, struct stream *s, const struct headers *h, bool early)
{
	struct carrier *c = userdata;

	services_accept(c->services, peer_identity(p), s, h, early);
}

static void route_open(struct services *ss, const struct service_call *call)
{
	struct route *r = call->service->userdata;
	struct carrier_headers headers = { .h = *call->headers };
	struct carrier_stream *s;
	carrier_id caller;

	(void)ss;
	if (stream_take(&s, r->c, NULL, &call->caller) < 0) {
		service_answer_err(call->stream, -ENOMEM);
		return;
	}
	stream_bind(s, call->stream);
	carrier_stream_identity(s, &caller);
	r->handler(r->userdata, s, &caller, &headers);
}

/* ---- for the user ---- */

int carrier_route(carrier *c, const char *path, const carrier_route_options *options, carrier_route_fn *handler,
		  void *userdata)
{
	struct carrier_route_options o;

	int err = options_read(&o, sizeof o, sizeof o, options);
	if (err < 0 || o.reserved)
		return lib_fail(c, err < 0 ? err : ERR_VERSION, "the size or contents of carrier_route_options do not fit");

	struct route *r = calloc(1, sizeof *r);
	if (!r)
		return lib_fail(c, -ENOMEM, "%s", "");
	*r = (struct route){ .c = c, .handler = handler, .userdata = userdata };
	list_add_tail(&c->routes, &r->entry);
	struct service row = { .path = path, .methods = o.methods, .replay_safe = o.replay_safe, .open = route_open,
			       .userdata = r };
	err = services_add(c->services, &row);
	if (err < 0) {
		list_del(&r->entry);
		free(r);
		return lib_fail(c, err, "\"%.80s\"", path);
	}
	return 0;
}

int carrier_offer(carrier *c, const char *name)
{
	int err = strcmp(name, "ping") && strcmp(name, "sysinfo") ? ERR_UNKNOWN : services_add_named(c->services, name);

	return err < 0 ? lib_fail(c, err, "\"%.80s\" (ping and sysinfo can be offered)", name) : 0;
}

/* The rule's strings are borrowed: no auth_rule_done(). */
static int rule_of(struct carrier *c, struct auth_rule *ret, const char *identity, const char *path)
{
	struct home_error error = { "" };
	struct target t;

	*ret = (struct auth_rule){ .kind = AUTH_ANYONE, .path = (char *)(uintptr_t)path };
	if (!strcmp(identity, "*"))
		return 0;
	int err = target_parse(&t, &c->home, &c->self, identity, &error);
	if (err >= 0 && t.has_addr)
		return lib_fail(c, ERR_PARSE, "\"%.80s\": a rule is about an identity, not an address", identity);
	if (err < 0)
		return lib_fail(c, err, "%s", error.text);
	ret->kind = AUTH_IDENTITY;
	ret->identity = t.id;
	return 0;
}

int carrier_allow(carrier *c, const char *identity, const char *path)
{
	struct auth_rule rule;
	const char *key;

	int err = rule_of(c, &rule, identity, path);
	if (err < 0)
		return err;
	const char *fault = auth_rule_fault(&rule, &key);
	if (fault)
		return lib_fail(c, ERR_PARSE, "\"%.80s\": %s", path, fault);
	err = auth_add(c->auth, NULL, &rule);
	return err < 0 ? lib_fail(c, err, "%s", "") : 0;
}

int carrier_disallow(carrier *c, const char *identity, const char *path)
{
	struct auth_rule rule;

	int err = rule_of(c, &rule, identity, path);
	if (err < 0)
		return err;
	err = auth_del_like(c->auth, NULL, &rule, NULL, unix_time());
	if (err < 0)
		return lib_fail(c, err, "%s", "");
	c->recheck = true;
	source_trigger(c->sweep);
	return err;
}

int carrier_publish(carrier *c)
{
	c->publishing = true;
	source_trigger(c->sweep);
	return (int)c->settings.brokers_len;
}
