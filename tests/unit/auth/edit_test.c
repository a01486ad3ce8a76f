/* What do adding and removing rules do to the rules, the file and the last way in? */
#include "fixtures.h"

enum { NOW = 100 };

static size_t tables(struct toml *config)
{
	return toml_table_array_len(toml_root(config), "authorize");
}

static int64_t expires_at(struct toml *config, size_t i)
{
	int64_t v = 0;

	return toml_integer(toml_table_array_at(toml_root(config), "authorize", i), "expires", &v) == 1 ? v : 0;
}

static void does_adding_twice_change_nothing(void **state)
{
	_cleanup_(toml_freep) struct toml *config = config_of("");
	_cleanup_(auth_freep) struct auth *a = NULL;
	static const struct { struct rule_row row; int want; size_t len; } rows[] = {
		{ { "alice", "/a" }, 1, 1 },
		{ { "alice", "/a" }, 0, 1 },
		{ { "alice", "/b" }, 1, 2 },    /* a second path for the same identity */
		{ { "bob", "/a" }, 1, 3 },
		{ { "*", "/a" }, 1, 4 },
		{ { "*", "/a" }, 0, 4 },
		{ { "team:t1/user", "/a" }, 1, 5 },
		{ { "team:t1/user", "/a" }, 0, 5 },
		{ { "team:t1/sync", "/a" }, 1, 6 },
		{ { "alice", "/a", .expires = 50 }, 0, 6 },     /* less than what is there */
		{ { "alice", "/a", .methods = { "GET" } }, 1, 7 },
		{ { "alice", "/a", .tcp = { "a:1", "b:2" } }, 1, 8 },
		{ { "alice", "/a", .tcp = { "b:2", "a:1" } }, 0, 8 },
		{ { "alice", "/a", .tcp = { "b:2" } }, 1, 9 },
		{ { "alice", "/a", .user = "web" }, 1, 10 },
		{ { "alice", "/a", .root = "/srv" }, 1, 11 },
		{ { "alice", "/a", .root = "/srv" }, 0, 11 },
	};

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (add_row(a, config, &rows[i].row) != rows[i].want)
			fail_msg("row %zu", i);
		assert_int_equal(auth_len(a), rows[i].len);
		assert_int_equal(tables(config), rows[i].len);
	}
}

static void is_a_grant_renewed_in_its_place(void **state)
{
	_cleanup_(toml_freep) struct toml *config = config_of("");
	_cleanup_(auth_freep) struct auth *a = NULL;
	static const struct { int64_t from, to; int want; size_t len; } rows[] = {
		{ 10, 20, 1, 1 },
		{ 10, 20, 0, 1 },
		{ 12, 18, 0, 1 },       /* inside */
		{ 10, 30, 1, 1 },       /* renewed */
		{ 5, 25, 1, 2 },        /* overlaps: beside it, takes nothing away */
		{ 5, 40, 1, 2 },        /* covers the first */
		{ 0, 0, 1, 2 },         /* for ever */
		{ 10, 20, 0, 2 },
		{ 0, 20, 0, 2 },
		{ 10, 0, 0, 2 },
	};

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rule_row row = { "alice", "/a", .not_before = rows[i].from, .expires = rows[i].to };

		if (add_row(a, config, &row) != rows[i].want)
			fail_msg("row %zu", i);
		assert_int_equal(auth_len(a), rows[i].len);
		for (size_t j = 0; j < auth_len(a); j++)
			assert_int_equal(expires_at(config, j), auth_at(a, j)->expires);
	}
}

static void is_a_malformed_rule_refused(void **state)
{
	_cleanup_(auth_freep) struct auth *a = NULL;
	static const struct rule_row rows[] = {
		{ "alice", NULL }, { "alice", "a" }, { "alice", "/a/../b" }, { "alice", "/a", .methods = { "get" } },
		{ "alice", "/a", .tcp = { "x" } }, { "alice", "/a", .root = "x" }, { "alice", "/a", .user = "a/b" },
		{ "alice", "/a", .not_before = -1 }, { "alice", "/a", .expires = -1 },
		{ "alice", "/a", .not_before = 9, .expires = 9 },
	};

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_ERR(add_row(a, NULL, &rows[i]), ERR_PARSE);
	CHECK(!auth_claimed(a));
}

static int del(struct auth *a, struct toml *config, enum who subject, const char *path, int caller)
{
	struct identity s = person(subject), c = caller < 0 ? s : person((enum who)caller);

	return auth_del(a, config, &s, path, caller < 0 ? NULL : &c, NOW);
}

static void what_does_removing_remove(void **state)
{
	_cleanup_(toml_freep) struct toml *config = config_of("# top\n");
	_cleanup_(auth_freep) struct auth *a = NULL;
	static const struct rule_row rows[] = {
		{ "alice", "/a" }, { "bob", "/a" }, { "alice", "/b" }, { "alice", "/a", .methods = { "GET" } },
		{ "*", "/a" }, { "team:t1/user", "/a" }, { "team:t1/user", "/b" },
	};
	struct auth_rule anyone = { .kind = AUTH_ANYONE }, team = { .kind = AUTH_TEAM, .subject = (char *)"team:t1/user" };

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(add_row(a, config, &rows[i]), 1);

	assert_int_equal(del(a, config, STRANGER, NULL, -1), 0);
	assert_int_equal(del(a, config, ALICE, "/x", -1), 0);
	assert_int_equal(del(a, config, ALICE, "/a", -1), 2);
	assert_int_equal(tables(config), 5);
	assert_int_equal(del(a, config, ALICE, NULL, -1), 1);
	assert_int_equal(del(a, config, ALICE, NULL, -1), 0);
	assert_int_equal(auth_del_like(a, config, &anyone, NULL, NOW), 1);
	team.path = (char *)"/b";
	assert_int_equal(auth_del_like(a, config, &team, NULL, NOW), 1);
	/* a rule of the list itself may be the pattern */
	assert_int_equal(auth_del_like(a, config, auth_at(a, 1), NULL, NOW), 1);
	assert_int_equal(tables(config), 1);
	assert_int_equal(del(a, config, BOB, "/a", -1), 1);
	CHECK(!auth_claimed(a));
	_cleanup_free_ char *text = text_of(config);
	assert_string_equal(text, "# top\n");
}

static void is_the_callers_last_way_in_kept(void **state)
{
	struct question {
		const char *name;
		struct rule_row rules[4];
		enum who subject;
		const char *path;
		int caller, want;
	};
	static const struct question rows[] = {
		{ "own only rule", { { "alice", "*" } }, ALICE, NULL, ALICE, ERR_LASTWAY },
		{ "by path", { { "alice", "/v3/*" } }, ALICE, "/v3/*", ALICE, ERR_LASTWAY },
		{ "exact", { { "alice", AUTH_CHANGE_PATH } }, ALICE, NULL, ALICE, ERR_LASTWAY },
		{ "the local user may", { { "alice", "*" } }, ALICE, NULL, -1, 1 },
		{ "somebody else's", { { "alice", "*" }, { "bob", "*" } }, ALICE, NULL, BOB, 1 },
		{ "another of the same stays", { { "alice", "*" }, { "alice", "/v3/*" } }, ALICE, "*", ALICE, 1 },
		{ "all of them", { { "alice", "*" }, { "alice", "/v3/*" } }, ALICE, NULL, ALICE, ERR_LASTWAY },
		{ "the rest gives nothing", { { "alice", "*" }, { "alice", "/v2/*" } }, ALICE, "*", ALICE, ERR_LASTWAY },
		{ "the rest is over", { { "alice", "*" }, { "alice", "/v3/*", .expires = NOW } }, ALICE, "*", ALICE, ERR_LASTWAY },
		{ "the rest is not yet", { { "alice", "*" }, { "alice", "/v3/*", .not_before = NOW + 1 } },
		  ALICE, "*", ALICE, ERR_LASTWAY },
		{ "everybody may change", { { "alice", "*" }, { "*", "/v3/*" } }, ALICE, NULL, ALICE, 1 },
		{ "a team lets him in", { { "bob", "*" }, { "team:t1/user", "*" } }, BOB, NULL, BOB, 1 },
		{ "another team does not", { { "alice", "*" }, { "team:t1/user", "*" } }, ALICE, NULL, ALICE, ERR_LASTWAY },
		{ "had no way anyhow", { { "alice", "/v2/*" } }, ALICE, NULL, ALICE, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(toml_freep) struct toml *config = config_of("");
		_cleanup_(auth_freep) struct auth *a = NULL;
		size_t len;

		CHECK_ERR(auth_new(&a), 0);
		auth_set_facts(a, team_facts, NULL);
		for (size_t j = 0; j < 4 && rows[i].rules[j].subject; j++)
			assert_int_equal(add_row(a, config, &rows[i].rules[j]), 1);
		len = auth_len(a);
		if (del(a, config, rows[i].subject, rows[i].path, rows[i].caller) != rows[i].want)
			fail_msg("%s", rows[i].name);
		CHECK(rows[i].want > 0 || (auth_len(a) == len && tables(config) == len));
	}
}

static void is_a_file_that_went_its_own_way_noticed(void **state)
{
	_cleanup_(toml_freep) struct toml *config = config_of("[[authorize]]\nidentity = \"*\"\nresource = \"/a\"\n");
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct rule_row row = { "alice", "*" };

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	CHECK_ERR(add_row(a, config, &row), ERR_CHANGED);
	CHECK_ERR(del(a, config, ALICE, NULL, -1), ERR_CHANGED);
	CHECK(!auth_claimed(a));
	assert_int_equal(tables(config), 1);
}

static void can_rules_in_an_inline_array_be_edited_or_is_it_said(void **state)
{
	_cleanup_(toml_freep) struct toml *config = config_of("authorize = [ { identity = \"*\", resource = \"/a\" } ]\n");
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct rule_row row = { "alice", "*" };
	struct toml_error te;

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	CHECK_ERR(auth_load(a, config, NULL, &te), 0);
	CHECK_ERR(add_row(a, config, &row), ERR_STATE);
	assert_int_equal(auth_len(a), 1);
}

static void do_many_rules_stay_in_order(void **state)
{
	enum { MANY = 3000 };
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct identity middle = { { 0 } };
	char path[32];

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	for (unsigned i = 0; i < MANY; i++) {
		struct auth_rule r = { .kind = AUTH_IDENTITY, .path = path };

		snprintf(path, sizeof path, "/p%u", i);
		memcpy(r.identity.key, &i, sizeof i);
		assert_int_equal(auth_add(a, NULL, &r), 1);
	}
	for (unsigned i = 0; i < MANY; i += 2) {
		memcpy(middle.key, &i, sizeof i);
		assert_int_equal(auth_del(a, NULL, &middle, NULL, NULL, NOW), 1);
		CHECK(!auth_admits(a, &middle, NOW));
	}
	assert_int_equal(auth_len(a), MANY / 2);
	for (unsigned i = 0; i < MANY / 2; i++) {
		snprintf(path, sizeof path, "/p%u", 2 * i + 1);
		assert_string_equal(auth_at(a, i)->path, path);
		CHECK(auth_admits(a, &auth_at(a, i)->identity, NOW));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_adding_twice_change_nothing),
		cmocka_unit_test(is_a_grant_renewed_in_its_place),
		cmocka_unit_test(is_a_malformed_rule_refused),
		cmocka_unit_test(what_does_removing_remove),
		cmocka_unit_test(is_the_callers_last_way_in_kept),
		cmocka_unit_test(is_a_file_that_went_its_own_way_noticed),
		cmocka_unit_test(can_rules_in_an_inline_array_be_edited_or_is_it_said),
		cmocka_unit_test(do_many_rules_stay_in_order),
	};

	return RUN_TESTS(tests);
}
