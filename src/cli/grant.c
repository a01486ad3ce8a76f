#include "cli/grant.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "auth/auth.h"
#include "base/err.h"
#include "cli/ask.h"
#include "cli/out.h"
#include "service/config.h"
#include "vault/settings.h"
#include "wire/json.h"

enum { SAVE_TRIES = 3 };

/* ---- what was typed ---- */

/* "*" and teams as they are, names and either generation become generation 2. */
static int subject_text(struct cli *c, const struct home *h, const char *typed, char out[static AUTH_SUBJECT_STR_MAX])
{
	struct identity id;
	int status;

	if (!strcmp(typed, "*") || !strncmp(typed, "team:", 5)) {
		snprintf(out, AUTH_SUBJECT_STR_MAX, "%s", typed);
		return 0;
	}
	status = cli_subject(c, h, typed, &id);
	if (!status)
		identity_format(out, &id);
	return status;
}

static int time_option(const struct cli *c, const char *name, int64_t *ret)
{
	const char *text = cli_option(c, name);

	*ret = 0;
	if (text && grant_time(ret, text, time(NULL)) < 0)
		return cli_usage(c, "--%s: \"%s\" is no time: 2026-01-31, 2026-01-31T12:00:00Z, 30m, 12h, 7d", name, text);
	return 0;
}

/* ---- here ---- */

static int split_words(char *words, char **out, size_t max, size_t *ret_len)
{
	char *rest, *word;

	*ret_len = 0;
	for (word = strtok_r(words, " ,", &rest); word; word = strtok_r(NULL, " ,", &rest)) {
		if (*ret_len >= max)
			return ERR_LIMIT;
		out[*ret_len] = strdup(word);
		if (!out[*ret_len])
			return -ENOMEM;
		(*ret_len)++;
	}
	return 0;
}

static int dup_option(const struct cli *c, const char *name, char **ret)
{
	const char *text = cli_option(c, name);

	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int fill_rule(const struct cli *c, struct auth_rule *r, const char *subject, const char *path)
{
	struct text_error detail = { "malformed" };
	_cleanup_free_ char *methods = NULL;
	const char *tcp;
	int err = auth_subject_parse(r, subject, NULL, &detail);

	if (err < 0) {
		cli_usage(c, "%s: %s", subject, detail.text);
		return err;
	}
	r->path = strdup(path);
	if (!r->path)
		return -ENOMEM;
	err = dup_option(c, "root", &r->root);
	if (err >= 0)
		err = dup_option(c, "user", &r->user);
	if (err >= 0)
		err = dup_option(c, "methods", &methods);
	if (err >= 0 && methods)
		err = split_words(methods, r->methods, AUTH_METHODS_MAX, &r->methods_len);
	for (size_t i = 0; err >= 0 && (tcp = cli_option_at(c, "tcp", i)); i++) {
		if (i >= AUTH_TCP_MAX)
			return ERR_LIMIT;
		r->tcp[i] = strdup(tcp);
		if (!r->tcp[i])
			return -ENOMEM;
		r->tcp_len++;
	}
	return err;
}

/* Loads the rules, edits, saves; again if somebody else saved meanwhile. */
static int edit_here(struct home *h, const struct auth_rule *rule, bool add)
{
	struct home_error error = { "" };
	struct toml_error te = { 0 };
	int err = 0, changed = 0;

	for (int i = 0; i < SAVE_TRIES; i++) {
		_cleanup_(auth_freep) struct auth *a = NULL;

		err = auth_new(&a);
		if (err >= 0)
			err = auth_load(a, h->config, NULL, &te);
		if (err == ERR_CONFIG)
			return cli_fail(CLI_CONFIG, "%s:%u:%u: %s", h->config_path, te.line, te.column, te.text);
		if (err >= 0)
			err = changed = add ? auth_add(a, h->config, rule) : auth_del_like(a, h->config, rule, NULL, time(NULL));
		if (err >= 0)
			err = home_save(h, &error);
		if (err != ERR_CHANGED)
			break;
		err = home_reload(h, &error);
		if (err < 0)
			break;
	}
	if (err < 0)
		return cli_home_failed(&error, err);
	if (!add && !changed)
		return cli_fail(CLI_FAILED, "there is no such rule in %s", h->config_path);
	return CLI_OK;
}

static int add_here(struct cli *c, struct home *h, const char *subject, const char *path)
{
	_cleanup_(auth_rule_done) struct auth_rule r = { 0 };
	const char *fault, *key;
	int status = time_option(c, "not-before", &r.not_before) ?: time_option(c, "expires", &r.expires);

	if (status)
		return status;
	int err = fill_rule(c, &r, subject, path);
	if (err < 0)
		return err == ERR_PARSE ? CLI_USAGE : cli_fail(CLI_FAILED, "%s", err_text(err));
	fault = auth_rule_fault(&r, &key);
	if (fault)
		return cli_fail(CLI_USAGE, "%s: %s", key, fault);
	return edit_here(h, &r, true);
}

static int del_here(struct home *h, const char *subject, const char *path)
{
	_cleanup_(auth_rule_done) struct auth_rule r = { 0 };
	struct text_error detail = { "malformed" };

	if (auth_subject_parse(&r, subject, NULL, &detail) < 0)
		return cli_fail(CLI_USAGE, "%s: %s", subject, detail.text);
	if (path && !(r.path = strdup(path)))
		return cli_fail(CLI_FAILED, "%s", err_text(-ENOMEM));
	return edit_here(h, &r, false);
}

static void print_rule(const struct cli *c, const struct auth_rule *r)
{
	char subject[AUTH_SUBJECT_STR_MAX];
	struct out_object o;

	auth_subject_format(subject, r);
	if (!cli_json(c)) {
		printf("%s %s\n", subject, r->path);
		return;
	}
	out_begin(&o);
	out_str(&o, "identity", subject);
	out_str(&o, "resource", r->path);
	if (r->root)
		out_str(&o, "root", r->root);
	if (r->user)
		out_str(&o, "user", r->user);
	if (r->not_before)
		out_uint(&o, "not_before", (uint64_t)r->not_before);
	if (r->expires)
		out_uint(&o, "expires", (uint64_t)r->expires);
	out_end(&o);
}

static int list_here(struct cli *c, struct home *h)
{
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct toml_error te = { 0 };
	struct identity self;
	bool has_self = toml_get(toml_root(h->config), "authorize") && !cli_identity(c, h, &self);
	int err = auth_new(&a);

	if (err >= 0)
		err = auth_load(a, h->config, has_self ? &self : NULL, &te);
	if (err == ERR_CONFIG)
		return cli_fail(CLI_CONFIG, "%s:%u:%u: %s", h->config_path, te.line, te.column, te.text);
	if (err < 0)
		return cli_fail(CLI_FAILED, "%s", err_text(err));
	for (size_t i = 0; i < auth_len(a); i++)
		print_rule(c, auth_at(a, i));
	return CLI_OK;
}

/* ---- on a device ---- */

/* One object a line, as the device sends it. */
static void on_message(void *userdata, struct ask *, struct span m)
{
	struct cli *c = userdata;
	_cleanup_buf_ struct buf b = {};
	struct json json = JSON(&b);
	struct cbor subject = cbor_map_find(m, "identity"), path = cbor_map_find(m, "resource");
	struct span s = cbor_text(&subject), p = cbor_text(&path);

	if (!cli_json(c) && s.len && p.len)
		printf("%.*s %.*s\n", (int)s.len, (const char *)s.data, (int)p.len, (const char *)p.data);
	else if (cli_json(c) && json_from_cbor(&json, m) >= 0 && b.len > 2)
		printf("{\"schema\":%d,%s\n", CLI_SCHEMA, buf_str(&b) + 1);
	fflush(stdout);
}

static void ignore_message(void *, struct ask *, struct span) {}

static int ask_device(struct cli *c, const struct grant *g, const struct config_request *rq, bool print)
{
	static const struct ask_ops printing = { .message = on_message }, silent = { .message = ignore_message };
	_cleanup_(buf_wipe) struct buf b = {};

	config_put_request(&b, rq);
	if (buf_err(&b) < 0 || b.len > HEADERS_LEN_MAX)
		return cli_usage(c, "that is too much for one request");
	return ask_run(c, g->target, rq->path, buf_span(&b), print ? &printing : &silent, c);
}

static int add_there(struct cli *c, const struct grant *g, const char *subject)
{
	_cleanup_buf_ struct buf tcp = {};
	const char *one;
	struct config_request rq = {
		.path = g->generation1 ? CONFIG_AUTHORIZE_PATH : CONFIG_AUTH_ADD_PATH,
		.method = g->generation1 ? "POST" : NULL,
		.identity = subject, .resource = g->path,
		.methods = cli_option(c, "methods"), .root = cli_option(c, "root"), .user = cli_option(c, "user"),
		.code = cli_option(c, "claim"),
	};
	int status = time_option(c, "not-before", &rq.not_before) ?: time_option(c, "expires", &rq.expires);

	if (status)
		return status;
	for (size_t i = 0; (one = cli_option_at(c, "tcp", i)); i++)
		buf_printf(&tcp, "%s%s", i ? " " : "", one);
	if (tcp.len)
		rq.tcp = buf_str(&tcp);
	return ask_device(c, g, &rq, false);
}

static int del_there(struct cli *c, const struct grant *g, const char *subject)
{
	return ask_device(c, g, &(struct config_request){
		.path = g->generation1 ? CONFIG_AUTHORIZE_PATH : CONFIG_AUTH_DEL_PATH,
		.method = g->generation1 ? "DELETE" : NULL, .identity = subject, .resource = g->path }, false);
}

/* ---- either ---- */

static bool is_here(const struct grant *g) { return !g->target || !strcmp(g->target, "self"); }

int grant_add(struct cli *c, const struct grant *g)
{
	_cleanup_(home_done) struct home h = { 0 };
	char subject[AUTH_SUBJECT_STR_MAX];
	int status = cli_home(c, &h) ?: subject_text(c, &h, g->subject, subject);

	if (status)
		return status;
	if (auth_path_check(g->path) < 0)
		return cli_fail(CLI_USAGE, "\"%s\" is no path: it is '*', begins with '/', or is the beginning of one with '*' "
				"at its end", g->path);
	return is_here(g) ? add_here(c, &h, subject, g->path) : add_there(c, g, subject);
}

int grant_del(struct cli *c, const struct grant *g)
{
	_cleanup_(home_done) struct home h = { 0 };
	char subject[AUTH_SUBJECT_STR_MAX];
	int status = cli_home(c, &h) ?: subject_text(c, &h, g->subject, subject);

	if (status)
		return status;
	return is_here(g) ? del_here(&h, subject, g->path) : del_there(c, g, subject);
}

int grant_list(struct cli *c, const struct grant *g)
{
	_cleanup_(home_done) struct home h = { 0 };
	int status;

	if (!is_here(g))
		return ask_device(c, g, &(struct config_request){ .path = CONFIG_AUTH_LIST_PATH }, true);
	status = cli_home(c, &h);
	return status ?: list_here(c, &h);
}
