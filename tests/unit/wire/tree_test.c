/* Properties of random values. The seed of a failure is printed. */
#include "test.h"
#include "tree.h"
#include "wire/json.h"

enum { ROUNDS = 3000 };

static void test_a_copy_through_reader_and_writer_is_the_same_bytes(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		_cleanup_buf_ struct buf a = {}, b = {};
		struct rng r = { seed };

		tree_put(&a, &r, 6, false);
		struct cbor c = CBOR(buf_span(&a));
		tree_copy(&b, &c);
		if (buf_err(&a) || buf_err(&b) || cbor_end(&c) || cbor_validate(buf_span(&a)) ||
		    !span_equal(buf_span(&a), buf_span(&b)))
			fail_msg("seed %llu: %s", (unsigned long long)seed, err_name(cbor_end(&c)));
	}
}

static void test_json_carries_a_value_there_and_back(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		_cleanup_buf_ struct buf a = {}, text = {}, b = {};
		struct json j = { .out = &text, .indent = seed % 2 ? 2 : 0 };
		struct rng r = { seed };
		size_t at = 0;

		tree_put(&a, &r, 6, true);
		int err = json_from_cbor(&j, buf_span(&a)) ?: json_to_cbor(&b, buf_span(&text), &at);
		if (err || !span_equal(buf_span(&a), buf_span(&b)))
			fail_msg("seed %llu: %s at %zu", (unsigned long long)seed, err_name(err), at);
	}
}

static void test_no_beginning_of_a_value_is_a_value(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		_cleanup_buf_ struct buf a = {};
		struct rng r = { seed };

		tree_put(&a, &r, 3, false);
		for (size_t n = 0; n < a.len && n < 1000; n++)
			if (cbor_validate(SPAN(a.data, n)) != ERR_PARSE)
				fail_msg("seed %llu, %zu of %zu bytes", (unsigned long long)seed, n, a.len);
	}
}

/* Whatever the reader takes has one spelling: a changed byte is another value or none. */
static void test_a_changed_byte_is_refused_or_copied_exactly(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		_cleanup_buf_ struct buf a = {}, b = {};
		struct rng r = { seed };

		tree_put(&a, &r, 4, false);
		a.data[rng_below(&r, a.len)] ^= (uint8_t)(1 << rng_below(&r, 8));
		struct cbor c = CBOR(buf_span(&a));
		tree_copy(&b, &c);
		if (!cbor_end(&c) && (buf_err(&b) || !span_equal(buf_span(&a), buf_span(&b))))
			fail_msg("seed %llu", (unsigned long long)seed);
		if (!cbor_end(&c) && cbor_validate(buf_span(&a)))
			fail_msg("seed %llu: read, but not valid", (unsigned long long)seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_copy_through_reader_and_writer_is_the_same_bytes),
		cmocka_unit_test(test_json_carries_a_value_there_and_back),
		cmocka_unit_test(test_no_beginning_of_a_value_is_a_value),
		cmocka_unit_test(test_a_changed_byte_is_refused_or_copied_exactly),
	};

	return RUN_TESTS(tests);
}
