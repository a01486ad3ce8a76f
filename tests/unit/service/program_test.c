#include <errno.h>
#include <signal.h>

#include "rig.h"
#include "wire/json.h"

#include "test.h"

static void test_a_program_is_told_who_asks_for_what(void **state)
{
	struct rig *r = *state;
	char id[IDENTITY_STR_MAX];
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;
	struct seen s;

	CHECK_ERR(services_add_program(r->ss, "/v0/mine", false), 0);
	rig_allow(r, &r->caller, "/v0/mine", NULL);
	r->host.carry_out = host_program;
	r->host.answer = SPAN_STR("read line; echo \"$line\"; cat; echo bye");

	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", "/v0/mine");
	cbor_map_str(&m, ":method", "PUT");
	cbor_map_bytes(&m, "raw", SPAN("\x01\xff", 2));
	cbor_map_uint(&m, "size", 7);
	cbor_map_end(&m);
	seen_open(r, &s, buf_span(&b));
	CHECK_ERR(stream_send(s.stream, SPAN_STR("one\n")), 0);
	CHECK_ERR(stream_send(s.stream, SPAN_STR("two\n")), 0);
	stream_end(s.stream);
	CHECK(rig_until(r, seen_is_closed, &s));

	identity_format(id, &r->caller);
	CHECK(s.status == 200 && s.end && s.err == 0);
	CHECK(span_starts(buf_span(&s.text), "{\"identity\":\""));
	CHECK(strstr(buf_str(&s.text), id));
	CHECK(strstr(buf_str(&s.text), "\"method\":\"PUT\""));
	CHECK(strstr(buf_str(&s.text), "\"raw\":\"01ff\""));
	CHECK(strstr(buf_str(&s.text), "}\none\ntwo\nbye\n"));

	struct cbor c = cbor_map_find(buf_span(&r->host.args), "path");
	CHECK(span_is(cbor_text(&c), "/v0/mine"));
	c = cbor_map_find(buf_span(&r->host.args), "headers");
	CHECK(span_equal(cbor_bytes(&c), buf_span(&b)));
	seen_done(&s);
}

static void test_the_first_line_is_one_line_of_json(void **state)
{
	struct rig *r = *state;
	_cleanup_buf_ struct buf b = {}, back = {};
	struct cbor_map m;
	struct seen s;
	size_t at;

	CHECK_ERR(services_add_program(r->ss, "/v0/mine", false), 0);
	rig_allow(r, &r->caller, "/v0/mine", NULL);
	r->host.carry_out = host_program;
	r->host.answer = SPAN_STR("cat");
	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", "/v0/mine");
	cbor_map_str(&m, "quote", "a\"b\n\\");
	cbor_map_end(&m);
	seen_open(r, &s, buf_span(&b));
	stream_end(s.stream);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.text.len && s.text.data[s.text.len - 1] == '\n');
	CHECK(memchr(s.text.data, '\n', s.text.len) == s.text.data + s.text.len - 1);
	CHECK_ERR(json_to_cbor(&back, buf_span(&s.text), &at), 0);
	struct cbor c = cbor_map_find(buf_span(&back), "headers");
	struct cbor q = cbor_map_find(cbor_skip(&c), "quote");
	CHECK(span_is(cbor_text(&q), "a\"b\n\\"));
	c = cbor_map_find(buf_span(&back), "method");
	CHECK(cbor_peek(&c) == CBOR_NULL);
	seen_done(&s);
}

static void test_a_program_may_talk_first_and_end_first(void **state)
{
	struct rig *r = *state;
	struct seen s;
	_cleanup_buf_ struct buf b = {};

	CHECK_ERR(services_add_program(r->ss, "/v0/mine", false), 0);
	rig_allow(r, &r->caller, "*", NULL);
	r->host.carry_out = host_program;
	r->host.answer = SPAN_STR("echo hello");
	service_put_request(&b, "/v0/mine", NULL);
	seen_open(r, &s, buf_span(&b));
	static uint8_t junk[64 << 10];
	for (int i = 0; i < 8; i++)             /* more than the socket holds, and nobody reads */
		CHECK_ERR(stream_send(s.stream, SPAN_OF(junk)), 0);
	stream_end(s.stream);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.end && s.err == 0);
	assert_string_equal(buf_str(&s.text), "hello\n");
	seen_done(&s);
}

static void test_much_output_is_cut_into_messages_and_waits_for_the_reader(void **state)
{
	enum { TOTAL = 3 << 20 };
	struct rig *r = *state;
	struct seen s;

	CHECK_ERR(services_add_program(r->ss, "/v0/mine", false), 0);
	rig_allow(r, &r->caller, "*", NULL);
	r->host.carry_out = host_program;
	r->host.answer = SPAN_STR("yes 0123456 | head -c 3145728");
	seen_ask(r, &s, "/v0/mine", NULL);
	wire_stall(r->wire, true);
	rig_fill(r);
	wire_stall(r->wire, false);
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.err == 0 && s.text.len == TOTAL && s.messages >= TOTAL / (64 << 10));
	seen_done(&s);
}

static bool has_spoken(void *s) { return ((struct seen *)s)->messages; }

static void test_a_caller_that_leaves_closes_the_socket(void **state)
{
	struct rig *r = *state;
	char file[] = "/tmp/carrier-program-XXXXXX", script[256];
	int fd = mkstemp(file);
	_cleanup_buf_ struct buf b = {};
	struct seen s;

	CHECK(fd >= 0);
	CHECK_ERR(services_add_program(r->ss, "/v0/mine", false), 0);
	rig_allow(r, &r->caller, "*", NULL);
	r->host.carry_out = host_program;
	snprintf(script, sizeof script, "echo up; cat >/dev/null; echo gone >%s", file);
	r->host.answer = SPAN_STR(script);
	service_put_request(&b, "/v0/mine", NULL);
	seen_open(r, &s, buf_span(&b));
	CHECK(rig_until(r, has_spoken, &s));
	stream_reset(s.stream, STREAM_CODE_CANCEL);
	CHECK(rig_until(r, seen_is_closed, &s));
	char text[8] = "";
	for (int i = 0; i < 300 && pread(fd, text, sizeof text, 0) < 5; i++)
		usleep(10000);
	CHECK(!memcmp(text, "gone\n", 5));
	close(fd);
	unlink(file);
	seen_done(&s);
}

static void test_a_program_that_cannot_be_reached_is_unavailable(void **state)
{
	struct rig *r = *state;

	CHECK_ERR(services_add_program(r->ss, "/v0/mine", true), 0);
	rig_allow(r, &r->caller, "*", NULL);
	r->host.err = -ECONNREFUSED;
	CHECK(rig_status(r, "/v0/mine", NULL) == 503);
	r->host.err = 0;
	CHECK(rig_status(r, "/v0/mine", NULL) == 500);  /* no descriptor */
	wire_set_early(r->wire, true);
	r->host.err = -ECONNREFUSED;
	CHECK(rig_status(r, "/v0/mine", NULL) == 503);  /* declared replay safe */
}

#define RIG_TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_a_program_is_told_who_asks_for_what),
		RIG_TEST(test_the_first_line_is_one_line_of_json),
		RIG_TEST(test_a_program_may_talk_first_and_end_first),
		RIG_TEST(test_much_output_is_cut_into_messages_and_waits_for_the_reader),
		RIG_TEST(test_a_caller_that_leaves_closes_the_socket),
		RIG_TEST(test_a_program_that_cannot_be_reached_is_unavailable),
	};

	signal(SIGPIPE, SIG_IGN);
	return RUN_TESTS(tests);
}
