/* What is put is what comes out, and what the other side would refuse is not taken. */
#include "test.h"

#include <carrier/carrier.h>

static carrier_headers *fresh(void)
{
	carrier_headers *h = NULL;

	CHECK_ERR(carrier_headers_new(&h), 0);
	CHECK(carrier_headers_len(h) == 0);
	return h;
}

static void every_type_comes_back(void **state)
{
	carrier_headers *h = fresh();
	const char *text = NULL, *key = NULL;
	const void *bytes = NULL;
	uint64_t n = 7;
	size_t len = 0;
	int yes = 7;

	(void)state;
	CHECK_ERR(carrier_headers_put_text(h, "text", "grüße", strlen("grüße")), 0);
	CHECK_ERR(carrier_headers_put_bytes(h, "bytes", "\0\xff", 2), 0);
	CHECK_ERR(carrier_headers_put_uint(h, "uint", UINT64_MAX), 0);
	CHECK_ERR(carrier_headers_put_bool(h, "bool", -1), 0);
	CHECK_ERR(carrier_headers_put_text(h, "empty", NULL, 0), 0);
	CHECK_ERR(carrier_headers_put_bytes(h, "nothing", NULL, 0), 0);
	CHECK(carrier_headers_len(h) == 6);

	CHECK_ERR(carrier_headers_get_text(h, "text", &text, &len), 0);
	CHECK(len == strlen("grüße") && !memcmp(text, "grüße", len));
	CHECK_ERR(carrier_headers_get_bytes(h, "bytes", &bytes, &len), 0);
	CHECK(len == 2 && !memcmp(bytes, "\0\xff", 2));
	CHECK_ERR(carrier_headers_get_uint(h, "uint", &n), 0);
	CHECK(n == UINT64_MAX);
	CHECK_ERR(carrier_headers_get_bool(h, "bool", &yes), 0);
	CHECK(yes == 1);
	CHECK_ERR(carrier_headers_get_text(h, "empty", &text, &len), 0);
	CHECK(len == 0);
	CHECK_ERR(carrier_headers_get_bytes(h, "nothing", &bytes, &len), 0);
	CHECK(len == 0);

	CHECK_ERR(carrier_headers_key(h, 0, &key, &len), 0);
	CHECK(len == 4 && !memcmp(key, "bool", 4));
	CHECK_ERR(carrier_headers_key(h, 6, &key, &len), CARRIER_E_UNKNOWN);
	carrier_headers_free(h);
}

static void the_last_value_counts(void **state)
{
	carrier_headers *h = fresh();
	uint64_t n;

	(void)state;
	CHECK_ERR(carrier_headers_put_text(h, "a", "x", 1), 0);
	CHECK_ERR(carrier_headers_put_uint(h, "a", 3), 0);
	CHECK(carrier_headers_len(h) == 1);
	CHECK_ERR(carrier_headers_get_uint(h, "a", &n), 0);
	CHECK(n == 3);
	carrier_headers_free(h);
}

static void asking_for_what_is_not_there(void **state)
{
	carrier_headers *h = fresh();
	const char *text = "untouched";
	uint64_t n = 7;
	size_t len = 7;
	int yes = 7;

	(void)state;
	CHECK_ERR(carrier_headers_put_uint(h, "n", 1), 0);
	CHECK_ERR(carrier_headers_get_text(h, "n", &text, &len), CARRIER_E_TYPE);
	CHECK_ERR(carrier_headers_get_text(h, "m", &text, &len), CARRIER_E_UNKNOWN);
	CHECK_ERR(carrier_headers_get_uint(h, "m", &n), CARRIER_E_UNKNOWN);
	CHECK_ERR(carrier_headers_get_bool(h, "n", &yes), CARRIER_E_TYPE);
	CHECK(!strcmp(text, "untouched") && n == 7 && len == 7 && yes == 7);
	carrier_headers_free(h);
	carrier_headers_free(NULL);
}

static void what_cannot_be_sent_changes_nothing(void **state)
{
	carrier_headers *h = fresh();
	static char long_text[8200];
	char key[16];

	(void)state;
	memset(long_text, 'x', sizeof long_text);
	CHECK_ERR(carrier_headers_put_text(h, ":method", "GET", 3), 0);
	CHECK_ERR(carrier_headers_put_text(h, "bad", "\xff", 1), CARRIER_E_PARSE);
	CHECK_ERR(carrier_headers_put_text(h, ":method", "A\nB", 3), CARRIER_E_PARSE);
	CHECK_ERR(carrier_headers_put_uint(h, ":method", 1), CARRIER_E_TYPE);
	CHECK_ERR(carrier_headers_put_uint(h, ":status", 99), CARRIER_E_LIMIT);
	CHECK_ERR(carrier_headers_put_text(h, ":path", long_text, 256), CARRIER_E_LIMIT);
	CHECK_ERR(carrier_headers_put_text(h, "long", long_text, sizeof long_text), CARRIER_E_LIMIT);
	CHECK_ERR(carrier_headers_put_text(h, "longer", long_text, (size_t)1 << 40), CARRIER_E_LIMIT);
	CHECK(carrier_headers_len(h) == 1);
	for (int i = 1; i < 64; i++) {
		snprintf(key, sizeof key, "k%d", i);
		CHECK_ERR(carrier_headers_put_bool(h, key, 0), 0);
	}
	CHECK_ERR(carrier_headers_put_bool(h, "one more", 0), CARRIER_E_LIMIT);
	CHECK_ERR(carrier_headers_put_bool(h, "k1", 1), 0);
	CHECK(carrier_headers_len(h) == 64);
	carrier_headers_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back),
		cmocka_unit_test(the_last_value_counts),
		cmocka_unit_test(asking_for_what_is_not_there),
		cmocka_unit_test(what_cannot_be_sent_changes_nothing),
	};

	return RUN_TESTS(tests);
}
