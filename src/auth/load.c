/* [[authorize]] tables to rules. */
#include <errno.h>
#include <stdio.h>

#include "auth/internal.h"
#include "base/err.h"

struct loader {
	struct toml_table *table;
	const struct identity *self;
	struct toml_error *error;
	unsigned line;                  /* of the table, for what is missing in it */
};

static int refuse(const struct loader *l, const char *key, const char *why)
{
	const struct toml_value *v = toml_get(l->table, key);
	unsigned line = v ? toml_line(v) : 0;

	l->error->line = line ?: l->line;
	l->error->column = 1;
	snprintf(l->error->text, sizeof l->error->text, "%s: %s", key, why);
	return ERR_CONFIG;
}

static int read_string(const struct loader *l, const char *key, char **ret)
{
	const char *s;
	int found = toml_string(l->table, key, &s);

	if (found == ERR_TYPE)
		return refuse(l, key, "a string was expected");
	if (found <= 0)
		return found;
	*ret = strdup(s);
	return *ret ? 1 : -ENOMEM;
}

static int read_strings(const struct loader *l, const char *key, char **out, size_t max, size_t *ret_len)
{
	const struct toml_value *v = toml_get(l->table, key);
	size_t n;

	if (!v)
		return 0;
	if (toml_type(v) != TOML_ARRAY)
		return refuse(l, key, "an array of strings was expected");
	n = toml_array_len(v);
	if (n > max)
		return refuse(l, key, "too many entries");
	/* an empty list would read as "none" and mean "no constraint" */
	if (!n)
		return refuse(l, key, "an empty list grants nothing; leave the key out or name something");

	for (; *ret_len < n; (*ret_len)++) {
		const char *s = toml_value_string(toml_array_at(v, *ret_len));
		if (!s)
			return refuse(l, key, "an array of strings was expected");
		out[*ret_len] = strdup(s);
		if (!out[*ret_len])
			return -ENOMEM;
	}
	return 1;
}

static int read_time(const struct loader *l, const char *key, int64_t *ret)
{
	const struct toml_value *v = toml_get(l->table, key);
	int err;

	if (!v)
		return 0;
	switch (toml_type(v)) {
	case TOML_INTEGER:
		err = toml_value_integer(v, ret);
		break;
	case TOML_OFFSET_DATETIME:
		err = rfc3339_parse(ret, toml_value_raw(v));
		break;
	default:
		err = ERR_PARSE;
	}
	/* a zero that was written down is a date too, and no reason to allow for ever */
	if (err < 0 || *ret <= 0)
		return refuse(l, key, "a time is unix seconds or a date-time with a zone, after 1970");
	return 1;
}

static int read_subject(const struct loader *l, struct auth_rule *r)
{
	_cleanup_free_ char *text = NULL;
	struct text_error detail = { "not an identity" };
	int err = read_string(l, "identity", &text);

	if (err < 0)
		return err;
	if (!text)
		return refuse(l, "identity", "is missing; who is authorized?");
	err = auth_subject_parse(r, text, l->self, &detail);
	if (err == -ENOMEM)
		return err;
	return err < 0 ? refuse(l, "identity", detail.text) : 0;
}

static int read_rule(const struct loader *l, struct auth_rule *r)
{
	const char *key, *fault;
	int err;

	r->line = l->line;
	if ((err = read_subject(l, r)) < 0 ||
	    (err = read_string(l, "resource", &r->path)) < 0 ||
	    (err = read_strings(l, "methods", r->methods, AUTH_METHODS_MAX, &r->methods_len)) < 0 ||
	    (err = read_strings(l, "tcp", r->tcp, AUTH_TCP_MAX, &r->tcp_len)) < 0 ||
	    (err = read_string(l, "root", &r->root)) < 0 ||
	    (err = read_string(l, "user", &r->user)) < 0 ||
	    (err = read_time(l, "not_before", &r->not_before)) < 0 ||
	    (err = read_time(l, "expires", &r->expires)) < 0)
		return err;

	fault = auth_rule_fault(r, &key);
	return fault ? refuse(l, key, fault) : 0;
}

static unsigned line_of(struct toml_table *t)
{
	const struct toml_value *v = toml_get(t, "identity");

	if (!v)
		toml_key_at(t, 0, &v);
	return v ? toml_line(v) : 0;
}

static int load_one(struct auth *a, const struct loader *l)
{
	_cleanup_(rule_freep) struct auth_rule *r = calloc(1, sizeof *r);
	int err;

	if (!r)
		return -ENOMEM;
	err = read_rule(l, r);
	if (err < 0)
		return err;
	err = auth_put(a, r);
	if (err == ERR_LIMIT)
		return refuse(l, "identity", "too many rules");
	if (err < 0)
		return err;
	take(r);
	return 0;
}

/* The facts callback and the address of *a* stay; what they hold is exchanged. */
static void swap_rules(struct auth *a, struct auth *b)
{
	struct auth was = *a;

	a->rules = b->rules;
	a->by_identity = b->by_identity;
	a->anyone = b->anyone;
	a->teams = b->teams;
	b->rules = was.rules;
	b->by_identity = was.by_identity;
	b->anyone = was.anyone;
	b->teams = was.teams;
}

int auth_load(struct auth *a, struct toml *config, const struct identity *self,
	      struct toml_error *error)
{
	_cleanup_(auth_freep) struct auth *fresh = NULL;
	struct toml_table *root = toml_root(config);
	const struct toml_value *v = toml_get(root, "authorize");
	size_t n = toml_table_array_len(root, "authorize");
	int err = auth_new(&fresh);

	if (err < 0)
		return err;
	if (v && !n && !(toml_type(v) == TOML_ARRAY && !toml_array_len(v))) {
		*error = (struct toml_error){ .line = toml_line(v), .column = 1 };
		snprintf(error->text, sizeof error->text, "authorize: is written as [[authorize]] tables");
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < n; i++) {
		struct loader l = { .self = self, .error = error };

		l.table = toml_table_array_at(root, "authorize", i);
		l.line = line_of(l.table);
		err = load_one(fresh, &l);
		if (err < 0)
			return err;
	}
	swap_rules(a, fresh);
	return 0;
}
