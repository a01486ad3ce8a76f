/* The inside of a document, shared by the files of this folder only.
 *
 * The text is the truth and the tree points into it by offsets. An edit cuts
 * and pastes the text, parses the result and only then replaces the tree
 * (splice.c), so no edit can leave text that does not parse, and a failed one
 * changes nothing. */
#pragma once

#include "base/list.h"
#include "config/toml.h"

struct toml_chunk;

/* Everything of one tree but its tables: freed and wiped at once, because a
 * configuration may hold secrets. */
struct toml_arena {
	struct toml_chunk *head;
};

void *toml_arena_alloc(struct toml_arena *a, size_t n);         /* zeroed, or NULL */
char *toml_arena_dup(struct toml_arena *a, struct span s);      /* NUL-terminated, or NULL */
void toml_arena_done(struct toml_arena *a);

struct toml_vec {
	struct toml_value **v;
	size_t n, cap;
};

int toml_vec_push(struct toml_vec *vec, struct toml_arena *a, struct toml_value *v) _must_check_;

/* One key = value, in the body of a section or between the braces of an inline
 * table. Offsets into the text; the line is meaningless inside braces. */
struct toml_stmt {
	struct toml_stmt *next;
	size_t start, end;              /* from the key to the end of the value */
	size_t line_start, line_end;    /* with indentation, comment and newline */
};

struct toml_value {
	enum toml_type type;
	bool headers;                   /* an array whose elements are [[sections]] */
	unsigned line;
	size_t start, end;              /* the spelling; of tables made by headers nothing */
	struct span key;                /* NUL-terminated; empty in arrays */
	struct toml_stmt *stmt;         /* what wrote it; NULL in arrays and for tables without one */
	union {
		struct span text;       /* strings, dates, times; NUL-terminated */
		int64_t integer;
		double real;
		bool boolean;
		struct toml_vec items;
		struct toml_table *table;
	};
};

enum toml_table_kind {
	TABLE_ROOT,
	TABLE_SECTION,          /* [a] */
	TABLE_ELEMENT,          /* one [[a]] */
	TABLE_IMPLIED,          /* the a of [a.b], until [a] itself comes */
	TABLE_DOTTED,           /* the a of a.b = 1 */
	TABLE_INLINE,           /* { } */
};

/* Allocated one by one, because the user's handles outlive an edit. A table
 * that an edit removed is empty, has no document and refuses every edit. */
struct toml_table {
	struct list link;
	struct toml *doc;               /* of the root only */
	struct toml_table *parent;
	enum toml_table_kind kind;
	unsigned depth;
	struct span name;
	struct toml_vec entries;
	size_t head_start, head_end;    /* the header's line; the braces of an inline table */
	struct toml_stmt *first;        /* the statements in its body */
	struct toml_stmt *last;         /* of a dotted table: the last one that adds to it */
};

struct toml {
	uint8_t *text;                  /* NUL-terminated */
	size_t len;
	size_t first_header;            /* where the first header's line begins, or len */
	struct toml_arena arena;
	struct list tables;             /* all, with those that edits removed */
	struct toml_table *root;
};

enum { TOML_BOM_LEN = 3, TOML_PATH_MAX = 512 };

/* A dotted key in its parts. */
struct toml_path {
	size_t n;
	struct span part[TOML_DEPTH_MAX];
	size_t at[TOML_DEPTH_MAX];      /* where a part stands in the text */
};

/* Like toml_parse(), but ERR_LIMIT for the limits. */
int toml_document_parse(struct toml **ret, struct span text, struct toml_error *error) _must_check_;
size_t toml_bom_len(const struct toml *t);

struct toml_table *toml_table_new(struct toml *doc, struct toml_table *parent,
				  enum toml_table_kind kind, struct span name);
struct toml_value *toml_table_find(const struct toml_table *t, struct span key);

/* What a caller names: parts separated by dots, a part may be quoted. The
 * parts lie in store. ERR_PARSE, ERR_LIMIT. */
int toml_path_parse(struct toml_path *ret, char store[static TOML_PATH_MAX], const char *dotted) _must_check_;

/* Follows the path as far as there are tables: *ret_table is the last of them,
 * *ret_i the first part that it does not hold or, at the end, path->n - 1.
 * 1: *ret_v is what stands there, 0: absent, ERR_TYPE: a part is no table. */
int toml_path_walk(struct toml_table *t, const struct toml_path *path, struct toml_table **ret_table,
		   size_t *ret_i, struct toml_value **ret_v) _must_check_;

/* How keys and values are spelled by us. */
void toml_spell_key(struct buf *out, struct span key);
void toml_spell_string(struct buf *out, struct span s);
bool toml_utf8_valid(struct span s);

/* Replace [from, to) by the insert. */
struct toml_cut {
	size_t from, to;
	struct span insert;
};

/* The cuts are sorted and apart. gone is the element of an array of tables that
 * they remove, or NULL: the handles of those after it move up. ERR_STATE if the
 * result would not parse, ERR_LIMIT, -ENOMEM; then nothing has changed. */
int toml_splice(struct toml *doc, const struct toml_cut *cuts, size_t n, const struct toml_table *gone) _must_check_;

/* Where the text of sections lies (layout.c). */
struct toml_table *toml_table_owner(struct toml_table *t);      /* whose body a dotted table is in */
const char *toml_layout_newline(const struct toml *doc);
bool toml_layout_needs_newline(const struct toml *doc, size_t pos);
bool toml_layout_blank_before(const struct toml *doc, size_t pos);
bool toml_layout_blank_at(const struct toml *doc, size_t pos);
size_t toml_layout_skip_blank(const struct toml *doc, size_t pos);
size_t toml_layout_trim_blank(const struct toml *doc, size_t pos);
size_t toml_layout_section_end(const struct toml *doc, const struct toml_table *t);
size_t toml_layout_extent_end(const struct toml *doc, const struct toml_table *t);
size_t toml_layout_root_start(const struct toml *doc);          /* for the first key of all */
