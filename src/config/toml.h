/* TOML 1.0 that keeps what it does not know: comments, blank lines, key order,
 * spelling of untouched values. Parse, look up, edit, write back.
 *
 * Paths are dotted keys ("network.secret"); array-of-table elements are reached
 * through toml_table_array_at(). A part with a dot in it is written in quotes:
 * names."a.b" (in "" a backslash takes the next character as it is).
 *
 * Text and values returned are owned by the document and valid until the next
 * edit. Tables stay valid across edits; one that an edit removed is empty and
 * refuses edits with ERR_STATE. */
#pragma once

#include "base/buf.h"

struct toml;                    /* a document */
struct toml_table;              /* a table inside it, borrowed */
struct toml_value;              /* a value inside it, borrowed */

enum { TOML_SIZE_MAX = 1 << 20, TOML_DEPTH_MAX = 32 };

enum toml_type {
	TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOLEAN,
	TOML_OFFSET_DATETIME, TOML_LOCAL_DATETIME, TOML_LOCAL_DATE, TOML_LOCAL_TIME,
	TOML_ARRAY, TOML_TABLE,
};

struct toml_error {
	unsigned line, column;  /* from 1 */
	char text[128];         /* "expected '=' after the key" */
};

/* ERR_CONFIG with *error filled, -ENOMEM. */
int toml_parse(struct toml **ret, struct span text, struct toml_error *error) _must_check_;
int toml_new(struct toml **ret) _must_check_;   /* empty */
void toml_free(struct toml *t);
DEFINE_FREEP(struct toml *, toml_free)

/* A missing file gives an empty document. */
int toml_load(struct toml **ret, const char *path, struct toml_error *error) _must_check_;
int toml_write(const struct toml *t, struct buf *out) _must_check_;
int toml_save(const struct toml *t, const char *path, unsigned mode) _must_check_;  /* atomic */

/* ---- reading ---- */
struct toml_table *toml_root(struct toml *t);
const struct toml_value *toml_get(const struct toml_table *t, const char *dotted);     /* NULL if absent */
enum toml_type toml_type(const struct toml_value *v);
const char *toml_type_name(enum toml_type t);
unsigned toml_line(const struct toml_value *v);         /* where it stands in what toml_write() gives */

/* 1: *ret written, 0: absent, ERR_TYPE: something else stands there, or no table
 * on the way to it, or a string with a NUL in it. */
int toml_string(const struct toml_table *t, const char *dotted, const char **ret) _must_check_;
int toml_integer(const struct toml_table *t, const char *dotted, int64_t *ret) _must_check_;
int toml_boolean(const struct toml_table *t, const char *dotted, bool *ret) _must_check_;

size_t toml_array_len(const struct toml_value *v);
const struct toml_value *toml_array_at(const struct toml_value *v, size_t i);
const char *toml_value_string(const struct toml_value *v);      /* NULL if not a string without NUL */
struct span toml_value_text(const struct toml_value *v);        /* a string, NULs included */
struct span toml_value_key(const struct toml_value *v);         /* its name in its table, NULs included */
int toml_value_integer(const struct toml_value *v, int64_t *ret) _must_check_;
bool toml_value_boolean(const struct toml_value *v);
double toml_value_float(const struct toml_value *v);            /* of integers too; else NaN */
const char *toml_value_raw(const struct toml_value *v);         /* dates and times with T and Z; else NULL */
struct toml_table *toml_value_table(const struct toml_value *v);        /* NULL if not a table */

/* [[name]]: number of elements, the i-th one. Arrays of inline tables likewise. */
size_t toml_table_array_len(const struct toml_table *t, const char *dotted);
struct toml_table *toml_table_array_at(const struct toml_table *t, const char *dotted, size_t i);

/* Iterate over direct keys in order: NULL at the end. ret_v may be NULL. */
const char *toml_key_at(const struct toml_table *t, size_t i, const struct toml_value **ret_v);

/* Appends key as one part of a path. */
int toml_quote_key(struct buf *out, const char *key) _must_check_;

/* ---- editing: keeps everything else as it stands ----
 *
 * Every edit gives a document that parses, or fails and changes nothing; it costs
 * as much as parsing the document.
 *
 * ERR_TYPE    a table stands there, or no table on the way to it
 * ERR_STATE   cannot be written in this place; the table was removed
 * ERR_PARSE   malformed path, text that is not UTF-8
 * ERR_LIMIT   one of the limits of a document; -ENOMEM
 *
 * A value that is there is spelled anew in its place, unless it is equal. A
 * missing key goes to the end of its table, a missing table becomes a section.
 * Comments on lines of their own stay, except inside a section that goes. */
int toml_set_string(struct toml_table *t, const char *dotted, const char *v) _must_check_;
int toml_set_integer(struct toml_table *t, const char *dotted, int64_t v) _must_check_;
int toml_set_boolean(struct toml_table *t, const char *dotted, bool v) _must_check_;
int toml_set_strings(struct toml_table *t, const char *dotted, const char *const *v, size_t n) _must_check_;
int toml_remove(struct toml_table *t, const char *dotted) _must_check_;        /* absent is fine */
/* Appends an empty [[name]] element. ERR_STATE if name is anything else. */
int toml_table_array_add(struct toml_table *t, const char *dotted, struct toml_table **ret) _must_check_;
/* With its sub-tables. ERR_UNKNOWN: no such element, ERR_STATE: one of an array of inline tables. */
int toml_table_array_remove(struct toml_table *t, const char *dotted, size_t i) _must_check_;
