/* Who may make the first authorization, and what does guessing cost? */
#include "auth/claim.h"
#include "fixtures.h"

static struct claim with_code(const char *code)
{
	struct claim c = { .need_code = true };

	if (code)
		claim_code_hash(c.code_hash, code);
	return c;
}

static void does_an_open_device_take_the_first_who_comes(void **state)
{
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct rule_row first = { "alice", "*" };
	struct claim c = { 0 };

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	CHECK_ERR(claim_check(&c, a, NULL, 0), 0);
	CHECK_ERR(claim_check(&c, a, "whatever", 0), 0);
	assert_int_equal(add_row(a, NULL, &first), 1);
	CHECK_ERR(claim_check(&c, a, NULL, 0), ERR_STATE);
}

static void does_only_the_code_open_and_only_once(void **state)
{
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct rule_row first = { "alice", "*" };
	char code[CLAIM_CODE_STR_MAX];
	struct claim c;

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	claim_code_new(code);
	c = with_code(code);
	CHECK_ERR(claim_check(&c, a, NULL, 0), ERR_CLAIM);
	assert_int_equal(c.failures, 0);
	CHECK_ERR(claim_check(&c, a, "", 0), ERR_CLAIM);
	CHECK_ERR(claim_check(&c, a, code, SECONDS(1)), 0);
	assert_int_equal(c.failures, 0);
	assert_int_equal(add_row(a, NULL, &first), 1);
	CHECK_ERR(claim_check(&c, a, code, SECONDS(2)), ERR_STATE);
}

static void how_may_the_code_be_typed(void **state)
{
	static const struct { const char *typed; int want; } rows[] = {
		{ "lusab-babad-gutih-tugad", 0 }, { "LUSAB BABAD gutih tugad", 0 }, { "lusabbabadgutihtugad", 0 },
		{ "lusab-babad-gutih-tuga", ERR_CLAIM }, { "lusab-babad-gutih-tugadd", ERR_CLAIM },
		{ "lusab_babad-gutih-tugad", ERR_CLAIM }, { "", ERR_CLAIM },
		{ "dusab-babad-gutih-tugad", ERR_CLAIM },
	};
	_cleanup_(auth_freep) struct auth *a = NULL;

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct claim c = with_code("lusab-babad-gutih-tugad");

		if (claim_check(&c, a, rows[i].typed, 0) != rows[i].want)
			fail_msg("\"%s\"", rows[i].typed);
	}
}

static void does_no_code_fit_where_none_was_set(void **state)
{
	static const char *const hashes[] = { "", "abc", "lusab-babad-gutih-tugad" };
	_cleanup_(auth_freep) struct auth *a = NULL;

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		struct claim c = with_code(NULL);

		snprintf(c.code_hash, sizeof c.code_hash, "%s", hashes[i]);
		CHECK_ERR(claim_check(&c, a, "lusab-babad-gutih-tugad", 0), ERR_CLAIM);
		c.not_before = 0;
		CHECK_ERR(claim_check(&c, a, "", 0), ERR_CLAIM);
		c.not_before = 0;
		CHECK_ERR(claim_check(&c, a, hashes[i], 0), ERR_CLAIM);
	}
}

static void are_wrong_codes_slowed_down(void **state)
{
	static const unsigned waits[] = { 1, 2, 4, 8, 16, 32, 32, 32 };
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct claim c = with_code("right");
	tstamp now = SECONDS(1000);

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		CHECK_ERR(claim_check(&c, a, "wrong", now), ERR_CLAIM);
		assert_int_equal(c.failures, i + 1);
		/* the wait holds for the right code too, and is not prolonged by asking */
		CHECK_ERR(claim_check(&c, a, "right", now + SECONDS(waits[i]) - 1), ERR_AGAIN);
		CHECK_ERR(claim_check(&c, a, "wrong", now), ERR_AGAIN);
		now += SECONDS(waits[i]);
	}
	CHECK_ERR(claim_check(&c, a, "right", now), 0);
	assert_int_equal(c.failures, 0);

	c.failures = UINT32_MAX;
	CHECK_ERR(claim_check(&c, a, "wrong", now), ERR_CLAIM);
	assert_int_equal(c.failures, UINT32_MAX);
}

static void is_a_new_code_new(void **state)
{
	char a[CLAIM_CODE_STR_MAX], b[CLAIM_CODE_STR_MAX], ha[65], hb[65];

	(void)state;
	claim_code_new(a);
	claim_code_new(b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), CLAIM_CODE_STR_MAX - 1);
	claim_code_hash(ha, a);
	claim_code_hash(hb, b);
	assert_string_not_equal(ha, hb);
	assert_int_equal(strspn(ha, "0123456789abcdef"), 64);
	CHECK(!strstr(ha, a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_an_open_device_take_the_first_who_comes),
		cmocka_unit_test(does_only_the_code_open_and_only_once),
		cmocka_unit_test(how_may_the_code_be_typed),
		cmocka_unit_test(does_no_code_fit_where_none_was_set),
		cmocka_unit_test(are_wrong_codes_slowed_down),
		cmocka_unit_test(is_a_new_code_new),
	};

	return RUN_TESTS(tests);
}
