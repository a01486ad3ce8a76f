/* The parser's state and the pieces that it is made of: characters (scan.c),
 * strings and keys (string.c), numbers (number.c), dates (datetime.c), values
 * (value.c), who may define what (define.c), lines (parse.c). */
#pragma once

#include "config/document.h"

enum {
	TOML_KEYS_MAX   = 1 << 15,      /* keys and tables of a document */
	TOML_INDEX_LEN  = 1 << 12,
};

struct toml_slot;

struct toml_parser {
	struct toml *doc;
	struct toml_error *error;
	const uint8_t *text;            /* ends with NUL, holds no other: looking ahead needs no bound */
	size_t pos, len;
	struct buf scratch;             /* reserved for the longest string, never grows */
	size_t line_pos;                /* line is the line of this place */
	unsigned line;
	unsigned keys;
	struct toml_slot *index[TOML_INDEX_LEN];
};

/* Fills the error for the place and returns ERR_CONFIG (ERR_LIMIT). */
int toml_fail(struct toml_parser *p, size_t at, const char *fmt, ...) _printf_(3, 4);
int toml_fail_limit(struct toml_parser *p, size_t at, const char *fmt, ...) _printf_(3, 4);

/* Refuses what may stand nowhere in a document: bytes that are not UTF-8 and
 * control characters. */
int toml_scan_check(struct toml_parser *p) _must_check_;
void toml_scan_space(struct toml_parser *p);            /* tabs and spaces */
bool toml_scan_newline(struct toml_parser *p);
void toml_scan_blank(struct toml_parser *p);            /* space, newlines and comments */
int toml_scan_line_end(struct toml_parser *p, const char *after) _must_check_;
unsigned toml_scan_line(struct toml_parser *p, size_t at);      /* at never goes back */

int toml_scan_string(struct toml_parser *p, struct span *ret) _must_check_;
int toml_scan_key(struct toml_parser *p, struct toml_path *ret) _must_check_;

/* Of a whole token. false: not in the grammar. */
bool toml_number_parse(struct toml_value *v, struct span token, const char **ret_why);
bool toml_datetime_looks(struct span token);
bool toml_datetime_parse(enum toml_type *ret, struct span token, const char **ret_why);

/* parent: the table that it is in, straight or through arrays. */
int toml_parse_value(struct toml_parser *p, unsigned depth, struct toml_table *parent,
		     struct toml_value **ret) _must_check_;

/* key = value; home is the section or inline table whose body it is in. */
int toml_parse_pair(struct toml_parser *p, struct toml_table *home, struct toml_stmt **ret) _must_check_;

int toml_define_key(struct toml_parser *p, struct toml_table *home, const struct toml_path *key,
		    struct toml_stmt *stmt, struct toml_table **ret) _must_check_;
int toml_define_entry(struct toml_parser *p, struct toml_table *t, struct span key,
		      struct toml_value *v) _must_check_;
int toml_define_header(struct toml_parser *p, const struct toml_path *key, bool element,
		       struct toml_table **ret) _must_check_;
int toml_define_inline(struct toml_parser *p, struct toml_table *parent, unsigned depth,
		       struct toml_table **ret) _must_check_;
