/* Characters, blanks, lines, and where an error stands. */
#include <stdio.h>

#include "base/err.h"
#include "config/parser.h"

/* The length of the well-formed sequence at p (RFC 3629: shortest form, no
 * surrogates, up to U+10FFFF), 0 if it is none. */
static size_t utf8_len(const uint8_t *p, size_t len)
{
	static const struct {
		uint8_t first, last, low, high, n;
	} rows[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (p[0] < rows[i].first || p[0] > rows[i].last)
			continue;
		if (len < rows[i].n)
			return 0;
		if (rows[i].n > 1 && (p[1] < rows[i].low || p[1] > rows[i].high))
			return 0;
		for (size_t k = 2; k < rows[i].n; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].n;
	}
	return 0;
}

bool toml_utf8_valid(struct span s)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		n = utf8_len(s.data + i, s.len - i);
		if (!n)
			return false;
	}
	return true;
}

/* The text of an error may quote the file, and is going to a terminal. */
static void make_printable(char *text)
{
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_len((uint8_t *)text + i, len - i);
		if (!n) {               /* cut in the middle of a character by the size of the field */
			text[i] = 0;
			return;
		}
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
		else if ((uint8_t)text[i] == 0xc2 && (uint8_t)text[i + 1] < 0xa0)
			text[i] = text[i + 1] = '?';    /* C1 controls */
	}
}

static void _printf_(3, 0) fill_error(struct toml_parser *p, size_t at, const char *fmt, va_list ap)
{
	struct toml_error *e = p->error;
	size_t line = 0;

	*e = (struct toml_error){ .line = 1, .column = 1 };
	for (size_t i = 0; i < at; i++)
		if (p->text[i] == '\n') {
			e->line++;
			line = i + 1;
		}
	for (size_t i = line; i < at; i++)
		e->column += (p->text[i] & 0xc0) != 0x80;
	if (fmt)
		vsnprintf(e->text, sizeof e->text, fmt, ap);
	make_printable(e->text);
}

int toml_fail(struct toml_parser *p, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill_error(p, at, fmt, ap);
	va_end(ap);
	return ERR_CONFIG;
}

int toml_fail_limit(struct toml_parser *p, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill_error(p, at, fmt, ap);
	va_end(ap);
	return ERR_LIMIT;
}

int toml_scan_check(struct toml_parser *p)
{
	for (size_t i = 0, n; i < p->len; i += n) {
		uint8_t c = p->text[i];

		n = utf8_len(p->text + i, p->len - i);
		if (!n)
			return toml_fail(p, i, "byte 0x%02x is not UTF-8", c);
		if (c == '\r' && p->text[i + 1] != '\n')
			return toml_fail(p, i, "carriage return without a line feed");
		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return toml_fail(p, i, "control character 0x%02x", c);
	}
	return 0;
}

void toml_scan_space(struct toml_parser *p)
{
	while (p->text[p->pos] == ' ' || p->text[p->pos] == '\t')
		p->pos++;
}

bool toml_scan_newline(struct toml_parser *p)
{
	p->pos += p->text[p->pos] == '\r';      /* never alone, see toml_scan_check() */
	if (p->text[p->pos] != '\n')
		return false;
	p->pos++;
	return true;
}

static void scan_comment(struct toml_parser *p)
{
	if (p->text[p->pos] == '#')
		while (p->text[p->pos] && p->text[p->pos] != '\n' && p->text[p->pos] != '\r')
			p->pos++;
}

void toml_scan_blank(struct toml_parser *p)
{
	do {
		toml_scan_space(p);
		scan_comment(p);
	} while (toml_scan_newline(p));
}

int toml_scan_line_end(struct toml_parser *p, const char *after)
{
	toml_scan_space(p);
	scan_comment(p);
	if (p->pos < p->len && !toml_scan_newline(p))
		return toml_fail(p, p->pos, "expected the end of the line after the %s", after);
	return 0;
}

unsigned toml_scan_line(struct toml_parser *p, size_t at)
{
	for (; p->line_pos < at; p->line_pos++)
		p->line += p->text[p->line_pos] == '\n';
	return p->line;
}
