/* What does carrier.toml mean, and what is said about a wrong value? */
#include "place.h"
#include "vault/settings.h"

#define ID "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9"
#define HASH64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int load(struct settings *s, const char *text, struct home_error *error)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	_cleanup_free_ char *brokers = getenv("CARRIER_BROKERS") ? strdup(getenv("CARRIER_BROKERS")) : NULL;

	place_new(&p);
	if (brokers)
		setenv("CARRIER_BROKERS", brokers, 1);
	put_file(p.config, text, 0600);
	open_home(&h, &p);
	return settings_load(s, &h, error);
}

static void what_holds_when_nothing_is_said(void **state)
{
	struct home_error error;
	struct settings s;

	(void)state;
	CHECK_ERR(load(&s, "unknown = 1\n[unknown2]\nx = [1]\n", &error), 0);
	CHECK(s.brokers_len == 0 && s.keepalive == 25 && s.claim == CLAIM_OPEN && s.address == ADDRESS_DIRECT);
	CHECK(addr_is_any(&s.listen) && s.listen.port == 0 && s.services_len == 0 && !s.claim_hash[0]);
	settings_done(&s);
}

static void is_everything_read(void **state)
{
	static const char text[] =
		"broker = [\"" ID "@b.example:8443#tok_1\", \"" ID "@[2001:db8::1]:9\"]\n"
		"port = 7000\nkeepalive = 600\nclaim = \"code\"\nclaim_hash = \"" HASH64 "\"\naddress = \"relay-only\"\n"
		"[names]\nhome = \"" ID "\"\n\"a.b\" = \"" ID "\"\n"
		"[[service]]\npath = \"/v2/x.y/z\"\nexec = [\"/bin/echo\", \"\", \"a b\"]\nuser = \"web\"\nreplay_safe = true\n"
		"[[service]]\npath = \"/v1/sock\"\nsocket = \"/run/x.sock\"\n"
		"[[axons]]\npath = \"/v0/old\"\nexec = [\"/bin/old\"]\n";
	struct home_error error;
	struct identity id;
	struct settings s;

	(void)state;
	CHECK_ERR(identity_parse(&id, ID), 0);
	if (load(&s, text, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(s.brokers_len, 2);
	CHECK(identity_equal(&s.brokers[0].id, &id) && s.brokers[0].port == 8443);
	assert_string_equal(s.brokers[0].host, "b.example");
	assert_string_equal(s.brokers[0].token, "tok_1");
	assert_string_equal(s.brokers[1].host, "2001:db8::1");
	assert_string_equal(s.brokers[1].token, "");
	CHECK(s.listen.port == 7000 && s.keepalive == 600 && s.claim == CLAIM_CODE && s.address == ADDRESS_RELAY_ONLY);
	assert_string_equal(s.claim_hash, HASH64);
	assert_int_equal(s.services_len, 3);
	assert_string_equal(s.services[0].exec[2], "a b");
	CHECK(!s.services[0].exec[3] && !s.services[0].socket && s.services[0].replay_safe);
	assert_string_equal(s.services[0].user, "web");
	CHECK(!s.services[1].exec[0] && !s.services[1].user && !s.services[1].replay_safe);
	assert_string_equal(s.services[1].socket, "/run/x.sock");
	assert_string_equal(s.services[2].path, "/v0/old");
	settings_done(&s);

	CHECK_ERR(load(&s, "broker = \"" ID "@h:1\"\nlisten = \"127.0.0.1:5\"\n", &error), 0);
	CHECK(s.brokers_len == 1 && s.listen.port == 5 && addr_is_loopback(&s.listen));
	settings_done(&s);
}

static void is_a_wrong_value_refused_with_its_line(void **state)
{
	static const struct { const char *text, *says; } rows[] = {
		{ "\nbroker = [\"x.carrier.devguard.io\"]\n", ":2: broker: \"x.carrier.devguard.io\" is a DNS domain, as the older" },
		{ "broker = \"4.carrier.devguard.io\"\n", ":1: broker: \"4.carrier.devguard.io\" is a DNS domain" },
		{ "broker = [\"" ID "@h:1\",\n \"" ID "@h\"]\n", ":2: broker: the port is missing" },
		{ "broker = 7\n", ":1: broker: a list of strings" },
		{ "broker = [7]\n", ":1: broker: a list of strings" },
		{ "port = 65536\n", ":1: port: a whole number from 0 to 65535" },
		{ "port = -1\n", ":1: port: " },
		{ "port = \"7\"\n", ":1: port: " },
		{ "listen = \"7\"\n", ":1: listen: " },
		{ "listen = 7\n", ":1: listen: " },
		{ "listen = \"[::]:1\"\nport = 2\n", ":1: listen: says the port too" },
		{ "keepalive = 4\n", ":1: keepalive: a whole number from 5 to 600" },
		{ "keepalive = 601\n", ":1: keepalive: " },
		{ "keepalive = 25.0\n", ":1: keepalive: " },
		{ "claim = \"never\"\n", ":1: claim: \"open\" or \"code\"" },
		{ "claim = true\n", ":1: claim: " },
		{ "claim_hash = \"abc\"\n", ":1: claim_hash: 64" },
		{ "claim_hash = \"" HASH64 "0\"\n", ":1: claim_hash: 64" },
		{ "claim_hash = 1\n", ":1: claim_hash: 64" },
		{ "address = \"relay\"\n", ":1: address: \"direct\" or \"relay-only\"" },
		{ "\n\nprincipal = \"cCM\"\n", ":3: principal: one secret shared by several people is no longer used; make a team" },
		{ "names = 7\n", ":1: names: is written as a table" },
		{ "[names]\nself = \"" ID "\"\n", ":2: names: self: \"self\" is a word of the command line" },
		{ "[names]\ntrace = \"" ID "\"\n", ":2: names: trace:" },
		{ "[names]\n" ID " = \"" ID "\"\n", ":2: names: " ID ": a name may not look like an identity" },
		{ "[names]\n\"a b\" = \"" ID "\"\n", ":2: names: a b: a name has" },
		{ "[names]\n\"\" = \"" ID "\"\n", ":2: names: : a name has" },
		{ "[names]\nx = 7\n", ":2: names: x: a string" },
		{ "[names]\nx = \"oW\"\n", ":2: names: x: " },
		{ "service = 7\n", ":1: service: is written as [[service]]" },
		{ "[service]\npath = \"/x\"\n", "service: is written as [[service]]" },
		{ "[[service]]\nexec = [\"a\"]\n", ":2: service path: an absolute path" },
		{ "[[service]]\npath = \"x\"\nexec = [\"a\"]\n", ":2: service path: an absolute path" },
		{ "[[service]]\npath = \"/\"\nexec = [\"a\"]\n", ":2: service path: an absolute path" },
		{ "[[service]]\npath = \"/a/*\"\nexec = [\"a\"]\n", ":2: service path: an absolute path" },
		{ "[[service]]\npath = \"/a/../b\"\nexec = [\"a\"]\n", ":2: service path: an absolute path" },
		{ "[[service]]\npath = \"/a b\"\nexec = [\"a\"]\n", ":2: service path: an absolute path" },
		{ "[[service]]\npath = \"\"\nexec = [\"a\"]\n", ":2: service path: is empty or too long" },
		{ "[[service]]\npath = 1\nexec = [\"a\"]\n", ":2: service path: a string" },
		{ "[[service]]\npath = \"/a\"\n", ":2: service exec: either" },
		{ "[[service]]\npath = \"/a\"\nexec = [\"a\"]\nsocket = \"/s\"\n", ":3: service exec: either" },
		{ "[[service]]\npath = \"/a\"\nexec = []\n", ":3: service exec: a list of strings" },
		{ "[[service]]\npath = \"/a\"\nexec = \"a\"\n", ":3: service exec: a list of strings" },
		{ "[[service]]\npath = \"/a\"\nexec = [\"a\", 1]\n", ":3: service exec: a list of strings" },
		{ "[[service]]\npath = \"/a\"\nexec = [\"\"]\n", ":3: service exec: a list of strings" },
		{ "[[service]]\npath = \"/a\"\nexec = ['1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17',"
		  "'18','19','20','21','22','23','24','25','26','27','28','29','30','31','32','33']\n", ":3: service exec: too many" },
		{ "[[service]]\npath = \"/a\"\nexec = [\"a\"]\nreplay_safe = 1\n", ":4: service replay_safe: true or false" },
		{ "[[axons]]\npath = \"/a\"\nexec = [\"a\"]\n[[axons]]\npath = \"/a\"\nexec = [\"b\"]\n",
		  ":5: axons path: is served by another" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct home_error error;
		struct settings s;

		memset(&s, 0x5a, sizeof s);
		if (load(&s, rows[i].text, &error) != ERR_CONFIG || !strstr(error.text, rows[i].says))
			fail_msg("%s\n%s", rows[i].text, error.text);
		CHECK(strstr(error.text, "carrier.toml:"));
		assert_int_equal(s.keepalive, 0x5a5a5a5a);      /* untouched */
	}
}

static void are_the_numbers_limited(void **state)
{
	struct buf text = { 0 };
	struct home_error error;
	struct settings s;

	(void)state;
	for (unsigned i = 0; i <= SERVICE_ENTRIES_MAX; i++)
		buf_printf(&text, "[[service]]\npath = \"/s%u\"\nsocket = \"/s\"\n", i);
	CHECK_ERR(load(&s, buf_str(&text), &error), ERR_CONFIG);
	CHECK(strstr(error.text, "too many services"));
	buf_done(&text);

	buf_add_str(&text, "broker = [");
	for (unsigned i = 0; i <= BROKER_LINES_MAX; i++)
		buf_printf(&text, "\"" ID "@h:%u\",", i + 1);
	buf_add_str(&text, "]\n");
	CHECK_ERR(load(&s, buf_str(&text), &error), ERR_CONFIG);
	CHECK(strstr(error.text, "more than 16 brokers"));
	buf_done(&text);
}

static void does_the_environment_override_the_brokers(void **state)
{
	static const char file[] = "broker = [\"wrong.example\"]\n";
	static const struct { const char *env; size_t want; } rows[] = {
		{ ID "@a:1", 1 }, { ID "@a:1;" ID "@b:2", 2 }, { " " ID "@a:1  " ID "@b:2 ;\t" ID "@c:3 ", 3 }, { ";", 0 },
	};
	struct home_error error;
	struct settings s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		setenv("CARRIER_BROKERS", rows[i].env, 1);
		if (load(&s, file, &error) < 0)
			fail_msg("%s: %s", rows[i].env, error.text);
		assert_int_equal(s.brokers_len, rows[i].want);
		settings_done(&s);
	}
	setenv("CARRIER_BROKERS", "x.carrier.devguard.io", 1);
	CHECK_ERR(load(&s, "", &error), ERR_CONFIG);
	CHECK(strstr(error.text, "CARRIER_BROKERS in the environment: \"x.carrier.devguard.io\" is a DNS domain"));
	setenv("CARRIER_BROKERS", "", 1);
	CHECK_ERR(load(&s, file, &error), ERR_CONFIG);
	unsetenv("CARRIER_BROKERS");
}

static void which_broker_lines_are_read(void **state)
{
	static const struct { const char *text, *says; } rows[] = {
		{ ID "@b.example:1", NULL }, { ID "@192.0.2.1:65535#a-b_C9", NULL }, { ID "@[::1]:8443#x", NULL },
		{ "", "ID@host:port#TOKEN" }, { "not a domain", "ID@host:port#TOKEN" },
		{ "@h:1", "" }, { "x@h:1", "" }, { ID "x@h:1", "" }, { ID "@", "port is missing" },
		{ ID "@h", "port is missing" }, { ID "@h:", "is no port" }, { ID "@h:0", "is no port" },
		{ ID "@h:65536", "is no port" }, { ID "@h:100000", "is no port" }, { ID "@h:1x", "is no port" },
		{ ID "@:1", "no host name" }, { ID "@-h:1", "no host name" }, { ID "@a..b:1", "no host name" },
		{ ID "@.a:1", "no host name" }, { ID "@a.:1", "no host name" }, { ID "@a b:1", "no host name" },
		{ ID "@::1:1", "no host name" }, { ID "@[1.2.3.4]:1", "no host name" }, { ID "@[::g]:1", "no host name" },
		{ ID "@[]:1", "no host name" }, { ID "@[::1%eth0]:1", "no host name" },
		{ ID "@[1:2:3:4:5:6:7:8:1:2:3:4:5:6:7:8:1:2:3:4:5:6:7:8]:1", "no host name" },
		{ ID "@h:1#", "no join token" }, { ID "@h:1#a b", "no join token" }, { ID "@h:1#a#b", "no join token" },
		{ ID "@h:1#a234567890123456789012345678901234567890123456789012345678901234x", "no join token" },
		{ "#" ID "@h:1", "" }, { ID "@a234567890123456789012345678901234567890123456789012345678901234:1", "no host name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct broker_line b, again;
		struct text_error detail = { "" };
		int err = broker_line_parse(&b, rows[i].text, &detail);
		_cleanup_buf_ struct buf out = { 0 };

		CHECK_ERR(broker_line_parse(&again, rows[i].text, NULL), err);
		if (rows[i].says) {
			if (err != ERR_PARSE || !strstr(detail.text, rows[i].says) || !detail.text[0])
				fail_msg("%s: %s", rows[i].text, detail.text);
			continue;
		}
		if (err < 0)
			fail_msg("%s: %s", rows[i].text, detail.text);
		broker_line_format(&out, &b);
		CHECK_ERR(broker_line_parse(&again, buf_str(&out), NULL), 0);
		CHECK(identity_equal(&b.id, &again.id) && b.port == again.port);
		assert_string_equal(b.host, again.host);
		assert_string_equal(b.token, again.token);
		CHECK(!strcmp(strchr(buf_str(&out), '@'), strchr(rows[i].text, '@')));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_when_nothing_is_said),
		cmocka_unit_test(is_everything_read),
		cmocka_unit_test(is_a_wrong_value_refused_with_its_line),
		cmocka_unit_test(are_the_numbers_limited),
		cmocka_unit_test(does_the_environment_override_the_brokers),
		cmocka_unit_test(which_broker_lines_are_read),
	};

	CHECK_ERR(crypto_init(), 0);
	return RUN_TESTS(tests);
}
