/* Strings of the four kinds, and keys. */
#include <errno.h>

#include "base/err.h"
#include "config/parser.h"

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add_code_point(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_add_u8(out, (uint8_t)c);
	} else if (c < 0x800) {
		buf_add_u8(out, (uint8_t)(0xc0 | c >> 6));
		buf_add_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_u8(out, (uint8_t)(0xe0 | c >> 12));
		buf_add_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_add_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_add_u8(out, (uint8_t)(0xf0 | c >> 18));
		buf_add_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_add_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_add_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

/* \uXXXX and \UXXXXXXXX: a Unicode scalar value. */
static int scan_code_point(struct toml_parser *p, int digits)
{
	size_t at = p->pos;
	uint32_t c = 0;

	p->pos += 2;
	for (int i = 0; i < digits; i++, p->pos++) {
		int d = hex_digit(p->text[p->pos]);

		if (d < 0)
			return toml_fail(p, p->pos, "expected %d hexadecimal digits after \\%c", digits, p->text[at + 1]);
		c = c << 4 | (uint32_t)d;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return toml_fail(p, at, "U+%04X is not a Unicode character", c);
	add_code_point(&p->scratch, c);
	return 0;
}

static int scan_escape(struct toml_parser *p)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	uint8_t c = p->text[p->pos + 1];
	const char *hit = c ? strchr(from, c) : NULL;

	if (hit) {
		buf_add_u8(&p->scratch, (uint8_t)to[hit - from]);
		p->pos += 2;
		return 0;
	}
	if (c == 'u' || c == 'U')
		return scan_code_point(p, c == 'u' ? 4 : 8);
	return toml_fail(p, p->pos, "unknown escape in a string; write \\\\ for a backslash");
}

static int scan_single(struct toml_parser *p)
{
	size_t at = p->pos;
	uint8_t quote = p->text[p->pos++];

	for (;;) {
		uint8_t c = p->text[p->pos];

		if (c == quote) {
			p->pos++;
			return 0;
		}
		if (!c || c == '\n' || c == '\r')
			return toml_fail(p, at, "string is not closed on its line");
		if (c == '\\' && quote == '"') {
			int err = scan_escape(p);
			if (err < 0)
				return err;
		} else {
			buf_add_u8(&p->scratch, c);
			p->pos++;
		}
	}
}

/* A backslash at the end of a line swallows it and all blanks that follow. */
static bool scan_continuation(struct toml_parser *p)
{
	size_t at = p->pos++;

	toml_scan_space(p);
	if (!toml_scan_newline(p)) {
		p->pos = at;
		return false;
	}
	do
		toml_scan_space(p);
	while (toml_scan_newline(p));
	return true;
}

/* Up to two quotes may stand right before the closing three. */
static bool scan_quotes(struct toml_parser *p, uint8_t quote)
{
	size_t n = 0;

	while (n < 5 && p->text[p->pos + n] == quote)
		n++;
	p->pos += n;
	for (size_t i = n >= 3 ? 3 : 0; i < n; i++)
		buf_add_u8(&p->scratch, quote);
	return n >= 3;
}

static int scan_multi(struct toml_parser *p)
{
	size_t at = p->pos;
	uint8_t quote = p->text[p->pos];

	p->pos += 3;
	toml_scan_newline(p);
	for (;;) {
		uint8_t c = p->text[p->pos];

		if (!c)
			return toml_fail(p, at, "string is never closed");
		if (c == quote) {
			if (scan_quotes(p, quote))
				return 0;
		} else if (c == '\\' && quote == '"') {
			if (scan_continuation(p))
				continue;
			int err = scan_escape(p);
			if (err < 0)
				return err;
		} else {
			buf_add_u8(&p->scratch, c);
			p->pos++;
		}
	}
}

static int take_scratch(struct toml_parser *p, struct span *ret)
{
	char *s = toml_arena_dup(&p->doc->arena, buf_span(&p->scratch));

	if (!s)
		return -ENOMEM;
	*ret = SPAN(s, p->scratch.len);
	p->scratch.len = 0;
	return 0;
}

int toml_scan_string(struct toml_parser *p, struct span *ret)
{
	const uint8_t *s = p->text + p->pos;
	int err;

	err = s[1] == s[0] && s[2] == s[0] ? scan_multi(p) : scan_single(p);
	return err < 0 ? err : take_scratch(p, ret);
}

static bool is_bare(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

static int scan_key_part(struct toml_parser *p, struct span *ret)
{
	size_t at = p->pos;
	int err;

	if (p->text[at] == '"' || p->text[at] == '\'') {
		err = scan_single(p);
		if (err < 0)
			return err;
	} else {
		while (is_bare(p->text[p->pos]))
			buf_add_u8(&p->scratch, p->text[p->pos++]);
		if (p->pos == at)
			return toml_fail(p, at, "expected a key");
	}
	return take_scratch(p, ret);
}

int toml_scan_key(struct toml_parser *p, struct toml_path *ret)
{
	ret->n = 0;
	for (;;) {
		toml_scan_space(p);
		if (ret->n == ARRAY_LEN(ret->part))
			return toml_fail_limit(p, p->pos, "key of more than %d parts", TOML_DEPTH_MAX);
		ret->at[ret->n] = p->pos;
		int err = scan_key_part(p, &ret->part[ret->n]);
		if (err < 0)
			return err;
		ret->n++;

		toml_scan_space(p);
		if (p->text[p->pos] != '.')
			return 0;
		p->pos++;
	}
}
