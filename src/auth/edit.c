/* Changes to the rules, in memory and in the configuration alike. The
 * configuration goes first: it can fail. */
#include <errno.h>

#include "auth/internal.h"
#include "base/err.h"

static bool in_step(const struct auth *a, struct toml *config)
{
	return !config || toml_table_array_len(toml_root(config), "authorize") == a->rules.len;
}

static int write_rule(struct toml_table *t, const struct auth_rule *r)
{
	char subject[AUTH_SUBJECT_STR_MAX];
	int err;

	auth_subject_format(subject, r);
	if ((err = toml_set_string(t, "identity", subject)) < 0 ||
	    (err = toml_set_string(t, "resource", r->path)) < 0 ||
	    (r->methods_len && (err = toml_set_strings(t, "methods", (const char *const *)r->methods, r->methods_len)) < 0) ||
	    (r->tcp_len && (err = toml_set_strings(t, "tcp", (const char *const *)r->tcp, r->tcp_len)) < 0) ||
	    (r->root && (err = toml_set_string(t, "root", r->root)) < 0) ||
	    (r->user && (err = toml_set_string(t, "user", r->user)) < 0) ||
	    (r->not_before && (err = toml_set_integer(t, "not_before", r->not_before)) < 0) ||
	    (r->expires && (err = toml_set_integer(t, "expires", r->expires)) < 0))
		return err;
	return 0;
}

static int append_to_config(const struct auth *a, struct toml *config, const struct auth_rule *r)
{
	struct toml_table *t;
	int err;

	if (!config)
		return 0;
	/* `authorize = []` has no place for a table */
	if (!a->rules.len && (err = toml_remove(toml_root(config), "authorize")) < 0)
		return err;
	err = toml_table_array_add(toml_root(config), "authorize", &t);
	if (err < 0)
		return err;
	err = write_rule(t, r);
	if (err < 0 && toml_table_array_remove(toml_root(config), "authorize", a->rules.len) < 0)
		return err;
	return err;
}

static int append(struct auth *a, struct toml *config, const struct auth_rule *rule)
{
	_cleanup_(rule_freep) struct auth_rule *r = NULL;
	int err = rule_dup(&r, rule);

	if (err < 0)
		return err;
	r->line = 0;
	if (a->rules.len >= AUTH_RULES_MAX)
		return ERR_LIMIT;
	err = append_to_config(a, config, r);
	if (err < 0)
		return err;
	err = auth_put(a, r);
	if (err < 0)
		return err;
	take(r);
	return 1;
}

/* Does a's time include all of b's? Zero is open on both ends. */
static bool time_includes(const struct auth_rule *a, const struct auth_rule *b)
{
	bool begins = !a->not_before || (b->not_before && a->not_before <= b->not_before);
	bool ends = !a->expires || (b->expires && a->expires >= b->expires);

	return begins && ends;
}

static int set_time(struct toml_table *t, const char *key, int64_t v)
{
	return v ? toml_set_integer(t, key, v) : toml_remove(t, key);
}

static int widen(struct auth *a, struct toml *config, size_t i, const struct auth_rule *rule)
{
	struct auth_rule *r = a->rules.at[i];
	int err;

	if (config) {
		struct toml_table *t = toml_table_array_at(toml_root(config), "authorize", i);
		err = set_time(t, "not_before", rule->not_before);
		if (err >= 0)
			err = set_time(t, "expires", rule->expires);
		if (err < 0)
			return err;
	}
	r->not_before = rule->not_before;
	r->expires = rule->expires;
	return 1;
}

int auth_add(struct auth *a, struct toml *config, const struct auth_rule *rule)
{
	const char *key;
	size_t wider = a->rules.len;

	if (auth_rule_fault(rule, &key))
		return ERR_PARSE;
	if (!in_step(a, config))
		return ERR_CHANGED;
	for (size_t i = 0; i < a->rules.len; i++) {
		if (!rule_same_grant(a->rules.at[i], rule))
			continue;
		if (time_includes(a->rules.at[i], rule))
			return 0;
		if (wider == a->rules.len && time_includes(rule, a->rules.at[i]))
			wider = i;
	}
	return wider < a->rules.len ? widen(a, config, wider, rule) : append(a, config, rule);
}

/* Could who change rules if those like *without* were gone? */
static bool may_change(const struct auth *a, const struct identity *who, int64_t now,
		       const struct auth_rule *without)
{
	struct walk w = { .a = a, .who = who };
	const struct auth_rule *r;

	while ((r = walk_next(&w)))
		if (auth_glob_matches(r->path, AUTH_CHANGE_PATH) && rule_time(r, now) == AUTH_BY_RULE &&
		    !(without && rule_like(r, without)))
			return true;
	return false;
}

int auth_del_like(struct auth *a, struct toml *config, const struct auth_rule *like,
		  const struct identity *caller, int64_t now)
{
	if (!in_step(a, config))
		return ERR_CHANGED;
	if (caller && may_change(a, caller, now, NULL) && !may_change(a, caller, now, like))
		return ERR_LASTWAY;
	for (size_t i = a->rules.len; config && i-- > 0; ) {
		if (!rule_like(a->rules.at[i], like))
			continue;
		int err = toml_table_array_remove(toml_root(config), "authorize", i);
		if (err < 0)
			return err;
	}
	return auth_drop(a, like);
}

int auth_del(struct auth *a, struct toml *config, const struct identity *subject, const char *path,
	     const struct identity *caller, int64_t now)
{
	struct auth_rule like = { .kind = AUTH_IDENTITY, .identity = *subject, .path = (char *)path };

	return auth_del_like(a, config, &like, caller, now);
}
