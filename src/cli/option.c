/* Options anywhere among the arguments, until "--" or until a command takes the
 * rest as it is. getopt_long() has no options with two values ("-e K V") and no
 * point after which nothing is an option, so this is our own. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

struct words {
	int argc, at;
	char *const *argv;
};

static int refuse_option(char why[static CLI_WHY_MAX], const char *fmt, ...) _printf_(2, 3);
static int refuse_option(char why[static CLI_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CLI_WHY_MAX, fmt, ap);
	va_end(ap);
	return ERR_PARSE;
}

static const struct option_row *find_in(const struct option_row *rows, char letter, const char *name, size_t len)
{
	for (; rows && rows->name; rows++) {
		if (letter && rows->letter == letter)
			return rows;
		if (!letter && strlen(rows->name) == len && !memcmp(rows->name, name, len))
			return rows;
	}
	return NULL;
}

/* A command's own option before a global one of the same spelling. */
static const struct option_row *find_option(const struct cli *c, char letter, const char *name, size_t len)
{
	const struct option_row *o = c->command ? find_in(c->command->options, letter, name, len) : NULL;

	return o ?: find_in(global_options, letter, name, len);
}

/* Takes over value on success. */
static int add(struct cli *c, const struct option_row *row, char *value)
{
	struct option_set *o = reallocarray(c->options, c->options_len + 1, sizeof *o);

	if (!o)
		return -ENOMEM;
	c->options = o;
	o[c->options_len++] = (struct option_set){ row, value };
	return 0;
}

/* inline_value: what stands behind '=' or in the same word; NULL: the next word. */
static int take_value(struct cli *c, struct words *w, const struct option_row *row, const char *spelled,
		      const char *inline_value, char why[static CLI_WHY_MAX])
{
	const char *value = inline_value;
	_cleanup_free_ char *kept = NULL;
	int err;

	if (row->kind == OPTION_FLAG)
		return inline_value ? refuse_option(why, "%s takes no value", spelled) : add(c, row, NULL);
	if (!value && w->at < w->argc)
		value = w->argv[w->at++];
	if (!value)
		return refuse_option(why, "%s needs a value: %s %s", spelled, spelled, row->arg);
	if (row->kind == OPTION_PAIR && !strchr(value, '=')) {
		if (w->at >= w->argc)
			return refuse_option(why, "%s needs a name and a value: %s NAME=VALUE", spelled, spelled);
		if (asprintf(&kept, "%s=%s", value, w->argv[w->at++]) < 0) {
			kept = NULL;
			return -ENOMEM;
		}
	} else {
		kept = strdup(value);
		if (!kept)
			return -ENOMEM;
	}
	err = add(c, row, kept);
	if (err >= 0)
		(void)take(kept);
	return err;
}

static int long_option(struct cli *c, struct words *w, const char *word, char why[static CLI_WHY_MAX])
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	const struct option_row *o = find_option(c, 0, word + 2, len - 2);
	char spelled[64];

	snprintf(spelled, sizeof spelled, "%.*s", (int)len, word);
	if (!o)
		return refuse_option(why, "there is no option %s", spelled);
	return take_value(c, w, o, spelled, eq ? eq + 1 : NULL, why);
}

static int short_options(struct cli *c, struct words *w, const char *word, char why[static CLI_WHY_MAX])
{
	for (const char *p = word + 1; *p; p++) {
		const struct option_row *o = find_option(c, *p, NULL, 0);
		char spelled[3] = { '-', *p, 0 };

		if (!o)
			return refuse_option(why, "there is no option %s", spelled);
		if (o->kind != OPTION_FLAG)
			return take_value(c, w, o, spelled, p[1] ? p + 1 : NULL, why);
		int err = add(c, o, NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

static int one_option(struct cli *c, struct words *w, char why[static CLI_WHY_MAX])
{
	const char *word = w->argv[w->at++];

	return word[1] == '-' ? long_option(c, w, word, why) : short_options(c, w, word, why);
}

static bool is_option(const char *word) { return word[0] == '-' && word[1]; }

int cli_parse_global(struct cli *c, int argc, char *const *argv, char why[static CLI_WHY_MAX])
{
	struct words w = { .argc = argc, .argv = argv };

	while (w.at < argc && is_option(argv[w.at]) && strcmp(argv[w.at], "--")) {
		int err = one_option(c, &w, why);
		if (err < 0)
			return err;
	}
	return w.at;
}

int cli_parse(struct cli *c, int argc, char *const *argv, char why[static CLI_WHY_MAX])
{
	struct words w = { .argc = argc, .argv = argv };
	int rest = c->command->rest_after;
	bool plain = false;

	free(c->argv);
	c->argc = 0;
	c->argv = calloc((size_t)argc + 1, sizeof *c->argv);
	if (!c->argv)
		return -ENOMEM;
	while (w.at < argc) {
		if (plain || !is_option(argv[w.at])) {
			c->argv[c->argc++] = argv[w.at++];
			plain |= rest && c->argc >= rest;
		} else if (!strcmp(argv[w.at], "--")) {
			w.at++;
			plain = true;
		} else {
			int err = one_option(c, &w, why);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

void cli_done(struct cli *c)
{
	for (size_t i = 0; i < c->options_len; i++) {
		if (c->options[i].value)
			wipe(c->options[i].value, strlen(c->options[i].value));
		free(c->options[i].value);
	}
	free(c->options);
	free(c->argv);
	*c = (struct cli){ 0 };
}

/* ---- asking ---- */

const char *cli_option_at(const struct cli *c, const char *name, size_t i)
{
	for (size_t k = 0; k < c->options_len; k++)
		if (!strcmp(c->options[k].row->name, name) && i-- == 0)
			return c->options[k].value;
	return NULL;
}

const char *cli_option(const struct cli *c, const char *name)
{
	for (size_t k = c->options_len; k-- > 0; )
		if (!strcmp(c->options[k].row->name, name))
			return c->options[k].value;
	return NULL;
}

bool cli_flag(const struct cli *c, const char *name)
{
	for (size_t k = 0; k < c->options_len; k++)
		if (!strcmp(c->options[k].row->name, name))
			return true;
	return false;
}

bool cli_number(const struct cli *c, const char *name, unsigned long max, unsigned long fallback,
		unsigned long *ret)
{
	const char *text = cli_option(c, name);
	char *end;

	if (!text) {
		*ret = fallback;
		return true;
	}
	errno = 0;
	unsigned long v = strtoul(text, &end, 10);
	if (!*text || *text == '-' || *text == '+' || *end || errno || v > max) {
		cli_usage(c, "--%s: a whole number up to %lu was expected, not \"%s\"", name, max, text);
		return false;
	}
	*ret = v;
	return true;
}

bool cli_json(const struct cli *c) { return cli_flag(c, "json"); }
bool cli_quiet(const struct cli *c) { return cli_flag(c, "quiet"); }
bool cli_is(const struct cli *c, const char *spelling) { return !strcmp(c->spelled, spelling); }
