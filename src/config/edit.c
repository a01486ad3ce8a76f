/* Setting values and adding sections: finds where the text goes. */
#include <inttypes.h>

#include "base/err.h"
#include "config/edit.h"

struct toml *toml_edit_begin(struct toml_table *t)
{
	while (t->parent)
		t = t->parent;
	return t->doc;
}

int toml_edit_path(struct toml_path *ret, char store[static TOML_PATH_MAX], const char *dotted)
{
	if (!toml_utf8_valid(SPAN_STR(dotted)))
		return ERR_PARSE;
	return toml_path_parse(ret, store, dotted);
}

static void spell_part(struct buf *out, struct span part, bool first)
{
	if (!first)
		buf_add_u8(out, '.');
	toml_spell_key(out, part);
}

/* The name of t as seen from the table above; true if nothing was to be said. */
static bool spell_table(struct buf *out, const struct toml_table *above, const struct toml_table *t)
{
	if (t == above)
		return true;
	spell_part(out, t->name, spell_table(out, above, t->parent));
	return false;
}

static void spell_path(struct buf *out, const struct toml_table *above, const struct toml_table *t,
		       const struct toml_path *path, size_t from, size_t to)
{
	bool first = spell_table(out, above, t);

	for (size_t i = from; i < to; i++, first = false)
		spell_part(out, path->part[i], first);
}

static int insert(struct toml *doc, size_t from, size_t to, struct buf *text)
{
	if (buf_err(text))
		return buf_err(text);
	return toml_splice(doc, &(struct toml_cut){ from, to, buf_span(text) }, 1, NULL);
}

static int insert_inline(struct toml *doc, struct toml_table *t, const struct toml_path *path, size_t i,
			 struct span value)
{
	_cleanup_(buf_wipe) struct buf text = {};
	const struct toml_table *owner = toml_table_owner(t);

	buf_add_str(&text, t->last ? ", " : "{ ");
	spell_path(&text, owner, t, path, i, path->n);
	buf_add_str(&text, " = ");
	buf_add_span(&text, value);
	if (t->last)
		return insert(doc, t->last->end, t->last->end, &text);
	buf_add_str(&text, " }");
	return insert(doc, owner->head_start, owner->head_end, &text);
}

/* Under the last statement, as far indented as that one. */
static int insert_line(struct toml *doc, struct toml_table *t, const struct toml_path *path, size_t i,
		       struct span value)
{
	_cleanup_(buf_wipe) struct buf text = {};
	const char *nl = toml_layout_newline(doc);
	const struct toml_stmt *last = t->last;
	bool on_top = !last && t->kind == TABLE_ROOT;
	size_t pos = last ? last->line_end : on_top ? toml_layout_root_start(doc) : t->head_end;

	if (toml_layout_needs_newline(doc, pos))
		buf_add_str(&text, nl);
	if (last)
		buf_add(&text, doc->text + last->line_start, last->start - last->line_start);
	spell_path(&text, toml_table_owner(t), t, path, i, path->n);
	buf_add_str(&text, " = ");
	buf_add_span(&text, value);
	buf_add_str(&text, nl);
	if (on_top && pos < doc->len)
		buf_add_str(&text, nl);
	return insert(doc, pos, pos, &text);
}

static void section_open(struct buf *text, const struct toml *doc, size_t pos)
{
	if (toml_layout_needs_newline(doc, pos))
		buf_add_str(text, toml_layout_newline(doc));
	if (!toml_layout_blank_before(doc, pos))
		buf_add_str(text, toml_layout_newline(doc));
}

static void section_close(struct buf *text, const struct toml *doc, size_t pos)
{
	if (pos < doc->len && !toml_layout_blank_at(doc, pos))
		buf_add_str(text, toml_layout_newline(doc));
}

/* After all that belongs to the table, so that in an array of tables the header
 * still speaks of this element. */
static size_t section_pos(const struct toml *doc, struct toml_table *t)
{
	const struct toml_table *owner = toml_table_owner(t);

	return owner->kind == TABLE_ROOT ? doc->len : toml_layout_extent_end(doc, owner);
}

static int insert_section(struct toml *doc, struct toml_table *t, const struct toml_path *path, size_t i,
			  struct span value)
{
	_cleanup_(buf_wipe) struct buf text = {};
	const char *nl = toml_layout_newline(doc);
	size_t pos = section_pos(doc, t);

	section_open(&text, doc, pos);
	buf_add_u8(&text, '[');
	spell_path(&text, doc->root, t, path, i, path->n - 1);
	buf_printf(&text, "]%s", nl);
	toml_spell_key(&text, path->part[path->n - 1]);
	buf_add_str(&text, " = ");
	buf_add_span(&text, value);
	buf_add_str(&text, nl);
	section_close(&text, doc, pos);
	return insert(doc, pos, pos, &text);
}

static int set_value(struct toml_table *t, const char *dotted, struct buf *spelled)
{
	struct toml *doc = toml_edit_begin(t);
	char store[TOML_PATH_MAX];
	struct toml_path path;
	struct toml_value *v;
	size_t i;
	int err;

	if (!doc)
		return ERR_STATE;
	if (buf_err(spelled))
		return buf_err(spelled);
	err = toml_edit_path(&path, store, dotted);
	if (err < 0)
		return err;
	err = toml_path_walk(t, &path, &t, &i, &v);
	if (err < 0)
		return err;
	if (err == 1) {
		if (v->type == TOML_TABLE || (v->type == TOML_ARRAY && v->headers))
			return ERR_TYPE;
		return insert(doc, v->start, v->end, spelled);
	}
	if (toml_table_owner(t)->kind == TABLE_INLINE)
		return insert_inline(doc, t, &path, i, buf_span(spelled));
	if (t->kind == TABLE_DOTTED || (i + 1 == path.n && t->kind != TABLE_IMPLIED))
		return insert_line(doc, t, &path, i, buf_span(spelled));
	return insert_section(doc, t, &path, i, buf_span(spelled));
}

/* What is there already keeps its spelling. */
int toml_set_string(struct toml_table *t, const char *dotted, const char *v)
{
	_cleanup_(buf_wipe) struct buf spelled = {};
	const char *now;

	if (toml_string(t, dotted, &now) == 1 && !strcmp(now, v))
		return 0;
	if (!toml_utf8_valid(SPAN_STR(v)))
		return ERR_PARSE;
	toml_spell_string(&spelled, SPAN_STR(v));
	return set_value(t, dotted, &spelled);
}

int toml_set_integer(struct toml_table *t, const char *dotted, int64_t v)
{
	_cleanup_(buf_wipe) struct buf spelled = {};
	int64_t now;

	if (toml_integer(t, dotted, &now) == 1 && now == v)
		return 0;
	buf_printf(&spelled, "%" PRId64, v);
	return set_value(t, dotted, &spelled);
}

int toml_set_boolean(struct toml_table *t, const char *dotted, bool v)
{
	_cleanup_(buf_wipe) struct buf spelled = {};

	buf_add_str(&spelled, v ? "true" : "false");
	return set_value(t, dotted, &spelled);
}

static bool strings_equal(const struct toml_value *now, const char *const *v, size_t n)
{
	if (!now || now->type != TOML_ARRAY || now->items.n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *s = toml_value_string(now->items.v[i]);

		if (!s || strcmp(s, v[i]))
			return false;
	}
	return true;
}

int toml_set_strings(struct toml_table *t, const char *dotted, const char *const *v, size_t n)
{
	_cleanup_(buf_wipe) struct buf spelled = {};

	if (strings_equal(toml_get(t, dotted), v, n))
		return 0;
	buf_add_u8(&spelled, '[');
	for (size_t i = 0; i < n; i++) {
		if (!toml_utf8_valid(SPAN_STR(v[i])))
			return ERR_PARSE;
		if (i)
			buf_add_str(&spelled, ", ");
		toml_spell_string(&spelled, SPAN_STR(v[i]));
	}
	buf_add_u8(&spelled, ']');
	return set_value(t, dotted, &spelled);
}

int toml_table_array_add(struct toml_table *t, const char *dotted, struct toml_table **ret)
{
	_cleanup_(buf_wipe) struct buf text = {};
	struct toml *doc = toml_edit_begin(t);
	struct toml_table *parent, *last = NULL;
	char store[TOML_PATH_MAX];
	struct toml_path path;
	struct toml_value *v;
	size_t i, pos;
	int err;

	if (!doc)
		return ERR_STATE;
	err = toml_edit_path(&path, store, dotted);
	if (err < 0)
		return err;
	err = toml_path_walk(t, &path, &parent, &i, &v);
	if (err < 0)
		return err;
	if (err == 1) {
		if (v->type != TOML_ARRAY || !v->headers)
			return ERR_STATE;
		last = v->items.v[v->items.n - 1]->table;
	} else if (toml_table_owner(parent)->kind == TABLE_INLINE) {
		return ERR_STATE;
	}

	pos = last ? toml_layout_extent_end(doc, last) : section_pos(doc, parent);
	section_open(&text, doc, pos);
	buf_add_str(&text, "[[");
	spell_path(&text, doc->root, parent, &path, i, path.n);
	buf_printf(&text, "]]%s", toml_layout_newline(doc));
	section_close(&text, doc, pos);
	err = insert(doc, pos, pos, &text);
	if (err < 0)
		return err;

	/* by the copy of the path: dotted may have been text of the document */
	err = toml_path_walk(t, &path, &parent, &i, &v);
	if (err != 1)
		return err < 0 ? err : ERR_STATE;
	*ret = v->items.v[v->items.n - 1]->table;
	return 0;
}
