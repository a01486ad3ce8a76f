/* Reading values. */
#include "base/err.h"
#include "config/document.h"

struct toml_table *toml_root(struct toml *t) { return t->root; }

static int lookup(const struct toml_table *t, const char *dotted, struct toml_value **ret)
{
	char store[TOML_PATH_MAX];
	struct toml_path path;
	struct toml_table *table;
	size_t i;

	if (toml_path_parse(&path, store, dotted) < 0)
		return 0;       /* no document has such a key */
	return toml_path_walk((struct toml_table *)t, &path, &table, &i, ret);
}

const struct toml_value *toml_get(const struct toml_table *t, const char *dotted)
{
	struct toml_value *v = NULL;

	return lookup(t, dotted, &v) == 1 ? v : NULL;
}

enum toml_type toml_type(const struct toml_value *v) { return v->type; }
unsigned toml_line(const struct toml_value *v) { return v->line; }

const char *toml_type_name(enum toml_type t)
{
	static const char *const names[] = {
		[TOML_STRING]          = "string",
		[TOML_INTEGER]         = "integer",
		[TOML_FLOAT]           = "float",
		[TOML_BOOLEAN]         = "boolean",
		[TOML_OFFSET_DATETIME] = "date-time",
		[TOML_LOCAL_DATETIME]  = "local date-time",
		[TOML_LOCAL_DATE]      = "local date",
		[TOML_LOCAL_TIME]      = "local time",
		[TOML_ARRAY]           = "array",
		[TOML_TABLE]           = "table",
	};
	_Static_assert(ARRAY_LEN(names) == TOML_TABLE + 1, "name every type");

	return names[t];
}

/* 1, 0, ERR_TYPE as the readers of the contract. */
static int lookup_type(const struct toml_table *t, const char *dotted, enum toml_type type, struct toml_value **ret)
{
	int err = lookup(t, dotted, ret);

	return err == 1 && (*ret)->type != type ? ERR_TYPE : err;
}

int toml_string(const struct toml_table *t, const char *dotted, const char **ret)
{
	struct toml_value *v = NULL;
	int err = lookup_type(t, dotted, TOML_STRING, &v);

	if (err <= 0)
		return err;
	const char *s = toml_value_string(v);
	if (!s)
		return ERR_TYPE;
	*ret = s;
	return 1;
}

int toml_integer(const struct toml_table *t, const char *dotted, int64_t *ret)
{
	struct toml_value *v = NULL;
	int err = lookup_type(t, dotted, TOML_INTEGER, &v);

	if (err == 1)
		*ret = v->integer;
	return err;
}

int toml_boolean(const struct toml_table *t, const char *dotted, bool *ret)
{
	struct toml_value *v = NULL;
	int err = lookup_type(t, dotted, TOML_BOOLEAN, &v);

	if (err == 1)
		*ret = v->boolean;
	return err;
}

size_t toml_array_len(const struct toml_value *v)
{
	return v->type == TOML_ARRAY ? v->items.n : 0;
}

const struct toml_value *toml_array_at(const struct toml_value *v, size_t i)
{
	return i < toml_array_len(v) ? v->items.v[i] : NULL;
}

/* Text with a NUL in it would be cut by whoever takes it for a C string. */
const char *toml_value_string(const struct toml_value *v)
{
	if (v->type != TOML_STRING || memchr(v->text.data, 0, v->text.len))
		return NULL;
	return (const char *)v->text.data;
}

struct span toml_value_text(const struct toml_value *v)
{
	return v->type == TOML_STRING ? v->text : SPAN_NONE;
}

struct span toml_value_key(const struct toml_value *v) { return v->key; }

int toml_value_integer(const struct toml_value *v, int64_t *ret)
{
	if (v->type != TOML_INTEGER)
		return ERR_TYPE;
	*ret = v->integer;
	return 0;
}

bool toml_value_boolean(const struct toml_value *v)
{
	return v->type == TOML_BOOLEAN && v->boolean;
}

double toml_value_float(const struct toml_value *v)
{
	if (v->type == TOML_INTEGER)
		return (double)v->integer;
	return v->type == TOML_FLOAT ? v->real : __builtin_nan("");
}

const char *toml_value_raw(const struct toml_value *v)
{
	bool is_time = v->type >= TOML_OFFSET_DATETIME && v->type <= TOML_LOCAL_TIME;

	return is_time ? (const char *)v->text.data : NULL;
}

struct toml_table *toml_value_table(const struct toml_value *v)
{
	return v->type == TOML_TABLE ? v->table : NULL;
}

size_t toml_table_array_len(const struct toml_table *t, const char *dotted)
{
	struct toml_value *v = NULL;

	if (lookup_type(t, dotted, TOML_ARRAY, &v) != 1)
		return 0;
	for (size_t i = 0; i < v->items.n; i++)
		if (v->items.v[i]->type != TOML_TABLE)
			return 0;
	return v->items.n;
}

struct toml_table *toml_table_array_at(const struct toml_table *t, const char *dotted, size_t i)
{
	struct toml_value *v = NULL;

	if (lookup_type(t, dotted, TOML_ARRAY, &v) != 1 || i >= v->items.n)
		return NULL;
	return toml_value_table(v->items.v[i]);
}

const char *toml_key_at(const struct toml_table *t, size_t i, const struct toml_value **ret_v)
{
	if (i >= t->entries.n)
		return NULL;
	if (ret_v)
		*ret_v = t->entries.v[i];
	return (const char *)t->entries.v[i]->key.data;
}
