/* TOML 1.0 that keeps what it does not know: comments, blank lines, key order,
 * spelling of untouched values. Parse, look up, edit, write back.
 *
 * Paths are dotted keys ("network.secret"); array-of-table elements are reached
 * through toml_table_array(). All text returned is owned by the document and
 * valid until the next edit. */
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
unsigned toml_line(const struct toml_value *v);         /* where it stands; 0: made by an edit */

/* 1: *ret written, 0: absent, ERR_TYPE: something else stands there. */
int toml_string(const struct toml_table *t, const char *dotted, const char **ret) _must_check_;
int toml_integer(const struct toml_table *t, const char *dotted, int64_t *ret) _must_check_;
int toml_boolean(const struct toml_table *t, const char *dotted, bool *ret) _must_check_;

size_t toml_array_len(const struct toml_value *v);
const struct toml_value *toml_array_at(const struct toml_value *v, size_t i);
const char *toml_value_string(const struct toml_value *v);      /* NULL if not a string */
int toml_value_integer(const struct toml_value *v, int64_t *ret) _must_check_;
double toml_value_float(const struct toml_value *v);
const char *toml_value_raw(const struct toml_value *v);         /* dates and times, normalised text */
struct toml_table *toml_value_table(const struct toml_value *v);        /* NULL if not a table */

/* [[name]]: number of elements, the i-th one. */
size_t toml_table_array_len(const struct toml_table *t, const char *dotted);
struct toml_table *toml_table_array_at(const struct toml_table *t, const char *dotted, size_t i);

/* Iterate over direct keys in order: NULL at the end. */
const char *toml_key_at(const struct toml_table *t, size_t i, const struct toml_value **ret_v);

/* ---- editing: keeps everything else as it stands ---- */
int toml_set_string(struct toml_table *t, const char *dotted, const char *v) _must_check_;
int toml_set_integer(struct toml_table *t, const char *dotted, int64_t v) _must_check_;
int toml_set_boolean(struct toml_table *t, const char *dotted, bool v) _must_check_;
int toml_set_strings(struct toml_table *t, const char *dotted, const char *const *v, size_t n) _must_check_;
int toml_remove(struct toml_table *t, const char *dotted) _must_check_;        /* absent is fine */
/* Appends an empty [[name]] element. */
int toml_table_array_add(struct toml_table *t, const char *dotted, struct toml_table **ret) _must_check_;
int toml_table_array_remove(struct toml_table *t, const char *dotted, size_t i) _must_check_;
