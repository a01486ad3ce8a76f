/* Completion for shells, out of the table. What an argument is shows in its name:
 * TARGET and IDENTITY are names, FILE and LOCAL files. */
#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "cli/help.h"

typedef void visit_fn(FILE *out, const struct command *cmd, const char *name);

static void each_name(FILE *out, visit_fn *fn)
{
	char name[64];

	for (const struct command *cmd = commands; cmd->name; cmd++)
		if (!(cmd->flags & COMMAND_HIDDEN))
			for (size_t at = 0; command_spelling(cmd, &at, name, sizeof name); )
				fn(out, cmd, name);
}

static bool takes(const struct command *cmd, const char *const *words)
{
	for (; *words; words++)
		if (strstr(cmd->args, *words))
			return true;
	return false;
}

static bool takes_names(const struct command *cmd)
{
	return takes(cmd, (const char *const[]){ "TARGET", "IDENTITY", NULL });
}

static bool takes_files(const struct command *cmd)
{
	return takes(cmd, (const char *const[]){ "FILE", "LOCAL", NULL });
}

static void words_of_options(FILE *out, const struct option_row *o)
{
	for (; o && o->name; o++) {
		fprintf(out, " --%s", o->name);
		if (o->letter)
			fprintf(out, " -%c", o->letter);
	}
}

/* Lower-case words of the synopsis: "auth", "list", "bash". */
static void words_of_args(FILE *out, const char *args)
{
	for (const char *p = args; *p; ) {
		size_t n = strcspn(p, " |[].");

		if (n && islower((unsigned char)*p))
			fprintf(out, " %.*s", (int)n, p);
		p += n + (p[n] != 0);
	}
}

/* ---- bash ---- */

static void bash_case(FILE *out, const struct command *cmd, const char *name)
{
	fprintf(out, "\t\"%s\") words=\"", name);
	words_of_options(out, cmd->options);
	words_of_args(out, cmd->args);
	fprintf(out, "\" names=%d files=%d ;;\n", takes_names(cmd), takes_files(cmd));
}

static void bash_verb(FILE *out, const struct command *, const char *name)
{
	if (!strchr(name, ' '))
		fprintf(out, " %s", name);
}

/* "net create": after "net" come the second words. */
static void bash_second(FILE *out, const struct command *, const char *name)
{
	const char *blank = strchr(name, ' ');

	if (blank)
		fprintf(out, "\t%.*s) seconds=\"$seconds %s\" ;;&\n", (int)(blank - name), name, blank + 1);
}

static void bash_first(FILE *out, const struct command *, const char *name)
{
	const char *blank = strchr(name, ' ');

	if (blank)
		fprintf(out, " %.*s", (int)(blank - name), name);
}

static void bash(FILE *out)
{
	fputs("# bash completion of carrier\n"
	      "_carrier() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} seconds= words= names=0 files=0 verbs globals\n"
	      "\tCOMPREPLY=()\n"
	      "\tverbs=\"", out);
	each_name(out, bash_verb);
	each_name(out, bash_first);
	fputs("\"\n\tglobals=\"", out);
	words_of_options(out, global_options);
	fputs("\"\n"
	      "\tif [ \"$COMP_CWORD\" -le 1 ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$verbs $globals\" -- \"$cur\"))\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase $verb in\n", out);
	each_name(out, bash_second);
	fputs("\tesac\n"
	      "\t[ \"$COMP_CWORD\" -gt 2 ] && [[ \" $seconds \" == *\" ${COMP_WORDS[2]} \"* ]] && verb=\"$verb ${COMP_WORDS[2]}\" seconds=\n"
	      "\tcase $verb in\n", out);
	each_name(out, bash_case);
	fputs("\tesac\n"
	      "\twords=\"$words $seconds $globals\"\n"
	      "\t[ \"$names\" = 1 ] && words=\"$words self $(carrier names --complete 2>/dev/null)\"\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\t[ \"$files\" = 1 ] && COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
	      "}\n"
	      "complete -o filenames -F _carrier carrier\n", out);
}

/* ---- zsh ---- */

static void zsh_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\'", out);
		else if (strchr("[]:\\", *s))
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void zsh_verb(FILE *out, const struct command *cmd, const char *name)
{
	if (strchr(name, ' '))
		return;
	fprintf(out, "\t\t'%s:", name);
	zsh_text(out, cmd->help);
	fputs("'\n", out);
}

static void zsh_first(FILE *out, const struct command *, const char *name)
{
	const char *blank = strchr(name, ' ');

	if (blank)
		fprintf(out, "\t\t'%.*s'\n", (int)(blank - name), name);
}

static void zsh_second(FILE *out, const struct command *, const char *name)
{
	const char *blank = strchr(name, ' ');

	if (blank)
		fprintf(out, "\t\t(%.*s) seconds+=(%s) ;|\n", (int)(blank - name), name, blank + 1);
}

static void zsh_options(FILE *out, const struct option_row *o)
{
	for (; o && o->name; o++) {
		if (o->letter)
			fprintf(out, " '-%c'", o->letter);
		fprintf(out, " '--%s'", o->name);
	}
}

static void zsh_case(FILE *out, const struct command *cmd, const char *name)
{
	fprintf(out, "\t\t('%s') words=(", name);
	zsh_options(out, cmd->options);
	words_of_args(out, cmd->args);
	fprintf(out, "); names=%d; files=%d ;;\n", takes_names(cmd), takes_files(cmd));
}

static void zsh(FILE *out)
{
	fputs("#compdef carrier\n"
	      "_carrier() {\n"
	      "\tlocal verb=${words[2]} at=$CURRENT names=0 files=0\n"
	      "\tlocal -a typed=($words) words seconds verbs=(\n", out);
	each_name(out, zsh_verb);
	each_name(out, zsh_first);
	fputs("\t)\n\tlocal -a globals=(", out);
	zsh_options(out, global_options);
	fputs(")\n"
	      "\tif (( at == 2 )); then\n"
	      "\t\t_describe command verbs\n"
	      "\t\tcompadd -- $globals\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase $verb in\n", out);
	each_name(out, zsh_second);
	fputs("\tesac\n"
	      "\tif (( at > 3 && ${seconds[(Ie)${typed[3]}]} )); then verb=\"$verb ${typed[3]}\"; seconds=(); fi\n"
	      "\tcase $verb in\n", out);
	each_name(out, zsh_case);
	fputs("\tesac\n"
	      "\tcompadd -- $seconds $words $globals\n"
	      "\t(( names )) && compadd -- self ${(f)\"$(carrier names --complete 2>/dev/null)\"}\n"
	      "\t(( files )) && _files\n"
	      "\treturn 0\n"
	      "}\n"
	      "compdef _carrier carrier\n", out);
}

/* ---- fish ---- */

static void fish_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void fish_condition(FILE *out, const char *name)
{
	const char *blank = strchr(name, ' ');

	fprintf(out, "__fish_seen_subcommand_from %.*s", (int)(blank ? blank - name : (long)strlen(name)), name);
	if (blank)
		fprintf(out, "; and __fish_seen_subcommand_from %s", blank + 1);
}

static void fish_option(FILE *out, const char *name, const struct option_row *o)
{
	fputs("complete -c carrier", out);
	if (name) {
		fputs(" -n '", out);
		fish_condition(out, name);
		fputc('\'', out);
	}
	if (o->letter)
		fprintf(out, " -s %c", o->letter);
	fprintf(out, " -l %s%s -d '", o->name, o->kind == OPTION_FLAG ? "" : " -r");
	fish_text(out, o->help);
	fputs("'\n", out);
}

static void fish_command(FILE *out, const struct command *cmd, const char *name)
{
	const char *blank = strchr(name, ' ');

	if (blank)
		fprintf(out, "complete -c carrier -n __fish_use_subcommand -a %.*s\n"
			"complete -c carrier -n '__fish_seen_subcommand_from %.*s' -a %s -d '",
			(int)(blank - name), name, (int)(blank - name), name, blank + 1);
	else
		fprintf(out, "complete -c carrier -n __fish_use_subcommand -a %s -d '", name);
	fish_text(out, cmd->help);
	fputs("'\n", out);

	for (const struct option_row *o = cmd->options; o && o->name; o++)
		fish_option(out, name, o);
	fputs("complete -c carrier -n '", out);
	fish_condition(out, name);
	fprintf(out, "'%s -a '", takes_files(cmd) ? " -F" : "");
	words_of_args(out, cmd->args);
	if (takes_names(cmd))
		fputs(" self (carrier names --complete 2>/dev/null)", out);
	fputs("'\n", out);
}

static void fish(FILE *out)
{
	fputs("# fish completion of carrier\ncomplete -c carrier -f\n", out);
	each_name(out, fish_command);
	for (const struct option_row *o = global_options; o->name; o++)
		fish_option(out, NULL, o);
}

int completion_print(FILE *out, const char *shell)
{
	static const struct {
		const char *shell;
		void (*print)(FILE *out);
	} table[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(shell, table[i].shell)) {
			table[i].print(out);
			return 0;
		}
	return ERR_UNKNOWN;
}
