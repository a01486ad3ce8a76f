#include "service/shell.h"

#include "test.h"

static const struct {
	const char *name, *hex;
	bool to_device;
	int err;
} cases[] = {
	{ "input",                "01" "6869",             true,  0 },
	{ "end of input",         "01",                    true,  0 },
	{ "window",               "0a" "0018005003200258", true,  0 },
	{ "output",               "01" "6869",             false, 0 },
	{ "error output",         "02" "6869",             false, 0 },
	{ "exit",                 "09" "ffffffff",         false, 0 },
	{ "nothing",              "",                      true,  ERR_PROTOCOL },
	{ "nothing back",         "",                      false, ERR_PROTOCOL },
	{ "error output inwards", "02" "6869",             true,  ERR_PROTOCOL },
	{ "exit inwards",         "09" "00000000",         true,  ERR_PROTOCOL },
	{ "window back",          "0a" "0018005003200258", false, ERR_PROTOCOL },
	{ "short window",         "0a" "00180050032002",   true,  ERR_PROTOCOL },
	{ "long window",          "0a" "001800500320025800", true, ERR_PROTOCOL },
	{ "short exit",           "09" "000000",           false, ERR_PROTOCOL },
	{ "long exit",            "09" "0000000000",       false, ERR_PROTOCOL },
	{ "unknown",              "03",                    true,  ERR_PROTOCOL },
	{ "zero",                 "00",                    false, ERR_PROTOCOL },
};

static void test_messages_are_read_as_documented(void **)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shell_message m = { .exit = 77 };
		uint8_t b[32];
		size_t n = unhex(b, sizeof b, cases[i].hex);

		print_message("%s\n", cases[i].name);
		CHECK_ERR(shell_message_parse(&m, SPAN(b, n), cases[i].to_device), cases[i].err);
		if (cases[i].err)
			CHECK(m.exit == 77);    /* untouched */
	}
}

static void test_formatting_and_reading_agree(void **)
{
	static const int32_t exits[] = { 0, 1, 255, 128 + 9, -1, INT32_MIN, INT32_MAX };
	struct shell_window w = { 1, 513, 65535, 256 };
	uint8_t b[SHELL_WINDOW_LEN];
	struct shell_message m;

	shell_window_format(b, &w);
	CHECK_ERR(shell_message_parse(&m, SPAN(b, SHELL_WINDOW_LEN), true), 0);
	CHECK(m.kind == SHELL_WINDOW && !memcmp(&m.window, &w, sizeof w));
	for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
		shell_exit_format(b, exits[i]);
		CHECK_ERR(shell_message_parse(&m, SPAN(b, SHELL_EXIT_LEN), false), 0);
		CHECK(m.kind == SHELL_EXIT && m.exit == exits[i]);
	}
}

static void test_a_message_has_a_greatest_length(void **)
{
	static uint8_t b[2 + SHELL_DATA_MAX] = { SHELL_DATA };
	struct shell_message m;

	CHECK_ERR(shell_message_parse(&m, SPAN(b, sizeof b - 1), true), 0);
	CHECK(m.data.len == SHELL_DATA_MAX);
	CHECK_ERR(shell_message_parse(&m, SPAN(b, sizeof b), true), ERR_LIMIT);
}

static void test_variables_that_change_what_runs_are_not_set(void **)
{
	static const struct { const char *name; bool allowed; } vars[] = {
		{ "TERM", true }, { "LANG", true }, { "LC_ALL", true }, { "COLORTERM", true }, { "TZ", true }, { "_", true },
		{ "A1", true }, { "EDITOR", true }, { "ENVIRONMENT", true }, { "HOMEPAGE", true },
		{ "", false }, { "1A", false }, { "lang", false }, { "A-B", false }, { "A B", false }, { "A=B", false },
		{ "LD_PRELOAD", false }, { "LD_LIBRARY_PATH", false }, { "LD_", false }, { "PATH", false }, { "HOME", false },
		{ "SHELL", false }, { "IFS", false }, { "BASH_ENV", false }, { "ENV", false }, { "USER", false },
		{ "LOGNAME", false }, { "CARRIER_IDENTITY", false },
	};
	char name[SHELL_ENV_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(vars); i++)
		if (shell_env_allowed(SPAN_STR(vars[i].name)) != vars[i].allowed)
			fail_msg("%s", vars[i].name);
	memset(name, 'A', sizeof name);
	CHECK(shell_env_allowed(SPAN(name, SHELL_ENV_NAME_MAX)));
	CHECK(!shell_env_allowed(SPAN(name, SHELL_ENV_NAME_MAX + 1)));
}

static void test_a_request_has_the_headers_of_both_books(void **)
{
	static const char *const env[] = { "LANG=C", "PATH=/x", NULL };
	_cleanup_buf_ struct buf b = {};
	struct headers h;

	CHECK_ERR(shell_request_headers(&b, &(struct shell_request){ .command = "ls", .pty = true, .term = "vt100",
		.window = { 24, 80, 1, 2 }, .env = env }), 0);
	CHECK_ERR(headers_parse(&h, buf_span(&b)), 0);
	CHECK(span_is(headers_text(&h, ":path"), "/v0/shell"));
	CHECK(span_is(headers_text(&h, "command"), "ls"));
	CHECK(headers_bool(&h, "pty", false));
	CHECK(span_is(headers_text(&h, "term"), "vt100"));
	CHECK(span_is(headers_text(&h, "env:LANG"), "C"));
	CHECK(!headers_has(&h, "env:PATH"));
	CHECK(headers_uint(&h, "ws_row", 0) == 24 && headers_uint(&h, "ws_col", 0) == 80);
	CHECK(headers_uint(&h, "ws_xpixel", 0) == 1 && headers_uint(&h, "ws_ypixel", 0) == 2);
}

static void test_a_request_that_does_not_fit_is_refused(void **)
{
	static char command[SHELL_COMMAND_MAX + 2], big[SHELL_ENV_VALUE_MAX + 16];
	_cleanup_buf_ struct buf b = {};
	const char *env[16] = { NULL };

	memset(command, 'x', sizeof command - 1);
	CHECK_ERR(shell_request_headers(&b, &(struct shell_request){ .command = command }), ERR_LIMIT);
	command[SHELL_COMMAND_MAX] = 0;
	buf_done(&b);
	CHECK_ERR(shell_request_headers(&b, &(struct shell_request){ .command = command }), 0);
	buf_done(&b);
	memset(big, 'y', sizeof big - 1);
	memcpy(big, "A=", 2);
	env[0] = big;
	CHECK_ERR(shell_request_headers(&b, &(struct shell_request){ .env = env }), ERR_LIMIT);
	big[2 + SHELL_ENV_VALUE_MAX] = 0;
	buf_done(&b);
	CHECK_ERR(shell_request_headers(&b, &(struct shell_request){ .env = env }), 0);
	buf_done(&b);
	CHECK_ERR(shell_request_headers(&b, &(struct shell_request){ .command = command, .env = env }), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_are_read_as_documented),
		cmocka_unit_test(test_formatting_and_reading_agree),
		cmocka_unit_test(test_a_message_has_a_greatest_length),
		cmocka_unit_test(test_variables_that_change_what_runs_are_not_set),
		cmocka_unit_test(test_a_request_has_the_headers_of_both_books),
		cmocka_unit_test(test_a_request_that_does_not_fit_is_refused),
	};

	return RUN_TESTS(tests);
}
