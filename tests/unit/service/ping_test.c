/* Ping, and the collector of answers that asks all one-shot services. */
#include "rig.h"
#include "service/fetch.h"
#include "service/ping.h"

#include "test.h"

struct fetched {
	struct fetch_answer answer;
	struct buf text;
	size_t headers, messages, done;
};

static void on_headers(void *userdata, const struct headers *) { ((struct fetched *)userdata)->headers++; }

static void on_message(void *userdata, struct span m)
{
	struct fetched *f = userdata;

	f->messages++;
	buf_add_span(&f->text, m);
}

static void on_done(void *userdata, const struct fetch_answer *a)
{
	struct fetched *f = userdata;

	f->answer = *a;
	f->done++;
}

static const struct fetch_ops ops = { .headers = on_headers, .message = on_message, .done = on_done };

static bool is_done(void *f) { return ((struct fetched *)f)->done; }

static struct fetch *start(struct rig *r, struct fetched *f, const char *path, struct span body)
{
	_cleanup_buf_ struct buf b = {};
	struct fetch *ret = NULL;

	*f = (struct fetched){ 0 };
	service_put_request(&b, path, NULL);
	CHECK_ERR(fetch_start(&ret, wire_client(r->wire), buf_span(&b), body, false, &ops, f), 0);
	return ret;
}

static void test_every_message_comes_back(void **state)
{
	struct rig *r = *state;
	uint8_t big[PING_MESSAGE_MAX];
	_cleanup_buf_ struct buf b = {};
	struct seen s;

	memset(big, 'p', sizeof big);
	rig_allow(r, &r->caller, "/v0/anything", NULL);
	service_put_request(&b, PING_PATH, NULL);
	seen_open(r, &s, buf_span(&b));
	CHECK_ERR(stream_send(s.stream, SPAN_STR("one")), 0);
	CHECK_ERR(stream_send(s.stream, SPAN_NONE), 0);
	CHECK_ERR(stream_send(s.stream, SPAN_OF(big)), 0);
	rig_settle(r);
	CHECK(s.status == 200 && s.messages == 3 && s.text.len == 3 + sizeof big && !s.end);
	CHECK(span_equal(buf_span(&s.last), SPAN_OF(big)));
	stream_end(s.stream);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.end && s.err == 0);
	seen_done(&s);
}

static void test_a_long_ping_ends_its_stream(void **state)
{
	struct rig *r = *state;
	uint8_t big[PING_MESSAGE_MAX + 1] = { 0 };
	_cleanup_buf_ struct buf b = {};
	struct seen s;

	rig_allow(r, &r->caller, "/v0/anything", NULL);
	service_put_request(&b, PING_PATH, NULL);
	seen_open(r, &s, buf_span(&b));
	CHECK_ERR(stream_send(s.stream, SPAN_OF(big)), 0);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK_ERR(s.err, ERR_LIMIT);
	seen_done(&s);
	CHECK(rig_status(r, "ping", NULL) == 200);
}

static void test_pings_wait_for_a_caller_that_does_not_read(void **state)
{
	enum { PINGS = 6000 };
	struct rig *r = *state;
	uint8_t m[PING_MESSAGE_MAX] = { 0 };
	_cleanup_buf_ struct buf b = {};
	struct seen s;
	size_t sent = 0;

	rig_allow(r, &r->caller, "/v0/anything", NULL);
	service_put_request(&b, PING_PATH, NULL);
	seen_open(r, &s, buf_span(&b));
	wire_stall(r->wire, true);
	for (int turns = 0; sent < PINGS; turns++) {
		if (stream_send(s.stream, SPAN_OF(m)) >= 0)
			sent++;
		else if (turns > 2 * PINGS)
			wire_stall(r->wire, false);
		rig_settle(r);
		CHECK(wire_queued(r->wire) <= TRANSPORT_HIGH_WATER + 2 * sizeof m);
	}
	stream_end(s.stream);
	wire_stall(r->wire, false);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.messages == PINGS && s.end && s.err == 0);
	seen_done(&s);
}

static void test_an_answer_is_collected(void **state)
{
	struct rig *r = *state;
	struct fetched f;

	rig_allow(r, &r->caller, "/v0/anything", NULL);
	start(r, &f, "disco", SPAN_NONE);
	CHECK(rig_until(r, is_done, &f));
	CHECK(f.answer.err == 0 && f.answer.status == 200 && f.headers == 1 && f.messages == 1 && f.done == 1);
	CHECK_ERR(cbor_validate(buf_span(&f.text)), 0);
	buf_done(&f.text);

	start(r, &f, PING_PATH, SPAN_STR("body"));
	CHECK(rig_until(r, is_done, &f));
	assert_string_equal(buf_str(&f.text), "body");
	buf_done(&f.text);

	start(r, &f, "/v0/shell", SPAN_NONE);
	CHECK(rig_until(r, is_done, &f));
	CHECK(f.answer.err == 0 && f.answer.status == 404 && !f.messages);
	assert_string_equal(f.answer.error, "not found");
	CHECK_ERR(service_status_err(f.answer.status), ERR_UNKNOWN);
}

static void test_a_cancelled_question_says_nothing_more(void **state)
{
	struct rig *r = *state;
	struct fetched f;

	rig_allow(r, &r->caller, "*", NULL);
	r->host.later = true;
	fetch_cancel(start(r, &f, "sysinfo", SPAN_NONE));
	rig_settle(r);
	struct fetch *later = start(r, &f, "sysinfo", SPAN_NONE);
	rig_settle(r);
	fetch_cancel(later);
	rig_settle(r);
	CHECK(!f.done && !f.headers && wire_len(r->wire) == 0);
	fetch_cancel(NULL);
}

static void test_a_lost_connection_is_an_answer_too(void **state)
{
	struct rig *r = *state;
	struct fetched f;

	rig_allow(r, &r->caller, "*", NULL);
	r->host.later = true;
	start(r, &f, "sysinfo", SPAN_NONE);
	rig_settle(r);
	wire_free(r->wire);
	r->wire = NULL;
	CHECK(f.done == 1);
	CHECK_ERR(f.answer.err, ERR_CLOSED);
	CHECK(r->host.forgotten == 1);
}

static void test_statuses_become_errors(void **state)
{
	static const struct { unsigned status; int err; } cases[] = {
		{ 200, 0 }, { 100, 0 }, { 400, ERR_PARSE }, { 401, ERR_CLAIM }, { 403, ERR_DENIED }, { 404, ERR_UNKNOWN },
		{ 409, ERR_STATE }, { 429, ERR_AGAIN }, { 500, ERR_REFUSED }, { 503, ERR_OFFLINE }, { 504, ERR_TIMEOUT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_ERR(service_status_err(cases[i].status), cases[i].err);
}

#define RIG_TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_every_message_comes_back),
		RIG_TEST(test_a_long_ping_ends_its_stream),
		RIG_TEST(test_pings_wait_for_a_caller_that_does_not_read),
		RIG_TEST(test_an_answer_is_collected),
		RIG_TEST(test_a_cancelled_question_says_nothing_more),
		RIG_TEST(test_a_lost_connection_is_an_answer_too),
		cmocka_unit_test(test_statuses_become_errors),
	};

	return RUN_TESTS(tests);
}
