/* Where sections lie in the text, and the blank lines and comments about them.
 *
 * Between the last statement of a section and the next header there is nothing
 * but blank lines and comments, so lines can be told apart by their first
 * character there. */
#include "config/document.h"

static size_t line_end(const struct toml *doc, size_t pos)
{
	const uint8_t *nl = memchr(doc->text + pos, '\n', doc->len - pos);

	return nl ? (size_t)(nl - doc->text) + 1 : doc->len;
}

static size_t line_start_before(const struct toml *doc, size_t pos)
{
	size_t bom = toml_bom_len(doc);

	for (pos--; pos > bom && doc->text[pos - 1] != '\n'; pos--)
		;
	return pos;
}

/* The first character of the line that is no blank; at its end '\n' or 0. */
static uint8_t line_first(const struct toml *doc, size_t pos)
{
	while (doc->text[pos] == ' ' || doc->text[pos] == '\t' || doc->text[pos] == '\r')
		pos++;
	return doc->text[pos];
}

static bool is_blank(uint8_t first) { return first == '\n' || !first; }

const char *toml_layout_newline(const struct toml *doc)
{
	const uint8_t *nl = memchr(doc->text, '\n', doc->len);

	return nl > doc->text && nl[-1] == '\r' ? "\r\n" : "\n";
}

bool toml_layout_needs_newline(const struct toml *doc, size_t pos)
{
	return pos > toml_bom_len(doc) && doc->text[pos - 1] != '\n';
}

bool toml_layout_blank_before(const struct toml *doc, size_t pos)
{
	return pos <= toml_bom_len(doc) || is_blank(line_first(doc, line_start_before(doc, pos)));
}

bool toml_layout_blank_at(const struct toml *doc, size_t pos)
{
	return is_blank(line_first(doc, pos));
}

size_t toml_layout_skip_blank(const struct toml *doc, size_t pos)
{
	while (pos < doc->len && toml_layout_blank_at(doc, pos))
		pos = line_end(doc, pos);
	return pos;
}

size_t toml_layout_trim_blank(const struct toml *doc, size_t pos)
{
	while (pos > toml_bom_len(doc) && toml_layout_blank_before(doc, pos))
		pos = line_start_before(doc, pos);
	return pos;
}

/* Comments right under the last statement belong to the section, unless the next
 * header follows them at once: then they are about that one. */
size_t toml_layout_section_end(const struct toml *doc, const struct toml_table *t)
{
	size_t end = t->last ? t->last->line_end : t->head_end;
	size_t pos = end;

	while (pos < doc->len && line_first(doc, pos) == '#')
		pos = line_end(doc, pos);
	return pos == doc->len || toml_layout_blank_at(doc, pos) ? pos : end;
}

size_t toml_layout_extent_end(const struct toml *doc, const struct toml_table *t)
{
	size_t end = 0;

	if (t->kind == TABLE_SECTION || t->kind == TABLE_ELEMENT)
		end = toml_layout_section_end(doc, t);
	for (size_t i = 0; i < t->entries.n; i++) {
		const struct toml_value *v = t->entries.v[i];

		if (v->type == TOML_TABLE && v->table->kind != TABLE_INLINE)
			end = MAX(end, toml_layout_extent_end(doc, v->table));
		for (size_t k = 0; v->type == TOML_ARRAY && v->headers && k < v->items.n; k++)
			end = MAX(end, toml_layout_extent_end(doc, v->items.v[k]->table));
	}
	return end;
}

/* Above the comments right over the first header. */
size_t toml_layout_root_start(const struct toml *doc)
{
	size_t pos = doc->first_header;

	if (pos == doc->len)
		return pos;
	while (pos > toml_bom_len(doc)) {
		size_t up = line_start_before(doc, pos);

		if (line_first(doc, up) != '#')
			break;
		pos = up;
	}
	return pos;
}

struct toml_table *toml_table_owner(struct toml_table *t)
{
	while (t->kind == TABLE_DOTTED)
		t = t->parent;
	return t;
}
