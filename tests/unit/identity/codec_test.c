#include "test.h"

#include "crypto/crypto.h"
#include "identity/base32.h"
#include "identity/base58.h"
#include "identity/crc8.h"
#include "identity/proquint.h"
#include "identity/serial.h"

/* RFC 4648 10, without the padding. */
static void test_base32_gives_the_published_answers(void **state)
{
	static const struct { const char *in, *out; } table[] = {
		{ "", "" }, { "f", "MY" }, { "fo", "MZXQ" }, { "foo", "MZXW6" }, { "foob", "MZXW6YQ" },
		{ "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t n = strlen(table[i].in);
		char text[16];
		uint8_t back[8];

		assert_int_equal(base32_len(n), strlen(table[i].out));
		base32_encode(text, (const uint8_t *)table[i].in, n);
		assert_string_equal(text, table[i].out);
		CHECK_ERR(base32_decode(back, n, text, strlen(text)), 0);
		assert_memory_equal(back, table[i].in, n);
	}
}

static void test_base32_refuses_every_other_spelling(void **state)
{
	static const struct { const char *text; size_t n; int err; } table[] = {
		{ "MZ", 1, ERR_CANON }, { "MZXR", 2, ERR_CANON }, { "MZXW7", 3, ERR_CANON }, { "MZXW6YR", 4, ERR_CANON },
		{ "my", 1, ERR_ALPHABET }, { "M1", 1, ERR_ALPHABET }, { "M0", 1, ERR_ALPHABET },
		{ "M8", 1, ERR_ALPHABET }, { "M=", 1, ERR_ALPHABET }, { "M\xff", 1, ERR_ALPHABET },
		{ "M", 1, ERR_LENGTH }, { "MYA", 1, ERR_LENGTH }, { "", 1, ERR_LENGTH },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint8_t out[8];

		CHECK_ERR(base32_decode(out, table[i].n, table[i].text, strlen(table[i].text)), table[i].err);
	}
}

static void test_base58_is_a_number_of_fixed_width(void **state)
{
	static const struct { const char *bytes, *text; } table[] = {
		{ "0000", "111" }, { "0001", "112" }, { "0039", "11z" }, { "003a", "121" }, { "ffff", "LUv" },
		{ "73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint8_t in[32], back[32];
		char text[64];
		size_t n = unhex(in, sizeof in, table[i].bytes);

		base58_encode(text, strlen(table[i].text), in, n);
		assert_string_equal(text, table[i].text);
		CHECK_ERR(base58_decode(back, n, text, strlen(text)), 0);
		assert_memory_equal(back, in, n);
	}
}

static void test_base58_refuses_what_does_not_fit_or_belong(void **state)
{
	uint8_t out[2];
	(void)state;

	CHECK_ERR(base58_decode(out, 2, "LUw", 3), ERR_LENGTH);
	CHECK_ERR(base58_decode(out, 2, "1111111LUv", 10), 0);
	for (const char *c = "0OIl+ \xff"; *c; c++)
		CHECK_ERR(base58_decode(out, 2, c, 1), ERR_ALPHABET);
	assert_int_equal(base58_value(0), -1);
	assert_int_equal(base58_value('z'), 57);
}

static void test_the_checksums_have_their_check_values(void **state)
{
	static const uint8_t digits[] = { '1', '2', '3', '4', '5', '6', '7', '8', '9' };
	(void)state;

	assert_int_equal(crc8_koop(digits, sizeof digits), 0xd8);
	assert_int_equal(crc8_koop(digits, 0), 0);
	assert_int_equal(crc8_generation1(digits, 9), 0x54);
	assert_int_equal(crc8_generation1(digits, 8), 0);
}

/* The broken CRC as the old library ran it, bit of the state by bit. */
static void test_the_old_checksum_is_the_old_loop(void **state)
{
	uint8_t in[40];
	(void)state;

	for (int round = 0; round < 1000; round++) {
		unsigned c = 0;

		random_bytes(in, sizeof in);
		for (size_t i = 0; i < sizeof in; i++)
			c = (c ^ in[i]) & 1 ? 84 : 0;
		assert_int_equal(crc8_generation1(in, sizeof in), c);
	}
}

/* {"hello", "world"} of type 14: key length, key, value, under the same checksum. */
static void test_a_message_of_the_books_is_well_formed(void **state)
{
	static const char text[] = "DYCWQZLMNRXXO33SNRSNG";
	uint8_t raw[13];
	(void)state;

	CHECK_ERR(base32_decode(raw, sizeof raw, text, strlen(text)), 0);
	assert_memory_equal(raw, "\x1e\x05helloworld", 12);
	assert_int_equal(crc8_koop(raw, 12), raw[12]);
}

static void test_proquints_are_the_published_words(void **state)
{
	static const struct { uint8_t bytes[8]; const char *want; } table[] = {
		{ { 127, 0, 0, 1, 63, 84, 220, 193 }, "lusab-babad-gutih-tugad" },
		{ { 63, 118, 7, 35, 140, 98, 193, 141 }, "gutuk-bisog-mudof-sakat" },
		{ { 0 }, "babab-babab-babab-babab" },
		{ { 255, 255, 255, 255, 255, 255, 255, 255 }, "zuzuz-zuzuz-zuzuz-zuzuz" },
	};
	char text[FINGERPRINT_STR_MAX];
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		proquint_format(text, table[i].bytes);
		assert_string_equal(text, table[i].want);
	}
}

static const uint64_t numbers[] = {
	0, 1, 2, 31, 255, 256, 18303, 65535, 1ull << 32, (1ull << 56) - 1, 1ull << 56, UINT64_MAX,
};

static void test_aliases_and_serials_come_back(void **state)
{
	char text[ALIAS_STR_MAX];
	uint64_t n;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		alias_format(text, numbers[i]);
		assert_int_equal(strlen(text), 14);
		CHECK_ERR(alias_parse(&n, text, NULL), 0);
		assert_int_equal(n, numbers[i]);
		serial_format(text, numbers[i]);
		CHECK_ERR(serial_parse(&n, text, NULL), 0);
		assert_int_equal(n, numbers[i]);
	}
	alias_format(text, 1);
	assert_string_equal(text, "aAAAAAAAAAAAAC");
	serial_format(text, 18303);
	assert_string_equal(text, "+P5DQ");
	serial_format(text, 2);
	assert_string_equal(text, "+AI");
	serial_format(text, 0);
	assert_string_equal(text, "+");
	CHECK_ERR(serial_parse(&n, "+ai", NULL), 0);
	assert_int_equal(n, 2);
	CHECK_ERR(serial_parse(&n, "=P5dq", NULL), 0);
	assert_int_equal(n, 18303);
}

static void test_bad_aliases_and_serials_are_refused_by_name(void **state)
{
	static const struct { bool alias; const char *text; int err; const char *detail; } table[] = {
		{ true, "", ERR_PREFIX, "begins with 'a'" },
		{ true, "AAAAAAAAAAAAAC", ERR_PREFIX, "begins with 'a'" },
		{ true, "aAAAAAAAAAAAA", ERR_LENGTH, "14 characters, this has 13" },
		{ true, "aAAAAAAAAAAAACA", ERR_LENGTH, "this has 15" },
		{ true, "aAAAAAAAAAAAAc", ERR_ALPHABET, "'c' at position 14" },
		{ true, "a0AAAAAAAAAAAC", ERR_ALPHABET, "'0' at position 2" },
		{ true, "aAAAAAAAAAAAAD", ERR_CANON, "canonical" },
		{ false, "", ERR_PREFIX, "'+' or '='" },
		{ false, "AI", ERR_PREFIX, "'+' or '='" },
		{ false, "+A", ERR_LENGTH, "2 characters" },
		{ false, "+AIA", ERR_LENGTH, "4 characters" },
		{ false, "+AAAAAAAAAAAAAAA", ERR_LENGTH, "16 characters" },
		{ false, "+A!", ERR_ALPHABET, "'!' at position 3" },
		{ false, "+AJ", ERR_CANON, "canonical" },
		{ false, "+AA", ERR_CANON, "zero bytes" },
		{ false, "+AIAA", ERR_CANON, "zero bytes" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_error e = {};
		uint64_t n = 77;
		int err = (table[i].alias ? alias_parse : serial_parse)(&n, table[i].text, &e);

		if (err != table[i].err || !strstr(e.text, table[i].detail))
			fail_msg("%s: %s \"%s\"", table[i].text, err_name(err), e.text);
		assert_int_equal(n, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base32_gives_the_published_answers),
		cmocka_unit_test(test_base32_refuses_every_other_spelling),
		cmocka_unit_test(test_base58_is_a_number_of_fixed_width),
		cmocka_unit_test(test_base58_refuses_what_does_not_fit_or_belong),
		cmocka_unit_test(test_the_checksums_have_their_check_values),
		cmocka_unit_test(test_the_old_checksum_is_the_old_loop),
		cmocka_unit_test(test_a_message_of_the_books_is_well_formed),
		cmocka_unit_test(test_proquints_are_the_published_words),
		cmocka_unit_test(test_aliases_and_serials_come_back),
		cmocka_unit_test(test_bad_aliases_and_serials_are_refused_by_name),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
