/* Does each shell hear of every verb and every option? */
#include "cli/cli.h"
#include "cli/help.h"
#include "test.h"

static char *completion(const char *shell)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	CHECK_ERR(completion_print(f, shell), 0);
	fclose(f);
	return text;
}

static void must_have(const char *text, const char *shell, const char *what)
{
	if (!strstr(text, what))
		fail_msg("%s does not hear of %s", shell, what);
}

static void check_options(const char *text, const char *shell, const struct option_row *o)
{
	char spelled[64];

	for (; o && o->name; o++) {
		snprintf(spelled, sizeof spelled, strcmp(shell, "fish") ? "--%s" : "-l %s", o->name);
		must_have(text, shell, spelled);
	}
}

static void check(const char *shell)
{
	_cleanup_free_ char *text = completion(shell);
	char name[64];

	for (const struct command *cmd = commands; cmd->name; cmd++) {
		for (size_t at = 0; command_spelling(cmd, &at, name, sizeof name); ) {
			char *blank = strchr(name, ' ');

			if (blank) {
				must_have(text, shell, blank + 1);
				*blank = 0;
			}
			must_have(text, shell, name);
		}
		check_options(text, shell, cmd->options);
	}
	check_options(text, shell, global_options);
	must_have(text, shell, "carrier names --complete");
}

static void test_bash_hears_of_everything(void **) { check("bash"); }
static void test_zsh_hears_of_everything(void **) { check("zsh"); }
static void test_fish_hears_of_everything(void **) { check("fish"); }

static void test_another_shell_is_refused(void **) { CHECK_ERR(completion_print(stdout, "tcsh"), ERR_UNKNOWN); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bash_hears_of_everything),
		cmocka_unit_test(test_zsh_hears_of_everything),
		cmocka_unit_test(test_fish_hears_of_everything),
		cmocka_unit_test(test_another_shell_is_refused),
	};

	return RUN_TESTS(tests);
}
