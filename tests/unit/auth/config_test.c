/* What do [[authorize]] tables say, and what is said about those that are wrong? */
#include <stdio.h>

#include "fixtures.h"

#define ID1 "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9"

static char *text_with_ids(const char *fmt)
{
	char alice[IDENTITY_STR_MAX], bob[IDENTITY_STR_MAX], *text;
	struct identity a = person(ALICE), b = person(BOB);

	identity_format(alice, &a);
	identity_format(bob, &b);
	CHECK(asprintf(&text, fmt, alice, bob) > 0);
	return text;
}

static void are_all_keys_and_spellings_read(void **state)
{
	_cleanup_free_ char *text = text_with_ids(
		"[[authorize]]\nidentity = \"%s\"\nresource = \"*\"\n"
		"[[authorize]]\nidentity = \"" ID1 "\"\nresource = \"/v0/shell\"\nuser = \"operator\"\n"
		"[[authorize]]\nidentity = \"self\"\nresource = \"/v2/*\"\nmethods = [\"GET\", \"HEAD\"]\n"
		"[[authorize]]\nidentity = \"*\"\nresource = \"/v0/tcp\"\ntcp = [\"10.0.0.1:80\", \"*:22\"]\n"
		"[[authorize]]\nidentity = \"team:abc/label:door\"\nresource = \"/v0/sft\"\nroot = \"/srv\"\n"
		"not_before = 2026-01-01T00:00:00Z\nexpires = 1798761600\nfuture_key = { a = 1 }\n"
		"# %s\n");
	_cleanup_(toml_freep) struct toml *config = config_of(text);
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct identity self = person(CAROL), alice = person(ALICE), gen1;
	struct toml_error te;
	const struct auth_rule *r;

	(void)state;
	CHECK_ERR(identity_parse(&gen1, ID1), 0);
	CHECK_ERR(auth_new(&a), 0);
	CHECK(!auth_claimed(a));
	CHECK_ERR(auth_load(a, config, &self, &te), 0);
	CHECK(auth_claimed(a));
	assert_int_equal(auth_len(a), 5);
	assert_null(auth_at(a, 5));

	r = auth_at(a, 0);
	CHECK(r->kind == AUTH_IDENTITY && identity_equal(&r->identity, &alice) && r->line == 2);
	assert_string_equal(auth_rule_root(r), "/");
	r = auth_at(a, 1);
	CHECK(identity_equal(&r->identity, &gen1) && !auth_rule_root(r) && !strcmp(r->user, "operator") && r->line == 5);
	r = auth_at(a, 2);
	CHECK(identity_equal(&r->identity, &self) && r->methods_len == 2 && !strcmp(r->methods[1], "HEAD"));
	r = auth_at(a, 3);
	CHECK(r->kind == AUTH_ANYONE && r->tcp_len == 2 && !strcmp(r->tcp[0], "10.0.0.1:80"));
	r = auth_at(a, 4);
	CHECK(r->kind == AUTH_TEAM && !strcmp(r->subject, "team:abc/label:door") && !strcmp(auth_rule_root(r), "/srv"));
	CHECK(r->not_before == 1767225600 && r->expires == 1798761600);
}

static void does_an_empty_configuration_load(void **state)
{
	static const char *const texts[] = { "", "authorize = []\n", "[names]\nx = 'y'\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(toml_freep) struct toml *config = config_of(texts[i]);
		_cleanup_(auth_freep) struct auth *a = NULL;
		struct rule_row row = { "alice", "*" };
		struct toml_error te;

		CHECK_ERR(auth_new(&a), 0);
		CHECK_ERR(auth_load(a, config, NULL, &te), 0);
		CHECK(!auth_claimed(a));
		/* and can be claimed */
		assert_int_equal(add_row(a, config, &row), 1);
		CHECK_ERR(auth_load(a, config, NULL, &te), 0);
		assert_int_equal(auth_len(a), 1);
	}
}

#define OK1 "[[authorize]]\nidentity = \"*\"\nresource = \"/a\"\n"
#define RULE(more) OK1 "[[authorize]]\nidentity = \"*\"\nresource = \"/b\"\n" more

static void is_a_wrong_rule_refused_with_its_line(void **state)
{
	static const struct { const char *text; unsigned line; const char *says; } rows[] = {
		{ "authorize = 3\n", 1, "[[authorize]]" },
		{ "\nauthorize = [1, 2]\n", 2, "[[authorize]]" },
		{ "[authorize]\nidentity = \"*\"\n", 1, "[[authorize]]" },
		{ OK1 "[[authorize]]\nresource = \"/b\"\n", 5, "identity: is missing" },
		{ OK1 "[[authorize]]\nidentity = 7\nresource = \"/b\"\n", 5, "identity: a string" },
		{ OK1 "[[authorize]]\nidentity = \"" ID1 "x\"\nresource = \"/b\"\n", 5, "identity:" },
		{ OK1 "[[authorize]]\nidentity = \"bob\"\nresource = \"/b\"\n", 5, "identity:" },
		{ OK1 "[[authorize]]\nidentity = \"self\"\nresource = \"/b\"\n", 5, "no identity here" },
		{ OK1 "[[authorize]]\nidentity = \"team:x\"\nresource = \"/b\"\n", 5, "team:ID/ROLE" },
		{ OK1 "[[authorize]]\nidentity = \"*\"\n", 5, "resource:" },
		{ OK1 "[[authorize]]\nidentity = \"*\"\n\nresource = \"b\"\n", 7, "resource:" },
		{ OK1 "[[authorize]]\nidentity = \"*\"\nresource = 1\n", 6, "resource: a string" },
		{ RULE("methods = \"GET\"\n"), 7, "methods: an array" },
		{ RULE("methods = [1]\n"), 7, "methods: an array" },
		{ RULE("methods = []\n"), 7, "methods: an empty list" },
		{ RULE("methods = [\"get\"]\n"), 7, "methods: a method" },
		{ RULE("methods = [\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\",\"A\"]\n"),
		  7, "methods: too many" },
		{ RULE("tcp = [\"10.0.0.1\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\"10.0.0.1:0\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\"10.0.0.1:65536\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\"10.0.0.1:8a\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\"10.0.0.1:\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\"::1:22\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\":22\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\"10.*:22\"]\n"), 7, "tcp:" },
		{ RULE("tcp = [\"a b:22\"]\n"), 7, "tcp:" },
		{ RULE("root = \"srv\"\n"), 7, "root:" },
		{ RULE("root = \"/srv/../etc\"\n"), 7, "root:" },
		{ RULE("root = true\n"), 7, "root: a string" },
		{ RULE("user = \"\"\n"), 7, "user:" },
		{ RULE("user = \"-x\"\n"), 7, "user:" },
		{ RULE("user = \"a b\"\n"), 7, "user:" },
		{ RULE("expires = 0\n"), 7, "expires: a time" },
		{ RULE("expires = -1\n"), 7, "expires: a time" },
		{ RULE("expires = \"2026-01-01\"\n"), 7, "expires: a time" },
		{ RULE("expires = 2026-01-01\n"), 7, "expires: a time" },
		{ RULE("not_before = 1960-01-01T00:00:00Z\n"), 7, "not_before: a time" },
		{ RULE("not_before = 20\nexpires = 20\n"), 8, "expires: the rule would end" },
	};
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct rule_row row = { "alice", "*" };

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	CHECK_ERR(add_row(a, NULL, &row), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(toml_freep) struct toml *config = config_of(rows[i].text);
		struct toml_error te = { 0 };

		CHECK_ERR(auth_load(a, config, NULL, &te), ERR_CONFIG);
		if (te.line != rows[i].line || !strstr(te.text, rows[i].says))
			fail_msg("%s\nline %u: %s", rows[i].text, te.line, te.text);
		/* and the rules stay as they were */
		assert_int_equal(auth_len(a), 1);
		assert_string_equal(auth_at(a, 0)->path, "*");
	}
}

static void does_a_rule_with_everything_survive_the_file(void **state)
{
	static const char before[] = "# my device\nport = 7   # local\nbroker = [ ]\n\n[names]\nhome = \"x\" # petname\n";
	_cleanup_(toml_freep) struct toml *config = config_of(before), *again = NULL;
	_cleanup_(auth_freep) struct auth *a = NULL, *b = NULL;
	struct rule_row row = {
		"team:t1/user", "/v0/*", .methods = { "GET", "POST" }, .tcp = { "[2001:db8::1]:80", "*:22" },
		.root = "/srv/\"q\"", .user = "web_1", .not_before = 5, .expires = 1798761600,
	};
	struct toml_error te;

	(void)state;
	CHECK_ERR(auth_new(&a), 0);
	CHECK_ERR(auth_new(&b), 0);
	assert_int_equal(add_row(a, config, &row), 1);
	_cleanup_free_ char *text = text_of(config);
	/* comments, spacing and keys that nobody here knows stand as they stood */
	CHECK(!strncmp(text, before, strlen(before)));
	again = config_of(text);
	CHECK_ERR(auth_load(b, again, NULL, &te), 0);

	const struct auth_rule *x = auth_at(a, 0), *y = auth_at(b, 0);
	assert_string_equal(x->subject, y->subject);
	assert_string_equal(x->path, y->path);
	assert_string_equal(x->root, y->root);
	assert_string_equal(x->user, y->user);
	CHECK(y->methods_len == 2 && y->tcp_len == 2 && !strcmp(y->tcp[0], "[2001:db8::1]:80"));
	CHECK(y->not_before == 5 && y->expires == 1798761600);
	/* made at run time: no line */
	CHECK(x->line == 0 && y->line > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_all_keys_and_spellings_read),
		cmocka_unit_test(does_an_empty_configuration_load),
		cmocka_unit_test(is_a_wrong_rule_refused_with_its_line),
		cmocka_unit_test(does_a_rule_with_everything_survive_the_file),
	};

	return RUN_TESTS(tests);
}
