#include <errno.h>

#include "rig.h"

#include "test.h"

enum { REPLAY = 1, ANY_GRANT = 2, CLAIMS = 4, MEANS_CONNECT = 8 };

/* The table as it is meant, written a second time: a row that changes must be changed here. */
static const struct {
	const char *path, *name;
	unsigned flags;
} rows[] = {
	{ "/v2/carrier.discovery.v1/discover", "disco", REPLAY | ANY_GRANT },
	{ "/v3/carrier.discovery.v1/discover", NULL, REPLAY | ANY_GRANT },
	{ "/v2/carrier.sysinfo.v1/sysinfo", "sysinfo", REPLAY },
	{ "/v3/carrier.sysinfo.v1/sysinfo", NULL, REPLAY },
	{ "/v2/carrier.trace.v1/ping", "ping", REPLAY | ANY_GRANT },
	{ "/v0/shell", "shell", 0 },
	{ "/v0/sft", "push", 0 },
	{ "/v0/tcp", "tcp", MEANS_CONNECT },
	{ "/v2/carrier.certificate.v1/authorize", "authorize", CLAIMS },
	{ "/v3/carrier.config.v1/auth_add", "auth_add", CLAIMS },
	{ "/v3/carrier.config.v1/auth_del", "auth_del", 0 },
	{ "/v3/carrier.config.v1/auth_list", "auth_list", 0 },
	{ "/v3/carrier.config.v1/net_get", "net_get", 0 },
	{ "/v3/carrier.config.v1/net_join", "net_join", 0 },
	{ "/v3/carrier.config.v1/net_leave", "net_leave", 0 },
};

static const char *method_of(size_t row) { return rows[row].flags & MEANS_CONNECT ? "CONNECT" : NULL; }

static void test_this_list_is_the_whole_table(void **state)
{
	struct rig *r = *state;
	size_t at = 0, n = 0;

	rig_allow(r, &r->caller, "*", NULL);
	while (services_allowed_at(r->ss, &r->caller, &at))
		n++;
	CHECK(n == ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(services_find(r->ss, rows[i].path));
}

/* Header block, messages and the end of an answer to a path nobody has. */
static void expect_unknown(struct rig *r, const char *path, const char *method)
{
	struct seen there, nowhere;

	seen_ask(r, &there, path, method);
	CHECK(rig_until(r, seen_is_closed, &there));
	seen_ask(r, &nowhere, "/v0/there.is.no.such", NULL);
	CHECK(rig_until(r, seen_is_closed, &nowhere));
	CHECK(there.status == 404 && there.header.len);
	CHECK(span_equal(buf_span(&there.header), buf_span(&nowhere.header)));
	CHECK(!there.messages && !nowhere.messages);
	CHECK(there.err == 0 && nowhere.err == 0);
	seen_done(&there);
	seen_done(&nowhere);
}

static void test_every_row_answers_strangers_as_if_it_did_not_exist(void **state)
{
	struct rig *r = *state;

	rig_allow(r, &r->other, "*", NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].path);
		expect_unknown(r, rows[i].path, NULL);
		expect_unknown(r, rows[i].path, "POST");
		expect_unknown(r, rows[i].path, "NONSENSE");
		wire_set_early(r->wire, true);
		expect_unknown(r, rows[i].path, NULL);
		wire_set_early(r->wire, false);
		if (rows[i].name)
			expect_unknown(r, rows[i].name, NULL);
	}
	CHECK(r->host.calls == 0);
	CHECK(strstr(buf_str(&r->log), "/v0/shell: "));
	CHECK(strstr(buf_str(&r->log), "no such service"));
}

static void test_a_grant_opens_its_path_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_new(NULL, true);

		rig_allow(r, &r->caller, rows[i].path, NULL);
		r->host.err = ERR_DENIED;       /* reached the host: that is enough here */
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			/* a method that no row knows stops before the service's own 404s */
			unsigned status = rig_status(r, rows[k].path, "NONSENSE");
			bool may = k == i || (rows[k].flags & ANY_GRANT);
			if ((status != 404) != may)
				fail_msg("grant for %s, asked %s: %u", rows[i].path, rows[k].path, status);
		}
		rig_free(r);
	}
}

static void test_short_names_stand_for_paths(void **state)
{
	struct rig *r = *state;

	rig_allow(r, &r->caller, "/v2/carrier.sysinfo.v1/sysinfo", NULL);
	CHECK(rig_status(r, "sysinfo", NULL) == 200);
	CHECK(rig_status(r, "sysinf", NULL) == 404);
	CHECK(rig_status(r, "shell", NULL) == 404);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].name)
			assert_string_equal(service_path_of(rows[i].name), rows[i].path);
	CHECK(!service_path_of("nothing"));
	CHECK(!service_path_of("/v0/shell"));
}

static void test_early_data_is_for_replay_safe_rows_only(void **state)
{
	struct rig *r = *state;

	rig_allow(r, &r->caller, "*", NULL);
	r->host.err = ERR_DENIED;
	wire_set_early(r->wire, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned calls = r->host.calls, status = rig_status(r, rows[i].path, method_of(i));
		if ((status == 425) == !!(rows[i].flags & REPLAY))
			fail_msg("%s early: %u", rows[i].path, status);
		CHECK(status != 425 || r->host.calls == calls);
	}
}

static void test_methods_are_checked_after_the_rule(void **state)
{
	struct rig *r = *state;

	rig_allow(r, &r->caller, "/v2/*", NULL);
	CHECK(rig_status(r, "/v2/carrier.sysinfo.v1/sysinfo", "GET") == 200);
	CHECK(rig_status(r, "/v2/carrier.sysinfo.v1/sysinfo", "POST") == 405);
	CHECK(rig_status(r, "/v2/carrier.sysinfo.v1/sysinfo", "GE") == 405);
	CHECK(rig_status(r, "/v2/carrier.sysinfo.v1/sysinfo", "GET POST") == 405);
	CHECK(rig_status(r, "/v2/carrier.certificate.v1/authorize", "GET") == 200);
	CHECK(rig_status(r, "/v2/carrier.certificate.v1/authorize", "PUT") == 405);
}

static void test_a_rule_for_one_method_opens_that_one(void **state)
{
	struct rig *r = *state;

	rig_allow(r, &r->caller, "/v2/carrier.certificate.v1/authorize", "GET");
	CHECK(rig_status(r, "/v2/carrier.certificate.v1/authorize", "GET") == 200);
	CHECK(rig_status(r, "/v2/carrier.certificate.v1/authorize", NULL) == 200);      /* means GET */
	expect_unknown(r, "/v2/carrier.certificate.v1/authorize", "POST");
	expect_unknown(r, "/v2/carrier.certificate.v1/authorize", "DELETE");
}

static void test_an_unclaimed_device_knows_only_the_way_to_claim_it(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned status = rig_status(r, rows[i].path, "POST");
		if ((status == 404) == !!(rows[i].flags & CLAIMS))
			fail_msg("%s on an unclaimed device: %u", rows[i].path, status);
	}
	expect_unknown(r, "/v2/carrier.certificate.v1/authorize", "GET");
	expect_unknown(r, "/v2/carrier.certificate.v1/authorize", "DELETE");
	CHECK(r->host.calls == 0);
}

static void test_a_rule_counts_in_its_time_only(void **state)
{
	static const struct { int64_t not_before, expires; unsigned status; } cases[] = {
		{ 0, 1600000000, 404 }, { 1800000000, 0, 404 }, { 1600000000, 1800000000, 200 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig *r = rig_new(NULL, true);
		struct auth_rule rule = {
			.identity = r->caller, .path = (char *)"/v2/carrier.sysinfo.v1/sysinfo",
			.not_before = cases[i].not_before, .expires = cases[i].expires,
		};

		CHECK_ERR(auth_add(r->auth, NULL, &rule), 0);
		CHECK(rig_status(r, "sysinfo", NULL) == cases[i].status);
		rig_free(r);
	}
}

static void test_without_a_claim_nothing_makes_a_device_ours(void **state)
{
	struct rig *r = *state;
	struct services_config c = *services_config(r->ss);

	services_free(r->ss);
	c.claim = NULL;
	CHECK_ERR(services_new(&r->ss, &c), 0);
	CHECK_ERR(services_add_builtin(r->ss), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rig_status(r, rows[i].path, "POST") == 404);
	CHECK(r->host.calls == 0);
}

static bool lists(struct span answer, const char *path)
{
	struct cbor c = cbor_map_find(answer, "paths");
	bool found = false;

	for (size_t n = cbor_array(&c, SERVICES_MAX); n && !c.err; n--)
		found |= span_is(cbor_text(&c), path);
	CHECK(!c.err);
	return found;
}

static void test_disco_lists_what_its_caller_may_use(void **state)
{
	struct rig *r = *state;
	struct seen s;

	rig_allow(r, &r->caller, "/v0/shell", NULL);
	rig_allow(r, &r->caller, "/v3/carrier.config.v1/net_get", "GET");
	rig_allow(r, &r->caller, "/v0/tcp", "CONNECT");
	rig_allow(r, &r->caller, "/v3/carrier.sysinfo.v1/sysinfo", "POST");     /* not one it knows */
	rig_allow(r, &r->other, "/v3/*", NULL);
	seen_ask(r, &s, "disco", NULL);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.status == 200 && s.messages == 1 && s.end && s.err == 0);
	CHECK_ERR(cbor_validate(buf_span(&s.last)), 0);

	struct span a = buf_span(&s.last);
	CHECK(lists(a, "/v0/shell"));
	CHECK(lists(a, "/v3/carrier.config.v1/net_get"));
	CHECK(lists(a, "/v2/carrier.discovery.v1/discover"));
	CHECK(lists(a, "/v0/tcp"));
	CHECK(!lists(a, "/v3/carrier.sysinfo.v1/sysinfo"));
	CHECK(!lists(a, "/v3/carrier.config.v1/auth_add"));
	CHECK(!lists(a, "/v2/carrier.sysinfo.v1/sysinfo"));
	struct cbor c = cbor_map_find(a, "application");
	CHECK(span_is(cbor_text(&c), "test"));
	c = cbor_map_find(a, "application_version");
	CHECK(span_is(cbor_text(&c), "1.2"));
	c = cbor_map_find(a, "carrier_revision");
	CHECK(cbor_uint(&c) > 0 && !c.err);
	c = cbor_map_find(a, "carrier_build_id");
	CHECK(cbor_text(&c).len && !c.err);
	seen_done(&s);
}

static void test_nonsense_requests_are_unknown(void **state)
{
	static const char *const hex[] = {
		"a0",                                           /* {} */
		"a1" "653a70617468" "01",                       /* {":path": 1} is the stream's to refuse */
		"a1" "613a" "f5",                               /* {":": true} */
		"a1" "653a70617468" "6100",                     /* {":path": "\0"} */
		"a1" "653a70617468" "612f",                     /* {":path": "/"} */
		"a1" "653a70617468" "612a",                     /* {":path": "*"} */
	};
	struct rig *r = *state;

	rig_allow(r, &r->caller, "*", NULL);
	for (size_t i = 0; i < ARRAY_LEN(hex); i++) {
		uint8_t block[64];
		struct headers h;
		struct seen s;
		struct span b = SPAN(block, unhex(block, sizeof block, hex[i]));

		if (headers_parse(&h, b) < 0)
			continue;
		seen_open(r, &s, b);
		stream_end(s.stream);
		CHECK(rig_until(r, seen_is_closed, &s));
		CHECK(s.status == 404);
		seen_done(&s);
	}
}

static void answer_teapot(struct services *, const struct service_call *call)
{
	service_answer(call->stream, 418, call->service->userdata);
}

static void test_routes_are_added_at_run_time(void **state)
{
	static char words[] = "short and stout";
	struct rig *r = *state;
	char path[] = "/v1/tea";
	struct service sv = { .path = path, .open = answer_teapot, .userdata = words };
	struct seen s;

	CHECK_ERR(services_add(r->ss, &sv), 0);
	CHECK_ERR(services_add(r->ss, &sv), -EEXIST);
	sv.path = "/v0/shell";
	CHECK_ERR(services_add(r->ss, &sv), -EEXIST);
	sv.path = "/v1/coffee";
	sv.name = "shell";
	CHECK_ERR(services_add(r->ss, &sv), -EEXIST);
	sv.name = NULL;
	CHECK_ERR(services_add_program(r->ss, "/v1/tea", false), -EEXIST);
	sv.path = "/v1/*";
	CHECK_ERR(services_add(r->ss, &sv), ERR_PARSE);
	sv.path = "tea";
	CHECK_ERR(services_add(r->ss, &sv), ERR_PARSE);
	sv.path = "/v1/../tea";
	CHECK_ERR(services_add(r->ss, &sv), ERR_CANON);
	memset(path, 'x', sizeof path - 1);     /* the strings were copied */

	rig_allow(r, &r->caller, "/v1/tea", NULL);
	seen_ask(r, &s, "/v1/tea", "BREW");
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.status == 418);
	assert_string_equal(s.error, words);
	seen_done(&s);
}

static void test_a_caller_that_leaves_early_is_forgotten_by_the_host(void **state)
{
	struct rig *r = *state;
	struct seen s;

	rig_allow(r, &r->caller, "*", NULL);
	r->host.later = true;
	seen_ask(r, &s, "sysinfo", NULL);
	rig_settle(r);
	CHECK(r->host.calls == 1 && r->host.done);
	stream_reset(s.stream, STREAM_CODE_CANCEL);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(r->host.forgotten == 1 && !r->host.done);
	seen_done(&s);
}

static void test_an_answer_may_come_later_or_be_an_error(void **state)
{
	static const struct { int err; unsigned status; } cases[] = {
		{ 0, 200 }, { ERR_DENIED, 403 }, { ERR_AGAIN, 429 }, { ERR_CLOSED, 503 }, { -EIO, 500 },
	};
	struct rig *r = *state;

	rig_allow(r, &r->caller, "*", NULL);
	r->host.later = true;
	r->host.answer = SPAN("\xa0", 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen s;

		seen_ask(r, &s, "sysinfo", NULL);
		rig_settle(r);
		CHECK(!s.status);
		r->host.err = cases[i].err;
		rig_host_answer(r);
		CHECK(rig_until(r, seen_is_closed, &s));
		CHECK(s.status == cases[i].status && s.err == 0);
		seen_done(&s);
	}
}

#define RIG_TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_this_list_is_the_whole_table),
		RIG_TEST(test_every_row_answers_strangers_as_if_it_did_not_exist),
		cmocka_unit_test(test_a_grant_opens_its_path_and_no_other),
		RIG_TEST(test_short_names_stand_for_paths),
		RIG_TEST(test_early_data_is_for_replay_safe_rows_only),
		RIG_TEST(test_methods_are_checked_after_the_rule),
		RIG_TEST(test_a_rule_for_one_method_opens_that_one),
		RIG_TEST(test_an_unclaimed_device_knows_only_the_way_to_claim_it),
		cmocka_unit_test(test_a_rule_counts_in_its_time_only),
		RIG_TEST(test_without_a_claim_nothing_makes_a_device_ours),
		RIG_TEST(test_disco_lists_what_its_caller_may_use),
		RIG_TEST(test_nonsense_requests_are_unknown),
		RIG_TEST(test_routes_are_added_at_run_time),
		RIG_TEST(test_a_caller_that_leaves_early_is_forgotten_by_the_host),
		RIG_TEST(test_an_answer_may_come_later_or_be_an_error),
	};

	return RUN_TESTS(tests);
}
