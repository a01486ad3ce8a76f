/* The one way in which a document changes: new text, parsed anew, whose tree is
 * put under the tables that callers hold. */
#include "base/err.h"
#include "config/document.h"

struct adoption {
	struct toml *fresh;
	const struct toml_table *gone;
};

static void adopt(const struct adoption *a, struct toml_table *old, struct toml_table *new);

static void adopt_value(const struct adoption *a, struct toml_value *from, struct toml_value *to)
{
	if (from->type == TOML_TABLE && to->type == TOML_TABLE) {
		adopt(a, from->table, to->table);
		to->table = from->table;
	} else if (from->type == TOML_ARRAY && to->type == TOML_ARRAY) {
		for (size_t i = 0, k = 0; i < from->items.n && k < to->items.n; i++) {
			struct toml_value *item = from->items.v[i];

			if (item->type != TOML_TABLE || item->table != a->gone)
				adopt_value(a, item, to->items.v[k++]);
		}
	}
}

static void set_parent(struct toml_value *v, struct toml_table *parent)
{
	if (v->type == TOML_TABLE)
		v->table->parent = parent;
	for (size_t i = 0; i < toml_array_len(v); i++)
		set_parent(v->items.v[i], parent);
}

/* Moves the new table's contents into the old struct, which takes its place. */
static void adopt(const struct adoption *a, struct toml_table *old, struct toml_table *new)
{
	struct toml_vec had = old->entries;
	size_t at = 0;

	list_del(&old->link);
	list_del(&new->link);
	*old = *new;
	list_add_tail(&a->fresh->tables, &old->link);
	free(new);

	for (size_t i = 0; i < old->entries.n; i++) {
		struct toml_value *v = old->entries.v[i];

		/* the order is nearly the same: look on from where the last one was */
		for (size_t tries = 0; tries < had.n; tries++) {
			struct toml_value *was = had.v[at];

			at = at + 1 < had.n ? at + 1 : 0;
			if (span_equal(was->key, v->key)) {
				adopt_value(a, was, v);
				break;
			}
		}
		set_parent(v, old);
	}
}

/* What no table of the new tree took over was removed: callers may still hold it. */
static void bury(struct toml *doc, struct toml *fresh)
{
	struct toml_table *t;

	while ((t = list_first(&doc->tables, struct toml_table, link))) {
		list_del(&t->link);
		*t = (struct toml_table){ .kind = TABLE_SECTION };
		list_add_tail(&fresh->tables, &t->link);
	}
}

/* The new contents go into doc and the old ones into fresh, to be freed with it. */
static void exchange(struct toml *doc, struct toml *fresh)
{
	struct toml_table *t;
	struct toml old = *doc;

	doc->text = fresh->text;
	doc->len = fresh->len;
	doc->first_header = fresh->first_header;
	doc->arena = fresh->arena;
	fresh->text = old.text;
	fresh->len = old.len;
	fresh->arena = old.arena;
	while ((t = list_first(&fresh->tables, struct toml_table, link))) {
		list_del(&t->link);
		list_add_tail(&doc->tables, &t->link);
	}
	doc->root->doc = doc;
}

static int build_text(struct buf *out, const struct toml *doc, const struct toml_cut *cuts, size_t n)
{
	size_t pos = 0, len = doc->len;

	for (size_t i = 0; i < n; i++)
		len += cuts[i].insert.len - (cuts[i].to - cuts[i].from);
	if (len > TOML_SIZE_MAX)
		return ERR_LIMIT;
	(void)buf_reserve(out, len);    /* at once: growing would leave copies of secrets behind */
	for (size_t i = 0; i < n; i++) {
		buf_add(out, doc->text + pos, cuts[i].from - pos);
		buf_add_span(out, cuts[i].insert);
		pos = cuts[i].to;
	}
	buf_add(out, doc->text + pos, doc->len - pos);
	return buf_err(out);
}

int toml_splice(struct toml *doc, const struct toml_cut *cuts, size_t n, const struct toml_table *gone)
{
	_cleanup_(buf_wipe) struct buf text = {};
	_cleanup_(toml_freep) struct toml *fresh = NULL;
	struct toml_error unused;
	int err;

	err = build_text(&text, doc, cuts, n);
	if (err < 0)
		return err;
	err = toml_document_parse(&fresh, buf_span(&text), &unused);
	if (err < 0)
		return err == ERR_CONFIG ? ERR_STATE : err;

	adopt(&(struct adoption){ fresh, gone }, doc->root, fresh->root);
	bury(doc, fresh);
	exchange(doc, fresh);
	return 0;
}
