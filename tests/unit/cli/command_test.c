/* Is the table fit to make dispatch, help and completion of? */
#include <ctype.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "test.h"

static void test_no_name_is_there_twice(void **)
{
	char a[64], b[64];

	for (const struct command *x = commands; x->name; x++)
		for (size_t i = 0; command_spelling(x, &i, a, sizeof a); )
			for (const struct command *y = x; y->name; y++)
				for (size_t k = y == x ? i : 0; command_spelling(y, &k, b, sizeof b); )
					if (!strcmp(a, b))
						fail_msg("'%s' is there twice", a);
}

static void check_options(const char *where, const struct option_row *rows)
{
	for (const struct option_row *o = rows; o && o->name; o++) {
		if (!o->help || !*o->help || (o->kind != OPTION_FLAG) != (o->arg != NULL))
			fail_msg("%s --%s: no help, or a value without a name", where, o->name);
		for (const struct option_row *p = o + 1; p->name; p++)
			if (!strcmp(o->name, p->name) || (o->letter && o->letter == p->letter))
				fail_msg("%s --%s and --%s clash", where, o->name, p->name);
	}
}

static void test_every_command_is_explained(void **)
{
	for (const struct command *cmd = commands; cmd->name; cmd++) {
		bool external = cmd->flags & COMMAND_EXTERNAL;

		if (!cmd->help || !*cmd->help || !cmd->args || !cmd->group || !*cmd->group)
			fail_msg("%s: not explained", cmd->name);
		if (cmd->help[strlen(cmd->help) - 1] == '.')
			fail_msg("%s: help ends with a stop", cmd->name);
		if (external ? !cmd->program : !cmd->run)
			fail_msg("%s: nothing runs", cmd->name);
		if (cmd->max_args >= 0 && cmd->max_args < cmd->min_args)
			fail_msg("%s: arguments", cmd->name);
		check_options(cmd->name, cmd->options);
	}
	check_options("global", global_options);
}

static const struct {
	const char *typed[4];
	const char *name;       /* NULL: none */
	int words;
	const char *spelled;
} finds[] = {
	{ { "disco", "x" }, "disco", 1, "disco" },
	{ { "discovery", "x" }, "disco", 1, "discovery" },
	{ { "subscribe" }, "net subscribe", 1, "subscribe" },
	{ { "net", "subscribe" }, "net subscribe", 2, "net subscribe" },
	{ { "fs", "push", "x" }, "push", 2, "fs push" },
	{ { "vault", "id" }, "identity", 2, "vault id" },
	{ { "axon" }, "publish", 1, "axon" },
	{ { "net" }, NULL, 0, NULL },
	{ { "dis" }, NULL, 0, NULL },
	{ { "discos" }, NULL, 0, NULL },
	{ { "" }, NULL, 0, NULL },
};

static void test_the_longest_name_wins(void **)
{
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		const char *spelled = NULL;
		int words = 0, n = 0;

		while (finds[i].typed[n])
			n++;
		const struct command *cmd = command_find(n, (char *const *)finds[i].typed, &words, &spelled);
		if (!cmd != !finds[i].name)
			fail_msg("%s", finds[i].typed[0]);
		if (!cmd)
			continue;
		assert_string_equal(cmd->name, finds[i].name);
		assert_string_equal(spelled, finds[i].spelled);
		assert_int_equal(words, finds[i].words);
	}
}

static void test_something_near_is_suggested(void **)
{
	assert_string_equal(command_nearest("sysnfo"), "sysinfo");
	assert_string_equal(command_nearest("shlel"), "shell");
	assert_string_equal(command_nearest("pubish"), "publish");
	CHECK(!command_nearest("frobnicate"));
	CHECK(!command_nearest("x"));
}

static void test_help_names_every_command(void **)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	help_overview(f);
	help_scdoc(f);
	fclose(f);
	for (const struct command *cmd = commands; cmd->name; cmd++)
		if (!strstr(text, cmd->name) || !strstr(text, cmd->help))
			fail_msg("%s is not in the help", cmd->name);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_name_is_there_twice),
		cmocka_unit_test(test_every_command_is_explained),
		cmocka_unit_test(test_the_longest_name_wins),
		cmocka_unit_test(test_something_near_is_suggested),
		cmocka_unit_test(test_help_names_every_command),
	};

	return RUN_TESTS(tests);
}
