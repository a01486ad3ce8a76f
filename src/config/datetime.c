/* Dates and times: RFC 3339 with an optional offset, and its halves. */
#include "config/parser.h"

/* Reads n digits and then the character next (0: none). */
static bool read_digits(struct span *s, size_t n, char next, unsigned *ret)
{
	unsigned v = 0;

	if (s->len < n + (next != 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->data[i] < '0' || s->data[i] > '9')
			return false;
		v = v * 10 + (s->data[i] - '0');
	}
	if (next && s->data[n] != (uint8_t)next)
		return false;
	*s = span_from(*s, n + (next != 0));
	*ret = v;
	return true;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool read_date(struct span *s, const char **ret_why)
{
	unsigned year, month, day;

	if (!read_digits(s, 4, '-', &year) || !read_digits(s, 2, '-', &month) || !read_digits(s, 2, 0, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month)) {
		*ret_why = "no such day in the calendar";
		return false;
	}
	return true;
}

static bool read_time(struct span *s, const char **ret_why)
{
	unsigned hour, minute, second, digit;

	if (!read_digits(s, 2, ':', &hour) || !read_digits(s, 2, ':', &minute) || !read_digits(s, 2, 0, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60) {  /* 60: a leap second */
		*ret_why = "no such time of day";
		return false;
	}
	if (!span_starts(*s, "."))
		return true;
	*s = span_from(*s, 1);
	if (!read_digits(s, 1, 0, &digit))
		return false;
	while (read_digits(s, 1, 0, &digit))
		;
	return true;
}

static bool read_offset(struct span *s, const char **ret_why)
{
	unsigned hour, minute;

	if (span_starts(*s, "Z") || span_starts(*s, "z")) {
		*s = span_from(*s, 1);
		return true;
	}
	if (!span_starts(*s, "+") && !span_starts(*s, "-"))
		return false;
	*s = span_from(*s, 1);
	if (!read_digits(s, 2, ':', &hour) || !read_digits(s, 2, 0, &minute))
		return false;
	if (hour > 23 || minute > 59) {
		*ret_why = "no such offset from UTC";
		return false;
	}
	return true;
}

/* Decided by the first separator, so that what was meant as a date gets an
 * error about dates. */
bool toml_datetime_looks(struct span token)
{
	struct span s = token;
	unsigned v;

	if (read_digits(&s, 4, '-', &v))
		return true;
	s = token;
	return read_digits(&s, 2, ':', &v);
}

bool toml_datetime_parse(enum toml_type *ret, struct span token, const char **ret_why)
{
	struct span s = token;
	enum toml_type type = TOML_LOCAL_TIME;

	*ret_why = "malformed date or time";
	if (s.len > 2 && s.data[2] != ':') {
		if (!read_date(&s, ret_why))
			return false;
		type = TOML_LOCAL_DATE;
		if (s.len) {
			if (s.data[0] != 'T' && s.data[0] != 't' && s.data[0] != ' ')
				return false;
			s = span_from(s, 1);
			type = TOML_LOCAL_DATETIME;
		}
	}
	if (type != TOML_LOCAL_DATE && !read_time(&s, ret_why))
		return false;
	if (type == TOML_LOCAL_DATETIME && s.len) {
		if (!read_offset(&s, ret_why))
			return false;
		type = TOML_OFFSET_DATETIME;
	}
	if (s.len)
		return false;
	*ret = type;
	return true;
}
