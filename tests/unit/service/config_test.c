#include "rig.h"
#include "identity/network.h"
#include "service/config.h"
#include "service/host_rule.h"

#include "test.h"

#define CODE "lusab-babad-gutih-tugad"

static unsigned ask(struct rig *r, struct seen *s, const struct config_request *rq)
{
	_cleanup_buf_ struct buf b = {};

	config_put_request(&b, rq);
	CHECK_ERR(buf_err(&b), 0);
	seen_open(r, s, buf_span(&b));
	stream_end(s->stream);
	CHECK(rig_until(r, seen_is_closed, s));
	CHECK(s->err == 0);
	return s->status;
}

static unsigned status_of(struct rig *r, const struct config_request *rq)
{
	struct seen s;
	unsigned status = ask(r, &s, rq);

	seen_done(&s);
	return status;
}

static const char *text_of(const struct identity *id)
{
	static char text[4][IDENTITY_STR_MAX];
	static unsigned i;

	identity_format(text[++i % 4], id);
	return text[i % 4];
}

static bool allowed(struct rig *r, const struct identity *who, const char *path)
{
	return auth_decide(r->auth, &(struct auth_request){ .caller = *who, .path = path, .now = 1700000000 }).allow;
}

static void test_the_first_authorization_claims_an_open_device(void **state)
{
	struct rig *r = *state;
	struct config_request rq = { .path = CONFIG_AUTH_ADD_PATH, .identity = "self", .resource = "*" };

	CHECK(status_of(r, &rq) == 200);
	CHECK(allowed(r, &r->caller, "/v0/shell"));
	CHECK(!allowed(r, &r->other, "/v0/shell"));

	r->caller = r->other;           /* somebody else comes second */
	CHECK(status_of(r, &rq) == 404);
	CHECK(auth_len(r->auth) == 1);
}

static void test_generation_1_claims_too(void **state)
{
	struct rig *r = *state;

	CHECK(status_of(r, &(struct config_request){ .path = CONFIG_AUTHORIZE_PATH, .method = "POST",
						     .identity = text_of(&r->caller), .resource = "*" }) == 200);
	CHECK(allowed(r, &r->caller, "/v0/shell"));
}

static void test_a_code_claim_needs_the_code(void **state)
{
	struct rig *r = *state;
	struct config_request rq = { .path = CONFIG_AUTH_ADD_PATH, .identity = "self", .resource = "*" };

	r->claim.need_code = true;
	claim_code_hash(r->claim.code_hash, CODE);
	CHECK(status_of(r, &rq) == 401);
	rq.code = "lusab-babad-gutih-tugaf";
	CHECK(status_of(r, &rq) == 401);
	rq.code = CODE;
	CHECK(status_of(r, &rq) == 429);        /* too soon after a wrong one */
	CHECK(!auth_claimed(r->auth) && r->host.calls == 0);
	CHECK(!strstr(buf_str(&r->log), "lusab"));

	r->claim.not_before = 0;
	CHECK(status_of(r, &rq) == 200);
	CHECK(auth_claimed(r->auth));
	r->caller = r->other;
	CHECK(status_of(r, &rq) == 404);        /* the code is of no use any more */
}

static void test_a_claim_without_a_set_code_fits_none(void **state)
{
	struct rig *r = *state;

	r->claim.need_code = true;
	CHECK(status_of(r, &(struct config_request){ .path = CONFIG_AUTH_ADD_PATH, .identity = "self", .resource = "*",
						     .code = "" }) == 401);
	CHECK(!auth_claimed(r->auth));
}

static void test_bad_rules_are_refused_with_what_is_wrong(void **state)
{
	static const struct {
		struct config_request rq;
		const char *word;
	} cases[] = {
		{ { .resource = "*" }, "identity" },
		{ { .identity = "nobody", .resource = "*" }, "identity" },
		{ { .identity = "", .resource = "*" }, "identity" },
		{ { .identity = "self" }, "resource" },
		{ { .identity = "self", .resource = "v0/shell" }, "resource" },
		{ { .identity = "self", .resource = "/a/../b" }, "resource" },
		{ { .identity = "self", .resource = "/a*b" }, "resource" },
		{ { .identity = "self", .resource = "*", .methods = "get" }, "methods" },
		{ { .identity = "self", .resource = "*", .methods = " , " }, "methods" },
		{ { .identity = "self", .resource = "*", .tcp = "host" }, "tcp" },
		{ { .identity = "self", .resource = "*", .root = "x" }, "root" },
		{ { .identity = "self", .resource = "*", .user = "a b" }, "user" },
		{ { .identity = "self", .resource = "*", .not_before = 20, .expires = 10 }, "expires" },
	};
	static const char *const paths[][2] = {
		{ CONFIG_AUTH_ADD_PATH, NULL }, { CONFIG_AUTHORIZE_PATH, "POST" },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t k = 0; k < ARRAY_LEN(paths); k++) {
			struct config_request rq = cases[i].rq;
			struct seen s;

			rq.path = paths[k][0];
			rq.method = paths[k][1];
			CHECK(ask(r, &s, &rq) == 400);
			if (!strstr(s.error, cases[i].word))
				fail_msg("\"%s\" does not say %s", s.error, cases[i].word);
			seen_done(&s);
		}
	CHECK(r->host.calls == 0);
}

static void test_rules_are_added_listed_and_removed(void **state)
{
	struct rig *r = *state;
	struct config_request rq = {
		.path = CONFIG_AUTH_ADD_PATH, .resource = "/v0/tcp", .methods = "GET,PUT", .tcp = "localhost:22 10.0.0.1:80",
		.root = "/srv", .user = "www", .not_before = 5, .expires = 2000000000,
	};
	struct seen s;

	rig_allow(r, &r->caller, "*", NULL);
	rq.identity = text_of(&r->other);
	CHECK(ask(r, &s, &rq) == 200);
	struct cbor c = cbor_map_find(buf_span(&s.last), "changed");
	CHECK(cbor_bool(&c) && !c.err);
	seen_done(&s);
	CHECK(auth_len(r->auth) == 2);
	const struct auth_rule *rule = auth_at(r->auth, 1);
	CHECK(identity_equal(&rule->identity, &r->other) && rule->methods_len == 2 && rule->tcp_len == 2);
	assert_string_equal(rule->tcp[1], "10.0.0.1:80");
	assert_string_equal(rule->root, "/srv");
	assert_string_equal(rule->user, "www");
	CHECK(rule->not_before == 5 && rule->expires == 2000000000);

	CHECK(ask(r, &s, &(struct config_request){ .path = CONFIG_AUTH_LIST_PATH }) == 200);
	CHECK(s.messages == 2);
	CHECK_ERR(cbor_validate(buf_span(&s.last)), 0);
	c = cbor_map_find(buf_span(&s.last), "resource");
	CHECK(span_is(cbor_text(&c), "/v0/tcp"));
	c = cbor_map_find(buf_span(&s.last), "identity");
	CHECK(span_is(cbor_text(&c), text_of(&r->other)));
	seen_done(&s);
	CHECK(ask(r, &s, &(struct config_request){ .path = CONFIG_AUTHORIZE_PATH, .method = "GET" }) == 200);
	CHECK(s.messages == 2);
	seen_done(&s);

	rq = (struct config_request){ .path = CONFIG_AUTH_DEL_PATH, .identity = text_of(&r->other), .resource = "/v0/tcp" };
	CHECK(ask(r, &s, &rq) == 200);
	c = cbor_map_find(buf_span(&s.last), "removed");
	CHECK(cbor_uint(&c) == 1 && !c.err);
	seen_done(&s);
	CHECK(auth_len(r->auth) == 1);
}

static void test_nobody_removes_his_own_last_way_in(void **state)
{
	struct rig *r = *state;

	rig_allow(r, &r->caller, "*", NULL);
	CHECK(status_of(r, &(struct config_request){ .path = CONFIG_AUTH_DEL_PATH, .identity = "self" }) == 409);
	CHECK(status_of(r, &(struct config_request){ .path = CONFIG_AUTHORIZE_PATH, .method = "DELETE",
						     .identity = "self", .resource = "*" }) == 409);
	CHECK(auth_len(r->auth) == 1);
}

static void test_many_rules_are_listed_through_a_slow_reader(void **state)
{
	enum { RULES = 6000, LONG = 200 };      /* more than the stream's queue takes */
	struct rig *r = *state;
	struct seen s;
	char path[LONG + 16], middle[LONG + 1];

	memset(middle, 'x', LONG);
	middle[LONG] = 0;

	rig_allow(r, &r->caller, "*", NULL);
	for (int i = 1; i < RULES; i++) {
		snprintf(path, sizeof path, "/%s/%d", middle, i);
		rig_allow(r, NULL, path, NULL);
	}
	seen_ask(r, &s, "auth_list", NULL);
	wire_stall(r->wire, true);
	rig_settle(r);
	CHECK(wire_queued(r->wire) >= TRANSPORT_HIGH_WATER);
	CHECK(wire_queued(r->wire) < TRANSPORT_HIGH_WATER + 1024);
	wire_stall(r->wire, false);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.status == 200 && s.messages == RULES && s.end);
	seen_done(&s);
}

static void test_networks_are_joined_shown_and_left(void **state)
{
	struct rig *r = *state;
	struct network_secret secret;
	struct network_address a;
	char text[IDENTITY_STR_MAX], shown[IDENTITY_STR_MAX];
	_cleanup_buf_ struct buf answer = {};
	struct cbor_map m;
	struct seen s;

	network_secret_new(&secret);
	network_address_of(&a, &secret);
	network_secret_format(text, &secret);
	network_address_format(shown, &a);
	cbor_map_begin(&m, &answer);
	cbor_map_bytes(&m, "address", SPAN_OF(a.key));
	cbor_map_end(&m);
	rig_allow(r, &r->caller, "*", NULL);
	r->host.answer = buf_span(&answer);

	CHECK(ask(r, &s, &(struct config_request){ .path = CONFIG_NET_JOIN_PATH, .secret = text }) == 200);
	struct cbor c = cbor_map_find(buf_span(&s.last), "address");
	CHECK(span_is(cbor_text(&c), shown));
	CHECK(r->host.what == HOST_NET_JOIN);
	c = cbor_map_find(buf_span(&r->host.args), "secret");
	CHECK(span_equal(cbor_bytes(&c), SPAN_OF(secret.b)));
	seen_done(&s);

	CHECK(ask(r, &s, &(struct config_request){ .path = CONFIG_NET_GET_PATH }) == 200);
	c = cbor_map_find(buf_span(&s.last), "address");
	CHECK(span_is(cbor_text(&c), shown));
	CHECK(r->host.what == HOST_NET_GET);
	seen_done(&s);

	r->host.answer = SPAN("\xa0", 1);
	CHECK(ask(r, &s, &(struct config_request){ .path = CONFIG_NET_GET_PATH }) == 200);      /* in none */
	CHECK(span_equal(buf_span(&s.last), SPAN("\xa0", 1)));
	seen_done(&s);
	CHECK(status_of(r, &(struct config_request){ .path = CONFIG_NET_LEAVE_PATH }) == 200);
	CHECK(r->host.what == HOST_NET_LEAVE);

	unsigned calls = r->host.calls;
	CHECK(status_of(r, &(struct config_request){ .path = CONFIG_NET_JOIN_PATH }) == 400);
	CHECK(status_of(r, &(struct config_request){ .path = CONFIG_NET_JOIN_PATH, .secret = shown }) == 400);
	CHECK(r->host.calls == calls);
}

/* ---- host_rule.h ---- */

static void test_a_rule_survives_the_way_to_the_host(void **state)
{
	struct rig *r = *state;
	struct auth_rule rule = {
		.kind = AUTH_IDENTITY, .identity = r->other, .path = (char *)"/v0/*", .methods = { (char *)"GET" }, .methods_len = 1,
		.tcp = { (char *)"*:22", (char *)"[::1]:80" }, .tcp_len = 2, .root = (char *)"/srv", .user = (char *)"www",
		.not_before = 1, .expires = 2,
	}, back = { 0 };
	_cleanup_buf_ struct buf b = {};
	char code[HOST_CODE_MAX + 1];

	host_rule_put(&b, &rule, "path", CODE);
	CHECK_ERR(host_rule_parse(&back, code, buf_span(&b)), 0);
	assert_string_equal(code, CODE);
	CHECK(back.kind == AUTH_IDENTITY && identity_equal(&back.identity, &rule.identity));
	assert_string_equal(back.path, rule.path);
	CHECK(back.methods_len == 1 && back.tcp_len == 2 && back.not_before == 1 && back.expires == 2);
	assert_string_equal(back.tcp[1], rule.tcp[1]);
	auth_rule_done(&back);

	for (size_t n = 0; n < b.len; n++)
		CHECK(host_rule_parse(&back, code, SPAN(b.data, n)) < 0);
	CHECK(!back.path);
}

static void test_the_host_refuses_rules_it_does_not_understand(void **state)
{
	static const struct { const char *key, *text; } cases[] = {
		{ "identity", "self" }, { "identity", "nobody" }, { "path", "shell" }, { "user", "a b" }, { "device", "x" },
		{ "methods", "GET" }, { "expires", "1" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {};
		char code[HOST_CODE_MAX + 1];
		struct auth_rule rule = { 0 };
		struct cbor_map m;

		cbor_map_begin(&m, &b);
		if (strcmp(cases[i].key, "identity"))
			cbor_map_str(&m, "identity", "*");
		if (strcmp(cases[i].key, "path"))
			cbor_map_str(&m, "path", "*");
		cbor_map_str(&m, cases[i].key, cases[i].text);
		cbor_map_end(&m);
		CHECK(host_rule_parse(&rule, code, buf_span(&b)) < 0);
	}
}

#define RIG_TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_the_first_authorization_claims_an_open_device),
		RIG_TEST(test_generation_1_claims_too),
		RIG_TEST(test_a_code_claim_needs_the_code),
		RIG_TEST(test_a_claim_without_a_set_code_fits_none),
		RIG_TEST(test_bad_rules_are_refused_with_what_is_wrong),
		RIG_TEST(test_rules_are_added_listed_and_removed),
		RIG_TEST(test_nobody_removes_his_own_last_way_in),
		RIG_TEST(test_many_rules_are_listed_through_a_slow_reader),
		RIG_TEST(test_networks_are_joined_shown_and_left),
		RIG_TEST(test_a_rule_survives_the_way_to_the_host),
		RIG_TEST(test_the_host_refuses_rules_it_does_not_understand),
	};

	return RUN_TESTS(tests);
}
