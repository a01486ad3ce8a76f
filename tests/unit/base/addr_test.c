#include "base/addr.h"

#include <netinet/in.h>

#include "test.h"

static void test_parses_and_prints_one_spelling(void **state)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{ "203.0.113.9:8443", NULL }, { "0.0.0.0:0", NULL }, { "255.255.255.255:65535", NULL },
		{ "127.0.0.1:1", NULL }, { "[::1]:443", NULL }, { "[::]:0", NULL }, { "[2001:db8::1]:8443", NULL },
		{ "[2001:DB8:0:0:0:0:0:1]:8443", "[2001:db8::1]:8443" }, { "[::ffff:192.0.2.1]:5", "192.0.2.1:5" },
		{ "[fe80::1:2:3:4]:65535", NULL },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[ADDR_STR_MAX];
		struct addr a, b;

		if (addr_parse(&a, rows[i].text))
			fail_msg("%s is refused", rows[i].text);
		addr_format(out, &a);
		assert_string_equal(out, rows[i].printed ?: rows[i].text);
		CHECK_ERR(addr_parse(&b, out), 0);
		assert_true(addr_equal(&a, &b));
	}
}

static void test_refuses_everything_else(void **state)
{
	static const char *const rows[] = {
		"", ":", ":80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:80x", "1.2.3.4: 80", "1.2.3.4:+80", "1.2.3.4:-1",
		"1.2.3.4:65536", "1.2.3.4:99999", "1.2.3.4:000080", "1.2.3.4:18446744073709551697", "1.2.3:80", "1.2.3.4.5:80",
		"256.2.3.4:80", "1.2.3.04x:80", " 1.2.3.4:80", "1.2.3.4 :80", "localhost:80", "example.org:443",
		"::1", "::1:80", "[::1]", "[::1]80", "[::1:80", "::1]:80", "[]:80", "[1.2.3.4]:80", "[::1%lo]:80", "[[::1]]:80",
		"[:::1]:80", "[::1] :80", "[12345::]:80",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a = { .port = 7 };

		if (addr_parse(&a, rows[i]) != ERR_PARSE)
			fail_msg("\"%s\" is taken", rows[i]);
		assert_int_equal(a.port, 7);
	}
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		bool v4, any, loopback;
	} rows[] = {
		{ "0.0.0.0:1", true, true, false }, { "127.0.0.1:1", true, false, true }, { "127.9.9.9:1", true, false, true },
		{ "128.0.0.1:1", true, false, false }, { "[::]:1", false, true, false }, { "[::1]:1", false, false, true },
		{ "[::2]:1", false, false, false }, { "[2001:db8::]:1", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a;

		CHECK_ERR(addr_parse(&a, rows[i].text), 0);
		if (addr_is_v4(&a) != rows[i].v4 || addr_is_any(&a) != rows[i].any ||
		    addr_is_loopback(&a) != rows[i].loopback)
			fail_msg("%s", rows[i].text);
	}
}

static void test_equal_means_address_and_port(void **state)
{
	struct addr a, b;

	(void)state;
	CHECK_ERR(addr_parse(&a, "1.2.3.4:5"), 0);
	CHECK_ERR(addr_parse(&b, "1.2.3.4:6"), 0);
	assert_false(addr_equal(&a, &b));
	CHECK_ERR(addr_parse(&b, "1.2.3.5:5"), 0);
	assert_false(addr_equal(&a, &b));
	CHECK_ERR(addr_parse(&b, "[::ffff:1.2.3.4]:5"), 0);
	assert_true(addr_equal(&a, &b));
}

static void test_goes_through_sockaddr_and_back(void **state)
{
	static const struct {
		const char *text;
		int family;
		socklen_t len;
	} rows[] = {
		{ "203.0.113.9:8443", AF_INET, sizeof(struct sockaddr_in) },
		{ "203.0.113.9:8443", AF_INET6, sizeof(struct sockaddr_in6) },
		{ "[2001:db8::1]:8443", AF_INET6, sizeof(struct sockaddr_in6) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_storage ss = {};
		struct addr a, b;

		CHECK_ERR(addr_parse(&a, rows[i].text), 0);
		assert_int_equal(addr_to_sockaddr(&ss, &a, rows[i].family), rows[i].len);
		assert_int_equal(ss.ss_family, rows[i].family);
		CHECK_ERR(addr_from_sockaddr(&b, (struct sockaddr *)&ss), 0);
		assert_true(addr_equal(&a, &b));
	}

	struct sockaddr unix_addr = { .sa_family = AF_UNIX };
	struct addr a = { .port = 7 };
	CHECK_ERR(addr_from_sockaddr(&a, &unix_addr), ERR_TYPE);
	assert_int_equal(a.port, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses_and_prints_one_spelling),
		cmocka_unit_test(test_refuses_everything_else),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_equal_means_address_and_port),
		cmocka_unit_test(test_goes_through_sockaddr_and_back),
	};

	return RUN_TESTS(tests);
}
