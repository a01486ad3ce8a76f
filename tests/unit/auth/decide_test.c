/* Truth tables: which caller may do what under which rules, and for what reason? */
#include "fixtures.h"

enum { NOW = 1000000 };

struct question {
	enum who caller;
	const char *path;
	bool allow;
	enum auth_reason reason;
	int64_t now;                    /* 0: NOW */
	const char *method, *host;
	uint16_t port;
	const char *file;
};

struct scenario {
	const char *name;
	struct rule_row rules[6];
	struct question questions[20];
};

#define YES true, AUTH_BY_RULE
#define NO(reason) false, AUTH_##reason

static const struct scenario scenarios[] = {
	{ "unclaimed", { { 0 } }, {
		{ ALICE, "/v0/shell", NO(UNCLAIMED) },
		{ ALICE, "/v3/carrier.config.v1/auth_add", NO(UNCLAIMED) },
	} },
	{ "basic", { { "alice", "/v0/shell" }, { "alice", "/v2/carrier.sysinfo.v1/sysinfo" } }, {
		{ ALICE, "/v0/shell", YES },
		{ ALICE, "/v2/carrier.sysinfo.v1/sysinfo", YES },
		{ ALICE, "/v0/tcp", NO(NO_RULE) },
		{ ALICE, "/v0/shell/", NO(NO_RULE) },
		{ BOB, "/v0/shell", NO(NO_RULE) },
		{ STRANGER, "/v2/carrier.sysinfo.v1/sysinfo", NO(NO_RULE) },
	} },
	{ "resource_wildcard", { { "alice", "*" }, { "bob", "/v2/*" } }, {
		{ ALICE, "/v0/shell", YES },
		{ ALICE, "/", YES },
		{ ALICE, "/v3/carrier.config.v1/auth_add", YES },
		{ BOB, "/v2/carrier.sysinfo.v1/sysinfo", YES },
		{ BOB, "/v2/", YES },
		{ BOB, "/v2", NO(NO_RULE) },
		{ BOB, "/v3/x", NO(NO_RULE) },
		{ CAROL, "/v2/x", NO(NO_RULE) },
	} },
	{ "narrow grants never widen", { { "alice", "/v0/s*" }, { "alice", "/v0/shell" }, { "bob", "/v0/shell" } }, {
		{ ALICE, "/v0/sft", YES },
		{ ALICE, "/v0/tcp", NO(NO_RULE) },
		{ BOB, "/v0/sft", NO(NO_RULE) },
		{ BOB, "/v0/shellx", NO(NO_RULE) },
	} },
	{ "what is no path is granted to nobody", { { "alice", "*" }, { "alice", "/a/*" } }, {
		{ ALICE, "/a/../v0/shell", NO(NO_RULE) },
		{ ALICE, "*", NO(NO_RULE) },
		{ ALICE, "/a/*", NO(NO_RULE) },
		{ ALICE, "v0/shell", NO(NO_RULE) },
		{ ALICE, "", NO(NO_RULE) },
	} },
	{ "subject_wildcard", { { "*", "/v2/carrier.discovery.v1/discover" }, { "alice", "/v0/shell" } }, {
		{ STRANGER, "/v2/carrier.discovery.v1/discover", YES },
		{ ALICE, "/v2/carrier.discovery.v1/discover", YES },
		{ STRANGER, "/v0/shell", NO(NO_RULE) },
	} },
	{ "unrelated_wildcard", { { "alice", "*" }, { "team:other/owner", "*" } }, {
		{ BOB, "/v0/shell", NO(NO_RULE) },
		{ CAROL, "/v0/shell", NO(NO_RULE) },
		{ STRANGER, "/v0/shell", NO(NO_RULE) },
	} },
	{ "team", { { "team:t1/user", "/v0/shell" }, { "team:t1/label:door", "/v1/door", .expires = NOW + 1 } }, {
		{ BOB, "/v0/shell", YES },
		{ CAROL, "/v0/shell", NO(NO_RULE) },
		{ CAROL, "/v1/door", YES },
		{ CAROL, "/v1/door", NO(EXPIRED), .now = NOW + 1 },
		{ ALICE, "/v1/door", NO(NO_RULE) },
	} },
	{ "expiry", { { "alice", "/v0/shell", .expires = NOW }, { "bob", "/v0/shell", .expires = NOW + 1 } }, {
		{ ALICE, "/v0/shell", YES, .now = NOW - 1 },
		{ ALICE, "/v0/shell", NO(EXPIRED), .now = NOW },
		{ ALICE, "/v0/shell", NO(EXPIRED), .now = INT64_MAX },
		{ ALICE, "/v0/tcp", NO(NO_RULE), .now = NOW },
		{ BOB, "/v0/shell", YES, .now = NOW },
	} },
	{ "not-before", { { "alice", "/v0/shell", .not_before = NOW, .expires = NOW + 10 } }, {
		{ ALICE, "/v0/shell", NO(NOT_YET), .now = NOW - 1 },
		{ ALICE, "/v0/shell", NO(NOT_YET), .now = -5 },
		{ ALICE, "/v0/shell", YES, .now = NOW },
		{ ALICE, "/v0/shell", YES, .now = NOW + 9 },
		{ ALICE, "/v0/shell", NO(EXPIRED), .now = NOW + 10 },
	} },
	{ "unknown clock", { { "alice", "/v0/shell", .expires = NOW }, { "alice", "/v0/tcp" },
			     { "bob", "/v0/shell", .not_before = 1 } }, {
		{ ALICE, "/v0/shell", NO(CLOCK), .now = AUTH_TIME_UNKNOWN },
		{ ALICE, "/v0/tcp", YES, .now = AUTH_TIME_UNKNOWN },
		{ BOB, "/v0/shell", NO(CLOCK), .now = AUTH_TIME_UNKNOWN },
	} },
	{ "methods", { { "alice", "/v2/x", .methods = { "GET", "HEAD" } } }, {
		{ ALICE, "/v2/x", YES, .method = "GET" },
		{ ALICE, "/v2/x", YES, .method = "HEAD" },
		{ ALICE, "/v2/x", NO(METHOD), .method = "POST" },
		{ ALICE, "/v2/x", NO(METHOD), .method = "get" },
		{ ALICE, "/v2/x", NO(METHOD), .method = "GE" },
		{ ALICE, "/v2/x", NO(METHOD) },
		{ ALICE, "/v2/y", NO(NO_RULE), .method = "GET" },
	} },
	{ "tcp, as it comes", { { "alice", "/v0/tcp" }, { "bob", "*" } }, {
		{ ALICE, "/v0/tcp", YES, .host = "127.0.0.1", .port = 22 },
		{ ALICE, "/v0/tcp", YES, .host = "127.9.8.7", .port = 22 },
		{ ALICE, "/v0/tcp", YES, .host = "localhost", .port = 65535 },
		{ ALICE, "/v0/tcp", YES, .host = "::1", .port = 22 },
		{ ALICE, "/v0/tcp", YES, .host = "::ffff:127.0.0.1", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "127.0.0.1", .port = 0 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "192.168.1.1", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "0.0.0.0", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "::", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "127.1", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "2130706433", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "localhost.example", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "", .port = 22 },
		{ BOB, "/v0/tcp", NO(TCP), .host = "10.0.0.1", .port = 22 },
	} },
	{ "tcp, listed", { { "alice", "/v0/tcp", .tcp = { "10.0.0.1:80", "[2001:db8::1]:*", "printer.lan:631" } },
			   { "bob", "/v0/tcp", .tcp = { "*:22" } }, { "carol", "/v0/tcp", .tcp = { "*:*" } } }, {
		{ ALICE, "/v0/tcp", YES, .host = "10.0.0.1", .port = 80 },
		{ ALICE, "/v0/tcp", YES, .host = "::ffff:10.0.0.1", .port = 80 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "10.0.0.1", .port = 81 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "10.0.0.2", .port = 80 },
		{ ALICE, "/v0/tcp", YES, .host = "2001:db8:0::1", .port = 1 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "2001:db8::2", .port = 1 },
		{ ALICE, "/v0/tcp", YES, .host = "Printer.LAN", .port = 631 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "printer.lan.evil", .port = 631 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "127.0.0.1", .port = 80 },
		{ BOB, "/v0/tcp", YES, .host = "10.9.9.9", .port = 22 },
		{ BOB, "/v0/tcp", NO(TCP), .host = "10.9.9.9", .port = 2222 },
		{ CAROL, "/v0/tcp", YES, .host = "anything.example", .port = 9 },
		{ CAROL, "/v0/tcp", NO(TCP), .host = "anything.example", .port = 0 },
	} },
	{ "file root", { { "alice", "/v0/sft", .root = "/srv/in" }, { "bob", "/v0/sft" }, { "carol", "*" } }, {
		{ ALICE, "/v0/sft", YES, .file = "/srv/in/a/b" },
		{ ALICE, "/v0/sft", YES, .file = "/srv/in" },
		{ ALICE, "/v0/sft", YES, .file = "a/b" },
		{ ALICE, "/v0/sft", NO(ROOT), .file = "/srv/inside" },
		{ ALICE, "/v0/sft", NO(ROOT), .file = "/srv" },
		{ ALICE, "/v0/sft", NO(ROOT), .file = "/srv/in/../out" },
		{ ALICE, "/v0/sft", NO(ROOT), .file = "../x" },
		{ ALICE, "/v0/sft", NO(ROOT), .file = ".." },
		{ ALICE, "/v0/sft", NO(ROOT), .file = "" },
		{ ALICE, "/v0/sft", YES, .file = "/srv/in/a..b" },
		{ BOB, "/v0/sft", YES },
		{ BOB, "/v0/sft", NO(ROOT), .file = "/tmp/x" },
		{ BOB, "/v0/sft", NO(ROOT), .file = "x" },
		{ CAROL, "/v0/sft", YES, .file = "/etc/passwd" },
		{ CAROL, "/v0/sft", NO(ROOT), .file = "/a/../b" },
	} },
	{ "second grant for the same identity", {
		{ "alice", "/v0/tcp", .tcp = { "10.0.0.1:80" } }, { "alice", "*" },
		{ "alice", "/v2/x", .methods = { "GET" } }, { "alice", "/v2/*", .expires = NOW } }, {
		{ ALICE, "/v0/tcp", YES, .host = "10.0.0.1", .port = 80 },
		{ ALICE, "/v0/tcp", YES, .host = "localhost", .port = 22 },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "10.0.0.1", .port = 81 },
		{ ALICE, "/v2/x", YES, .method = "POST" },
	} },
	{ "the nearest refusal is reported", {
		{ "alice", "/v2/x", .methods = { "GET" } }, { "alice", "/v2/*", .expires = NOW - 5 },
		{ "alice", "/v0/*", .expires = NOW - 5 }, { "alice", "/v0/tcp", .tcp = { "10.0.0.1:80" } } }, {
		{ ALICE, "/v2/x", NO(EXPIRED), .method = "POST" },
		{ ALICE, "/v2/x", YES, .method = "GET" },
		{ ALICE, "/v0/tcp", NO(TCP), .host = "10.0.0.2", .port = 80 },
		{ ALICE, "/v9/x", NO(NO_RULE) },
	} },
};

static struct auth *auth_of(const struct scenario *s)
{
	struct auth *a;

	CHECK_ERR(auth_new(&a), 0);
	auth_set_facts(a, team_facts, NULL);
	for (size_t i = 0; i < ARRAY_LEN(s->rules) && s->rules[i].subject; i++)
		assert_int_equal(add_row(a, NULL, &s->rules[i]), 1);
	return a;
}

static struct auth_decision ask(const struct auth *a, const struct question *q)
{
	struct auth_request rq = {
		.caller = person(q->caller), .path = q->path, .method = q->method, .now = q->now ?: NOW,
		.tcp_host = q->host, .tcp_port = q->port, .file = q->file,
	};

	return auth_decide(a, &rq);
}

static void do_the_scenarios_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		const struct scenario *s = &scenarios[i];
		_cleanup_(auth_freep) struct auth *a = auth_of(s);

		for (size_t j = 0; j < ARRAY_LEN(s->questions) && s->questions[j].path; j++) {
			struct auth_decision d = ask(a, &s->questions[j]);

			if (d.allow != s->questions[j].allow || d.reason != s->questions[j].reason)
				fail_msg("%s, row %zu: %s: %s", s->name, j, d.allow ? "allowed" : "denied",
					 auth_reason_text(d.reason));
			/* a decision always says by which rule, unless there is none */
			CHECK(!d.rule == (d.reason == AUTH_NO_RULE || d.reason == AUTH_UNCLAIMED));
		}
	}
}

static void which_of_several_rules_decides(void **state)
{
	static const struct scenario s = { "", {
		{ "*", "/v0/sft", .root = "/pub" }, { "alice", "*", .root = "/home" },
		{ "alice", "/v0/*", .root = "/v0" }, { "alice", "/v0/sft", .root = "/exact" },
		{ "team:t1/user", "/v0/sft", .root = "/team" } }, { { 0 } } };
	static const struct { struct question q; const char *root; } rows[] = {
		{ { ALICE, "/v0/sft" }, "/exact" },
		{ { ALICE, "/v0/x" }, "/v0" },
		{ { ALICE, "/x" }, "/home" },
		{ { BOB, "/v0/sft" }, "/pub" },
		/* one that covers what is wanted goes before one that is nearer */
		{ { ALICE, "/v0/sft", .file = "/home/x" }, "/home" },
		{ { ALICE, "/v0/sft", .file = "/pub/x" }, "/pub" },
		{ { BOB, "/v0/sft", .file = "/team/x" }, "/team" },
	};
	_cleanup_(auth_freep) struct auth *a = auth_of(&s);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct auth_decision d = ask(a, &rows[i].q);

		CHECK(d.allow);
		assert_string_equal(auth_rule_root(d.rule), rows[i].root);
	}
}

static void who_is_admitted_at_the_door(void **state)
{
	static const struct scenario s = { "", {
		{ "alice", "/v0/shell", .expires = NOW }, { "bob", "/v0/shell", .not_before = NOW + 5 },
		{ "team:t1/label:door", "/v0/shell" } }, { { 0 } } };
	static const struct { enum who who; int64_t now; bool want; } rows[] = {
		{ ALICE, NOW - 1, true }, { ALICE, NOW, false }, { ALICE, AUTH_TIME_UNKNOWN, true },
		{ BOB, NOW, true }, { CAROL, NOW, true }, { STRANGER, NOW, false },
	};
	_cleanup_(auth_freep) struct auth *a = auth_of(&s), *unclaimed = auth_of(&scenarios[0]);
	struct identity id;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		id = person(rows[i].who);
		if (auth_admits(a, &id, rows[i].now) != rows[i].want)
			fail_msg("row %zu", i);
	}
	id = person(STRANGER);
	CHECK(auth_admits(unclaimed, &id, NOW));
	id = person(CAROL);
	auth_set_facts(a, NULL, NULL);
	CHECK(!auth_admits(a, &id, NOW));
}

static void has_every_reason_a_text(void **state)
{
	(void)state;
	for (int i = AUTH_BY_RULE; i <= AUTH_ROOT; i++)
		CHECK(strlen(auth_reason_text((enum auth_reason)i)) > 10);
	assert_string_equal(auth_reason_text((enum auth_reason)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(do_the_scenarios_hold),
		cmocka_unit_test(which_of_several_rules_decides),
		cmocka_unit_test(who_is_admitted_at_the_door),
		cmocka_unit_test(has_every_reason_a_text),
	};

	return RUN_TESTS(tests);
}
