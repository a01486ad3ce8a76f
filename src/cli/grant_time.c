#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "cli/grant.h"

enum { COUNT_MAX = 1000000 };

static int from_now(int64_t *ret, const char *text, int64_t now)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || n <= 0 || n > COUNT_MAX || !end[0] || end[1])
		return ERR_PARSE;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].unit == *end) {
			*ret = now + n * units[i].seconds;
			return 0;
		}
	return ERR_PARSE;
}

int grant_time(int64_t *ret, const char *text, int64_t now)
{
	struct tm tm = { 0 }, back;
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (!end)
		return from_now(ret, text, now);
	if (*end) {
		end = strptime(end, "T%H:%M:%S", &tm);
		if (!end || strcmp(end, "Z"))
			return ERR_PARSE;
	}
	back = tm;
	time_t t = timegm(&back);
	/* February 30th becomes another day */
	if (t <= 0 || back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon)
		return ERR_PARSE;
	*ret = t;
	return 0;
}
