/* Values: scalars, arrays, inline tables. */
#include <errno.h>

#include "base/err.h"
#include "config/parser.h"

static bool in_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '+' || c == '-' || c == '_' || c == '.' || c == ':';
}

static bool is_number(uint8_t c) { return c >= '0' && c <= '9'; }

/* A run of letters, digits and signs; one space may stand between a date and a time. */
static struct span scan_token(struct toml_parser *p)
{
	const uint8_t *s = p->text + p->pos;
	size_t n = 0;

	while (in_token(s[n]))
		n++;
	if (n == 10 && s[4] == '-' && s[7] == '-' && s[10] == ' ' && is_number(s[11]))
		for (n = 11; in_token(s[n]); n++)
			;
	p->pos += n;
	return SPAN(s, n);
}

static int parse_datetime(struct toml_parser *p, size_t at, struct span token, struct toml_value *v)
{
	const char *why;

	if (!toml_datetime_parse(&v->type, token, &why))
		return toml_fail(p, at, "%s", why);

	char *text = toml_arena_dup(&p->doc->arena, token);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < token.len; i++) {
		if (text[i] == ' ' || text[i] == 't')
			text[i] = 'T';
		else if (text[i] == 'z')
			text[i] = 'Z';
	}
	v->text = SPAN(text, token.len);
	return 0;
}

static int parse_plain(struct toml_parser *p, struct toml_value *v)
{
	size_t at = p->pos;
	struct span token = scan_token(p);
	const char *why;

	if (!token.len)
		return toml_fail(p, at, "expected a value");
	if (span_is(token, "true") || span_is(token, "false")) {
		v->type = TOML_BOOLEAN;
		v->boolean = token.len == 4;
		return 0;
	}
	if (toml_datetime_looks(token))
		return parse_datetime(p, at, token, v);
	if (!toml_number_parse(v, token, &why))
		return toml_fail(p, at, "%s", why);
	return 0;
}

static int parse_array(struct toml_parser *p, unsigned depth, struct toml_table *parent, struct toml_value *v)
{
	size_t at = p->pos++;

	v->type = TOML_ARRAY;
	for (;;) {
		struct toml_value *item = NULL;
		int err;

		toml_scan_blank(p);
		if (p->text[p->pos] == ']')
			break;
		if (p->pos == p->len)
			return toml_fail(p, at, "array is never closed");
		err = toml_parse_value(p, depth + 1, parent, &item);
		if (err < 0)
			return err;
		err = toml_vec_push(&v->items, &p->doc->arena, item);
		if (err < 0)
			return err;

		toml_scan_blank(p);
		if (p->text[p->pos] == ',')
			p->pos++;
		else if (p->text[p->pos] != ']')
			return toml_fail(p, p->pos, "expected ',' or ']' in the array");
	}
	p->pos++;
	return 0;
}

/* TOML 1.0: on one line, no comma at the end. */
static int parse_inline(struct toml_parser *p, unsigned depth, struct toml_table *parent, struct toml_value *v)
{
	struct toml_table *t;
	int err;

	err = toml_define_inline(p, parent, depth, &t);
	if (err < 0)
		return err;
	v->type = TOML_TABLE;
	v->table = t;
	t->head_start = p->pos++;
	toml_scan_space(p);
	while (p->text[p->pos] != '}') {
		struct toml_stmt *stmt;

		err = toml_parse_pair(p, t, &stmt);
		if (err < 0)
			return err;
		toml_scan_space(p);
		if (p->text[p->pos] == '}')
			break;
		if (p->text[p->pos] != ',')
			return toml_fail(p, p->pos, "expected ',' or '}' in the inline table");
		p->pos++;
		toml_scan_space(p);
		if (p->text[p->pos] == '}')
			return toml_fail(p, p->pos, "an inline table may not end with a comma");
	}
	t->head_end = ++p->pos;
	return 0;
}

int toml_parse_value(struct toml_parser *p, unsigned depth, struct toml_table *parent, struct toml_value **ret)
{
	struct toml_value *v;
	int err;

	if (depth > TOML_DEPTH_MAX)
		return toml_fail_limit(p, p->pos, "nested deeper than %d", TOML_DEPTH_MAX);
	v = toml_arena_alloc(&p->doc->arena, sizeof *v);
	if (!v)
		return -ENOMEM;
	v->line = toml_scan_line(p, p->pos);
	v->start = p->pos;

	switch (p->text[p->pos]) {
	case '"':
	case '\'':
		v->type = TOML_STRING;
		err = toml_scan_string(p, &v->text);
		break;
	case '[':
		err = parse_array(p, depth, parent, v);
		break;
	case '{':
		err = parse_inline(p, depth, parent, v);
		break;
	default:
		err = parse_plain(p, v);
	}
	if (err < 0)
		return err;
	v->end = p->pos;
	*ret = v;
	return 0;
}
