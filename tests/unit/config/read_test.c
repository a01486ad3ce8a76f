/* Reading: every getter, present, absent and of another type; files. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>

#include "base/file.h"
#include "config/toml.h"
#include "test.h"

static const char text[] =
	"s = 'x'\ni = 7\nb = true\nf = 1.5\nnul = \"a\\u0000b\"\n"
	"odt = 1979-05-27 07:32:00z\nldt = 1979-05-27t07:32:00.5\nld = 1979-05-27\nlt = 07:32:60\n"
	"list = ['a', 2]\nempty = []\ntables = [{n=1}, {n=2}]\n"
	"[network]\nsecret = 'k'\n\"a.b\" = 1\n"
	"[[service]]\nn = 1\n[[service]]\nn = 2\n";

static int setup(void **state)
{
	struct toml *t;

	if (toml_parse(&t, SPAN_STR(text), NULL) < 0)
		return -1;
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	toml_free(*state);
	toml_free(NULL);
	return 0;
}

static void test_a_getter_tells_present_absent_and_other(void **state)
{
	struct toml_table *r = toml_root(*state);
	const char *s = "untouched";
	int64_t i = -1;
	bool b = false;

	CHECK_ERR(toml_string(r, "i", &s), ERR_TYPE);
	CHECK_ERR(toml_string(r, "nul", &s), ERR_TYPE);
	CHECK_ERR(toml_string(r, "s.x", &s), ERR_TYPE);
	CHECK(toml_string(r, "none", &s) == 0 && toml_string(r, "", &s) == 0 && toml_string(r, "network.none", &s) == 0);
	assert_string_equal(s, "untouched");
	CHECK(toml_string(r, "s", &s) == 1);
	assert_string_equal(s, "x");
	CHECK(toml_string(r, "network.secret", &s) == 1);
	assert_string_equal(s, "k");

	CHECK_ERR(toml_integer(r, "f", &i), ERR_TYPE);
	CHECK(toml_integer(r, "none", &i) == 0 && i == -1);
	CHECK(toml_integer(r, "i", &i) == 1 && i == 7);
	CHECK(toml_integer(r, "network.'a.b'", &i) == 1 && i == 1);
	CHECK(toml_integer(r, "network.a.b", &i) == 0);

	CHECK_ERR(toml_boolean(r, "i", &b), ERR_TYPE);
	CHECK(toml_boolean(r, "none", &b) == 0 && !b);
	CHECK(toml_boolean(r, "b", &b) == 1 && b);
}

static void test_a_value_gives_only_what_it_is(void **state)
{
	struct toml_table *r = toml_root(*state);
	static const struct { const char *key, *type, *raw; } rows[] = {
		{ "s", "string", NULL }, { "i", "integer", NULL }, { "f", "float", NULL }, { "b", "boolean", NULL },
		{ "odt", "date-time", "1979-05-27T07:32:00Z" }, { "ldt", "local date-time", "1979-05-27T07:32:00.5" },
		{ "ld", "local date", "1979-05-27" }, { "lt", "local time", "07:32:60" },
		{ "list", "array", NULL }, { "network", "table", NULL },
	};
	int64_t n;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct toml_value *v = toml_get(r, rows[i].key);
		const char *type = rows[i].type;

		assert_non_null(v);
		assert_string_equal(toml_type_name(toml_type(v)), type);
		CHECK((toml_value_string(v) != NULL) == !strcmp(type, "string"));
		CHECK((toml_value_text(v).len == 1) == !strcmp(type, "string"));
		CHECK((toml_value_integer(v, &n) == 0) == !strcmp(type, "integer"));
		CHECK(toml_value_boolean(v) == !strcmp(type, "boolean"));
		CHECK(isnan(toml_value_float(v)) == (strcmp(type, "float") && strcmp(type, "integer")));
		CHECK((toml_array_len(v) == 2) == !strcmp(type, "array"));
		CHECK((toml_array_at(v, 1) != NULL) == !strcmp(type, "array"));
		CHECK(toml_array_at(v, 2) == NULL);
		CHECK((toml_value_table(v) != NULL) == !strcmp(type, "table"));
		CHECK(!rows[i].raw == !toml_value_raw(v));
		if (rows[i].raw)
			assert_string_equal(toml_value_raw(v), rows[i].raw);
	}
	CHECK(toml_value_float(toml_get(r, "f")) == 1.5 && toml_value_float(toml_get(r, "i")) == 7);
	CHECK(toml_value_text(toml_get(r, "nul")).len == 3);
	CHECK(toml_line(toml_get(r, "f")) == 4 && toml_line(toml_get(r, "network.secret")) == 14);
	CHECK(toml_line(toml_get(r, "network")) == 13);
}

static void test_arrays_of_tables_are_counted_and_reached(void **state)
{
	struct toml_table *r = toml_root(*state);
	static const char *const names[] = { "service", "tables" };
	int64_t n;

	for (size_t k = 0; k < 2; k++) {
		CHECK(toml_table_array_len(r, names[k]) == 2);
		for (size_t i = 0; i < 2; i++)
			CHECK(toml_integer(toml_table_array_at(r, names[k], i), "n", &n) == 1 && n == (int64_t)i + 1);
		CHECK(toml_table_array_at(r, names[k], 2) == NULL);
	}
	CHECK(toml_table_array_len(r, "list") == 0 && toml_table_array_at(r, "list", 0) == NULL);
	CHECK(toml_table_array_len(r, "empty") == 0 && toml_table_array_len(r, "none") == 0);
	CHECK(toml_table_array_len(r, "s") == 0 && toml_table_array_at(r, "s", 0) == NULL);
	CHECK(toml_get(r, "service.n") == NULL);
}

static void test_keys_come_in_the_order_of_the_file(void **state)
{
	static const char *const want[] = { "s", "i", "b", "f", "nul", "odt", "ldt", "ld", "lt", "list", "empty",
					    "tables", "network", "service" };
	const struct toml_value *v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(toml_key_at(toml_root(*state), i, &v), want[i]);
		CHECK(v == toml_get(toml_root(*state), want[i]) && span_is(toml_value_key(v), want[i]));
	}
	CHECK(toml_key_at(toml_root(*state), i, &v) == NULL);
}

static void test_the_locale_does_not_change_numbers(void **)
{
	_cleanup_(toml_freep) struct toml *t = NULL;

	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		skip();
	CHECK_ERR(toml_parse(&t, SPAN_STR("f = 1_0.25"), NULL), 0);
	CHECK(toml_value_float(toml_get(toml_root(t), "f")) == 10.25);
	setlocale(LC_NUMERIC, "C");
}

static void test_files_are_loaded_and_saved(void **)
{
	_cleanup_(toml_freep) struct toml *t = NULL, *again = NULL, *none = NULL;
	char dir[] = "/tmp/toml-test-XXXXXX", path[64];
	_cleanup_free_ char *big = calloc(1, TOML_SIZE_MAX + 1);
	_cleanup_buf_ struct buf out = {};
	struct toml_error e;
	struct stat st;
	int64_t n;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/carrier.toml", dir);
	CHECK_ERR(toml_load(&t, path, &e), 0);          /* missing is empty */
	CHECK(toml_key_at(toml_root(t), 0, NULL) == NULL);
	CHECK_ERR(toml_set_integer(toml_root(t), "a.b", 5), 0);
	CHECK_ERR(toml_save(t, path, 0600), 0);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK_ERR(toml_load(&again, path, &e), 0);
	CHECK(toml_integer(toml_root(again), "a.b", &n) == 1 && n == 5);

	CHECK_ERR(file_write_atomic(path, 0600, SPAN_STR("a = 1\r\n# no end")), 0);
	toml_free(take(again));
	CHECK_ERR(toml_load(&again, path, NULL), 0);
	CHECK_ERR(toml_save(again, path, 0600), 0);
	CHECK_ERR(file_read(path, 100, &out), 0);
	CHECK(span_is(buf_span(&out), "a = 1\r\n# no end"));

	CHECK_ERR(file_write_atomic(path, 0600, SPAN_STR("\nx")), 0);
	CHECK_ERR(toml_load(&none, path, &e), ERR_CONFIG);
	CHECK(e.line == 2 && e.column == 2);
	CHECK_ERR(file_write_atomic(path, 0600, SPAN(big, TOML_SIZE_MAX + 1)), 0);
	CHECK_ERR(toml_load(&none, path, &e), ERR_CONFIG);
	assert_string_equal(e.text, "larger than 1048576 bytes");
	CHECK_ERR(toml_load(&none, path, NULL), ERR_CONFIG);
	CHECK_ERR(toml_load(&none, dir, &e), -EISDIR);
	CHECK(none == NULL);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_getter_tells_present_absent_and_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_value_gives_only_what_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arrays_of_tables_are_counted_and_reached, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_come_in_the_order_of_the_file, setup, teardown),
		cmocka_unit_test(test_the_locale_does_not_change_numbers),
		cmocka_unit_test(test_files_are_loaded_and_saved),
	};
	return RUN_TESTS(tests);
}
