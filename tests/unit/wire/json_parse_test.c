#include "test.h"
#include "wire/cbor.h"
#include "wire/json.h"

static void test_values_become_deterministic_cbor(void **state)
{
	static const struct {
		const char *json, *hex;
	} rows[] = {
		{ "0", "00" }, { "-0", "00" }, { " 24 ", "1818" }, { "-1", "20" }, { "18446744073709551615", "1bffffffffffffffff" },
		{ "-9223372036854775808", "3b7fffffffffffffff" }, { "true", "f5" }, { "false", "f4" }, { "null", "f6" },
		{ "\"\"", "60" }, { "\"a\\u00fc\"", "6361c3bc" }, { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "68225c2f080c0a0d09" },
		{ "\"\\u0000\"", "6100" }, { "\"\\u006A\\u20AC\"", "646ae282ac" }, { "\"\\uD800\\uDD51x\"", "65f090859178" },
		{ "\"\\ud7ff\\ue000\"", "66ed9fbfee8080" }, { "\"\x7f\xc3\xbc\"", "637fc3bc" },
		{ "[]", "80" }, { "[ ]", "80" }, { "\t[1 ,\n2,\r[3]]", "8301028103" }, { "{}", "a0" }, { "{ }", "a0" },
		{ "{\"bb\":1,\"a\" : {\"c\":[]}}", "a26161a161638062626201" }, { "{\"\\u0061\":1,\"b\":2}", "a2616101616202" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf b = {};
		uint8_t want[64];
		size_t n = unhex(want, sizeof want, rows[i].hex), at = 99;
		int err = json_to_cbor(&b, SPAN_STR(rows[i].json), &at);

		if (err || at != 99 || !span_equal(buf_span(&b), SPAN(want, n)))
			fail_msg("%s: %s at %zu", rows[i].json, err_name(err), at);
	}
}

static void test_errors_say_what_and_where(void **state)
{
	static const struct {
		const char *json;
		int want;
		size_t at;
	} rows[] = {
		{ "", ERR_PARSE, 0 }, { "  ", ERR_PARSE, 2 }, { "1 2", ERR_PARSE, 2 }, { "tru", ERR_PARSE, 0 }, { "truex", ERR_PARSE, 4 },
		{ "True", ERR_PARSE, 0 }, { "nan", ERR_PARSE, 0 }, { "\xef\xbb\xbf" "1", ERR_PARSE, 0 }, { "// x\n1", ERR_PARSE, 0 },
		/* numbers */
		{ "-", ERR_PARSE, 1 }, { "+1", ERR_PARSE, 0 }, { "01", ERR_PARSE, 0 }, { "-01", ERR_PARSE, 0 }, { ".5", ERR_PARSE, 0 },
		{ "1.", ERR_PARSE, 2 }, { "1e", ERR_PARSE, 2 }, { "1e+", ERR_PARSE, 3 }, { "1.5", ERR_TYPE, 0 }, { "[1e2]", ERR_TYPE, 1 },
		{ "1E-2", ERR_TYPE, 0 }, { "-1.0e+5", ERR_TYPE, 0 }, { "18446744073709551616", ERR_LIMIT, 0 },
		{ "[1,99999999999999999999]", ERR_LIMIT, 3 }, { "-9223372036854775809", ERR_LIMIT, 0 }, { "0x10", ERR_PARSE, 1 },
		/* strings */
		{ "\"abc", ERR_PARSE, 4 }, { "\"a\nb\"", ERR_PARSE, 2 }, { "\"\\x\"", ERR_PARSE, 2 }, { "\"\\", ERR_PARSE, 2 },
		{ "\"\\u12g4\"", ERR_PARSE, 5 }, { "\"\\u123", ERR_PARSE, 6 }, { "\"\\udc00\"", ERR_PARSE, 7 }, { "\"\\ud800\"", ERR_PARSE, 7 },
		{ "\"\\ud800\\n\"", ERR_PARSE, 8 }, { "\"\\ud800\\ud800\"", ERR_PARSE, 13 }, { "\"\\ud800\\ue000\"", ERR_PARSE, 13 },
		{ "\"\\ud800\\u12\"", ERR_PARSE, 11 }, { "\"ab\xff\"", ERR_PARSE, 3 }, { "\"\xc0\x80\"", ERR_PARSE, 1 }, { "'a'", ERR_PARSE, 0 },
		/* containers */
		{ "[", ERR_PARSE, 1 }, { "[1", ERR_PARSE, 2 }, { "[1,]", ERR_PARSE, 3 }, { "[,1]", ERR_PARSE, 1 }, { "[1 2]", ERR_PARSE, 3 },
		{ "]", ERR_PARSE, 0 }, { "[}", ERR_PARSE, 1 }, { "{", ERR_PARSE, 1 }, { "{\"a\"", ERR_PARSE, 4 }, { "{\"a\":", ERR_PARSE, 5 },
		{ "{\"a\":1", ERR_PARSE, 6 }, { "{\"a\":1,}", ERR_PARSE, 7 }, { "{a:1}", ERR_PARSE, 1 }, { "{1:1}", ERR_PARSE, 1 },
		{ "{\"a\" 1}", ERR_PARSE, 5 }, { "{\"a\":1 \"b\":2}", ERR_PARSE, 7 }, { "{\"a\":1]", ERR_PARSE, 6 },
		{ "{\"a\":1, \"a\":2}", ERR_EXISTS, 8 }, { "{\"a\":1,\"b\":2,\"\\u0061\":2}", ERR_EXISTS, 13 },
		{ "{\"a\":1.5}", ERR_TYPE, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf b = {};
		size_t at = 99;

		buf_add_u8(&b, 0xee);
		int err = json_to_cbor(&b, SPAN_STR(rows[i].json), &at);
		if (err != rows[i].want || at != rows[i].at)
			fail_msg("%s: got %s at %zu, want %s at %zu", rows[i].json, err_name(err), at,
				 err_name(rows[i].want), rows[i].at);
		assert_int_equal(b.len, 1);
	}
}

static void test_every_truncation_is_refused(void **state)
{
	static const char text[] = "{\"a\":[1,true,null,{\"\\u20ac\":\"x\\n\"}],\"b\":-5}";

	(void)state;
	for (size_t n = 0; n < sizeof text - 1; n++) {
		_cleanup_buf_ struct buf b = {};
		_cleanup_free_ uint8_t *exact = malloc(n + 1);
		size_t at = 0;

		memcpy(exact, text, n);
		CHECK_ERR(json_to_cbor(&b, SPAN(exact, n), &at), ERR_PARSE);
		assert_true(at <= n);
	}
}

static void test_nests_as_deep_as_the_limit_and_no_deeper(void **state)
{
	(void)state;
	for (size_t depth = CBOR_DEPTH_MAX; depth <= CBOR_DEPTH_MAX + 1; depth++) {
		_cleanup_buf_ struct buf text = {}, b = {};
		size_t at = 0;

		for (size_t i = 0; i < depth; i++)
			buf_add_str(&text, i % 2 ? "{\"a\":" : "[");
		buf_add_u8(&text, '1');
		for (size_t i = depth; i--;)
			buf_add_u8(&text, i % 2 ? '}' : ']');
		if (depth == CBOR_DEPTH_MAX) {
			CHECK_ERR(json_to_cbor(&b, buf_span(&text), &at), 0);
			CHECK_ERR(cbor_validate(buf_span(&b)), 0);
		} else {
			CHECK_ERR(json_to_cbor(&b, buf_span(&text), &at), ERR_LIMIT);
			assert_int_equal(at, CBOR_DEPTH_MAX / 2 * 6);
		}
	}
}

static void test_an_object_has_as_many_keys_as_the_writer_takes(void **state)
{
	(void)state;
	for (int keys = CBOR_MAP_ENTRIES_MAX; keys <= CBOR_MAP_ENTRIES_MAX + 1; keys++) {
		_cleanup_buf_ struct buf text = {}, b = {};
		size_t at = 0, last = 0;

		for (int i = 0; i < keys; i++) {
			buf_add_u8(&text, i ? ',' : '{');
			last = text.len;
			buf_printf(&text, "\"%d\":%d", i, i);
		}
		buf_add_u8(&text, '}');
		if (keys == CBOR_MAP_ENTRIES_MAX) {
			CHECK_ERR(json_to_cbor(&b, buf_span(&text), &at), 0);
			CHECK_ERR(cbor_validate(buf_span(&b)), 0);
		} else {
			CHECK_ERR(json_to_cbor(&b, buf_span(&text), &at), ERR_LIMIT);
			assert_int_equal(at, last);
		}
	}
}

static void test_long_arrays_get_their_count(void **state)
{
	static const size_t sizes[] = { 23, 24, 255, 256, 70000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		_cleanup_buf_ struct buf text = {}, b = {};
		size_t at = 0;

		for (size_t k = 0; k < sizes[i]; k++)
			buf_add_str(&text, k ? ",7" : "[7");
		buf_add_u8(&text, ']');
		CHECK_ERR(json_to_cbor(&b, buf_span(&text), &at), 0);
		CHECK_ERR(cbor_validate(buf_span(&b)), 0);
		struct cbor c = CBOR(buf_span(&b));
		assert_int_equal(cbor_array(&c, SIZE_MAX), sizes[i]);
	}
}

static void test_a_limit_of_the_output_is_reported(void **state)
{
	static const char text[] = "{\"b\":[1,2,300],\"a\":\"long enough\",\"c\":{}}";
	_cleanup_buf_ struct buf whole = {};
	size_t at = 0;

	(void)state;
	CHECK_ERR(json_to_cbor(&whole, SPAN_STR(text), &at), 0);
	for (size_t max = 1; max <= whole.len; max++) {
		_cleanup_buf_ struct buf b = { .max = max };
		bool fits = max == whole.len;

		CHECK_ERR(json_to_cbor(&b, SPAN_STR(text), &at), fits ? 0 : ERR_LIMIT);
		assert_int_equal(b.len, fits ? max : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_become_deterministic_cbor),
		cmocka_unit_test(test_errors_say_what_and_where),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_nests_as_deep_as_the_limit_and_no_deeper),
		cmocka_unit_test(test_an_object_has_as_many_keys_as_the_writer_takes),
		cmocka_unit_test(test_long_arrays_get_their_count),
		cmocka_unit_test(test_a_limit_of_the_output_is_reported),
	};

	return RUN_TESTS(tests);
}
