/* Which paths and globs are well formed, and what does a glob cover? */
#include "auth/auth.h"
#include "test.h"

static void which_paths_are_well_formed(void **state)
{
	static const struct { const char *path; int want; } rows[] = {
		{ "*", 0 }, { "/", 0 }, { "/v0/shell", 0 }, { "/v2/*", 0 }, { "/v2/carrier.*", 0 },
		{ "/*", 0 }, { "/a..b/c", 0 }, { "/...", 0 },
		{ "", ERR_LENGTH },
		{ "v0/shell", ERR_PREFIX }, { "**", ERR_PREFIX }, { "*/x", ERR_PREFIX },
		{ "/v0/*/x", ERR_PARSE }, { "/**", ERR_PARSE }, { "/x*y", ERR_PARSE },
		{ "/a/../b", ERR_CANON }, { "/..", ERR_CANON }, { "/a/..", ERR_CANON }, { "/a..b/..", ERR_CANON },
		{ "/a b", ERR_ALPHABET }, { "/a\tb", ERR_ALPHABET }, { "/\x7f", ERR_ALPHABET }, { "/\xc3\xa9", ERR_ALPHABET },
	};
	char at_limit[AUTH_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (auth_path_check(rows[i].path) != rows[i].want)
			fail_msg("\"%s\": %s", rows[i].path, err_name(auth_path_check(rows[i].path)));
	memset(at_limit, 'x', sizeof at_limit);
	at_limit[0] = '/';
	at_limit[AUTH_PATH_MAX + 1] = 0;
	CHECK_ERR(auth_path_check(at_limit), ERR_LENGTH);
	at_limit[AUTH_PATH_MAX] = 0;
	CHECK_ERR(auth_path_check(at_limit), 0);
}

static void what_does_a_glob_cover(void **state)
{
	static const struct { const char *glob, *path; bool want; } rows[] = {
		{ "*", "/v0/shell", true }, { "*", "/", true },
		{ "/v0/shell", "/v0/shell", true }, { "/v0/shell", "/v0/shell2", false },
		{ "/v0/shell", "/v0/shel", false }, { "/v0/shell", "/v0/SHELL", false }, { "/v0/shell", "/", false },
		{ "/v0/*", "/v0/shell", true }, { "/v0/*", "/v0/", true }, { "/v0/*", "/v0", false },
		{ "/v0/*", "/v0/a/b", true }, { "/v0/*", "/v01/a", false }, { "/v0/*", "/v1/shell", false },
		{ "/v0/s*", "/v0/shell", true }, { "/v0/s*", "/v0/tcp", false }, { "/*", "/v0/tcp", true },
		{ "", "/v0/shell", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (auth_glob_matches(rows[i].glob, rows[i].path) != rows[i].want)
			fail_msg("%s over %s", rows[i].glob, rows[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_paths_are_well_formed),
		cmocka_unit_test(what_does_a_glob_cover),
	};

	return RUN_TESTS(tests);
}
