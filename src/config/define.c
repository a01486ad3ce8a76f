/* Who may define what. TOML 1.0: a key is defined once, a table by one header or
 * by dotted keys of one section, and an inline table is complete as written. */
#include <errno.h>

#include "base/err.h"
#include "config/parser.h"

/* The index of all keys of the document, for the time of parsing. */
struct toml_slot {
	struct toml_slot *next;
	const struct toml_table *table;
	struct toml_value *value;
};

static struct toml_slot **slot_of(struct toml_parser *p, const struct toml_table *t, struct span key)
{
	uint64_t h = (uintptr_t)t * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < key.len; i++)
		h = (h ^ key.data[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return &p->index[h >> 52];      /* 12 bits: TOML_INDEX_LEN */
}

static struct toml_value *find(struct toml_parser *p, const struct toml_table *t, struct span key)
{
	for (struct toml_slot *s = *slot_of(p, t, key); s; s = s->next)
		if (s->table == t && span_equal(s->value->key, key))
			return s->value;
	return NULL;
}

int toml_define_entry(struct toml_parser *p, struct toml_table *t, struct span key, struct toml_value *v)
{
	struct toml_slot **place = slot_of(p, t, key);
	struct toml_slot *slot = toml_arena_alloc(&p->doc->arena, sizeof *slot);
	int err;

	if (!slot)
		return -ENOMEM;
	v->key = key;
	err = toml_vec_push(&t->entries, &p->doc->arena, v);
	if (err < 0)
		return err;
	*slot = (struct toml_slot){ .next = *place, .table = t, .value = v };
	*place = slot;
	return 0;
}

static int count_key(struct toml_parser *p, size_t at)
{
	if (p->keys++ == TOML_KEYS_MAX)
		return toml_fail_limit(p, at, "more than %d keys", TOML_KEYS_MAX);
	return 0;
}

static int fail_defined(struct toml_parser *p, size_t at, struct span key, const struct toml_value *v)
{
	return toml_fail(p, at, "'%.*s' is defined already, on line %u", (int)MIN(key.len, (size_t)64),
			 (const char *)key.data, v->line);
}

static int new_value(struct toml_parser *p, enum toml_type type, size_t at, struct toml_value **ret)
{
	struct toml_value *v = toml_arena_alloc(&p->doc->arena, sizeof *v);

	if (!v)
		return -ENOMEM;
	v->type = type;
	v->line = toml_scan_line(p, at);
	*ret = v;
	return 0;
}

static int new_table(struct toml_parser *p, struct toml_table *parent, enum toml_table_kind kind,
		     struct span name, unsigned depth, struct toml_table **ret)
{
	if (depth > TOML_DEPTH_MAX)
		return toml_fail_limit(p, p->pos, "nested deeper than %d", TOML_DEPTH_MAX);
	*ret = toml_table_new(p->doc, parent, kind, name);
	if (!*ret)
		return -ENOMEM;
	(*ret)->depth = depth;
	return 0;
}

int toml_define_inline(struct toml_parser *p, struct toml_table *parent, unsigned depth, struct toml_table **ret)
{
	return new_table(p, parent, TABLE_INLINE, SPAN_NONE, depth, ret);
}

/* A table for a part of a dotted key or header, entered into its parent. */
static int add_table(struct toml_parser *p, struct toml_table *parent, enum toml_table_kind kind,
		     const struct toml_path *key, size_t i, struct toml_table **ret)
{
	struct toml_value *v;
	int err;

	err = count_key(p, key->at[i]);
	if (err < 0)
		return err;
	err = new_value(p, TOML_TABLE, key->at[i], &v);
	if (err < 0)
		return err;
	err = new_table(p, parent, kind, key->part[i], parent->depth + 1, &v->table);
	if (err < 0)
		return err;
	*ret = v->table;
	return toml_define_entry(p, parent, key->part[i], v);
}

int toml_define_key(struct toml_parser *p, struct toml_table *home, const struct toml_path *key,
		    struct toml_stmt *stmt, struct toml_table **ret)
{
	struct toml_table *t = home;
	const struct toml_value *v;
	size_t i;
	int err;

	for (i = 0; i + 1 < key->n; i++) {
		v = find(p, t, key->part[i]);
		if (v && (v->type != TOML_TABLE || v->table->kind != TABLE_DOTTED))
			return fail_defined(p, key->at[i], key->part[i], v);
		if (v) {
			t = v->table;
		} else {
			err = add_table(p, t, TABLE_DOTTED, key, i, &t);
			if (err < 0)
				return err;
		}
		t->last = stmt;
	}
	v = find(p, t, key->part[i]);
	if (v)
		return fail_defined(p, key->at[i], key->part[i], v);
	*ret = t;
	return count_key(p, key->at[i]);
}

/* Into the table that a part of a header names before its last part. */
static int enter_part(struct toml_parser *p, const struct toml_path *key, size_t i, struct toml_table **t)
{
	struct toml_value *v = find(p, *t, key->part[i]);

	if (!v)
		return add_table(p, *t, TABLE_IMPLIED, key, i, t);
	if (v->type == TOML_ARRAY && v->headers)
		*t = v->items.v[v->items.n - 1]->table;
	else if (v->type == TOML_TABLE && v->table->kind != TABLE_INLINE)
		*t = v->table;
	else
		return fail_defined(p, key->at[i], key->part[i], v);
	return 0;
}

static int define_section(struct toml_parser *p, struct toml_table *parent, const struct toml_path *key,
			  struct toml_table **ret)
{
	size_t i = key->n - 1;
	struct toml_value *v = find(p, parent, key->part[i]);

	if (!v)
		return add_table(p, parent, TABLE_SECTION, key, i, ret);
	if (v->type != TOML_TABLE || v->table->kind != TABLE_IMPLIED)
		return fail_defined(p, key->at[i], key->part[i], v);
	v->line = toml_scan_line(p, key->at[i]);
	v->table->kind = TABLE_SECTION;
	*ret = v->table;
	return 0;
}

static int define_element(struct toml_parser *p, struct toml_table *parent, const struct toml_path *key,
			  struct toml_table **ret)
{
	size_t i = key->n - 1;
	struct toml_value *v = find(p, parent, key->part[i]), *item;
	int err;

	if (v && !(v->type == TOML_ARRAY && v->headers))
		return fail_defined(p, key->at[i], key->part[i], v);
	err = count_key(p, key->at[i]);
	if (err < 0)
		return err;
	if (!v) {
		err = new_value(p, TOML_ARRAY, key->at[i], &v);
		if (err < 0)
			return err;
		v->headers = true;
		err = toml_define_entry(p, parent, key->part[i], v);
		if (err < 0)
			return err;
	}
	err = new_value(p, TOML_TABLE, key->at[i], &item);
	if (err < 0)
		return err;
	err = new_table(p, parent, TABLE_ELEMENT, key->part[i], parent->depth + 1, &item->table);
	if (err < 0)
		return err;
	*ret = item->table;
	return toml_vec_push(&v->items, &p->doc->arena, item);
}

int toml_define_header(struct toml_parser *p, const struct toml_path *key, bool element, struct toml_table **ret)
{
	struct toml_table *t = p->doc->root;
	int err;

	for (size_t i = 0; i + 1 < key->n; i++) {
		err = enter_part(p, key, i, &t);
		if (err < 0)
			return err;
	}
	return element ? define_element(p, t, key, ret) : define_section(p, t, key, ret);
}
