#include "auth/internal.h"
#include "base/err.h"

/* Days since 1970-01-01 of a proleptic Gregorian date: years counted from March,
 * so that the leap day is a year's last. Not timegm(): time_t may have 32 bits. */
static int64_t days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era_day = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + era_day - 719468;
}

static int days_in(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Two digits at a time, between min and max; the cursor becomes NULL on error. */
static int digits2(const char **p, int min, int max)
{
	const char *s = *p;

	if (!s)
		return 0;
	*p = NULL;
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return 0;
	int v = (s[0] - '0') * 10 + (s[1] - '0');
	if (v < min || v > max)
		return 0;
	*p = s + 2;
	return v;
}

static void expect(const char **p, const char *any_of)
{
	if (*p)
		*p = **p && strchr(any_of, **p) ? *p + 1 : NULL;
}

static void skip_fraction(const char **p)
{
	if (!*p || **p != '.')
		return;
	for ((*p)++; **p >= '0' && **p <= '9'; (*p)++)
		;
}

static int zone_seconds(const char **p)
{
	char sign = *p ? **p : 0;

	expect(p, "Zz+-");
	if (sign == 'Z' || sign == 'z')
		return 0;
	int h = digits2(p, 0, 23);
	expect(p, ":");
	int m = digits2(p, 0, 59);
	return (h * 60 + m) * (sign == '-' ? -60 : 60);
}

int rfc3339_parse(int64_t *ret, const char *text)
{
	const char *p = text;
	int year = digits2(&p, 0, 99) * 100;

	year += digits2(&p, 0, 99);
	expect(&p, "-");
	int month = digits2(&p, 1, 12);
	expect(&p, "-");
	int day = digits2(&p, 1, 31);
	expect(&p, "Tt ");
	int hour = digits2(&p, 0, 23);
	expect(&p, ":");
	int minute = digits2(&p, 0, 59);
	expect(&p, ":");
	int second = digits2(&p, 0, 60);
	skip_fraction(&p);
	int zone = zone_seconds(&p);

	if (!p || *p || day > days_in(year, month))
		return ERR_PARSE;
	*ret = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
	return 0;
}
