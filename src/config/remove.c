/* Removing keys, tables and elements: finds the text that goes. */
#include <errno.h>

#include "base/err.h"
#include "config/edit.h"

struct cuts {
	struct toml_cut *v;
	size_t n, cap;
	bool sections;          /* not only lines */
};

static void cuts_done(struct cuts *c) { free(c->v); }

static int add_cut(struct cuts *c, size_t from, size_t to)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 8;
		struct toml_cut *v = reallocarray(c->v, cap, sizeof *v);

		if (!v)
			return -ENOMEM;
		c->v = v;
		c->cap = cap;
	}
	c->v[c->n++] = (struct toml_cut){ .from = from, .to = to };
	return 0;
}

static int collect_table(struct cuts *c, const struct toml *doc, const struct toml_table *t);

/* Every statement and section that defines the value. */
static int collect(struct cuts *c, const struct toml *doc, const struct toml_value *v)
{
	int err = 0;

	if (v->stmt)
		return v->stmt->line_end ? add_cut(c, v->stmt->line_start, v->stmt->line_end)
					 : add_cut(c, v->stmt->start, v->stmt->end);
	if (v->type == TOML_TABLE)
		return collect_table(c, doc, v->table);
	for (size_t i = 0; i < v->items.n && err >= 0; i++)
		err = collect_table(c, doc, v->items.v[i]->table);
	return err;
}

static int collect_table(struct cuts *c, const struct toml *doc, const struct toml_table *t)
{
	int err = 0;

	if (t->kind == TABLE_SECTION || t->kind == TABLE_ELEMENT) {
		size_t end = toml_layout_section_end(doc, t);

		c->sections = true;
		err = add_cut(c, t->head_start, toml_layout_skip_blank(doc, end));
	}
	for (size_t i = 0; i < t->entries.n && err >= 0; i++)
		err = collect(c, doc, t->entries.v[i]);
	return err;
}

static int compare_cuts(const void *a, const void *b)
{
	size_t x = ((const struct toml_cut *)a)->from, y = ((const struct toml_cut *)b)->from;

	return x < y ? -1 : x > y;
}

static void merge_cuts(struct cuts *c)
{
	size_t n = 0;

	qsort(c->v, c->n, sizeof *c->v, compare_cuts);
	for (size_t i = 0; i < c->n; i++) {
		if (n && c->v[i].from <= c->v[n - 1].to)
			c->v[n - 1].to = MAX(c->v[n - 1].to, c->v[i].to);
		else
			c->v[n++] = c->v[i];
	}
	c->n = n;
}

/* No blank lines stay at the end where the last section went. */
static void trim_end(struct cuts *c, const struct toml *doc)
{
	struct toml_cut *last = &c->v[c->n - 1];

	if (c->sections && last->to == doc->len)
		last->from = toml_layout_trim_blank(doc, last->from);
}

static bool is_cut(const struct cuts *c, const struct toml_stmt *s)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].from == s->start)
			return true;
	return false;
}

/* Between braces a pair goes with the comma after it, and pairs at the end with
 * the one before them. */
static int cut_pairs(struct cuts *c, const struct cuts *pairs, const struct toml_table *owner)
{
	const struct toml_stmt *kept = NULL;
	int err;

	for (const struct toml_stmt *s = owner->first; s; s = s->next)
		if (!is_cut(pairs, s))
			kept = s;
	if (!kept)
		return add_cut(c, owner->head_start + 1, owner->head_end - 1);
	for (const struct toml_stmt *s = owner->first; s != kept; s = s->next) {
		if (!is_cut(pairs, s))
			continue;
		err = add_cut(c, s->start, s->next->start);
		if (err < 0)
			return err;
	}
	return kept->next ? add_cut(c, kept->end, owner->last->end) : 0;
}

int toml_remove(struct toml_table *t, const char *dotted)
{
	_cleanup_(cuts_done) struct cuts found = {}, pairs = {};
	struct toml *doc = toml_edit_begin(t);
	char store[TOML_PATH_MAX];
	struct toml_path path;
	struct toml_value *v;
	size_t i;
	int err;

	if (!doc)
		return ERR_STATE;
	err = toml_edit_path(&path, store, dotted);
	if (err < 0)
		return err;
	if (toml_path_walk(t, &path, &t, &i, &v) != 1)
		return 0;
	err = collect(&found, doc, v);
	if (err < 0)
		return err;

	t = toml_table_owner(t);
	if (t->kind == TABLE_INLINE) {
		err = cut_pairs(&pairs, &found, t);
		return err < 0 ? err : toml_splice(doc, pairs.v, pairs.n, NULL);
	}
	merge_cuts(&found);
	trim_end(&found, doc);
	return toml_splice(doc, found.v, found.n, NULL);
}

int toml_table_array_remove(struct toml_table *t, const char *dotted, size_t i)
{
	_cleanup_(cuts_done) struct cuts found = {};
	struct toml *doc = toml_edit_begin(t);
	const struct toml_value *v = toml_get(t, dotted);
	const struct toml_table *gone;
	int err;

	if (!doc)
		return ERR_STATE;
	if (!v || i >= toml_array_len(v))
		return ERR_UNKNOWN;
	if (!v->headers)
		return ERR_STATE;
	gone = v->items.v[i]->table;
	err = collect_table(&found, doc, gone);
	if (err < 0)
		return err;
	merge_cuts(&found);
	trim_end(&found, doc);
	return toml_splice(doc, found.v, found.n, gone);
}
