/* Do people get the moment that they wrote? */
#include "cli/grant.h"
#include "test.h"

static const struct {
	const char *text;
	int64_t at;     /* 0: refused */
} cases[] = {
	{ "2026-01-31", 1769817600 },
	{ "2026-01-31T12:30:05Z", 1769862605 },
	{ "30m", 1000 + 1800 },
	{ "12h", 1000 + 43200 },
	{ "7d", 1000 + 604800 },
	{ "1s", 1001 },
	{ "2w", 1000 + 1209600 },
	{ "2026-02-30", 0 },
	{ "2026-13-01", 0 },
	{ "2026-01-31T12:30:05", 0 },
	{ "2026-01-31T12:30:05+01:00", 0 },
	{ "1969-01-01", 0 },
	{ "7", 0 },
	{ "7y", 0 },
	{ "0d", 0 },
	{ "-1d", 0 },
	{ "9999999d", 0 },
	{ "7dd", 0 },
	{ "", 0 },
};

static void test_times(void **)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t at = -1;

		CHECK_ERR(grant_time(&at, cases[i].text, 1000), cases[i].at ? 0 : ERR_PARSE);
		if (at != (cases[i].at ?: -1))
			fail_msg("%s: %lld", cases[i].text, (long long)at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_times) };

	return RUN_TESTS(tests);
}
