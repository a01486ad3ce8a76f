/* Shells with real pipes and terminals; only the connection is made up. */
#include <errno.h>
#include <signal.h>

#include "rig.h"
#include "service/shell.h"

#include "test.h"

struct session {
	struct shell_client c;
	struct buf out, err;
	unsigned status;
	int exit, end_err;
	bool exited, closed, out_after_exit;
	struct rig *rig;
};

static void opened(void *userdata, unsigned status, struct span) { ((struct session *)userdata)->status = status; }

static void output(void *userdata, struct span data)
{
	struct session *s = userdata;

	s->out_after_exit |= s->exited;
	buf_add_span(&s->out, data);
}

static void error_output(void *userdata, struct span data) { buf_add_span(&((struct session *)userdata)->err, data); }

static void exited(void *userdata, int status)
{
	struct session *s = userdata;

	s->exited = true;
	s->exit = status;
}

static void closed(void *userdata, int err)
{
	struct session *s = userdata;

	s->closed = true;
	s->end_err = err;
}

static const struct shell_client_ops ops = {
	.opened = opened, .output = output, .error_output = error_output, .exited = exited, .closed = closed,
};

static void session_open(struct rig *r, struct session *s, const struct shell_request *rq)
{
	*s = (struct session){ .rig = r };
	if (!auth_claimed(r->auth))
		rig_allow(r, &r->caller, SHELL_PATH, NULL);
	r->host.carry_out = host_shell;
	CHECK_ERR(shell_client_open(&s->c, wire_client(r->wire), rq, &ops, s), 0);
}

static bool is_closed(void *s) { return ((struct session *)s)->closed; }
static bool is_open(void *s) { return ((struct session *)s)->status == 200; }

static void session_done(struct session *s)
{
	buf_done(&s->out);
	buf_done(&s->err);
}

static void run(struct rig *r, struct session *s, const struct shell_request *rq)
{
	session_open(r, s, rq);
	if (!rig_until(r, is_closed, s))
		fail_msg("%s: no end; output: %s", rq->command, buf_str(&s->out));
}

static void test_a_command_gives_its_output_apart_and_its_status(void **state)
{
	static const struct { const char *command, *out, *err; int exit; } cases[] = {
		{ "echo hello", "hello\n", "", 0 },
		{ "echo out; echo err >&2; exit 3", "out\n", "err\n", 3 },
		{ "exit 255", "", "", 255 },
		{ "kill -9 $$", "", "", 128 + 9 },
		{ "kill -TERM $$", "", "", 128 + 15 },
		{ "/no/such/program 2>/dev/null", "", "", 127 },
		{ "exec >&- 2>&-; exit 7", "", "", 7 },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct session s;

		run(r, &s, &(struct shell_request){ .command = cases[i].command });
		CHECK(s.status == 200 && s.exited && s.exit == cases[i].exit && s.end_err == 0);
		assert_string_equal(buf_str(&s.out), cases[i].out);
		assert_string_equal(buf_str(&s.err), cases[i].err);
		CHECK(!s.out_after_exit);
		session_done(&s);
	}
	CHECK(wire_len(r->wire) == 0);
}

static void test_input_reaches_the_program_and_so_does_its_end(void **state)
{
	struct rig *r = *state;
	struct session s;

	session_open(r, &s, &(struct shell_request){ .command = "cat; echo over" });
	/* at once, before the device has answered */
	CHECK(shell_client_write(&s.c, SPAN_STR("first ")) == 6);
	CHECK(shell_client_write(&s.c, SPAN_STR("second ")) == 7);
	CHECK_ERR(shell_client_end_input(&s.c), 0);
	CHECK(shell_client_write(&s.c, SPAN_STR("never")) == 5);
	CHECK(rig_until(r, is_closed, &s));
	assert_string_equal(buf_str(&s.out), "first second over\n");
	session_done(&s);

	session_open(r, &s, &(struct shell_request){ .command = "cat; exit 9" });
	stream_end(s.c.stream);                 /* half-close means the same */
	CHECK(rig_until(r, is_closed, &s));
	CHECK(s.exit == 9);
	session_done(&s);
}

static void test_a_program_that_reads_nothing_does_not_hold_the_end_up(void **state)
{
	static uint8_t junk[SHELL_DATA_MAX];
	struct rig *r = *state;
	struct session s;

	session_open(r, &s, &(struct shell_request){ .command = "sleep 0.2; echo done; exit 4" });
	for (int i = 0; i < 8; i++)
		CHECK(shell_client_write(&s.c, SPAN_OF(junk)) == sizeof junk);
	CHECK(rig_until(r, is_closed, &s));
	CHECK(s.exit == 4);
	assert_string_equal(buf_str(&s.out), "done\n");
	session_done(&s);
}

static void test_what_runs_on_in_the_background_does_not_hold_the_end_up(void **state)
{
	struct rig *r = *state;
	struct session s;
	tstamp begin = time_monotonic();

	run(r, &s, &(struct shell_request){ .command = "sleep 4 & echo here; exit 5" });
	CHECK(s.exit == 5);
	assert_string_equal(buf_str(&s.out), "here\n");
	CHECK(time_monotonic() - begin < SECONDS(2));
	session_done(&s);
}

static void test_input_passes_whole_through_a_slow_program(void **state)
{
	enum { TOTAL = 1 << 20 };
	static uint8_t junk[32 << 10];
	struct rig *r = *state;
	struct session s;
	size_t sent = 0;

	memset(junk, 'x', sizeof junk);
	session_open(r, &s, &(struct shell_request){ .command = "sleep 0.3; wc -c" });
	while (sent < TOTAL) {
		int n = shell_client_write(&s.c, SPAN_OF(junk));
		if (n > 0)
			sent += (size_t)n;
		else
			CHECK_ERR(n, ERR_AGAIN);
		rig_settle(r);
		CHECK(loop_turn(r->loop, time_monotonic() + MILLIS(1)) >= 0);
	}
	while (shell_client_end_input(&s.c) == ERR_AGAIN) {
		rig_settle(r);
		CHECK(loop_turn(r->loop, time_monotonic() + MILLIS(1)) >= 0);
	}
	CHECK(rig_until(r, is_closed, &s));
	assert_string_equal(buf_str(&s.out), "1048576\n");
	session_done(&s);
}

/* Several MiB for a reader that sleeps: the device keeps no more than its queue. */
static void test_a_slow_reader_stops_the_program_and_loses_nothing(void **state)
{
	enum { TOTAL = 3 << 20 };
	struct rig *r = *state;
	struct session s;

	session_open(r, &s, &(struct shell_request){ .command = "yes 0123456 | head -c 3145728; exit 6" });
	CHECK(rig_until(r, is_open, &s));
	wire_stall(r->wire, true);
	rig_fill(r);
	CHECK(!s.exited);
	wire_stall(r->wire, false);
	CHECK(rig_until(r, is_closed, &s));
	CHECK(s.exit == 6 && s.out.len == TOTAL && !s.out_after_exit);
	for (size_t i = 0; i < s.out.len; i += 8)
		CHECK(!memcmp(s.out.data + i, "0123456\n", 8));
	session_done(&s);
}

static bool child_is_gone(void *) { return kill(host_shell_pid, 0) < 0 && errno == ESRCH; }

/* The program has ended and what it wrote lies in the queue, in our hands and in the pipe. */
static void test_output_that_waits_when_the_program_ends_is_not_lost(void **state)
{
	enum { TOTAL = TRANSPORT_HIGH_WATER + 60000 };
	static const char *const background[] = { "", "sleep 100 &" };  /* with one the pipe stays open */
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(background); i++) {
		char command[128];
		struct session s;

		snprintf(command, sizeof command, "head -c %d /dev/zero; %s exit 6", TOTAL, background[i]);
		session_open(r, &s, &(struct shell_request){ .command = command });
		wire_stall(r->wire, true);
		rig_settle(r);
		CHECK(rig_until(r, child_is_gone, NULL));
		for (int k = 0; k < 20; k++)
			CHECK(loop_turn(r->loop, time_monotonic() + MILLIS(5)) >= 0);
		CHECK(!s.exited);
		wire_stall(r->wire, false);
		CHECK(rig_until(r, is_closed, &s));
		CHECK(s.exit == 6 && !s.out_after_exit);
		CHECK(s.out.len == TOTAL);
		session_done(&s);
	}
}

static void test_input_waits_for_a_host_that_takes_its_time(void **state)
{
	struct rig *r = *state;
	struct session s;

	r->host.later = true;
	session_open(r, &s, &(struct shell_request){ .command = "cat" });
	CHECK(shell_client_write(&s.c, SPAN_STR("early ")) == 6);
	rig_settle(r);
	CHECK(shell_client_write(&s.c, SPAN_STR("bird")) == 4);
	CHECK_ERR(shell_client_end_input(&s.c), 0);
	rig_settle(r);
	CHECK(r->host.calls == 1 && !s.status);
	rig_host_answer(r);
	CHECK(rig_until(r, is_closed, &s));
	assert_string_equal(buf_str(&s.out), "early bird");
	session_done(&s);
}

static void test_a_terminal_is_one_and_has_the_size_that_was_asked_for(void **state)
{
	struct rig *r = *state;
	struct session s;

	run(r, &s, &(struct shell_request){ .command = "tty >/dev/null && stty size; exit 8", .pty = true,
					    .term = "xterm", .window = { .row = 31, .col = 97 } });
	CHECK(s.exit == 8);
	assert_string_equal(buf_str(&s.out), "31 97\r\n");
	session_done(&s);
}

static bool has_prompt(void *s) { return strchr(buf_str(&((struct session *)s)->out), '!') != NULL; }

static void test_a_terminal_changes_its_size(void **state)
{
	struct rig *r = *state;
	struct session s;

	session_open(r, &s, &(struct shell_request){ .command = "stty -echo; echo '!'; read x; stty size", .pty = true,
						     .window = { .row = 24, .col = 80 } });
	CHECK(rig_until(r, has_prompt, &s));
	CHECK_ERR(shell_client_resize(&s.c, &(struct shell_window){ .row = 50, .col = 132 }), 0);
	CHECK(shell_client_write(&s.c, SPAN_STR("go\n")) == 3);
	CHECK(rig_until(r, is_closed, &s));
	CHECK(strstr(buf_str(&s.out), "50 132"));
	session_done(&s);
}

static void test_the_end_of_input_is_a_key_on_a_terminal(void **state)
{
	struct rig *r = *state;
	struct session s;

	session_open(r, &s, &(struct shell_request){ .command = "stty -echo; echo '!'; cat >/dev/null; exit 11", .pty = true });
	CHECK(rig_until(r, has_prompt, &s));
	CHECK_ERR(shell_client_end_input(&s.c), 0);
	CHECK(rig_until(r, is_closed, &s));
	CHECK(s.exit == 11);
	session_done(&s);
}

static void test_a_terminal_loses_none_of_much_output(void **state)
{
	struct rig *r = *state;
	struct session s;

	run(r, &s, &(struct shell_request){ .command = "stty raw; yes 0123456 | head -c 400000; exit 12", .pty = true });
	CHECK(s.exit == 12);
	CHECK(s.out.len == 400000);
	session_done(&s);
}

static void test_who_goes_away_hangs_the_session_up(void **state)
{
	static const bool ptys[] = { false, true };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(ptys); i++) {
		struct session s;

		session_open(r, &s, &(struct shell_request){ .command = "sleep 1000", .pty = ptys[i] });
		CHECK(rig_until(r, is_open, &s));
		CHECK(!child_is_gone(NULL));
		shell_client_cancel(&s.c);
		CHECK(rig_until(r, is_closed, &s));
		CHECK(rig_until(r, child_is_gone, NULL));
		CHECK(s.end_err < 0 && !s.exited);
		session_done(&s);
	}
}

static void test_a_lost_connection_hangs_the_session_up(void **state)
{
	struct rig *r = *state;
	struct session s;

	session_open(r, &s, &(struct shell_request){ .command = "sleep 1000", .pty = true });
	CHECK(rig_until(r, is_open, &s));
	wire_free(r->wire);
	r->wire = NULL;
	CHECK(s.closed && s.end_err == ERR_CLOSED);
	for (int i = 0; i < 500 && !child_is_gone(NULL); i++)
		usleep(10000);
	CHECK(child_is_gone(NULL));
	session_done(&s);
	r->wire = wire_new(NULL, &(struct streams_ops){ 0 }, NULL);
}

static void test_hostile_messages_end_the_stream_and_nothing_else(void **state)
{
	static const struct { const char *hex; size_t pad; int err; } cases[] = {
		{ "", 0, ERR_PROTOCOL },                        /* no type */
		{ "00", 0, ERR_PROTOCOL },
		{ "02" "41", 0, ERR_PROTOCOL },                 /* the device's */
		{ "09" "00000000", 0, ERR_PROTOCOL },
		{ "0a", 0, ERR_PROTOCOL },
		{ "0a" "00180050000000", 0, ERR_PROTOCOL },     /* short window */
		{ "0a" "001800500000000000", 0, ERR_PROTOCOL }, /* long window */
		{ "ff", 0, ERR_PROTOCOL },
		{ "01", SHELL_DATA_MAX + 1, ERR_LIMIT },
		{ "01", STREAM_MESSAGE_MAX - 1, ERR_LIMIT },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ uint8_t *m = calloc(1, cases[i].pad + 16);
		struct session s;

		session_open(r, &s, &(struct shell_request){ .command = "cat" });
		CHECK_ERR(stream_send(s.c.stream, SPAN(m, unhex(m, 16, cases[i].hex) + cases[i].pad)), 0);
		CHECK(rig_until(r, is_closed, &s));
		CHECK_ERR(s.end_err, cases[i].err);
		CHECK(rig_until(r, child_is_gone, NULL));
		session_done(&s);
	}
	struct session s;
	run(r, &s, &(struct shell_request){ .command = "echo still here" });
	assert_string_equal(buf_str(&s.out), "still here\n");
	session_done(&s);
}

static void test_the_environment_is_what_a_caller_may_set(void **state)
{
	static const char *const env[] = {
		"LANG=xx_YY", "COLORTERM=", "LD_PRELOAD=/evil.so", "PATH=/evil", "lower=1", "LC_ALL=a b", "LANG=second", NULL,
	};
	struct rig *r = *state;
	struct session s;

	run(r, &s, &(struct shell_request){
		.command = "echo \"$LANG,${COLORTERM-unset},$LC_ALL,${LD_PRELOAD-unset},${lower-unset}\"", .env = env });
	assert_string_equal(buf_str(&s.out), "xx_YY,,a b,unset,unset\n");
	session_done(&s);
}

/* The device does not trust callers to leave them out. */
static void test_the_device_drops_variables_and_refuses_nonsense(void **state)
{
	static const struct { const char *key, *text; unsigned status; } cases[] = {
		{ "env:LD_PRELOAD", "x", 200 }, { "env:PATH", "x", 200 }, { "env:", "x", 200 }, { "env:A B", "x", 200 },
		{ "command", "", 400 }, { "term", "../x", 400 }, { "term", "", 400 },
	};
	struct rig *r = *state;

	rig_allow(r, &r->caller, "*", NULL);
	r->host.carry_out = host_shell;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {};
		struct cbor_map m;
		struct seen s;

		cbor_map_begin(&m, &b);
		cbor_map_str(&m, ":path", SHELL_PATH);
		if (strcmp(cases[i].key, "command"))
			cbor_map_str(&m, "command", "true");
		cbor_map_str(&m, cases[i].key, cases[i].text);
		cbor_map_end(&m);
		CHECK_ERR(buf_err(&b), 0);
		seen_open(r, &s, buf_span(&b));
		stream_end(s.stream);
		CHECK(rig_until(r, seen_is_closed, &s));
		if (s.status != cases[i].status)
			fail_msg("%s=%s: %u", cases[i].key, cases[i].text, s.status);
		if (s.status == 200) {
			struct cbor env = cbor_map_find(buf_span(&r->host.args), "env");
			CHECK(cbor_map(&env, 64) == 0 && !env.err);
		}
		seen_done(&s);
	}
}

/* ---- the asking half against a device that lies ---- */

static struct span hostile[3];

static void answer_hostile(struct services *, const struct service_call *call)
{
	_cleanup_buf_ struct buf b = {};

	headers_put_status(&b, 200, NULL);
	CHECK_ERR(stream_send_headers(call->stream, buf_span(&b)), 0);
	for (size_t i = 0; i < ARRAY_LEN(hostile) && hostile[i].data; i++)
		CHECK_ERR(stream_send(call->stream, hostile[i]), 0);
	stream_end(call->stream);
}

static void test_a_device_that_breaks_the_protocol_is_an_error(void **)
{
	static const struct { const char *hex[3]; int err; bool exited; } cases[] = {
		{ { "0161", "0900000007" }, 0, true },
		{ { "0161" }, ERR_PROTOCOL, false },                    /* no status */
		{ { "" }, ERR_PROTOCOL, false },
		{ { "0a0018005000000000" }, ERR_PROTOCOL, false },
		{ { "09000000" }, ERR_PROTOCOL, false },
		{ { "0900000000", "0161" }, ERR_PROTOCOL, true },       /* output after the status */
		{ { "0900000000", "0900000001" }, ERR_PROTOCOL, true },
		{ { "63" }, ERR_PROTOCOL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig *r = rig_new(NULL, false);
		uint8_t bytes[ARRAY_LEN(hostile)][16];
		struct session s;

		for (size_t k = 0; k < ARRAY_LEN(hostile); k++) {
			const char *hex = cases[i].hex[k];
			hostile[k] = hex ? SPAN(bytes[k], unhex(bytes[k], sizeof bytes[k], hex)) : SPAN_NONE;
		}
		CHECK_ERR(services_add(r->ss, &(struct service){ .path = SHELL_PATH, .open = answer_hostile }), 0);
		session_open(r, &s, &(struct shell_request){ .command = "x" });
		CHECK(rig_until(r, is_closed, &s));
		CHECK_ERR(s.end_err, cases[i].err);
		CHECK(s.exited == cases[i].exited && (!s.exited || s.exit != 1));
		session_done(&s);
		rig_free(r);
	}
}

static void test_a_refused_shell_is_no_error_of_the_stream(void **state)
{
	struct rig *r = *state;
	struct session s;

	rig_allow(r, &r->other, "*", NULL);
	session_open(r, &s, &(struct shell_request){ .command = "true" });
	CHECK(rig_until(r, is_closed, &s));
	CHECK(s.status == 404 && s.end_err == 0 && !s.exited);
	session_done(&s);
}

static int no_descriptors(struct rig_host *, struct span, int *, size_t *) { return 0; }

static void test_a_host_that_gives_too_few_descriptors_is_a_failure_of_ours(void **state)
{
	struct rig *r = *state;
	struct session s;

	session_open(r, &s, &(struct shell_request){ .pty = true });
	r->host.carry_out = no_descriptors;
	CHECK(rig_until(r, is_closed, &s));
	CHECK(s.status == 500);
	session_done(&s);
}

#define RIG_TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_a_command_gives_its_output_apart_and_its_status),
		RIG_TEST(test_input_reaches_the_program_and_so_does_its_end),
		RIG_TEST(test_a_program_that_reads_nothing_does_not_hold_the_end_up),
		RIG_TEST(test_what_runs_on_in_the_background_does_not_hold_the_end_up),
		RIG_TEST(test_input_passes_whole_through_a_slow_program),
		RIG_TEST(test_a_slow_reader_stops_the_program_and_loses_nothing),
		RIG_TEST(test_output_that_waits_when_the_program_ends_is_not_lost),
		RIG_TEST(test_input_waits_for_a_host_that_takes_its_time),
		RIG_TEST(test_a_terminal_is_one_and_has_the_size_that_was_asked_for),
		RIG_TEST(test_a_terminal_changes_its_size),
		RIG_TEST(test_the_end_of_input_is_a_key_on_a_terminal),
		RIG_TEST(test_a_terminal_loses_none_of_much_output),
		RIG_TEST(test_who_goes_away_hangs_the_session_up),
		RIG_TEST(test_a_lost_connection_hangs_the_session_up),
		RIG_TEST(test_hostile_messages_end_the_stream_and_nothing_else),
		RIG_TEST(test_the_environment_is_what_a_caller_may_set),
		RIG_TEST(test_the_device_drops_variables_and_refuses_nonsense),
		cmocka_unit_test(test_a_device_that_breaks_the_protocol_is_an_error),
		RIG_TEST(test_a_refused_shell_is_no_error_of_the_stream),
		RIG_TEST(test_a_host_that_gives_too_few_descriptors_is_a_failure_of_ours),
	};

	signal(SIGPIPE, SIG_IGN);
	return RUN_TESTS(tests);
}
