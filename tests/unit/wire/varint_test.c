#include "test.h"
#include "wire/varint.h"

/* RFC 9000 A.1, and the borders. */
static const struct {
	uint64_t v;
	const char *hex;
} rows[] = {
	{ 0, "00" }, { 37, "25" }, { 63, "3f" }, { 64, "4040" }, { 15293, "7bbd" }, { 16383, "7fff" },
	{ 16384, "80004000" }, { 494878333, "9d7f3e7d" }, { 1073741823, "bfffffff" },
	{ 1073741824, "c000000040000000" }, { 151288809941952652, "c2197c5eff14e88c" },
	{ VARINT_MAX, "ffffffffffffffff" },
};

static void test_writes_and_reads_the_shortest_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t want[8], got[VARINT_LEN_MAX];
		size_t n = unhex(want, sizeof want, rows[i].hex);
		uint64_t v = 1;

		assert_int_equal(varint_len(rows[i].v), n);
		assert_int_equal(varint_put(got, rows[i].v), n);
		assert_memory_equal(got, want, n);
		assert_int_equal(varint_get(&v, SPAN(want, n)), n);
		CHECK(v == rows[i].v);
	}
}

static void test_asks_for_more_bytes_and_leaves_the_output(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t raw[8];
		size_t n = unhex(raw, sizeof raw, rows[i].hex);
		uint64_t v = 4711;

		for (size_t len = 0; len < n; len++)
			assert_int_equal(varint_get(&v, SPAN(raw, len)), 0);
		assert_int_equal(v, 4711);
	}
}

static void test_takes_a_longer_form_and_stops_at_its_end(void **state)
{
	const uint8_t raw[] = { 0x40, 0x25, 0xff };
	uint64_t v = 0;

	(void)state;
	assert_int_equal(varint_get(&v, SPAN_OF(raw)), 2);
	assert_int_equal(v, 37);
}

static void test_refuses_to_write_what_does_not_fit(void **state)
{
	uint8_t out[VARINT_LEN_MAX] = { 0xee };

	(void)state;
	assert_int_equal(varint_len(VARINT_MAX + 1), 0);
	assert_int_equal(varint_put(out, UINT64_MAX), 0);
	assert_int_equal(out[0], 0xee);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_and_reads_the_shortest_form),
		cmocka_unit_test(test_asks_for_more_bytes_and_leaves_the_output),
		cmocka_unit_test(test_takes_a_longer_form_and_stops_at_its_end),
		cmocka_unit_test(test_refuses_to_write_what_does_not_fit),
	};

	return RUN_TESTS(tests);
}
