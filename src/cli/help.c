#include "cli/help.h"

#include <string.h>

#include "cli/cmd.h"

enum { COLUMN = 40 };

/* The first form of several. */
static int first_form(const char *args) { return (int)strcspn(args, "|"); }

static void print_line(FILE *out, const struct command *cmd)
{
	int form = first_form(cmd->args);
	bool more = cmd->args[form];
	int n = fprintf(out, "  %s%s%.*s%s", cmd->name, *cmd->args ? " " : "", form, cmd->args, more ? "..." : "");

	if (n >= COLUMN)
		fprintf(out, "\n%*s", COLUMN, "");
	else
		fprintf(out, "%*s", COLUMN - n, "");
	fprintf(out, "%s\n", cmd->help);
}

/* In the order of the table; a group is printed where it first comes. */
void help_overview(FILE *out)
{
	const char *group = "";

	fputs("usage: carrier [OPTIONS] COMMAND [ARGUMENTS]\n", out);
	for (const struct command *cmd = commands; cmd->name; cmd++) {
		if (cmd->flags & COMMAND_HIDDEN)
			continue;
		if (strcmp(group, cmd->group)) {
			group = cmd->group;
			fprintf(out, "\n%s\n", group);
		}
		print_line(out, cmd);
	}
	fputs("\nA TARGET is an identity, a name (see 'carrier help names'), either with @HOST:PORT behind it, or self.\n"
	      "'carrier help COMMAND' tells more; 'carrier COMMAND --json' prints objects, one a line.\n", out);
}

static void print_options(FILE *out, const struct option_row *o)
{
	for (; o && o->name; o++) {
		int n = o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name) : fprintf(out, "      --%s", o->name);

		if (o->arg)
			n += fprintf(out, " %s", o->arg);
		fprintf(out, "%*s%s%s\n", n < 32 ? 32 - n : 1, "", o->help, o->repeat ? " (repeatable)" : "");
	}
}

/* Every form of "A|B" on its own line. */
static void print_forms(FILE *out, const struct command *cmd, const char *first, const char *next)
{
	const char *form = cmd->args;

	do {
		int n = first_form(form);

		fprintf(out, "%scarrier %s%s%.*s\n", form == cmd->args ? first : next, cmd->name, n ? " " : "", n, form);
		form += n;
	} while (*form++);
}

int help_command(FILE *out, const struct command *cmd)
{
	char name[64];
	size_t at = 1;

	print_forms(out, cmd, "usage: ", "       ");
	fprintf(out, "\n%c%s.\n", cmd->help[0] - (cmd->help[0] >= 'a' && cmd->help[0] <= 'z' ? 'a' - 'A' : 0),
		cmd->help + 1);
	if (cmd->details)
		fprintf(out, "\n%s\n", cmd->details);
	if (cmd->aliases) {
		fputs("\nAlso: ", out);
		while (command_spelling(cmd, &at, name, sizeof name))
			fprintf(out, "%s%s", at > 2 ? ", " : "", name);
		fputc('\n', out);
	}
	if (cmd->options && cmd->options->name) {
		fputs("\nOptions:\n", out);
		print_options(out, cmd->options);
	}
	fputs("\nGlobal options:\n", out);
	print_options(out, global_options);
	return CLI_OK;
}

bool help_prefix(const char *word)
{
	size_t n = strlen(word);
	bool any = false;

	for (const struct command *cmd = commands; cmd->name; cmd++)
		if (!strncmp(cmd->name, word, n) && cmd->name[n] == ' ') {
			print_forms(stderr, cmd, any ? "       " : "usage: ", "       ");
			any = true;
		}
	return any;
}

/* ---- the manual ---- */

static void scdoc_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (strchr("_*<>[]#\\", *s))
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void scdoc_options(FILE *out, const struct option_row *o)
{
	for (; o && o->name; o++) {
		fputs("\t", out);
		if (o->letter)
			fprintf(out, "*-%c*, ", o->letter);
		fprintf(out, "*--%s*%s", o->name, o->arg ? " " : "");
		scdoc_text(out, o->arg ?: "");
		fputs("++\n", out);
		scdoc_text(out, o->help);
		fputs(o->repeat ? " (repeatable)\n\n" : "\n\n", out);
	}
}

static void scdoc_details(FILE *out, const char *s)
{
	fputc('\t', out);
	for (; *s; s++) {
		char one[2] = { *s, 0 };

		scdoc_text(out, one);
		if (*s == '\n' && s[1] != '\n')
			fputc('\t', out);
	}
	fputs("\n\n", out);
}

void help_scdoc(FILE *out)
{
	for (const struct command *cmd = commands; cmd->name; cmd++) {
		const char *form = cmd->args;

		if (cmd->flags & COMMAND_HIDDEN)
			continue;
		do {
			int n = first_form(form);

			fprintf(out, "*%s*%s", cmd->name, n ? " " : "");
			for (int i = 0; i < n; i++)
				scdoc_text(out, (char[]){ form[i], 0 });
			form += n;
			fputs(*form ? "++\n" : "\n", out);
		} while (*form++);
		fputc('\t', out);
		scdoc_text(out, cmd->help);
		if (cmd->aliases) {
			fputs(" (also: ", out);
			scdoc_text(out, cmd->aliases);
			fputc(')', out);
		}
		fputs(".\n\n", out);
		if (cmd->details)
			scdoc_details(out, cmd->details);
		scdoc_options(out, cmd->options);
	}
	fputs("# GLOBAL OPTIONS\n\n", out);
	scdoc_options(out, global_options);
}

/* ---- the commands of this file ---- */

int cmd_help(struct cli *c)
{
	const struct command *cmd;
	const char *spelled;
	int words;

	if (cli_flag(c, "scdoc")) {
		help_scdoc(stdout);
		return CLI_OK;
	}
	if (!c->argc) {
		help_overview(stdout);
		return CLI_OK;
	}
	cmd = command_find(c->argc, c->argv, &words, &spelled);
	if (cmd)
		return help_command(stdout, cmd);
	if (help_prefix(c->argv[0]))
		return CLI_OK;
	return cli_fail(CLI_USAGE, "'%s' is not a command; see 'carrier help'", c->argv[0]);
}

int cmd_completion(struct cli *c)
{
	if (completion_print(stdout, c->argv[0]) < 0)
		return cli_usage(c, "completion: bash, zsh or fish was expected, not \"%s\"", c->argv[0]);
	return CLI_OK;
}
