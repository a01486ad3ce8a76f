/* Is a date-time the second it names, and is what is none refused? */
#include "auth/internal.h"
#include "test.h"

static void which_second_is_it(void **state)
{
	static const struct { const char *text; int64_t want; } rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00.999Z", 0 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "1996-12-19T16:39:57-08:00", 851042397 },     /* RFC 3339 5.8 */
		{ "1996-12-20T00:39:57Z", 851042397 },
		{ "1990-12-31T23:59:60Z", 662688000 },
		{ "1937-01-01T12:00:27.87+00:20", -1041337173 },
		{ "2000-02-29 12:00:00z", 951825600 },
		{ "2000-03-01t00:00:00Z", 951868800 },
		{ "2038-01-19T03:14:08+00:00", 2147483648 },
		{ "2100-02-28T23:59:59Z", 4107542399 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 7;

		if (rfc3339_parse(&got, rows[i].text) < 0 || got != rows[i].want)
			fail_msg("%s: %lld", rows[i].text, (long long)got);
	}
}

static void is_what_is_no_time_refused(void **state)
{
	static const char *const rows[] = {
		"", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-1-01T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
		"2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+0000", "2026-01-01X00:00:00Z", "2026/01/01T00:00:00Z",
		"2026-01-01T00:00:00.5", "x026-01-01T00:00:00Z", "20x6-01-01T00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t untouched = 7;

		if (rfc3339_parse(&untouched, rows[i]) != ERR_PARSE || untouched != 7)
			fail_msg("%s", rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_second_is_it),
		cmocka_unit_test(is_what_is_no_time_refused),
	};

	return RUN_TESTS(tests);
}
