#include <errno.h>

#include "test.h"

static void test_names_and_texts(void **state)
{
	static const struct {
		int err;
		const char *name, *text;
	} rows[] = {
		{ 0, "OK", "success" }, { 7, "OK", "success" },
		{ -ENOENT, "ENOENT", "No such file or directory" }, { -ENOMEM, "ENOMEM", "Cannot allocate memory" },
		{ ERR_PARSE, "PARSE", "malformed input" }, { ERR_DENIED, "DENIED", "denied" },
		{ -4000, "UNNAMED", "an error without a name" }, { -ERR_BASE, "UNNAMED", "an error without a name" },
		{ -5999, "UNNAMED", "an error without a name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(err_name(rows[i].err), rows[i].name);
		assert_string_equal(err_text(rows[i].err), rows[i].text);
	}
}

/* The numbers go over sockets and into bindings: a row may be added, none may move. */
static void test_the_numbers_stay(void **state)
{
	(void)state;
	assert_int_equal(ERR_PARSE, -5001);
	assert_int_equal(ERR_TYPE, -5012);
	assert_int_equal(ERR_PROTOCOL, -5021);
	assert_int_equal(ERR_NOBROKER, -5028);
}

static void test_every_row_has_its_own_number_and_name(void **state)
{
	static const struct {
		int number;
		const char *name, *text;
	} rows[] = {
#define X(n, name, text) { n, #name, text },
		ERR_MAP(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(rows[i].number, i + 1);
		assert_string_equal(err_name(-ERR_BASE - rows[i].number), rows[i].name);
		assert_string_equal(err_text(-ERR_BASE - rows[i].number), rows[i].text);
		assert_true(rows[i].text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_texts),
		cmocka_unit_test(test_the_numbers_stay),
		cmocka_unit_test(test_every_row_has_its_own_number_and_name),
	};

	return RUN_TESTS(tests);
}
