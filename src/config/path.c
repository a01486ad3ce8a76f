/* Dotted paths of callers, and where they lead. */
#include "base/err.h"
#include "config/document.h"

/* Reads one part into *out; the first character after it, or NULL. In "" a
 * backslash takes the next character as it is. */
static const char *read_part(const char *s, char **out, const char *end)
{
	char quote = *s == '"' || *s == '\'' ? *s : 0;
	const char *from = s;

	for (s += quote != 0; *s && *s != (quote ?: '.'); s++) {
		if (quote == '"' && *s == '\\' && s[1])
			s++;
		if (*out == end)
			return NULL;
		*(*out)++ = *s;
	}
	if (!quote)
		return s == from ? NULL : s;
	return *s == quote ? s + 1 : NULL;
}

int toml_path_parse(struct toml_path *ret, char store[static TOML_PATH_MAX], const char *dotted)
{
	char *out = store;

	if (strlen(dotted) >= TOML_PATH_MAX)
		return ERR_LIMIT;
	ret->n = 0;
	for (;;) {
		char *start = out;

		if (ret->n == ARRAY_LEN(ret->part))
			return ERR_LIMIT;
		dotted = read_part(dotted, &out, store + TOML_PATH_MAX);
		if (!dotted)
			return ERR_PARSE;
		ret->part[ret->n++] = SPAN(start, (size_t)(out - start));
		if (!*dotted)
			return 0;
		if (*dotted++ != '.')
			return ERR_PARSE;
	}
}

struct toml_value *toml_table_find(const struct toml_table *t, struct span key)
{
	for (size_t i = 0; i < t->entries.n; i++)
		if (span_equal(t->entries.v[i]->key, key))
			return t->entries.v[i];
	return NULL;
}

int toml_path_walk(struct toml_table *t, const struct toml_path *path, struct toml_table **ret_table,
		   size_t *ret_i, struct toml_value **ret_v)
{
	for (size_t i = 0;; i++) {
		struct toml_value *v = toml_table_find(t, path->part[i]);

		*ret_table = t;
		*ret_i = i;
		if (!v)
			return 0;
		if (i + 1 == path->n) {
			*ret_v = v;
			return 1;
		}
		if (v->type != TOML_TABLE)
			return ERR_TYPE;
		t = v->table;
	}
}

int toml_quote_key(struct buf *out, const char *key)
{
	buf_add_u8(out, '"');
	for (; *key; key++) {
		if (*key == '"' || *key == '\\')
			buf_add_u8(out, '\\');
		buf_add_u8(out, (uint8_t)*key);
	}
	buf_add_u8(out, '"');
	return buf_err(out);
}
