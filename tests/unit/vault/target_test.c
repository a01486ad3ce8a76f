/* Whom does a TARGET mean? */
#include "place.h"
#include "vault/settings.h"

#define ID "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9"

static void whom_does_a_target_mean(void **state)
{
	static const struct { const char *text; int want; char who; const char *host; uint16_t port; const char *says; } rows[] = {
		{ "self", 0, 's', NULL, 0, NULL },
		{ ID, 0, 'i', NULL, 0, NULL },
		{ "home", 0, 'h', NULL, 0, NULL },
		{ "a.b", 0, 'i', NULL, 0, NULL },
		{ "attic", 0, 'n', NULL, 0, NULL },
		{ ID "@192.0.2.1:8443", 0, 'i', "192.0.2.1", 8443, NULL },
		{ "home@[2001:db8::1]:9", 0, 'h', "2001:db8::1", 9, NULL },
		{ "home@device.lan:9", 0, 'h', "device.lan", 9, NULL },
		{ "both", 0, 'h', NULL, 0, NULL },      /* [names] goes before named.toml */
		{ "nobody", ERR_UNKNOWN, 0, NULL, 0, "neither an identity nor a name" },
		{ "Home", ERR_UNKNOWN, 0, NULL, 0, "neither" },
		{ "broken", ERR_CONFIG, 0, NULL, 0, "named.toml:3: broken: " },
		{ "number", ERR_CONFIG, 0, NULL, 0, "carrier.toml:5: number: a string" },
		{ "", ERR_PARSE, 0, NULL, 0, "a name has" },
		{ "a/b", ERR_PARSE, 0, NULL, 0, "a name has" },
		{ "/v0/shell", ERR_PARSE, 0, NULL, 0, "a name has" },
		{ "sysinfo", ERR_PARSE, 0, NULL, 0, "word of the command line" },
		{ "disco", ERR_PARSE, 0, NULL, 0, "word of the command line" },
		{ "self@h:1", ERR_PARSE, 0, NULL, 0, "has no address" },
		{ ID "@h", ERR_PARSE, 0, NULL, 0, "port is missing" },
		{ ID "@", ERR_PARSE, 0, NULL, 0, "port is missing" },
		{ "@h:1", ERR_PARSE, 0, NULL, 0, "a name has" },
		/* a mistyped identity is told as one, not as an unknown name */
		{ "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV0", ERR_ALPHABET, 0, NULL, 0, "'0'" },
		{ "cDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUTB", ERR_CANON, 0, NULL, 0, NULL },
	};
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct identity self, id, home_id, named_id;
	struct sign_seed seeds[3] = { seed_of(1), seed_of(2), seed_of(3) };
	char home_text[IDENTITY_STR_MAX], named_text[IDENTITY_STR_MAX], text[512], named[160];

	(void)state;
	place_new(&p);
	identity_of_seed(&self, &seeds[0]);
	identity_of_seed(&home_id, &seeds[1]);
	identity_of_seed(&named_id, &seeds[2]);
	CHECK_ERR(identity_parse(&id, ID), 0);
	identity_format(home_text, &home_id);
	identity_format(named_text, &named_id);
	snprintf(text, sizeof text, "[names]\nhome = \"%s\"\nboth = \"%s\"\n\"a.b\" = \"" ID "\"\nnumber = 7\n", home_text, home_text);
	put_file(p.config, text, 0600);
	snprintf(text, sizeof text, "attic = \"%s\"\nboth = \"%s\"\nbroken = \"cDE\"\nself = \"%s\"\n", named_text, named_text, named_text);
	snprintf(named, sizeof named, "%s/h/named.toml", p.dir);
	put_file(named, text, 0600);
	open_home(&h, &p);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct home_error error;
		struct target t;
		int err = target_parse(&t, &h, &self, rows[i].text, &error);

		if (err != rows[i].want || (rows[i].says && !strstr(error.text, rows[i].says)) || (err < 0 && !error.text[0]))
			fail_msg("%s: %s: %s", rows[i].text, err_name(err), error.text);
		if (err < 0)
			continue;
		CHECK(t.self == (rows[i].who == 's'));
		const struct identity *want = rows[i].who == 's' ? &self : rows[i].who == 'i' ? &id :
					      rows[i].who == 'h' ? &home_id : &named_id;
		CHECK(identity_equal(&t.id, want));
		CHECK(t.has_addr == !!rows[i].host && t.port == rows[i].port);
		assert_string_equal(t.host, rows[i].host ?: "");
	}
}

static void what_if_there_is_no_self_or_the_alias_file_is_broken(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error;
	struct target t;
	char path[160], long_text[600];

	(void)state;
	place_new(&p);
	open_home(&h, &p);
	CHECK_ERR(target_parse(&t, &h, NULL, "self", &error), ERR_STATE);
	CHECK(strstr(error.text, "carrier setup"));
	CHECK_ERR(target_parse(&t, &h, NULL, ID, &error), 0);
	CHECK_ERR(target_parse(&t, &h, NULL, "x", &error), ERR_UNKNOWN);
	snprintf(path, sizeof path, "%s/h/named.toml", p.dir);
	put_file(path, "x = = 1\n", 0600);
	CHECK_ERR(target_parse(&t, &h, NULL, "x", &error), ERR_CONFIG);
	CHECK(strstr(error.text, "named.toml:1:"));
	CHECK(remove(path) == 0 && mkdir(path, 0700) == 0);
	CHECK(target_parse(&t, &h, NULL, "x", &error) < 0);
	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = 0;
	CHECK_ERR(target_parse(&t, &h, NULL, long_text, &error), ERR_LENGTH);
}

static void which_names_are_names(void **state)
{
	char at_limit[NAME_MAX_LEN + 2];

	(void)state;
	CHECK_ERR(name_check("a", NULL), 0);
	CHECK_ERR(name_check("9-lives_of.x", NULL), 0);
	CHECK_ERR(name_check(".a", NULL), ERR_PARSE);
	CHECK_ERR(name_check("-a", NULL), ERR_PARSE);
	CHECK_ERR(name_check("\xc3\xa9", NULL), ERR_PARSE);
	CHECK_ERR(name_check("sensors", NULL), ERR_PARSE);
	CHECK_ERR(name_check("cDHLVVFA", NULL), ERR_PARSE);     /* an identity with many leading zeros */
	CHECK_ERR(name_check("cDHLVVFB", NULL), 0);
	CHECK_ERR(name_check("discovery", NULL), ERR_PARSE);
	memset(at_limit, 'x', sizeof at_limit);
	at_limit[NAME_MAX_LEN + 1] = 0;
	CHECK_ERR(name_check(at_limit, NULL), ERR_PARSE);
	at_limit[NAME_MAX_LEN] = 0;
	CHECK_ERR(name_check(at_limit, NULL), 0);
	at_limit[0] = 'c';
	CHECK_ERR(name_check(at_limit, NULL), ERR_PARSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whom_does_a_target_mean),
		cmocka_unit_test(what_if_there_is_no_self_or_the_alias_file_is_broken),
		cmocka_unit_test(which_names_are_names),
	};

	CHECK_ERR(crypto_init(), 0);
	return RUN_TESTS(tests);
}
