#include "base/span.h"

#include "base/time.h"
#include "test.h"

static void test_compares_bytes(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN_NONE, SPAN("x", 0)));
	assert_true(span_equal(SPAN("ab", 2), SPAN_STR("ab")));
	assert_false(span_equal(SPAN("ab", 2), SPAN_STR("ac")));
	assert_false(span_equal(SPAN("ab", 2), SPAN_STR("abc")));
	assert_true(span_is(SPAN("abc", 2), "ab"));
	assert_false(span_is(SPAN("a\0", 2), "a"));
	assert_true(span_starts(SPAN_STR("abc"), "ab"));
	assert_true(span_starts(SPAN_STR("abc"), ""));
	assert_false(span_starts(SPAN_STR("a"), "ab"));
}

static void test_cuts_within_its_borders(void **state)
{
	struct span s = SPAN_STR("hello");

	(void)state;
	assert_true(span_is(span_from(s, 2), "llo"));
	assert_int_equal(span_from(s, 5).len, 0);
	assert_int_equal(span_from(s, SIZE_MAX).len, 0);
	assert_true(span_is(span_first(s, 2), "he"));
	assert_true(span_is(span_first(s, 99), "hello"));
}

static void test_a_copy_ends_in_nul(void **state)
{
	_cleanup_free_ char *a = span_dup_str(SPAN("hello", 4)), *b = span_dup_str(SPAN_NONE);

	(void)state;
	assert_string_equal(a, "hell");
	assert_string_equal(b, "");
}

static void test_monotonic_time_goes_on(void **state)
{
	tstamp a = time_monotonic(), b = time_monotonic();

	(void)state;
	assert_true(b >= a && b - a < SECONDS(10));
	assert_true(SECONDS(1) == MILLIS(1000) && MILLIS(1) == MICROS(1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compares_bytes),
		cmocka_unit_test(test_cuts_within_its_borders),
		cmocka_unit_test(test_a_copy_ends_in_nul),
		cmocka_unit_test(test_monotonic_time_goes_on),
	};

	return RUN_TESTS(tests);
}
