#include "test.h"
#include "wire/cbor.h"

static void check_hex(const struct buf *b, const char *hex)
{
	uint8_t want[512];
	size_t n = unhex(want, sizeof want, hex);

	CHECK_ERR(buf_err(b), 0);
	assert_int_equal(b->len, n);
	assert_memory_equal(b->data, want, n);
}

static void test_integers_take_the_shortest_form(void **state)
{
	static const struct {
		int64_t v;
		const char *hex;
	} rows[] = {
		{ 0, "00" }, { 23, "17" }, { 24, "1818" }, { 255, "18ff" }, { 256, "190100" }, { 65535, "19ffff" },
		{ 65536, "1a00010000" }, { 4294967295, "1affffffff" }, { 4294967296, "1b0000000100000000" },
		{ INT64_MAX, "1b7fffffffffffffff" }, { -1, "20" }, { -24, "37" }, { -25, "3818" }, { -256, "38ff" },
		{ -257, "390100" }, { INT64_MIN, "3b7fffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf b = {};

		cbor_put_int(&b, rows[i].v);
		check_hex(&b, rows[i].hex);
	}
}

static void test_map_entries_are_sorted_by_their_encoding(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	(void)state;
	cbor_map_begin(&m, &b);
	cbor_map_uint(&m, "bb", 1);
	cbor_map_uint(&m, "aa", 2);
	cbor_map_uint(&m, "z", 3);
	cbor_map_uint(&m, "", 4);
	cbor_map_uint(&m, "ab", 5);
	cbor_map_end(&m);
	check_hex(&b, "a5" "6004" "617a03" "62616102" "62616205" "62626201");
}

static void test_maps_nest_behind_other_bytes(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map outer, inner;

	(void)state;
	cbor_put_null(&b);
	cbor_map_begin(&outer, &b);
	cbor_map_begin(&inner, cbor_map_key(&outer, "y"));
	cbor_map_text(&inner, "b", SPAN_STR("t"));
	cbor_map_bool(&inner, "a", false);
	cbor_map_end(&inner);
	cbor_map_begin(&inner, cbor_map_key(&outer, "x"));
	cbor_map_end(&inner);
	cbor_map_end(&outer);
	check_hex(&b, "f6" "a2" "6178a0" "6179a2" "6161f4" "61626174");
}

static void test_a_map_of_any_size_is_valid_and_complete(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 23, 24, 25, 255, 256 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		_cleanup_buf_ struct buf b = {};
		struct cbor_map m;
		char key[16];

		cbor_map_begin(&m, &b);
		for (size_t k = 0; k < sizes[i]; k++) {
			snprintf(key, sizeof key, "k%zu", k * 7919 % 1009);
			assert_false(cbor_map_has(&m, SPAN_STR(key)));
			cbor_map_uint(&m, key, k);
			assert_true(cbor_map_has(&m, SPAN_STR(key)));
		}
		cbor_map_end(&m);
		CHECK_ERR(buf_err(&b), 0);
		CHECK_ERR(cbor_validate(buf_span(&b)), 0);
		for (size_t k = 0; k < sizes[i]; k++) {
			snprintf(key, sizeof key, "k%zu", k * 7919 % 1009);
			struct cbor c = cbor_map_find(buf_span(&b), key);
			assert_int_equal(cbor_uint(&c), k);
			CHECK_ERR(cbor_end(&c), 0);
		}
	}
}

static void test_large_values_are_sorted_too(void **state)
{
	_cleanup_buf_ struct buf b = {};
	static uint8_t big[5000] = { 1, 2, 3 };
	struct cbor_map m;

	(void)state;
	cbor_map_begin(&m, &b);
	cbor_map_bytes(&m, "b", SPAN_OF(big));
	cbor_map_uint(&m, "a", 1);
	cbor_map_end(&m);
	CHECK_ERR(buf_err(&b), 0);
	CHECK_ERR(cbor_validate(buf_span(&b)), 0);
	struct cbor c = cbor_map_find(buf_span(&b), "b");
	assert_true(span_equal(cbor_bytes(&c), SPAN_OF(big)));
}

static void test_misuse_of_a_map_is_an_error_of_the_buf(void **state)
{
	(void)state;
	for (int wrong = 0; wrong < 6; wrong++) {
		_cleanup_buf_ struct buf b = {};
		int want = ERR_STATE;
		struct cbor_map m;
		char key[16];

		cbor_map_begin(&m, &b);
		switch (wrong) {
		case 0:         /* the same key twice, neighbours */
			cbor_map_uint(&m, "a", 1);
			cbor_map_uint(&m, "a", 1);
			break;
		case 1:         /* and with others between */
			cbor_map_uint(&m, "b", 1);
			cbor_map_uint(&m, "a", 1);
			cbor_map_uint(&m, "c", 1);
			cbor_map_uint(&m, "b", 1);
			break;
		case 2:         /* no value for the last key */
			cbor_map_key(&m, "a");
			break;
		case 3:         /* nor for one before */
			cbor_map_key(&m, "a");
			cbor_map_uint(&m, "b", 1);
			break;
		case 4:
			want = ERR_LIMIT;
			for (int i = 0; i <= CBOR_MAP_ENTRIES_MAX; i++) {
				snprintf(key, sizeof key, "%d", i);
				cbor_map_uint(&m, key, 1);
			}
			break;
		default:
			want = ERR_PARSE;
			cbor_map_uint(&m, "\xff", 1);
		}
		cbor_map_end(&m);
		CHECK_ERR(buf_err(&b), want);
	}
}

static void test_a_map_that_is_given_up_is_freed(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;
	char key[16];

	(void)state;
	cbor_map_begin(&m, &b);
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof key, "%d", i);
		cbor_map_uint(&m, key, 1);
	}
	cbor_map_done(&m);
	cbor_map_done(&m);
	CHECK_ERR(buf_err(&b), 0);
}

static void test_text_that_is_not_utf8_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = {};

	(void)state;
	cbor_put_str(&b, "ok");
	cbor_put_str(&b, "\xc3");
	CHECK_ERR(buf_err(&b), ERR_PARSE);
	assert_int_equal(b.len, 3);
	cbor_put_uint(&b, 1);
	assert_int_equal(b.len, 3);
}

static void put_all(struct buf *b)
{
	struct cbor_map m;

	cbor_put_array(b, 7);
	cbor_put_uint(b, UINT64_MAX);
	cbor_put_int(b, -1000);
	cbor_put_bytes(b, SPAN("\x01\x02", 2));
	cbor_put_str(b, "text");
	cbor_put_bool(b, true);
	cbor_put_null(b);
	cbor_map_begin(&m, b);
	for (char key[] = "z"; key[0] > 'A'; key[0]--)
		cbor_map_uint(&m, key, 300);
	cbor_map_end(&m);
}

/* A limit of exactly the length suffices, and no smaller one does. */
static void test_the_limit_of_the_buf_is_exact(void **state)
{
	_cleanup_buf_ struct buf whole = {};

	(void)state;
	put_all(&whole);
	CHECK_ERR(cbor_validate(buf_span(&whole)), 0);
	for (size_t max = 1; max <= whole.len; max++) {
		_cleanup_buf_ struct buf b = { .max = max };

		put_all(&b);
		CHECK_ERR(buf_err(&b), max == whole.len ? 0 : ERR_LIMIT);
		assert_true(b.len <= max);
	}
	_cleanup_buf_ struct buf small = { .max = 10 };
	cbor_put_bytes(&small, SPAN(whole.data, SIZE_MAX));
	CHECK_ERR(buf_err(&small), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_take_the_shortest_form),
		cmocka_unit_test(test_map_entries_are_sorted_by_their_encoding),
		cmocka_unit_test(test_maps_nest_behind_other_bytes),
		cmocka_unit_test(test_a_map_of_any_size_is_valid_and_complete),
		cmocka_unit_test(test_large_values_are_sorted_too),
		cmocka_unit_test(test_misuse_of_a_map_is_an_error_of_the_buf),
		cmocka_unit_test(test_a_map_that_is_given_up_is_freed),
		cmocka_unit_test(test_text_that_is_not_utf8_is_refused),
		cmocka_unit_test(test_the_limit_of_the_buf_is_exact),
	};

	return RUN_TESTS(tests);
}
