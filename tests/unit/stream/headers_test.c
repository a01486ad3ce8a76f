#include "stream/headers.h"

#include "test.h"

/* ---- which blocks are taken ---- */

static void test_takes_and_refuses_by_the_table(void **state)
{
	static const struct { const char *what, *hex; int err; } table[] = {
		{ "the empty map", "a0", 0 },
		{ ":path /x", "a1653a70617468622f78", 0 },
		{ "uint, bool, bytes, text under free keys", "a461610061624101616361786164f5", 0 },
		{ "false", "a16161f4", 0 },
		{ "status 200", "a1673a73746174757318c8", 0 },
		{ ":error", "a1663a6572726f72626e6f", 0 },
		{ "an own key that we don't know", "a1633a787900", 0 },
		{ "nothing", "", ERR_PARSE },
		{ "no map", "80", ERR_TYPE },
		{ "bytes behind", "a000", ERR_PARSE },
		{ "cut short", "a16161", ERR_PARSE },
		{ "a key twice", "a2616100616101", ERR_CANON },
		{ "keys out of order", "a2616200616101", ERR_CANON },
		{ "a long integer", "a161611801", ERR_CANON },
		{ "a negative value", "a1616120", ERR_TYPE },
		{ "null", "a16161f6", ERR_TYPE },
		{ "a list", "a1616180", ERR_TYPE },
		{ "a map within", "a16161a0", ERR_TYPE },
		{ "a number for a key", "a10000", ERR_TYPE },
		{ "text that is no UTF-8", "a1616161ff", ERR_PARSE },
		{ ":path empty", "a1653a7061746860", ERR_LIMIT },
		{ ":path with a newline", "a1653a70617468622f0a", ERR_PARSE },
		{ ":path with DEL", "a1653a70617468622f7f", ERR_PARSE },
		{ ":path a number", "a1653a7061746801", ERR_TYPE },
		{ ":method empty", "a1673a6d6574686f6460", ERR_LIMIT },
		{ ":method bytes", "a1673a6d6574686f644161", ERR_TYPE },
		{ ":error a number", "a1663a6572726f7200", ERR_TYPE },
		{ ":status 99", "a1673a7374617475731863", ERR_LIMIT },
		{ ":status 1000", "a1673a7374617475731903e8", ERR_LIMIT },
		{ ":status text", "a1673a7374617475736161", ERR_TYPE },
	};
	uint8_t in[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct headers h = { SPAN("old", 3) };
		size_t n = unhex(in, sizeof in, table[i].hex);
		int err = headers_parse(&h, SPAN(in, n));
		/* Which of its errors the reader picks is its own affair; those of the limits are ours. */
		bool same = table[i].err == ERR_LIMIT || table[i].err == 0 ? err == table[i].err : err < 0;

		if (!same)
			fail_msg("%s: %s", table[i].what, err_name(err));
		CHECK(err < 0 ? h.block.len == 3 : h.block.len == n);
	}
}

static void build(struct buf *b, size_t entries, size_t value_len)
{
	struct cbor_map m;
	char key[32], value[HEADERS_LEN_MAX + 1];

	memset(value, 'v', sizeof value);
	cbor_map_begin(&m, b);
	for (size_t i = 0; i < entries; i++) {
		snprintf(key, sizeof key, "k%zu", i);
		cbor_map_text(&m, key, SPAN(value, value_len));
	}
	cbor_map_end(&m);
	CHECK_ERR(buf_err(b), 0);
}

static void test_limits_hold_to_the_byte(void **state)
{
	static const struct { size_t entries, value_len; int err; } table[] = {
		{ HEADERS_ENTRIES_MAX, 1, 0 },
		{ HEADERS_ENTRIES_MAX + 1, 1, ERR_LIMIT },
		{ 1, HEADERS_LEN_MAX - 7, 0 },
		{ 1, HEADERS_LEN_MAX - 6, ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		_cleanup_buf_ struct buf b = {};
		struct headers h;

		build(&b, table[i].entries, table[i].value_len);
		CHECK_ERR(headers_parse(&h, buf_span(&b)), table[i].err);
	}
}

static void test_path_may_have_255_bytes(void **state)
{
	char path[HEADER_PATH_MAX + 2] = "/";
	struct headers h;

	(void)state;
	for (size_t n = HEADER_PATH_MAX; n <= HEADER_PATH_MAX + 1; n++) {
		_cleanup_buf_ struct buf b = {};
		struct cbor_map m;

		memset(path, 'p', n);
		cbor_map_begin(&m, &b);
		cbor_map_text(&m, ":path", SPAN(path, n));
		cbor_map_end(&m);
		CHECK_ERR(headers_parse(&h, buf_span(&b)), n > HEADER_PATH_MAX ? ERR_LIMIT : 0);
	}
}

static void test_every_truncation_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct headers h;

	(void)state;
	build(&b, 5, 30);
	for (size_t n = 0; n < b.len; n++)
		CHECK(headers_parse(&h, SPAN(b.data, n)) < 0);
}

/* ---- reading ---- */

static void sample(struct buf *b, struct headers *h)
{
	struct cbor_map m;

	cbor_map_begin(&m, b);
	cbor_map_str(&m, ":path", "/v0/shell");
	cbor_map_uint(&m, ":status", 404);
	cbor_map_bytes(&m, "raw", SPAN("\0\1", 2));
	cbor_map_bool(&m, "pty", true);
	cbor_map_str(&m, "empty", "");
	cbor_map_text(&m, "nul", SPAN("a\0b", 3));
	cbor_map_end(&m);
	CHECK_ERR(headers_parse(h, buf_span(b)), 0);
}

static void test_reads_each_type_and_falls_back_on_another(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct headers h;

	(void)state;
	sample(&b, &h);
	CHECK(span_is(headers_text(&h, ":path"), "/v0/shell"));
	CHECK(headers_text(&h, "raw").len == 0 && headers_text(&h, "none").len == 0);
	CHECK(span_equal(headers_bytes(&h, "raw"), SPAN("\0\1", 2)));
	CHECK(headers_bytes(&h, ":path").len == 0);
	CHECK(headers_uint(&h, ":status", 1) == 404);
	CHECK(headers_uint(&h, "pty", 7) == 7 && headers_uint(&h, "none", 8) == 8);
	CHECK(headers_bool(&h, "pty", false));
	CHECK(headers_bool(&h, "none", true) && !headers_bool(&h, "raw", false));
	CHECK(headers_has(&h, "empty") && !headers_has(&h, "none"));
}

static void test_copies_text_that_fits(void **state)
{
	_cleanup_buf_ struct buf b = {};
	struct headers h;
	char out[10] = "old";

	(void)state;
	sample(&b, &h);
	CHECK_ERR(headers_copy(&h, ":path", out, 9), ERR_LENGTH);
	CHECK_ERR(headers_copy(&h, "none", out, sizeof out), ERR_UNKNOWN);
	CHECK_ERR(headers_copy(&h, ":status", out, sizeof out), ERR_UNKNOWN);
	CHECK_ERR(headers_copy(&h, "nul", out, sizeof out), ERR_PARSE);
	CHECK(!strcmp(out, "old"));
	CHECK_ERR(headers_copy(&h, ":path", out, 10), 0);
	CHECK(!strcmp(out, "/v0/shell"));
	CHECK_ERR(headers_copy(&h, "empty", out, 1), 0);
	CHECK(!*out);
}

static void test_walks_in_encoded_order(void **state)
{
	static const char *const order[] = { "nul", "pty", "raw", ":path", "empty", ":status" };
	_cleanup_buf_ struct buf b = {};
	struct span key, value;
	struct headers h;

	(void)state;
	sample(&b, &h);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		CHECK(headers_at(&h, i, &key, &value));
		CHECK(span_is(key, order[i]) && value.len);
	}
	CHECK(!headers_at(&h, ARRAY_LEN(order), &key, &value));
	CHECK(!headers_at(&(struct headers){ SPAN("\xa1", 1) }, 0, &key, &value));
}

static void test_status_block_is_a_header_block(void **state)
{
	_cleanup_buf_ struct buf b = {}, bare = {};
	struct headers h;

	(void)state;
	headers_put_status(&b, 404, "no such path");
	CHECK_ERR(headers_parse(&h, buf_span(&b)), 0);
	CHECK(headers_uint(&h, ":status", 0) == 404);
	CHECK(span_is(headers_text(&h, ":error"), "no such path"));
	headers_put_status(&bare, 200, NULL);
	CHECK_ERR(headers_parse(&h, buf_span(&bare)), 0);
	CHECK(!headers_has(&h, ":error"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_and_refuses_by_the_table),
		cmocka_unit_test(test_limits_hold_to_the_byte),
		cmocka_unit_test(test_path_may_have_255_bytes),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_reads_each_type_and_falls_back_on_another),
		cmocka_unit_test(test_copies_text_that_fits),
		cmocka_unit_test(test_walks_in_encoded_order),
		cmocka_unit_test(test_status_block_is_a_header_block),
	};

	return RUN_TESTS(tests);
}
