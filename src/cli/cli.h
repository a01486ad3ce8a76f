/* The command `carrier`: one table of commands (commands.c) from which dispatch,
 * help, completion and the manual are made.
 *
 * To add a command: 1. write cmd_NAME.c with `int cmd_name(struct cli *c)`, which
 * returns an exit status; 2. declare it in cmd.h; 3. give it a row in commands.c;
 * 4. add the file to meson.build. stdout is data, stderr is talk. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"
#include "vault/home.h"

/* Exit statuses, sysexits where it has one. */
enum cli_status {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_UNAVAILABLE = 69,
	CLI_AGAIN = 75,
	CLI_DENIED = 77,
	CLI_CONFIG = 78,
	CLI_TIMEOUT = 124,
	CLI_PIPE = 141,         /* the reader of stdout has left: what SIGPIPE would give */
	CLI_LOST = 255,         /* a shell whose connection broke */
};

enum { CLI_SCHEMA = 1 };        /* of every object that --json prints */

/* ---- the table ---- */
enum option_kind {
	OPTION_FLAG,
	OPTION_VALUE,
	OPTION_PAIR,            /* "K=V" or "K V"; kept as "K=V" */
};

struct option_row {
	char letter;            /* 0: none */
	const char *name;       /* "claim": --claim; never NULL, the key to ask with */
	enum option_kind kind;
	const char *arg;        /* how help names the value */
	const char *help;
	bool repeat;            /* else the last one counts */
};

enum command_flags {
	COMMAND_HIDDEN = 1 << 0,        /* not in the overview */
	COMMAND_EXTERNAL = 1 << 1,      /* a program of its own: `carrier broker` runs carrier-broker */
};

struct cli;
struct command {
	const char *name;               /* "net create": words with one blank */
	const char *aliases;            /* "id,vault identity"; NULL: none */
	const char *group;              /* heading in the overview */
	const char *args;               /* "TARGET [PATH]"; several forms are parted by '|' */
	const char *help;               /* one line */
	const char *details;            /* paragraphs; NULL: none */
	const struct option_row *options;       /* ended by a row without a name; NULL: none */
	int min_args, max_args;         /* max -1: any number */
	int rest_after;                 /* from this many arguments on nothing is an option; 0: never */
	unsigned flags;
	int (*run)(struct cli *c);
	const char *program;            /* COMMAND_EXTERNAL: what runs */
};

extern const struct command commands[];         /* ended by a NULL name */
extern const struct option_row global_options[];

/* The longest name or alias that the first words spell. NULL: none. */
const struct command *command_find(int argc, char *const *argv, int *ret_words, const char **ret_spelled);
/* The name or alias nearest to what was typed; NULL if nothing is near. */
const char *command_nearest(const char *typed);
/* Walks name and aliases of a command: *at starts at 0; false at the end. */
bool command_spelling(const struct command *cmd, size_t *at, char *out, size_t size);

/* ---- one invocation ---- */
struct option_set {
	const struct option_row *row;
	char *value;            /* NULL for a flag */
};

struct cli {
	const struct command *command;
	const char *spelled;    /* the name or alias as typed: decides the shape of the output */
	int argc;               /* arguments, without options */
	char **argv;            /* ended by NULL */
	struct option_set *options;
	size_t options_len;
};

/* Parses options and arguments behind the verb into *c (options are added to those
 * that are there). ERR_PARSE and why; release with cli_done(). */
enum { CLI_WHY_MAX = 256 };
int cli_parse(struct cli *c, int argc, char *const *argv, char why[static CLI_WHY_MAX]) _must_check_;
/* Only the global options before the verb; returns how many words they are, or ERR_PARSE. */
int cli_parse_global(struct cli *c, int argc, char *const *argv, char why[static CLI_WHY_MAX]) _must_check_;
void cli_done(struct cli *c);

bool cli_flag(const struct cli *c, const char *name);
const char *cli_option(const struct cli *c, const char *name);          /* the last one; NULL if absent */
const char *cli_option_at(const struct cli *c, const char *name, size_t i);     /* the i-th one */
bool cli_json(const struct cli *c);
bool cli_quiet(const struct cli *c);
bool cli_is(const struct cli *c, const char *spelling);
/* Whole number of an option; fallback if absent. False: said so already. */
bool cli_number(const struct cli *c, const char *name, unsigned long max, unsigned long fallback,
		unsigned long *ret) _must_check_;

/* ---- saying ---- */
/* "carrier: ..." on stderr; return the status given. */
int cli_fail(int status, const char *fmt, ...) _printf_(2, 3);
void cli_note(const struct cli *c, const char *fmt, ...) _printf_(2, 3);        /* not with --quiet */
int cli_usage(const struct cli *c, const char *fmt, ...) _printf_(2, 3);        /* CLI_USAGE */
/* The exit status that stands for an error. */
int cli_status_of(int err);
/* Nothing is said when only the reader has left. */
int cli_write_failed(int err);
/* Flushes stdout; a full disk or a closed pipe is a failure that must be seen. */
int cli_finish(int status);
bool cli_colors(FILE *f);

/* ---- the home ---- */
/* Opens it; on failure says why and returns an exit status above 0. */
int cli_home(struct cli *c, struct home *ret) _must_check_;
int cli_home_failed(const struct home_error *error, int err);   /* says, returns the status */
/* The secret, with the passphrase asked for if need be. */
int cli_secret(struct cli *c, const struct home *h, struct sign_seed *ret) _must_check_;
/* Identity only: the same, without keeping the secret. */
int cli_identity(struct cli *c, const struct home *h, struct identity *ret) _must_check_;
/* From --passphrase-file, CARRIER_PASSPHRASE_FILE or the terminal. confirm: ask twice.
 * ERR_STATE: no terminal to ask at. */
int cli_passphrase(const struct cli *c, const char *prompt, bool confirm, struct buf *ret) _must_check_;
/* An identity as typed: text of either generation, a name, or "self". */
int cli_subject(struct cli *c, const struct home *h, const char *text, struct identity *ret) _must_check_;

/* main() of the program, callable from tests. */
int cli_main(int argc, char **argv);
