/* Lines: comments, headers, key = value; and the document that they make. */
#include <errno.h>

#include "base/err.h"
#include "config/parser.h"

int toml_parse_pair(struct toml_parser *p, struct toml_table *home, struct toml_stmt **ret)
{
	struct toml_stmt *stmt = toml_arena_alloc(&p->doc->arena, sizeof *stmt);
	struct toml_path key;
	struct toml_table *t;
	struct toml_value *v;
	int err;

	if (!stmt)
		return -ENOMEM;
	stmt->start = p->pos;
	err = toml_scan_key(p, &key);
	if (err < 0)
		return err;
	if (p->text[p->pos] != '=')
		return toml_fail(p, p->pos, "expected '=' after the key");
	p->pos++;
	err = toml_define_key(p, home, &key, stmt, &t);
	if (err < 0)
		return err;

	toml_scan_space(p);
	err = toml_parse_value(p, t->depth + 1, t, &v);
	if (err < 0)
		return err;
	if (v->type == TOML_TABLE)
		v->table->name = key.part[key.n - 1];
	v->stmt = stmt;
	stmt->end = p->pos;
	if (home->last)
		home->last->next = stmt;
	else
		home->first = stmt;
	home->last = stmt;
	*ret = stmt;
	return toml_define_entry(p, t, key.part[key.n - 1], v);
}

static int parse_header(struct toml_parser *p, size_t line_start, struct toml_table **ret)
{
	bool element = p->text[p->pos + 1] == '[';
	struct toml_path key;
	int err;

	p->pos += element ? 2 : 1;
	err = toml_scan_key(p, &key);
	if (err < 0)
		return err;
	if (p->text[p->pos] != ']' || (element && p->text[p->pos + 1] != ']'))
		return toml_fail(p, p->pos, "expected '%s' after the name of the section", element ? "]]" : "]");
	p->pos += element ? 2 : 1;
	err = toml_define_header(p, &key, element, ret);
	if (err < 0)
		return err;

	(*ret)->head_start = line_start;
	p->doc->first_header = MIN(p->doc->first_header, line_start);
	err = toml_scan_line_end(p, "header");
	if (err < 0)
		return err;
	(*ret)->head_end = p->pos;
	return 0;
}

static int parse_lines(struct toml_parser *p)
{
	struct toml_table *section = p->doc->root;

	while (p->pos < p->len) {
		size_t line_start = p->pos;
		struct toml_stmt *stmt;
		int err;

		toml_scan_space(p);
		switch (p->text[p->pos]) {
		case 0:
		case '#':
		case '\r':
		case '\n':
			err = toml_scan_line_end(p, "comment");
			break;
		case '[':
			err = parse_header(p, line_start, &section);
			break;
		default:
			err = toml_parse_pair(p, section, &stmt);
			if (err < 0)
				return err;
			stmt->line_start = line_start;
			err = toml_scan_line_end(p, "value");
			stmt->line_end = p->pos;
		}
		if (err < 0)
			return err;
	}
	return 0;
}

size_t toml_bom_len(const struct toml *t)
{
	return span_starts(SPAN(t->text, t->len), "\xef\xbb\xbf") ? TOML_BOM_LEN : 0;
}

struct toml_table *toml_table_new(struct toml *doc, struct toml_table *parent, enum toml_table_kind kind,
				  struct span name)
{
	struct toml_table *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->doc = parent ? NULL : doc;
	t->parent = parent;
	t->kind = kind;
	t->name = name;
	list_add_tail(&doc->tables, &t->link);
	return t;
}

static int document_new(struct toml **ret, struct span text)
{
	_cleanup_(toml_freep) struct toml *doc = calloc(1, sizeof *doc);

	if (!doc)
		return -ENOMEM;
	list_init(&doc->tables);
	doc->text = (uint8_t *)span_dup_str(text);
	if (!doc->text)
		return -ENOMEM;
	doc->len = doc->first_header = text.len;
	doc->root = toml_table_new(doc, NULL, TABLE_ROOT, SPAN_NONE);
	if (!doc->root)
		return -ENOMEM;
	*ret = take(doc);
	return 0;
}

static int parse_document(struct toml_parser *p)
{
	int err;

	err = toml_scan_check(p);
	if (err < 0)
		return err;
	if (!buf_reserve(&p->scratch, p->len + 1))
		return buf_err(&p->scratch);
	p->pos = p->doc->root->head_end = toml_bom_len(p->doc);
	return parse_lines(p);
}

int toml_document_parse(struct toml **ret, struct span text, struct toml_error *error)
{
	_cleanup_(toml_freep) struct toml *doc = NULL;
	_cleanup_free_ struct toml_parser *p = calloc(1, sizeof *p);
	int err;

	if (!p)
		return -ENOMEM;
	p->error = error;
	p->line = 1;
	if (text.len > TOML_SIZE_MAX)
		return toml_fail_limit(p, 0, "larger than %d bytes", TOML_SIZE_MAX);
	err = document_new(&doc, text);
	if (err < 0)
		return err;

	p->doc = doc;
	p->text = doc->text;
	p->len = doc->len;
	err = parse_document(p);
	buf_wipe(&p->scratch);
	if (err < 0)
		return err;
	*ret = take(doc);
	return 0;
}

int toml_parse(struct toml **ret, struct span text, struct toml_error *error)
{
	struct toml_error unused;
	int err = toml_document_parse(ret, text, error ?: &unused);

	return err == ERR_LIMIT ? ERR_CONFIG : err;
}

int toml_new(struct toml **ret)
{
	return toml_parse(ret, SPAN_NONE, NULL);
}

void toml_free(struct toml *t)
{
	struct toml_table *table;

	if (!t)
		return;
	list_for_each(table, &t->tables, link)
		free(table);
	toml_arena_done(&t->arena);
	if (t->text)
		explicit_bzero(t->text, t->len);
	free(t->text);
	free(t);
}
