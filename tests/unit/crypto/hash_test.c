#include "test.h"

#include "crypto/crypto.h"
#include "crypto/hkdf.h"

static const uint8_t abc[] = { 'a', 'b', 'c' };

static void test_hash_is_blake2b_over_length_purpose_and_input(void **state)
{
	static const struct { const char *purpose, *in, *want; } table[] = {
		{ "", "", "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314" },
		{ "carrier test v1", "abc", "7870baf800e3432c0111124e0b4cd5514a473fd5926d00b56c9335b42ed775ca" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint8_t got[HASH_LEN], want[HASH_LEN];

		hash(got, table[i].purpose, SPAN_STR(table[i].in));
		assert_int_equal(unhex(want, sizeof want, table[i].want), sizeof want);
		assert_memory_equal(got, want, sizeof want);
	}
}

/* Where the purpose ends and the input begins is part of what is hashed. */
static void test_no_two_purposes_give_one_hash(void **state)
{
	static const struct { const char *purpose, *in; } table[] = {
		{ "", "abc" }, { "a", "bc" }, { "ab", "c" }, { "abc", "" }, { "", "\003abc" }, { "b", "abc" },
	};
	uint8_t h[ARRAY_LEN(table)][HASH_LEN], m[ARRAY_LEN(table)][MAC_LEN];
	const struct mac_key k = { { 1, 2, 3 } };
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		hash(h[i], table[i].purpose, SPAN_STR(table[i].in));
		mac(m[i], &k, table[i].purpose, SPAN_STR(table[i].in));
		for (size_t j = 0; j < i; j++) {
			CHECK(memcmp(h[i], h[j], HASH_LEN));
			CHECK(memcmp(m[i], m[j], MAC_LEN));
		}
	}
}

static void test_a_purpose_counts_up_to_its_limit(void **state)
{
	char a[PURPOSE_MAX + 2], b[PURPOSE_MAX + 2];
	uint8_t ha[HASH_LEN], hb[HASH_LEN];
	(void)state;

	memset(a, 'p', sizeof a);
	memset(b, 'p', sizeof b);
	a[PURPOSE_MAX] = b[PURPOSE_MAX] = 0;
	b[PURPOSE_MAX - 1] = 'q';
	hash(ha, a, SPAN_NONE);
	hash(hb, b, SPAN_NONE);
	CHECK(memcmp(ha, hb, sizeof ha));
}

static void test_mac_holds_only_for_key_purpose_and_input(void **state)
{
	struct mac_key k = { { 7 } }, other = { { 8 } };
	uint8_t tag[MAC_LEN], want[MAC_LEN];
	(void)state;

	mac(tag, &k, "one", SPAN_OF(abc));
	unhex(want, sizeof want, "584042b9e9533dd407d73b3caeac1f68");
	assert_memory_equal(tag, want, sizeof want);
	CHECK(mac_ok(tag, &k, "one", SPAN_OF(abc)));
	CHECK(!mac_ok(tag, &other, "one", SPAN_OF(abc)));
	CHECK(!mac_ok(tag, &k, "two", SPAN_OF(abc)));
	CHECK(!mac_ok(tag, &k, "one", SPAN(abc, 2)));
	for (int bit = 0; bit < MAC_LEN * 8; bit++) {
		tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(!mac_ok(tag, &k, "one", SPAN_OF(abc)));
		tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* RFC 5869 A.1 to A.3. */
static void test_hkdf_gives_the_published_answers(void **state)
{
	static const struct { const char *ikm, *salt, *info, *okm; } table[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		  "f0f1f2f3f4f5f6f7f8f9",
		  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
		  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87" },
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint8_t ikm[80], salt[80], info[80], okm[82], got[82];
		size_t ikm_len = unhex(ikm, sizeof ikm, table[i].ikm);
		size_t salt_len = unhex(salt, sizeof salt, table[i].salt);
		size_t info_len = unhex(info, sizeof info, table[i].info);
		size_t len = unhex(okm, sizeof okm, table[i].okm);

		assert_int_equal(len, strlen(table[i].okm) / 2);
		hkdf(got, len, SPAN(salt, salt_len), SPAN(ikm, ikm_len), SPAN(info, info_len));
		assert_memory_equal(got, okm, len);
	}
}

static void test_hkdf_longest_output_begins_like_a_short_one(void **state)
{
	static uint8_t all[HKDF_OUT_MAX];
	uint8_t some[33];
	(void)state;

	hkdf(all, sizeof all, SPAN_NONE, SPAN_OF(abc), SPAN_NONE);
	hkdf(some, sizeof some, SPAN_NONE, SPAN_OF(abc), SPAN_NONE);
	assert_memory_equal(all, some, sizeof some);
	CHECK(memcmp(all + HKDF_OUT_MAX - 32, all, 32));
}

static void test_pieces_count_as_one_string(void **state)
{
	const struct span whole = SPAN_OF(abc), parts[] = { SPAN(abc, 1), SPAN_NONE, SPAN(abc + 1, 2) };
	uint8_t a[40], b[40], prk_a[HKDF_PRK_LEN], prk_b[HKDF_PRK_LEN];
	(void)state;

	hkdf_extract(prk_a, SPAN_NONE, &whole, 1);
	hkdf_extract(prk_b, SPAN_NONE, parts, ARRAY_LEN(parts));
	assert_memory_equal(prk_a, prk_b, sizeof prk_a);
	hkdf_expand(a, sizeof a, prk_a, &whole, 1);
	hkdf_expand(b, sizeof b, prk_a, parts, ARRAY_LEN(parts));
	assert_memory_equal(a, b, sizeof a);
}

static void test_helpers_do_what_they_say(void **state)
{
	uint8_t a[32] = {}, b[32] = {}, zero[32] = {};
	(void)state;

	CHECK(equal_ct(a, b, sizeof a));
	random_bytes(a, sizeof a);
	CHECK(!equal_ct(a, b, sizeof a));
	random_bytes(b, sizeof b);
	CHECK(!equal_ct(a, b, sizeof a));
	wipe(a, sizeof a);
	assert_memory_equal(a, zero, sizeof a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_blake2b_over_length_purpose_and_input),
		cmocka_unit_test(test_no_two_purposes_give_one_hash),
		cmocka_unit_test(test_a_purpose_counts_up_to_its_limit),
		cmocka_unit_test(test_mac_holds_only_for_key_purpose_and_input),
		cmocka_unit_test(test_hkdf_gives_the_published_answers),
		cmocka_unit_test(test_hkdf_longest_output_begins_like_a_short_one),
		cmocka_unit_test(test_pieces_count_as_one_string),
		cmocka_unit_test(test_helpers_do_what_they_say),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
