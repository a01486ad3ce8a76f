/* names: this user's words for identities. Never authority. */
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "vault/settings.h"

static void print_one(const struct cli *c, const char *name, const char *id)
{
	struct out_object o;

	if (cli_flag(c, "complete")) {
		puts(name);
	} else if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "name", name);
		out_str(&o, "identity", id);
		out_end(&o);
	} else {
		printf("%s %s\n", name, id);
	}
}

static void print_table(const struct cli *c, struct toml_table *t)
{
	const struct toml_value *v;
	struct identity id;
	const char *name, *text;

	for (size_t i = 0; t && (name = toml_key_at(t, i, &v)); i++) {
		char shown[IDENTITY_STR_MAX];

		text = toml_value_string(v);
		if (!text || identity_parse(&id, text) < 0)
			continue;
		identity_format(shown, &id);
		print_one(c, name, shown);
	}
}

static int list(struct cli *c, const struct home *h)
{
	_cleanup_(toml_freep) struct toml *named = NULL;
	const char *slash = strrchr(h->config_path, '/');
	_cleanup_buf_ struct buf path = {};
	struct toml_error te;

	print_table(c, toml_value_table(toml_get(toml_root(h->config), "names")));
	buf_printf(&path, "%.*snamed.toml", slash ? (int)(slash - h->config_path) + 1 : 0, h->config_path);
	if (buf_err(&path) >= 0 && toml_load(&named, buf_str(&path), &te) >= 0)
		print_table(c, toml_root(named));
	return CLI_OK;
}

static int edit(struct home *h, const char *name, const char *id, struct home_error *error)
{
	_cleanup_buf_ struct buf path = {};
	int err;

	buf_add_str(&path, "names.");
	err = toml_quote_key(&path, name);
	if (err >= 0)
		err = id ? toml_set_string(toml_root(h->config), buf_str(&path), id)
			 : toml_remove(toml_root(h->config), buf_str(&path));
	return err < 0 ? err : home_save(h, error);
}

static int add(struct cli *c, struct home *h)
{
	const char *name = c->argv[1];
	struct home_error error = { "" };
	struct text_error detail;
	char text[IDENTITY_STR_MAX];
	struct identity id;
	int status, err;

	if (c->argc != 3)
		return cli_usage(c, "names add: a name and an identity were expected");
	if (name_check(name, &detail) < 0)
		return cli_fail(CLI_USAGE, "%s", detail.text);
	status = cli_subject(c, h, c->argv[2], &id);
	if (status)
		return status;
	identity_format(text, &id);
	err = edit(h, name, text, &error);
	return err < 0 ? cli_home_failed(&error, err) : CLI_OK;
}

static int rm(struct cli *c, struct home *h)
{
	struct toml_table *t = toml_value_table(toml_get(toml_root(h->config), "names"));
	struct home_error error = { "" };
	const char *key = NULL;
	int err;

	if (c->argc != 2)
		return cli_usage(c, "names rm: a name was expected");
	for (size_t i = 0; t && (key = toml_key_at(t, i, NULL)) && strcmp(key, c->argv[1]); i++)
		;
	if (!key)
		return cli_fail(CLI_FAILED, "\"%s\" is not a name in %s", c->argv[1], h->config_path);
	err = edit(h, c->argv[1], NULL, &error);
	return err < 0 ? cli_home_failed(&error, err) : CLI_OK;
}

int cmd_names(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error;

	if (cli_flag(c, "complete"))
		return home_open(&h, cli_option(c, "config"), &error) < 0 ? CLI_CONFIG : list(c, &h);
	int status = cli_home(c, &h);
	if (status)
		return status;
	if (!c->argc)
		return list(c, &h);
	if (!strcmp(c->argv[0], "add"))
		return add(c, &h);
	if (!strcmp(c->argv[0], "rm"))
		return rm(c, &h);
	return cli_usage(c, "names: \"%s\" is neither add nor rm", c->argv[0]);
}
