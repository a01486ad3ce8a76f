/* Aliases, and TARGETs that may be one. A name is never authority: it lives in
 * this user's files and stands for an identity. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "vault/internal.h"
#include "vault/settings.h"

/* What is as long as this and begins like an identity is meant as one, mistyped or not. */
enum { LOOKS_LIKE_IDENTITY = 40, TARGET_MAX = 400 };

static bool is_reserved(const char *name)
{
	static const char *const words[] = { "self", "sysinfo", "sensors", "discovery", "disco", "trace" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(name, words[i]))
			return true;
	return false;
}

static bool looks_like_identity(const char *text)
{
	struct identity id;

	if (text[0] != 'c' && text[0] != 'o')
		return false;
	/* the old form without leading zeros can be as short as any name */
	return strlen(text) >= LOOKS_LIKE_IDENTITY || identity_parse(&id, text) >= 0;
}

static bool is_name(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return n && n <= NAME_MAX_LEN && !name[n] && !strchr("._-", name[0]);
}

int name_check(const char *name, struct text_error *detail)
{
	if (is_reserved(name))
		return refuse_text(detail, "\"%s\" is a word of the command line and cannot be a name", name);
	if (looks_like_identity(name))
		return refuse_text(detail, "a name may not look like an identity");
	if (!is_name(name))
		return refuse_text(detail, "a name has 1 to %d letters, digits, '.', '_' or '-', and begins with a letter or digit",
				   NAME_MAX_LEN);
	return 0;
}

/* ---- where names are kept ---- */

static struct toml_table *names_table(const struct home *h)
{
	const struct toml_value *v = toml_get(toml_root(h->config), "names");

	return v ? toml_value_table(v) : NULL;
}

int names_check_all(const struct home *h, struct home_error *error)
{
	struct toml_table *t = names_table(h);
	const struct toml_value *v = toml_get(toml_root(h->config), "names");
	struct text_error detail = { "a string was expected" };
	struct identity id;
	const char *name;

	if (!t)
		return v ? home_refuse_at(error, h, v, "names: is written as a table, [names]") : 0;
	for (size_t i = 0; (name = toml_key_at(t, i, &v)); i++) {
		const char *text = toml_value_string(v);

		if (name_check(name, &detail) < 0)
			return home_refuse_at(error, h, v, "names: %.64s: %s", name, detail.text);
		if (!text || text_parse(id.key, TEXT_IDENTITY, text, &detail) < 0)
			return home_refuse_at(error, h, v, "names: %s: %s", name, detail.text);
	}
	return 0;
}

static const struct toml_value *find_name(struct toml_table *t, const char *name)
{
	const struct toml_value *v;
	const char *key;

	/* not toml_get(): a name may have dots */
	for (size_t i = 0; t && (key = toml_key_at(t, i, &v)); i++)
		if (!strcmp(key, name))
			return v;
	return NULL;
}

static int value_to_id(struct identity *ret, const struct toml_value *v, const char *file,
		       const char *name, struct home_error *error)
{
	const char *text = toml_value_string(v);
	struct text_error detail = { "a string was expected" };

	if (!text || text_parse(ret->key, TEXT_IDENTITY, text, &detail) < 0)
		return home_refuse(error, "%.100s:%u: %s: %s", file, toml_line(v), name, detail.text);
	return 1;
}

static int find_in_named_toml(struct identity *ret, const struct home *h, const char *name,
			      struct home_error *error)
{
	_cleanup_free_ char *path = home_named_path(h);
	_cleanup_(toml_freep) struct toml *t = NULL;
	const struct toml_value *v;
	struct toml_error te = { 0 };
	int err = path ? toml_load(&t, path, &te) : -ENOMEM;

	if (err == ERR_CONFIG)
		return home_refuse(error, "%.100s:%u:%u: %s", path, te.line, te.column, te.text);
	if (err < 0)
		return home_failed(error, err, path ?: "named.toml", "cannot be read");
	v = find_name(toml_root(t), name);
	return v ? value_to_id(ret, v, path, name, error) : 0;
}

static int find_alias(struct identity *ret, const struct home *h, const char *name, struct home_error *error)
{
	const struct toml_value *v = find_name(names_table(h), name);

	if (v)
		return value_to_id(ret, v, h->config_path, name, error);
	return find_in_named_toml(ret, h, name, error);
}

/* ---- targets ---- */

static int refuse_target(struct home_error *error, int err, const char *text, const char *why)
{
	/* a secret typed in the wrong place is not repeated: errors end up in logs */
	if (strstr(why, "secret"))
		snprintf(error->text, sizeof error->text, "%.3s...: %s", text, why);
	else
		snprintf(error->text, sizeof error->text, "\"%.80s\": %s", text, why);
	return err;
}

static int who_is(struct target *t, const struct home *h, const struct identity *self, const char *text,
		  struct home_error *error)
{
	struct text_error detail = { "" };
	int err;

	if (!strcmp(text, "self")) {
		if (!self)
			return refuse_target(error, ERR_STATE, text, "there is no identity here yet; `carrier setup` makes one");
		t->self = true;
		t->id = *self;
		return 0;
	}
	if (looks_like_identity(text)) {
		err = text_parse(t->id.key, TEXT_IDENTITY, text, &detail);
		return err < 0 ? refuse_target(error, err, text, detail.text) : 0;
	}
	if (name_check(text, &detail) < 0)
		return refuse_target(error, ERR_PARSE, text, detail.text);
	err = find_alias(&t->id, h, text, error);
	if (!err)
		return refuse_target(error, ERR_UNKNOWN, text, "is neither an identity nor a name in [names]");
	return MIN(err, 0);
}

int target_parse(struct target *ret, const struct home *h, const struct identity *self,
		 const char *text, struct home_error *error)
{
	const char *at = strchr(text, '@');
	size_t n = at ? (size_t)(at - text) : strlen(text);
	struct text_error detail = { "" };
	struct target t = { 0 };
	char who[TARGET_MAX];
	int err;

	error->text[0] = 0;
	if (n >= sizeof who)
		return refuse_target(error, ERR_LENGTH, text, "is too long for an identity or a name");
	memcpy(who, text, n);
	who[n] = 0;
	err = who_is(&t, h, self, who, error);
	if (err < 0)
		return err;
	if (at && t.self)
		return refuse_target(error, ERR_PARSE, text, "\"self\" has no address");
	if (at) {
		err = host_port_parse(t.host, &t.port, at + 1, &detail);
		if (err < 0)
			return refuse_target(error, err, text, detail.text);
		t.has_addr = true;
	}
	*ret = t;
	return 0;
}
