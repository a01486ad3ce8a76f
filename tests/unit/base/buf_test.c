#include "base/buf.h"

#include "test.h"

static void test_grows_and_keeps_what_was_added(void **state)
{
	_cleanup_buf_ struct buf b = {};

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_add_u8(&b, (uint8_t)i);
	buf_add_str(&b, "end");
	buf_add_span(&b, SPAN_NONE);
	CHECK_ERR(buf_err(&b), 0);
	assert_int_equal(b.len, 10003);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
	assert_memory_equal(b.data + 10000, "end", 3);
}

static void test_the_limit_is_exact_and_sticky(void **state)
{
	_cleanup_buf_ struct buf b = { .max = 10 };

	(void)state;
	buf_add(&b, "0123456789", 10);
	CHECK_ERR(buf_err(&b), 0);
	buf_add(&b, "", 0);
	CHECK_ERR(buf_err(&b), 0);
	buf_add_u8(&b, 'x');
	CHECK_ERR(buf_err(&b), ERR_LIMIT);
	assert_int_equal(b.len, 10);

	buf_consume(&b, 10);
	buf_add_u8(&b, 'x');
	assert_int_equal(b.len, 0);
	CHECK_ERR(buf_err(&b), ERR_LIMIT);
	assert_string_equal(buf_str(&b), "");
	assert_null(buf_take_str(&b));

	buf_done(&b);
	CHECK_ERR(buf_err(&b), 0);
	assert_int_equal(b.max, 10);
	buf_add_u8(&b, 'x');
	CHECK_ERR(buf_err(&b), 0);
}

static void test_a_size_that_would_overflow_is_a_limit(void **state)
{
	_cleanup_buf_ struct buf b = {}, all = { .max = SIZE_MAX };

	(void)state;
	buf_add_u8(&b, 1);
	assert_null(buf_reserve(&b, SIZE_MAX));
	CHECK_ERR(buf_err(&b), ERR_LIMIT);
	buf_add_u8(&all, 1);
	assert_null(buf_reserve(&all, SIZE_MAX));
	CHECK_ERR(buf_err(&all), ERR_LIMIT);
}

static void test_has_a_limit_of_its_own(void **state)
{
	_cleanup_buf_ struct buf b = {};

	(void)state;
	assert_null(buf_reserve(&b, (size_t)BUF_DEFAULT_MAX + 1));
	CHECK_ERR(buf_err(&b), ERR_LIMIT);
	assert_null(b.data);
}

static void test_reserved_bytes_count_only_when_added(void **state)
{
	_cleanup_buf_ struct buf b = {};
	uint8_t *p = buf_reserve(&b, 4);

	(void)state;
	assert_non_null(p);
	memcpy(p, "abcd", 4);
	assert_int_equal(b.len, 0);
	buf_added(&b, 2);
	assert_string_equal(buf_str(&b), "ab");
}

static void test_prints(void **state)
{
	_cleanup_buf_ struct buf b = {};

	(void)state;
	buf_printf(&b, "%d-%s", 42, "x");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%c", 'a');
	assert_int_equal(b.len, 104);
	assert_memory_equal(buf_str(&b), "42-xaaa", 7);
}

static void test_consume_drops_from_the_front(void **state)
{
	_cleanup_buf_ struct buf b = {};

	(void)state;
	buf_add_str(&b, "hello");
	buf_consume(&b, 2);
	assert_string_equal(buf_str(&b), "llo");
	buf_consume(&b, 0);
	assert_string_equal(buf_str(&b), "llo");
	buf_consume(&b, 99);
	assert_int_equal(b.len, 0);
}

static void test_take_str_gives_the_contents_away(void **state)
{
	_cleanup_buf_ struct buf b = {};

	(void)state;
	buf_add_str(&b, "mine");
	_cleanup_free_ char *s = buf_take_str(&b);
	assert_string_equal(s, "mine");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_wipe(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_keeps_what_was_added),
		cmocka_unit_test(test_the_limit_is_exact_and_sticky),
		cmocka_unit_test(test_a_size_that_would_overflow_is_a_limit),
		cmocka_unit_test(test_has_a_limit_of_its_own),
		cmocka_unit_test(test_reserved_bytes_count_only_when_added),
		cmocka_unit_test(test_prints),
		cmocka_unit_test(test_consume_drops_from_the_front),
		cmocka_unit_test(test_take_str_gives_the_contents_away),
	};

	return RUN_TESTS(tests);
}
