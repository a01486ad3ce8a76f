/* Where and why a document is refused, and that no input is too odd. */
#include <time.h>

#include "config/toml.h"
#include "same.h"
#include "test.h"

static const struct {
	const char *text;
	unsigned line, column;
	const char *why;
} cases[] = {
	{ "a 1", 1, 3, "expected '=' after the key" },
	{ "\n\n  = 1", 3, 3, "expected a key" },
	{ "a = ", 1, 5, "expected a value" },
	{ "a = 1 b = 2", 1, 7, "expected the end of the line after the value" },
	{ "[a] b", 1, 5, "expected the end of the line after the header" },
	{ "[a", 1, 3, "expected ']' after the name of the section" },
	{ "[[a]", 1, 4, "expected ']]' after the name of the section" },
	{ "[]", 1, 2, "expected a key" },
	{ "a = yes", 1, 5, "not a value; text is written in quotes" },
	{ "a = 01", 1, 5, "a number may not begin with 0" },
	{ "a = 1__0", 1, 5, "malformed number" },
	{ "a = 0x", 1, 5, "malformed number" },
	{ "a = 0o8", 1, 5, "malformed number" },
	{ "a = 1.", 1, 5, "malformed number" },
	{ "a = 1e", 1, 5, "malformed number" },
	{ "a = 1.5f", 1, 5, "malformed number" },
	{ "a = 9223372036854775808", 1, 5, "integer does not fit 64 bits" },
	{ "a = -9223372036854775809", 1, 5, "integer does not fit 64 bits" },
	{ "a = 0x8000000000000000", 1, 5, "integer does not fit 64 bits" },
	{ "a = 99999999999999999999999999", 1, 5, "integer does not fit 64 bits" },
	{ "a = 1e999", 1, 5, "float does not fit 64 bits" },
	{ "a = 2023-02-29", 1, 5, "no such day in the calendar" },
	{ "a = 2100-02-29", 1, 5, "no such day in the calendar" },
	{ "a = 2023-1-1", 1, 5, "malformed date or time" },
	{ "a = 24:00:00", 1, 5, "no such time of day" },
	{ "a = 10:00", 1, 5, "malformed date or time" },
	{ "a = 10:00:00Z", 1, 5, "malformed date or time" },
	{ "a = 10:00:00.", 1, 5, "malformed date or time" },
	{ "a = 2023-01-01T10:00:00+24:00", 1, 5, "no such offset from UTC" },
	{ "a = 2023-01-01T10:00:00+1", 1, 5, "malformed date or time" },
	{ "a = 2023-01-01T10:00:00x", 1, 5, "malformed date or time" },
	{ "a = 2023-01-01x", 1, 5, "malformed date or time" },
	{ "x = 1\na = \"b", 2, 5, "string is not closed on its line" },
	{ "a = 'b\n'", 1, 5, "string is not closed on its line" },
	{ "a = '''b\n", 1, 5, "string is never closed" },
	{ "a = \"\\x41\"", 1, 6, "unknown escape in a string; write \\\\ for a backslash" },
	{ "a = \"\\", 1, 6, "unknown escape in a string; write \\\\ for a backslash" },
	{ "a = \"\"\"\n \\ x\"\"\"", 2, 2, "unknown escape in a string; write \\\\ for a backslash" },
	{ "a = \"\\u00g0\"", 1, 10, "expected 4 hexadecimal digits after \\u" },
	{ "a = \"\\ud800\"", 1, 6, "U+D800 is not a Unicode character" },
	{ "a = \"\\U00110000\"", 1, 6, "U+110000 is not a Unicode character" },
	{ "a = [1\n2]", 2, 1, "expected ',' or ']' in the array" },
	{ "a = [1,\n# x\n", 1, 5, "array is never closed" },
	{ "a = {b=1\n}", 1, 9, "expected ',' or '}' in the inline table" },
	{ "a = {b=1,}", 1, 10, "an inline table may not end with a comma" },
	{ "a = 1\na = 2", 2, 1, "'a' is defined already, on line 1" },
	{ "[a]\nb=1\n[a.b]", 3, 4, "'b' is defined already, on line 2" },
	{ "\n[a]\n\n[a]", 4, 2, "'a' is defined already, on line 2" },
	{ "[a.b]\n[a]\n[a]", 3, 2, "'a' is defined already, on line 2" },
	{ "a = {}\n[a.b]", 2, 2, "'a' is defined already, on line 1" },
	{ "a = []\n[[a]]", 2, 3, "'a' is defined already, on line 1" },
	{ "[a]\n[[a]]", 2, 3, "'a' is defined already, on line 1" },
	{ "[a.b]\nx=1\n[a]\nb.y=1", 4, 1, "'b' is defined already, on line 1" },
	{ "\"\\u001b[31m\\u009b\\u00e9\" = 1\n\"\\u001b[31m\\u009b\\u00e9\" = 1", 2, 1, "'?[31m??\xc3\xa9' is defined already, on line 1" },
	{ "\xc3\xa9 = 1", 1, 1, "expected a key" },
	{ "a = '\xc3\xa9\xf0\x9f\x98\x80' 1", 1, 10, "expected the end of the line after the value" },
	{ "a = 1\nb = '\xff'", 2, 6, "byte 0xff is not UTF-8" },
	{ "# \xc0\x80", 1, 3, "byte 0xc0 is not UTF-8" },
	{ "# \xed\xa0\x80", 1, 3, "byte 0xed is not UTF-8" },
	{ "# \xe2\x82", 1, 3, "byte 0xe2 is not UTF-8" },
	{ "# \xe2\x82x", 1, 3, "byte 0xe2 is not UTF-8" },
	{ "# \xf4\x90\x80\x80", 1, 3, "byte 0xf4 is not UTF-8" },
	{ "a = 1 \r", 1, 7, "carriage return without a line feed" },
	{ "# \x01", 1, 3, "control character 0x01" },
	{ "# \x7f", 1, 3, "control character 0x7f" },
};

static void test_an_error_says_where_and_why(void **)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct toml *t = NULL;
		struct toml_error e = {};

		CHECK_ERR(toml_parse(&t, SPAN_STR(cases[i].text), &e), ERR_CONFIG);
		CHECK(t == NULL);
		CHECK_ERR(toml_parse(&t, SPAN_STR(cases[i].text), NULL), ERR_CONFIG);
		if (e.line != cases[i].line || e.column != cases[i].column || strcmp(e.text, cases[i].why))
			fail_msg("%s\ngot  %u:%u: %s\nwant %u:%u: %s", cases[i].text, e.line, e.column, e.text,
				 cases[i].line, cases[i].column, cases[i].why);
	}
}

/* Text of n times the word between head and tail. */
static int parse_repeated(const char *head, const char *word, size_t n, const char *tail, struct toml_error *e)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	_cleanup_buf_ struct buf text = {};

	buf_add_str(&text, head);
	for (size_t i = 0; i < n; i++)
		buf_add_str(&text, word);
	buf_add_str(&text, tail);
	CHECK_ERR(buf_err(&text), 0);
	return toml_parse(&t, buf_span(&text), e);
}

static void check_limit(const char *head, const char *word, size_t most, const char *tail, const char *why)
{
	struct toml_error e = {};

	CHECK_ERR(parse_repeated(head, word, most, tail, &e), 0);
	CHECK_ERR(parse_repeated(head, word, most + 1, tail, &e), ERR_CONFIG);
	assert_string_equal(e.text, why);
}

static void test_limits_are_where_they_say(void **)
{
	struct toml_error e;
	const char *deep = "nested deeper than 32";

	check_limit("#", "x", TOML_SIZE_MAX - 1, "", "larger than 1048576 bytes");
	check_limit("a", ".a", TOML_DEPTH_MAX - 1, " = 1", "key of more than 32 parts");
	check_limit("[a", ".a", TOML_DEPTH_MAX - 1, "]", "key of more than 32 parts");
	check_limit("a=", "{a=", TOML_DEPTH_MAX - 1, "1}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}", deep);
	check_limit("[1.2.3.4.5.6.7.8.9.0]\na", ".a", TOML_DEPTH_MAX - 11, " = 1", deep);
	CHECK_ERR(parse_repeated("a=", "[", TOML_DEPTH_MAX, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", &e), 0);
	CHECK_ERR(parse_repeated("a=", "[", 100000, "", &e), ERR_CONFIG);
	assert_string_equal(e.text, deep);
	CHECK_ERR(parse_repeated("a=", "{a=", 100000, "", &e), ERR_CONFIG);
	assert_string_equal(e.text, deep);
	check_limit("a = 0.", "1", 1021, "", "number is too long");
	check_limit("", "[[a]]\n", 32768, "", "more than 32768 keys");
	CHECK_ERR(parse_repeated("a = [", "1,", 500000, "]", &e), 0);
}

static void test_many_keys_are_found_quickly(void **)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	_cleanup_buf_ struct buf text = {};
	struct toml_error e = {};
	clock_t start = clock();

	for (unsigned i = 0; i < 32768; i++)
		buf_printf(&text, "key-%u = 1\n", i);
	CHECK_ERR(toml_parse(&t, buf_span(&text), &e), 0);
	toml_free(take(t));
	CHECK(clock() - start < 2 * CLOCKS_PER_SEC);
	buf_add_str(&text, "a.b = 1");
	CHECK_ERR(toml_parse(&t, buf_span(&text), &e), ERR_CONFIG);
	CHECK(e.line == 32769 && e.column == 1);
}

static const char valid[] =
	"# all there is\r\n"
	"title = \"TOML \\u00e9\\U0001F600 \\\"x\\\" \\\\\"  # end\n"
	"lit = 'C:\\dir'\n"
	"ml = \"\"\"\nfirst \\\n   second \"\" three\"\"\"\"\"\n"
	"ml2 = '''\nx ' '' y''''\n"
	"int = [ 1, -2, +3, 0xfF, 0o17, 0b1_0, 1_000 ] # c\n"
	"float = [ 1.5, -2e3, 6.626e-34, inf, -nan,\n # in between\n 1_0.0_1, ]\n"
	"time = [ 1979-05-27T07:32:00Z, 1979-05-27 00:32:00.999-07:00, 1979-05-27T07:32:00, 1979-05-27, 07:32:00.5 ]\n"
	"point = { x = 1, y.z = \"two\", w = [ { }, { a = true } ] }\n"
	"dotted.\"key with space\".'x' = false\n"
	"dotted.other = 1\n\n"
	"[ table ]\n\tkey = \"v\"\n"
	"[table.'sub'.deep] # c\nx = 1\n"
	"[[list]]\nname = \"a\"\n[list.sub]\nx = 1\n"
	"[[list]]\nname = \"b\"\n[[list.inner]]\n[[list.inner]]\ny=2\n";

static void test_every_truncation_is_parsed_or_refused(void **)
{
	_cleanup_(toml_freep) struct toml *whole = NULL;
	struct toml_error e = {};
	unsigned good = 0, bad = 0;

	if (toml_parse(&whole, SPAN_STR(valid), &e) < 0)
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
	for (size_t n = 0; n < sizeof valid - 1; n++) {
		_cleanup_(toml_freep) struct toml *t = NULL;
		_cleanup_free_ char *exact = malloc(n + !n);     /* so that a sanitizer sees the end */

		memcpy(exact, valid, n);
		e = (struct toml_error){};
		int err = toml_parse(&t, SPAN(exact, n), &e);
		if (err == 0) {
			good++;
		} else {
			CHECK_ERR(err, ERR_CONFIG);
			CHECK(e.line && e.column && e.text[0]);
			bad++;
		}
	}
	CHECK(good > 50 && bad > 300);
}

/* One byte changed: refused, or a document that survives writing. */
static void test_no_changed_byte_breaks_it(void **)
{
	static const char odd[] = "\0\t\n\r \"#'+,-.0:=[\\]_a{}\x7f\x80\xc3\xff";

	for (size_t i = 0; i < sizeof valid - 1; i++) {
		for (size_t k = 0; k < sizeof odd - 1; k++) {
			_cleanup_(toml_freep) struct toml *t = NULL, *again = NULL;
			_cleanup_buf_ struct buf out = {};
			char text[sizeof valid];

			memcpy(text, valid, sizeof valid);
			text[i] = odd[k];
			if (toml_parse(&t, SPAN(text, sizeof valid - 1), NULL) < 0)
				continue;
			CHECK_ERR(toml_set_integer(toml_root(t), "new.key", 1), 0);
			CHECK_ERR(toml_write(t, &out), 0);
			CHECK_ERR(toml_parse(&again, buf_span(&out), NULL), 0);
			CHECK(table_same(toml_root(t), toml_root(again)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_error_says_where_and_why),
		cmocka_unit_test(test_limits_are_where_they_say),
		cmocka_unit_test(test_many_keys_are_found_quickly),
		cmocka_unit_test(test_every_truncation_is_parsed_or_refused),
		cmocka_unit_test(test_no_changed_byte_breaks_it),
	};
	return RUN_TESTS(tests);
}
