#include "test.h"
#include "wire/cbor.h"
#include "wire/json.h"

static void test_writes_one_line(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct json j = JSON(&b);

	(void)state;
	json_object(&j);
	json_key(&j, "name");
	json_str(&j, "a");
	json_key(&j, "none");
	json_str(&j, NULL);
	json_key_span(&j, SPAN_STR("list"));
	json_array(&j);
	json_uint(&j, UINT64_MAX);
	json_int(&j, INT64_MIN);
	json_bool(&j, true);
	json_bool(&j, false);
	json_object(&j);
	json_close(&j, '}');
	json_array(&j);
	json_close(&j, ']');
	json_close(&j, ']');
	json_key(&j, "hex");
	json_hex(&j, SPAN("\x00\x9f\xff", 3));
	json_key(&j, "raw");
	json_raw(&j, SPAN_STR("1.5"));
	json_key(&j, "null");
	json_null(&j);
	json_close(&j, '}');
	assert_string_equal(buf_str(&b), "{\"name\":\"a\",\"none\":null,"
		"\"list\":[18446744073709551615,-9223372036854775808,true,false,{},[]],"
		"\"hex\":\"009fff\",\"raw\":1.5,\"null\":null}");
}

static void test_indents(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct json j = { .out = &b, .indent = 2 };

	(void)state;
	json_object(&j);
	json_key(&j, "a");
	json_array(&j);
	json_uint(&j, 1);
	json_uint(&j, 2);
	json_close(&j, ']');
	json_key(&j, "b");
	json_object(&j);
	json_close(&j, '}');
	json_close(&j, '}');
	assert_string_equal(buf_str(&b), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

static void test_values_of_a_stream_are_the_callers_to_separate(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct json j = JSON(&b);

	(void)state;
	json_uint(&j, 1);
	buf_add_u8(&b, '\n');
	json_array(&j);
	json_close(&j, ']');
	buf_add_u8(&b, '\n');
	json_null(&j);
	assert_string_equal(buf_str(&b), "1\n[]\nnull");
}

static void test_text_is_escaped_for_parsers_and_terminals(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "\"\"" }, { "plain", "\"plain\"" }, { "\"\\/", "\"\\\"\\\\/\"" },
		{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" }, { "\x01\x1b[0m\x1f", "\"\\u0001\\u001b[0m\\u001f\"" },
		{ "\x7f", "\"\\u007f\"" }, { "\xc2\x80\xc2\x9b\xc2\x9f", "\"\\u0080\\u009b\\u009f\"" },
		{ "\xc2\xa0\xc3\xbc", "\"\xc2\xa0\xc3\xbc\"" }, { "\xe6\xb0\xb4\xf0\x90\x85\x91", "\"\xe6\xb0\xb4\xf0\x90\x85\x91\"" },
		{ "a\xff" "b\xc3", "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"" }, { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf b = {};
		struct json j = JSON(&b);

		json_str(&j, rows[i].text);
		assert_string_equal(buf_str(&b), rows[i].want);
	}

	_cleanup_buf_ struct buf b = {};
	struct json j = JSON(&b);
	json_text(&j, SPAN("a\0b", 3));
	assert_string_equal(buf_str(&b), "\"a\\u0000b\"");
}

static void test_cbor_prints_as_json(void **state)
{
	static const struct {
		const char *hex, *want;
	} rows[] = {
		{ "00", "0" }, { "1bffffffffffffffff", "18446744073709551615" }, { "20", "-1" },
		{ "3b7fffffffffffffff", "-9223372036854775808" }, { "3b8000000000000000", "-9223372036854775809" },
		{ "3bffffffffffffffff", "-18446744073709551616" }, { "f4", "false" }, { "f5", "true" }, { "f6", "null" },
		{ "420aff", "\"0aff\"" }, { "6161", "\"a\"" }, { "80", "[]" }, { "a0", "{}" },
		{ "a2616181f66162a0", "{\"a\":[null],\"b\":{}}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf b = {};
		struct json j = JSON(&b);
		uint8_t raw[32];

		CHECK_ERR(json_from_cbor(&j, SPAN(raw, unhex(raw, sizeof raw, rows[i].hex))), 0);
		assert_string_equal(buf_str(&b), rows[i].want);
	}
}

static void test_bad_cbor_writes_nothing(void **state)
{
	static const struct {
		const char *hex;
		int want;
	} rows[] = {
		{ "", ERR_PARSE }, { "8201", ERR_PARSE }, { "0000", ERR_PARSE }, { "81f7", ERR_TYPE },
		{ "82f5a10102", ERR_TYPE }, { "1800", ERR_CANON },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf b = {};
		struct json j = JSON(&b);
		uint8_t raw[32];

		json_array(&j);
		CHECK_ERR(json_from_cbor(&j, SPAN(raw, unhex(raw, sizeof raw, rows[i].hex))), rows[i].want);
		json_uint(&j, 1);
		json_close(&j, ']');
		assert_string_equal(buf_str(&b), "[1]");
	}
}

static void test_a_full_buf_is_reported(void **state)
{
	_cleanup_buf_ struct buf b = { .max = 8 };
	struct json j = { .out = &b, .indent = 4 };

	(void)state;
	CHECK_ERR(json_from_cbor(&j, SPAN("\x45hello", 6)), ERR_LIMIT);
	assert_int_equal(b.len, 0);

	_cleanup_buf_ struct buf c = { .max = 4 };
	j = (struct json){ .out = &c, .indent = 4 };
	CHECK_ERR(json_from_cbor(&j, SPAN("\x81\xf6", 2)), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_one_line),
		cmocka_unit_test(test_indents),
		cmocka_unit_test(test_values_of_a_stream_are_the_callers_to_separate),
		cmocka_unit_test(test_text_is_escaped_for_parsers_and_terminals),
		cmocka_unit_test(test_cbor_prints_as_json),
		cmocka_unit_test(test_bad_cbor_writes_nothing),
		cmocka_unit_test(test_a_full_buf_is_reported),
	};

	return RUN_TESTS(tests);
}
