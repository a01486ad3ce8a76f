/* Integers and floats. */
#include <langinfo.h>
#include <stdio.h>

#include "config/parser.h"

enum { FLOAT_TEXT_MAX = 1024 };

static bool is_digit(uint8_t c, unsigned base, unsigned *ret)
{
	unsigned v = 99;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		v = (unsigned)(c | 0x20) - 'a' + 10;
	*ret = v;
	return v < base;
}

/* Digits with single underscores between them; the length, 0 if malformed. */
static size_t digits_len(struct span s, unsigned base)
{
	unsigned d;
	size_t i = 0;

	while (i < s.len) {
		if (is_digit(s.data[i], base, &d))
			i++;
		else if (s.data[i] == '_' && i > 0 && i + 1 < s.len && is_digit(s.data[i + 1], base, &d))
			i += 2;
		else
			break;
	}
	return i;
}

static bool parse_digits(int64_t *ret, struct span s, unsigned base, bool negative, const char **ret_why)
{
	int64_t v = 0;
	unsigned d;

	if (!s.len || digits_len(s, base) != s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.data[i], base, &d))
			continue;       /* an underscore */
		if (__builtin_mul_overflow(v, (int64_t)base, &v) ||
		    (negative ? __builtin_sub_overflow(v, (int64_t)d, &v) : __builtin_add_overflow(v, (int64_t)d, &v))) {
			*ret_why = "integer does not fit 64 bits";
			return false;
		}
	}
	*ret = v;
	return true;
}

/* digits [ . digits ] [ e [sign] digits ], at least one of the two. */
static bool is_float(struct span s)
{
	size_t n = digits_len(s, 10);
	bool fraction = n < s.len && s.data[n] == '.';

	if (!n || (s.data[0] == '0' && n > 1))
		return false;
	s = span_from(s, n);
	if (fraction) {
		n = digits_len(span_from(s, 1), 10);
		if (!n)
			return false;
		s = span_from(s, n + 1);
	}
	if (!s.len)
		return fraction;
	if ((s.data[0] | 0x20) != 'e')
		return false;
	s = span_from(s, 1);
	if (s.len && (s.data[0] == '+' || s.data[0] == '-'))
		s = span_from(s, 1);
	n = digits_len(s, 10);
	return n && n == s.len;
}

/* strtod() reads the decimal point of the program's locale. */
static bool parse_float(double *ret, struct span s, const char **ret_why)
{
	char text[FLOAT_TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		const char *point = nl_langinfo(RADIXCHAR);
		size_t more = s.data[i] == '.' ? strlen(point) : 1;

		if (s.data[i] == '_')
			continue;
		if (n + more >= sizeof text) {
			*ret_why = "number is too long";
			return false;
		}
		memcpy(text + n, s.data[i] == '.' ? point : (const char *)s.data + i, more);
		n += more;
	}
	text[n] = 0;
	*ret = strtod(text, NULL);
	if (__builtin_isinf(*ret)) {
		*ret_why = "float does not fit 64 bits";
		return false;
	}
	return true;
}

static bool parse_special(double *ret, struct span s)
{
	if (span_is(s, "inf"))
		*ret = __builtin_inf();
	else if (span_is(s, "nan"))
		*ret = __builtin_nan("");
	else
		return false;
	return true;
}

bool toml_number_parse(struct toml_value *v, struct span token, const char **ret_why)
{
	static const struct { const char *prefix; unsigned base; } bases[] = {
		{ "0x", 16 }, { "0o", 8 }, { "0b", 2 },
	};
	bool negative = span_starts(token, "-");
	struct span s = negative || span_starts(token, "+") ? span_from(token, 1) : token;

	*ret_why = "not a value; text is written in quotes";
	for (size_t i = 0; i < ARRAY_LEN(bases); i++)
		if (span_starts(token, bases[i].prefix)) {
			v->type = TOML_INTEGER;
			*ret_why = "malformed number";
			return parse_digits(&v->integer, span_from(token, 2), bases[i].base, false, ret_why);
		}
	if (parse_special(&v->real, s)) {
		v->type = TOML_FLOAT;
		if (negative)
			v->real = -v->real;
		return true;
	}
	if (!s.len || s.data[0] < '0' || s.data[0] > '9')
		return false;

	*ret_why = "malformed number";
	if (digits_len(s, 10) == s.len) {
		v->type = TOML_INTEGER;
		if (s.data[0] == '0' && s.len > 1) {
			*ret_why = "a number may not begin with 0";
			return false;
		}
		return parse_digits(&v->integer, s, 10, negative, ret_why);
	}
	if (!is_float(s))
		return false;
	v->type = TOML_FLOAT;
	return parse_float(&v->real, token, ret_why);
}
