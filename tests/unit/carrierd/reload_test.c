/* Does an edit of carrier.toml reach net, without its secrets? */
#include "fixture.h"

static const char config[] =
	"# a comment\n"
	"keepalive = 33\naddress = \"relay-only\"\nclaim_hash = \"%s\"\n"
	"[network]\nsecret = \"%s\"\n"
	"[names]\nbob = \"@B\"\n"
	"[[authorize]]\nidentity = \"@A\"\nresource = \"/v2/*\"\nmethods = [\"GET\", \"POST\"]\nroot = \"/srv/a \\\"b\\\"\"\n"
	"not_before = 1800000000\n"
	"[[service]]\npath = \"/v2/x\"\nexec = [\"/opt/program\", \"--password=hunter2\"]\n";

static struct fixture *start(const char *more)
{
	static char text[4096];
	struct network_secret secret = { { 7 } };
	char secret_text[IDENTITY_STR_MAX], h[65];

	CHECK_ERR(crypto_init(), 0);
	network_secret_format(secret_text, &secret);
	claim_code_hash(h, "x");
	snprintf(text, sizeof text, config, h, secret_text);
	strcat(text, more);
	struct fixture *f = fixture_new(text);
	CHECK_ERR(watch_new(&f->m.watch, &f->m), 0);
	return f;
}

static void test_what_net_gets_has_rules_and_settings_but_no_secret(void **state)
{
	(void)state;
	struct fixture *f = start("");
	static const char *const there[] = {
		"keepalive = 33", "address = \"relay-only\"", "[[authorize]]", "methods = [\"GET\", \"POST\"]",
		"root = \"/srv/a \\\"b\\\"\"", "not_before = 1800000000", "path = \"/v2/x\"",
	};
	static const char *const absent[] = { "secret", "claim_hash", "hunter2", "names", "comment" };

	CHECK_ERR(monitor_push(&f->m), 0);
	fixture_until(f, &f->configs);
	for (size_t i = 0; i < ARRAY_LEN(there); i++)
		if (!strstr(buf_str(&f->config), there[i]))
			fail_msg("%s is missing in:\n%s", there[i], buf_str(&f->config));
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		if (strstr(buf_str(&f->config), absent[i]))
			fail_msg("%s is in:\n%s", absent[i], buf_str(&f->config));

	/* net reads it with the same parsers and comes to the same rules. */
	_cleanup_(toml_freep) struct toml *t = NULL;
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct toml_error te;
	CHECK_ERR(toml_parse(&t, buf_span(&f->config), &te), 0);
	CHECK_ERR(auth_new(&a), 0);
	CHECK_ERR(auth_load(a, t, &f->m.self, &te), 0);
	CHECK(auth_len(a) == 1 && auth_at(a, 0)->methods_len == 2);
	assert_string_equal(auth_at(a, 0)->root, "/srv/a \"b\"");
	fixture_free(f);
}

static void test_an_edit_is_noticed_and_pushed(void **state)
{
	(void)state;
	struct fixture *f = start("");

	fixture_write(f, "[[authorize]]\nidentity = \"@B\"\nresource = \"/v0/shell\"\n");
	fixture_until(f, &f->configs);
	CHECK(strstr(buf_str(&f->config), "/v0/shell"));
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->bob, "/v0/shell", SPAN_NONE), 0);
	fixture_free(f);
}

static void test_a_broken_edit_changes_nothing_and_is_logged(void **state)
{
	(void)state;
	struct fixture *f = start("[[authorize]]\nidentity = \"@B\"\nresource = \"/v0/shell\"\n");

	fixture_write(f, "[[authorize]\n");
	fixture_turn(f, 20);
	CHECK(!f->configs);
	CHECK(strstr(buf_str(&f->log), "carrier.toml:1"));
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->bob, "/v0/shell", SPAN_NONE), 0);

	fixture_write(f, "[[authorize]]\nidentity = \"nobody at all\"\nresource = \"*\"\n");
	fixture_turn(f, 20);
	CHECK(!f->configs);
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->bob, "/v0/shell", SPAN_NONE), 0);
	fixture_free(f);
}

static void test_our_own_write_is_no_news(void **state)
{
	(void)state;
	struct fixture *f = start("");
	struct home_error he;

	CHECK_ERR(toml_set_integer(toml_root(f->m.home.config), "keepalive", 44), 0);
	CHECK_ERR(home_save(&f->m.home, &he), 0);
	fixture_turn(f, 20);
	CHECK(!f->configs);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_net_gets_has_rules_and_settings_but_no_secret),
		cmocka_unit_test(test_an_edit_is_noticed_and_pushed),
		cmocka_unit_test(test_a_broken_edit_changes_nothing_and_is_logged),
		cmocka_unit_test(test_our_own_write_is_no_news),
	};
	return RUN_TESTS(tests);
}
