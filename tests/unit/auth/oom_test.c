/* Memory runs out at every single allocation: are rules and file ever left half
 * changed, and is anything allowed that was not granted? */
#include <errno.h>

#include "fixtures.h"

static int allocations_left = -1;       /* -1: never fails */

static bool fails(void)
{
	if (allocations_left < 0)
		return false;
	if (allocations_left == 0)
		return true;
	allocations_left--;
	return false;
}

#define WRAP(name, params, args)                        \
	void *__real_##name params;                     \
	void *__wrap_##name params;                     \
	void *__wrap_##name params                      \
	{                                               \
		if (!fails())                           \
			return __real_##name args;      \
		errno = ENOMEM;                         \
		return NULL;                            \
	}
WRAP(malloc, (size_t n), (n))
WRAP(calloc, (size_t n, size_t m), (n, m))
WRAP(realloc, (void *p, size_t n), (p, n))
WRAP(reallocarray, (void *p, size_t n, size_t m), (p, n, m))
WRAP(strdup, (const char *s), (s))

static const char text[] =
	"[[authorize]]\nidentity = \"*\"\nresource = \"/a\"\nmethods = [\"GET\"]\ntcp = [\"*:1\"]\nroot = \"/r\"\nuser = \"u\"\n"
	"[[authorize]]\nidentity = \"oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9\"\nresource = \"/b\"\n"
	"[[authorize]]\nidentity = \"team:t/x\"\nresource = \"/c\"\nexpires = 5\n";

/* Runs op with the n-th allocation failing, for every n until it gets through. */
#define AT_EVERY_ALLOCATION(err, op)                                    \
	for (int _n = 0, _done = 0; !_done; _n++)                       \
		for (int _once = 1; _once; _once = 0)                   \
			if (allocations_left = _n, (err) = (op),        \
			    _done = allocations_left > 0, allocations_left = -1, true)

static void is_loading_all_or_nothing(void **state)
{
	_cleanup_(toml_freep) struct toml *config = config_of(text);
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct rule_row row = { "alice", "*" };
	struct toml_error te;
	int err;

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	CHECK_ERR(add_row(a, NULL, &row), 0);
	AT_EVERY_ALLOCATION(err, auth_load(a, config, NULL, &te)) {
		CHECK(err >= 0 || err == -ENOMEM);
		assert_int_equal(auth_len(a), err >= 0 ? 3 : 1);
	}
}

static void does_a_failed_edit_leave_rules_and_file_in_step(void **state)
{
	static const struct rule_row rows[] = {
		{ "alice", "/x", .methods = { "GET" }, .tcp = { "*:1" }, .root = "/r", .user = "u", .not_before = 1, .expires = 9 },
		{ "team:t1/user", "/y" }, { "*", "/z" },
		{ "alice", "/x", .methods = { "GET" }, .tcp = { "*:1" }, .root = "/r", .user = "u" },   /* wider time */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int n = 0, done = 0; !done; n++) {
			_cleanup_(toml_freep) struct toml *config = config_of(text);
			_cleanup_(auth_freep) struct auth *a = NULL;
			struct toml_error te;
			size_t len;
			int err;

			CHECK_ERR(auth_new(&a), 0);
			CHECK_ERR(auth_load(a, config, NULL, &te), 0);
			if (i == 3)
				CHECK_ERR(add_row(a, config, &rows[0]), 0);
			len = auth_len(a);
			allocations_left = n;
			err = add_row(a, config, &rows[i]);
			done = allocations_left > 0;
			allocations_left = -1;
			if (err < 0)
				assert_int_equal(auth_len(a), len);
			else
				assert_int_equal(toml_table_array_len(toml_root(config), "authorize"), auth_len(a));
			/* a half-written table never is a rule that grants something */
			CHECK(err >= 0 || auth_add(a, config, auth_at(a, 0)) == 0 ||
			      auth_add(a, config, auth_at(a, 0)) == ERR_CHANGED);
		}
}

static void does_a_failed_removal_remove_nothing_from_memory(void **state)
{
	struct auth_rule like = { .kind = AUTH_ANYONE };

	(void)state;
	for (int n = 0, done = 0; !done; n++) {
		_cleanup_(toml_freep) struct toml *config = config_of(text);
		_cleanup_(auth_freep) struct auth *a = NULL;
		struct toml_error te;
		int err;

		CHECK_ERR(auth_new(&a), 0);
		CHECK_ERR(auth_load(a, config, NULL, &te), 0);
		allocations_left = n;
		err = auth_del_like(a, config, &like, NULL, 0);
		done = allocations_left > 0;
		allocations_left = -1;
		assert_int_equal(auth_len(a), err < 0 ? 3 : 2);
	}
}

static void do_the_small_things_say_so(void **state)
{
	struct auth_rule r = { 0 };
	struct auth *a = NULL;

	(void)state;
	allocations_left = 0;
	CHECK_ERR(auth_new(&a), -ENOMEM);
	CHECK_ERR(auth_subject_parse(&r, "team:a/b", NULL, NULL), -ENOMEM);
	allocations_left = -1;
	assert_null(a);
	auth_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_loading_all_or_nothing),
		cmocka_unit_test(does_a_failed_edit_leave_rules_and_file_in_step),
		cmocka_unit_test(does_a_failed_removal_remove_nothing_from_memory),
		cmocka_unit_test(do_the_small_things_say_so),
	};

	return RUN_TESTS(tests);
}
