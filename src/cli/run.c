/* From the command line to a command: its own, another program's, or none. */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/help.h"

/* What a program of ours finds in its environment instead of our global options. */
static int export_options(const struct cli *c)
{
	_cleanup_buf_ struct buf lines = {};
	const char *config = cli_option(c, "config"), *file = cli_option(c, "passphrase-file"), *line;

	for (size_t i = 0; (line = cli_option_at(c, "broker", i)); i++)
		buf_printf(&lines, "%s%s", i ? ";" : "", line);
	if (buf_err(&lines) < 0)
		return -ENOMEM;
	if ((config && setenv("CARRIER_CONFIG", config, 1) < 0) ||
	    (file && setenv("CARRIER_PASSPHRASE_FILE", file, 1) < 0) ||
	    (lines.len && setenv("CARRIER_BROKERS", buf_str(&lines), 1) < 0))
		return -errno;
	return 0;
}

/* Beside this program, among those that are not for typing, then in PATH. */
static int exec_program(const char *program, char **argv)
{
	char self[PATH_MAX], beside[PATH_MAX + NAME_MAX], inner[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	argv[0] = (char *)program;
	if (n > 0) {
		self[n] = 0;
		char *slash = strrchr(self, '/');
		if (slash)
			slash[1] = 0;
		snprintf(beside, sizeof beside, "%s%s", self, program);
		execv(beside, argv);
	}
	snprintf(inner, sizeof inner, "%s/%s", CARRIER_LIBEXECDIR, program);
	execv(inner, argv);
	execvp(program, argv);
	return -errno;
}

/* argv[0] is the verb. Returns only if there is no such program. */
static int try_program(const struct cli *c, const char *program, char **argv)
{
	if (export_options(c) < 0)
		return -ENOMEM;
	signal(SIGPIPE, SIG_DFL);
	int err = exec_program(program, argv);
	signal(SIGPIPE, SIG_IGN);
	return err;
}

static int unknown(const struct cli *c, char **argv)
{
	char program[NAME_MAX];
	const char *typed = argv[0], *near;

	if (argv[0][0] != '.' && !strchr(argv[0], '/') && strlen(argv[0]) < sizeof program - 16) {
		snprintf(program, sizeof program, "carrier-%s", argv[0]);
		int err = try_program(c, program, argv);
		if (err != -ENOENT)
			return cli_fail(CLI_FAILED, "%s: %s", program, err_text(err));
	}
	near = command_nearest(typed);
	return near ? cli_fail(CLI_USAGE, "'%s' is not a command; did you mean '%s'? See 'carrier help'", typed, near)
		    : cli_fail(CLI_USAGE, "'%s' is not a command; see 'carrier help'", typed);
}

static int run_external(const struct cli *c, char **argv)
{
	int err = try_program(c, c->command->program, argv);

	return cli_fail(err == -ENOENT ? CLI_UNAVAILABLE : CLI_FAILED, "%s: %s%s", c->command->program, err_text(err),
			err == -ENOENT ? ": is it installed?" : "");
}

static int run_command(struct cli *c)
{
	if (cli_flag(c, "help"))
		return help_command(stdout, c->command);
	if (c->argc < c->command->min_args)
		return cli_usage(c, "%s: too few arguments", c->spelled);
	if (c->command->max_args >= 0 && c->argc > c->command->max_args)
		return cli_usage(c, "%s: too many arguments, from \"%s\" on", c->spelled,
				 c->argv[c->command->max_args]);
	if (export_options(c) < 0)
		return cli_fail(CLI_FAILED, "%s", err_text(-ENOMEM));
	return c->command->run(c);
}

static int dispatch(struct cli *c, int argc, char **argv)
{
	char why[CLI_WHY_MAX] = "";
	int words, at = cli_parse_global(c, argc, argv, why);

	if (at < 0)
		return cli_usage(NULL, "%s; see 'carrier help'", at == ERR_PARSE ? why : err_text(at));
	argc -= at;
	argv += at;
	if (cli_flag(c, "version"))
		return help_version(c);
	if (!argc || cli_flag(c, "help")) {
		help_overview(argc || cli_flag(c, "help") ? stdout : stderr);
		return argc || cli_flag(c, "help") ? CLI_OK : CLI_USAGE;
	}

	c->command = command_find(argc, argv, &words, &c->spelled);
	if (!c->command)
		return help_prefix(argv[0]) ? CLI_USAGE : unknown(c, argv);
	if (c->command->flags & COMMAND_EXTERNAL)
		return run_external(c, argv + words - 1);
	at = cli_parse(c, argc - words, argv + words, why);
	if (at < 0)
		return cli_usage(c, "%s: %s", c->spelled, at == ERR_PARSE ? why : err_text(at));
	return run_command(c);
}

int cli_main(int argc, char **argv)
{
	_cleanup_(cli_done) struct cli c = { 0 };

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (crypto_init() < 0)
		return cli_fail(CLI_FAILED, "the system gives no random numbers");
	return cli_finish(dispatch(&c, argc - 1, argv + 1));
}
