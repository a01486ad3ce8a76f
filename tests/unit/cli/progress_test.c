/* Is the bar the quickstart book's, to the character? */
#include "cli/progress.h"
#include "test.h"

static const struct {
	struct progress p;
	int bar;
	const char *text;
} cases[] = {
	{ { .done = 14400, .total = 50321, .elapsed = 2207850 }, PROGRESS_BAR,
	  "rtt 0ms | 14.06 KB / 49.14 KB [=======>--------------------] 28.62 % 6.22 MB/s 0s" },
	{ { .done = 0, .total = 1024 }, PROGRESS_BAR,
	  "rtt 0ms | 0 B / 1.00 KB [----------------------------] 0.00 % 0 B/s 0s" },
	{ { .done = 1024, .total = 1024, .rtt = 12345678, .elapsed = 1000000000 }, PROGRESS_BAR,
	  "rtt 12ms | 1.00 KB / 1.00 KB [============================] 100.00 % 1.00 KB/s 0s" },
	{ { .done = 0, .total = 0 }, 4, "rtt 0ms | 0 B / 0 B [====] 100.00 % 0 B/s 0s" },
	{ { .done = 1ull << 30, .total = 4ull << 30, .elapsed = 10000000000 }, 8,
	  "rtt 0ms | 1.00 GB / 4.00 GB [=>------] 25.00 % 102.40 MB/s 30s" },
	{ { .done = 600, .total = 1000, .resumed_at = 500, .elapsed = 10000000000 }, 10,
	  "rtt 0ms | 600 B / 1000 B [=====>----] 60.00 % 10 B/s 40s" },
	{ { .done = 100, .total = 100000, .elapsed = 10000000000 }, 10,
	  "rtt 0ms | 100 B / 97.66 KB [----------] 0.10 % 10 B/s 3h" },
};

static void test_the_bar_is_the_books(void **)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = {};

		progress_format(&b, &cases[i].p, cases[i].bar);
		assert_string_equal(buf_str(&b), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_the_bar_is_the_books) };

	return RUN_TESTS(tests);
}
