#include "test.h"
#include "wire/cbor.h"
#include "wire/utf8.h"

static const struct {
	const char *hex;
	int want;
} items[] = {
	{ "", ERR_PARSE }, { "0001", ERR_PARSE },
	/* not the shortest */
	{ "1817", ERR_CANON }, { "1818", 0 }, { "1900ff", ERR_CANON }, { "190100", 0 },
	{ "1a0000ffff", ERR_CANON }, { "1a00010000", 0 }, { "1b00000000ffffffff", ERR_CANON },
	{ "1b0000000100000000", 0 }, { "3800", ERR_CANON }, { "5801ff", ERR_CANON }, { "780161", ERR_CANON },
	{ "980100", ERR_CANON }, { "b8010000", ERR_CANON },
	/* cut short in the head */
	{ "18", ERR_PARSE }, { "1901", ERR_PARSE }, { "1a010203", ERR_PARSE }, { "1b01020304050607", ERR_PARSE },
	/* indefinite, reserved, break */
	{ "5fff", ERR_CANON }, { "7fff", ERR_CANON }, { "9fff", ERR_CANON }, { "bfff", ERR_CANON },
	{ "1f", ERR_PARSE }, { "3f", ERR_PARSE }, { "df", ERR_PARSE }, { "ff", ERR_PARSE }, { "1c", ERR_PARSE },
	{ "1d", ERR_PARSE }, { "1e", ERR_PARSE }, { "fc", ERR_PARSE },
	/* not in our profile */
	{ "f7", ERR_TYPE }, { "e0", ERR_TYPE }, { "f3", ERR_TYPE }, { "f818", ERR_PARSE }, { "f8", ERR_PARSE },
	{ "f820", ERR_TYPE }, { "f93c00", ERR_TYPE }, { "fa47c35000", ERR_TYPE }, { "c100", ERR_TYPE },
	{ "81f7", ERR_TYPE }, { "a16161f7", ERR_TYPE },
	/* lengths and counts beyond the input */
	{ "43ffff", ERR_PARSE }, { "63616", ERR_PARSE }, { "5bffffffffffffffff00", ERR_PARSE },
	{ "7b7fffffffffffffff61", ERR_PARSE }, { "9bffffffffffffffff00", ERR_PARSE },
	{ "bb8000000000000001616100", ERR_PARSE }, { "8200", ERR_PARSE }, { "a2616100", ERR_PARSE }, { "a16161", ERR_PARSE },
	/* keys */
	{ "a2616100616200", 0 }, { "a2616200616100", ERR_CANON }, { "a2616100616100", ERR_EXISTS },
	{ "a262616100616200", ERR_CANON }, { "a2616200626161", ERR_PARSE }, { "a261620062616100", 0 },
	{ "a260006000", ERR_EXISTS }, { "a201020304", 0 }, { "a203040102", ERR_CANON }, { "a20102616100", 0 },
	{ "a18001", 0 }, { "a1ff00", ERR_PARSE },
	/* bad UTF-8 */
	{ "61ff", ERR_PARSE }, { "62c080", ERR_PARSE }, { "63eda080", ERR_PARSE }, { "a161ff00", ERR_PARSE },
};

static void test_takes_exactly_the_deterministic_profile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		uint8_t raw[64];
		int got = cbor_validate(SPAN(raw, unhex(raw, sizeof raw, items[i].hex)));

		if (got != items[i].want)
			fail_msg("%s: got %s, want %s", items[i].hex, err_name(got), err_name(items[i].want));
	}
}

static void test_nests_as_deep_as_the_limit_and_no_deeper(void **state)
{
	uint8_t arrays[CBOR_DEPTH_MAX + 2], maps[3 * CBOR_DEPTH_MAX + 4];
	size_t n = 0;

	(void)state;
	memset(arrays, 0x81, sizeof arrays);
	arrays[CBOR_DEPTH_MAX] = 0;
	CHECK_ERR(cbor_validate(SPAN(arrays, CBOR_DEPTH_MAX + 1)), 0);
	arrays[CBOR_DEPTH_MAX] = 0x81;
	arrays[CBOR_DEPTH_MAX + 1] = 0;
	CHECK_ERR(cbor_validate(SPAN_OF(arrays)), ERR_LIMIT);

	for (int i = 0; i <= CBOR_DEPTH_MAX; i++, n += 3)
		memcpy(maps + n, "\xa1\x61\x61", 3);
	maps[n++] = 0;
	CHECK_ERR(cbor_validate(SPAN(maps, n)), ERR_LIMIT);
	CHECK_ERR(cbor_map_find(SPAN(maps, n), "a").err, ERR_LIMIT);
	CHECK_ERR(cbor_map_find(SPAN(maps + 3, n - 3), "a").err, 0);
	CHECK_ERR(cbor_validate(SPAN(maps + 3, n - 3)), 0);
}

static void put_message(struct buf *b)
{
	struct cbor_map m;

	cbor_map_begin(&m, b);
	cbor_map_uint(&m, "port", 443);
	cbor_map_int(&m, "temp", -40);
	cbor_map_str(&m, "name", "caf\xc3\xa9");
	cbor_map_bytes(&m, "key", SPAN("\x00\x01\x02\x03", 4));
	cbor_map_bool(&m, "up", true);
	cbor_put_null(cbor_map_key(&m, "none"));
	cbor_put_array(cbor_map_key(&m, "list"), 2);
	cbor_put_uint(b, 1000000);
	cbor_put_int(b, INT64_MIN);
	cbor_map_end(&m);
}

/* In the order in which the keys are sorted. */
static int read_message(struct span in)
{
	struct cbor c = CBOR(in);
	struct span last = SPAN_NONE;
	uint8_t key[4];

	cbor_map(&c, 10);
	if (!c.err && !span_is(cbor_key(&c, &last), "up"))
		cbor_fail(&c, ERR_UNKNOWN);
	if (!cbor_bool(&c))
		cbor_fail(&c, ERR_UNKNOWN);
	cbor_key(&c, &last);
	cbor_bytes_exact(&c, key, sizeof key);
	cbor_key(&c, &last);
	if (cbor_array(&c, 2) != 2 || cbor_uint(&c) != 1000000 || cbor_int(&c) != INT64_MIN)
		cbor_fail(&c, ERR_UNKNOWN);
	cbor_key(&c, &last);
	if (!span_is(cbor_text(&c), "caf\xc3\xa9"))
		cbor_fail(&c, ERR_UNKNOWN);
	cbor_key(&c, &last);
	cbor_null(&c);
	cbor_key(&c, &last);
	if (cbor_uint_max(&c, 65535) != 443)
		cbor_fail(&c, ERR_UNKNOWN);
	cbor_key(&c, &last);
	if (cbor_int(&c) != -40)
		cbor_fail(&c, ERR_UNKNOWN);
	return cbor_end(&c);
}

static void test_every_truncation_of_a_message_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = {};

	(void)state;
	put_message(&b);
	CHECK_ERR(buf_err(&b), 0);
	CHECK_ERR(read_message(buf_span(&b)), 0);
	for (size_t n = 0; n < b.len; n++) {
		_cleanup_free_ uint8_t *exact = malloc(n + 1);

		memcpy(exact, b.data, n);
		CHECK_ERR(read_message(SPAN(exact, n)), ERR_PARSE);
		CHECK_ERR(cbor_validate(SPAN(exact, n)), ERR_PARSE);
	}
	buf_add_u8(&b, 0);
	CHECK_ERR(read_message(buf_span(&b)), ERR_PARSE);
}

static void test_after_the_first_error_every_read_is_zero(void **state)
{
	const uint8_t raw[] = { 0x61, 0x61, 0x01, 0x01 };
	struct cbor c = CBOR(SPAN_OF(raw));
	struct span last = SPAN_NONE;
	uint8_t out[2] = { 1, 1 };

	(void)state;
	assert_int_equal(cbor_uint(&c), 0);
	assert_int_equal(c.err, ERR_TYPE);
	c.in = SPAN_OF(raw);
	assert_int_equal(cbor_text(&c).len, 0);
	assert_int_equal(cbor_uint(&c), 0);
	assert_int_equal(cbor_int(&c), 0);
	assert_int_equal(cbor_array(&c, 9), 0);
	assert_int_equal(cbor_map(&c, 9), 0);
	assert_false(cbor_bool(&c));
	cbor_null(&c);
	cbor_bytes_exact(&c, out, 2);
	assert_int_equal(out[0] | out[1], 0);
	assert_int_equal(cbor_key(&c, &last).len, 0);
	assert_null(last.data);
	assert_null(cbor_skip(&c).data);
	assert_int_equal(cbor_peek(&c), CBOR_NONE);
	cbor_fail(&c, ERR_DENIED);
	CHECK_ERR(cbor_end(&c), ERR_TYPE);
}

static void test_peek_names_the_type(void **state)
{
	static const struct {
		uint8_t first;
		enum cbor_type want;
	} rows[] = {
		{ 0x00, CBOR_UINT }, { 0x3b, CBOR_NEGINT }, { 0x40, CBOR_BYTES }, { 0x78, CBOR_TEXT },
		{ 0x80, CBOR_ARRAY }, { 0xa0, CBOR_MAP }, { 0xf4, CBOR_BOOL }, { 0xf5, CBOR_BOOL },
		{ 0xf6, CBOR_NULL }, { 0xf7, CBOR_NONE }, { 0xc0, CBOR_NONE }, { 0xf9, CBOR_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cbor c = CBOR(SPAN(&rows[i].first, 1));

		assert_int_equal(cbor_peek(&c), rows[i].want);
	}
	struct cbor empty = CBOR(SPAN_NONE);
	assert_int_equal(cbor_peek(&empty), CBOR_NONE);
}

enum read { UINT, UINT_MAX9, INT, BYTES, EXACT2, TEXT, BOOL, NULLV, ARRAY_MAX1, MAP_MAX1 };

static int read_as(enum read how, struct span in)
{
	struct cbor c = CBOR(in);
	uint8_t two[2];

	switch (how) {
	case UINT: cbor_uint(&c); break;
	case UINT_MAX9: cbor_uint_max(&c, 9); break;
	case INT: cbor_int(&c); break;
	case BYTES: cbor_bytes(&c); break;
	case EXACT2: cbor_bytes_exact(&c, two, 2); break;
	case TEXT: cbor_text(&c); break;
	case BOOL: cbor_bool(&c); break;
	case NULLV: cbor_null(&c); break;
	case ARRAY_MAX1: cbor_array(&c, 1); break;
	case MAP_MAX1: cbor_map(&c, 1); break;
	}
	return c.err;
}

static void test_a_wrong_type_or_range_says_so(void **state)
{
	static const struct {
		enum read how;
		const char *hex;
		int want;
	} rows[] = {
		{ UINT, "20", ERR_TYPE }, { UINT_MAX9, "09", 0 }, { UINT_MAX9, "0a", ERR_LIMIT },
		{ INT, "1b7fffffffffffffff", 0 }, { INT, "1b8000000000000000", ERR_LIMIT },
		{ INT, "3b7fffffffffffffff", 0 }, { INT, "3b8000000000000000", ERR_LIMIT }, { INT, "60", ERR_TYPE },
		{ BYTES, "60", ERR_TYPE }, { EXACT2, "41aa", ERR_LENGTH }, { EXACT2, "43aaaaaa", ERR_LENGTH },
		{ EXACT2, "42aabb", 0 }, { TEXT, "40", ERR_TYPE }, { BOOL, "f6", ERR_TYPE }, { BOOL, "00", ERR_TYPE },
		{ NULLV, "f4", ERR_TYPE }, { NULLV, "f6", 0 }, { ARRAY_MAX1, "8100", 0 }, { ARRAY_MAX1, "820000", ERR_LIMIT },
		{ ARRAY_MAX1, "81", ERR_PARSE }, { ARRAY_MAX1, "9bffffffffffffffff", ERR_LIMIT }, { ARRAY_MAX1, "a0", ERR_TYPE },
		{ MAP_MAX1, "a100", ERR_PARSE }, { MAP_MAX1, "a10000", 0 }, { MAP_MAX1, "a2", ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t raw[16];
		int got = read_as(rows[i].how, SPAN(raw, unhex(raw, sizeof raw, rows[i].hex)));

		if (got != rows[i].want)
			fail_msg("%s: got %s, want %s", rows[i].hex, err_name(got), err_name(rows[i].want));
	}
}

static void test_keys_ascend(void **state)
{
	static const struct {
		const char *hex;
		int want;
	} rows[] = {
		{ "61616162", 0 }, { "61626161", ERR_CANON }, { "61616161", ERR_EXISTS }, { "6162626161", 0 },
		{ "6261616162", ERR_CANON }, { "606161", 0 }, { "6060", ERR_EXISTS }, { "616100", ERR_TYPE }, { "0000", ERR_TYPE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t raw[16];
		struct cbor c = CBOR(SPAN(raw, unhex(raw, sizeof raw, rows[i].hex)));
		struct span last = SPAN_NONE;

		cbor_key(&c, &last);
		cbor_key(&c, &last);
		if (c.err != rows[i].want)
			fail_msg("%s: got %s, want %s", rows[i].hex, err_name(c.err), err_name(rows[i].want));
	}
}

static void test_skip_returns_the_encoding_and_stops_behind_it(void **state)
{
	const uint8_t raw[] = { 0x82, 0x01, 0x61, 'x', 0xf5 };
	struct cbor c = CBOR(SPAN_OF(raw));

	(void)state;
	assert_true(span_equal(cbor_skip(&c), SPAN(raw, 4)));
	assert_true(cbor_bool(&c));
	CHECK_ERR(cbor_end(&c), 0);
}

static void test_find_reads_one_value_of_a_whole_map(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor c;

	(void)state;
	put_message(&b);
	c = cbor_map_find(buf_span(&b), "port");
	assert_int_equal(cbor_uint(&c), 443);
	CHECK_ERR(cbor_end(&c), 0);
	c = cbor_map_find(buf_span(&b), "up");
	assert_true(cbor_bool(&c));
	c = cbor_map_find(buf_span(&b), "nothing");
	assert_int_equal(c.in.len, 0);
	CHECK_ERR(c.err, 0);
	for (size_t n = 0; n < b.len; n++)
		CHECK_ERR(cbor_map_find(SPAN(b.data, n), "up").err, ERR_PARSE);
	CHECK_ERR(cbor_map_find(SPAN("\x80", 1), "up").err, ERR_TYPE);
	CHECK_ERR(cbor_map_find(SPAN("\xa1\x01\x02", 3), "up").err, ERR_TYPE);
	CHECK_ERR(cbor_map_find(SPAN("\xa0\x00", 2), "up").err, ERR_PARSE);
}

static void test_utf8_is_that_of_rfc_3629(void **state)
{
	static const struct {
		const char *text;
		size_t want;
	} rows[] = {
		{ "a", 1 }, { "\x7f", 1 }, { "\x80", 0 }, { "\xc1\xbf", 0 }, { "\xc2\x80", 2 }, { "\xc2", 0 },
		{ "\xc2\x41", 0 }, { "\xdf\xbf", 2 }, { "\xe0\x9f\xbf", 0 }, { "\xe0\xa0\x80", 3 }, { "\xe1\x80", 0 },
		{ "\xe1\x80\x41", 0 }, { "\xed\x9f\xbf", 3 }, { "\xed\xa0\x80", 0 }, { "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 }, { "\xf0\x8f\xbf\xbf", 0 }, { "\xf0\x90\x80\x80", 4 }, { "\xf0\x90\x80", 0 },
		{ "\xf0\x90\x80\x41", 0 }, { "\xf0\x90\x41\x80", 0 }, { "\xf4\x8f\xbf\xbf", 4 }, { "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 }, { "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (utf8_next(SPAN_STR(rows[i].text)) != rows[i].want)
			fail_msg("row %zu: %zu", i, utf8_next(SPAN_STR(rows[i].text)));
	assert_int_equal(utf8_valid_len(SPAN_STR("0123456789\xc3\xbc" "0123456789")), 22);
	assert_int_equal(utf8_valid_len(SPAN_STR("0123456789abc\xff" "0123456789")), 13);
	assert_true(utf8_valid(SPAN_NONE));
	assert_false(utf8_valid(SPAN_STR("12345678\xc3")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_exactly_the_deterministic_profile),
		cmocka_unit_test(test_nests_as_deep_as_the_limit_and_no_deeper),
		cmocka_unit_test(test_every_truncation_of_a_message_is_refused),
		cmocka_unit_test(test_after_the_first_error_every_read_is_zero),
		cmocka_unit_test(test_peek_names_the_type),
		cmocka_unit_test(test_a_wrong_type_or_range_says_so),
		cmocka_unit_test(test_keys_ascend),
		cmocka_unit_test(test_skip_returns_the_encoding_and_stops_behind_it),
		cmocka_unit_test(test_find_reads_one_value_of_a_whole_map),
		cmocka_unit_test(test_utf8_is_that_of_rfc_3629),
	};

	return RUN_TESTS(tests);
}
