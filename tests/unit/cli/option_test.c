/* Are options found wherever people write them, and only there? */
#include "cli/cli.h"
#include "test.h"

static const struct option_row rows[] = {
	{ 'f', "flag", OPTION_FLAG, NULL, "a flag" },
	{ 'g', "other", OPTION_FLAG, NULL, "a flag" },
	{ 'c', "command", OPTION_VALUE, "C", "a value" },
	{ 'e', "env", OPTION_PAIR, "K=V", "a pair", true },
	{ 0 },
};
static const struct command plain = { .name = "plain", .args = "", .options = rows, .max_args = -1 };
static const struct command rest = { .name = "rest", .args = "", .options = rows, .max_args = -1, .rest_after = 2 };

static const struct {
	const struct command *command;
	const char *words[8];
	const char *args;               /* joined by '|' */
	const char *command_value, *env, *env2;
	int flags;
} good[] = {
	{ &plain, { "a", "b" }, "a|b" },
	{ &plain, { "a", "-f", "b" }, "a|b", .flags = 1 },
	{ &plain, { "--flag", "a" }, "a", .flags = 1 },
	{ &plain, { "-fg", "a" }, "a", .flags = 1 },
	{ &plain, { "-c", "x y", "a" }, "a", "x y" },
	{ &plain, { "-cx", "a" }, "a", "x" },
	{ &plain, { "--command=x", "a" }, "a", "x" },
	{ &plain, { "--command", "-f", "a" }, "a", "-f" },
	{ &plain, { "-c", "x", "-c", "y" }, "", "y" },
	{ &plain, { "-e", "K=V", "a" }, "a", NULL, "K=V" },
	{ &plain, { "-e", "K", "V", "a" }, "a", NULL, "K=V" },
	{ &plain, { "-e", "A=1", "-e", "B", "2=3" }, "", NULL, "A=1", "B=2=3" },
	{ &plain, { "a", "--", "-f", "-c" }, "a|-f|-c" },
	{ &plain, { "-", "a" }, "-|a" },
	{ &rest, { "x", "-f", "ls", "-l", "--flag" }, "x|ls|-l|--flag", .flags = 1 },
	{ &rest, { "x", "-c", "ls -l" }, "x", "ls -l" },
	{ &plain, { "--json", "a", "-q" }, "a" },
};

static void same(const char *got, const char *want)
{
	if (!got != !want || (got && strcmp(got, want)))
		fail_msg("got %s, want %s", got ?: "none", want ?: "none");
}

static void test_options_are_read(void **)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct cli c = { .command = good[i].command };
		char why[CLI_WHY_MAX], joined[256] = "";
		int n = 0;

		while (good[i].words[n])
			n++;
		CHECK_ERR(cli_parse(&c, n, (char *const *)good[i].words, why), 0);
		for (int k = 0; k < c.argc; k++)
			sprintf(joined + strlen(joined), "%s%s", k ? "|" : "", c.argv[k]);
		same(joined, good[i].args);
		same(cli_option(&c, "command"), good[i].command_value);
		same(cli_option_at(&c, "env", 0), good[i].env);
		same(cli_option_at(&c, "env", 1), good[i].env2);
		CHECK(cli_flag(&c, "flag") == good[i].flags);
		CHECK(!c.argv[c.argc]);
		cli_done(&c);
	}
}

static void test_what_is_wrong_is_named(void **)
{
	static const struct {
		const char *words[4];
		const char *why;
	} bad[] = {
		{ { "--nonsense" }, "there is no option --nonsense" },
		{ { "-z" }, "there is no option -z" },
		{ { "-fz" }, "there is no option -z" },
		{ { "a", "-c" }, "-c needs a value" },
		{ { "--command" }, "--command needs a value" },
		{ { "--flag=1" }, "--flag takes no value" },
		{ { "-e", "K" }, "-e needs a name and a value" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct cli c = { .command = &plain };
		char why[CLI_WHY_MAX] = "";
		int n = 0;

		while (bad[i].words[n])
			n++;
		CHECK_ERR(cli_parse(&c, n, (char *const *)bad[i].words, why), ERR_PARSE);
		if (!strstr(why, bad[i].why))
			fail_msg("\"%s\" does not say \"%s\"", why, bad[i].why);
		cli_done(&c);
	}
}

static void test_global_options_end_at_the_verb(void **)
{
	const char *const words[] = { "--json", "--config", "f", "-q", "shell", "-t" };
	struct cli c = { 0 };
	char why[CLI_WHY_MAX];

	assert_int_equal(cli_parse_global(&c, 6, (char *const *)words, why), 4);
	CHECK(cli_json(&c) && cli_quiet(&c));
	same(cli_option(&c, "config"), "f");
	cli_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_are_read),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_global_options_end_at_the_verb),
	};

	return RUN_TESTS(tests);
}
