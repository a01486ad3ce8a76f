#include "test.h"

#include <sodium.h>

#include "crypto/crypto.h"

/* RFC 8032 7.1, tests 1 to 3 and SHA(abc). */
static const struct { const char *seed, *public, *message, *signature; } known[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	{ "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
	  "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf2",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
};

static void test_gives_the_published_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct sign_seed seed;
		struct sign_public pk, want_pk;
		struct signature sig, want;
		uint8_t message[64];
		size_t len = unhex(message, sizeof message, known[i].message);

		unhex(seed.b, sizeof seed.b, known[i].seed);
		unhex(want_pk.b, sizeof want_pk.b, known[i].public);
		assert_int_equal(unhex(want.b, sizeof want.b, known[i].signature), SIGNATURE_LEN);
		sign_public_of(&pk, &seed);
		assert_memory_equal(pk.b, want_pk.b, sizeof pk.b);
		CHECK_ERR(sign_make(&sig, &seed, "", SPAN(message, len)), 0);
		assert_memory_equal(sig.b, want.b, sizeof sig.b);
		CHECK_ERR(sign_verify(&pk, "", SPAN(message, len), &sig), 0);
		CHECK_ERR(sign_public_check(&pk), 0);
	}
}

/* The books' `sign` command: purpose and text simply follow each other. */
static void test_bare_messages_are_what_the_sign_command_signs(void **state)
{
	struct sign_seed seed;
	struct signature sig, want;
	(void)state;

	unhex(seed.b, sizeof seed.b, known[0].seed);
	unhex(want.b, sizeof want.b,
	      "28163597fffc05c09d0e20da9dcf41a450518313f489ae5c3aa03b66d6e7c11e34a1585dc843a2586cbeda4b8efe41333e197e97c9a50ff7d670029ce9a17b00");
	CHECK_ERR(sign_make(&sig, &seed, "", SPAN_STR("goes on postcardsbeeb bob")), 0);
	assert_memory_equal(sig.b, want.b, sizeof sig.b);
}

static void test_a_purpose_is_a_prefix_that_ends_in_zero(void **state)
{
	struct sign_seed seed;
	struct sign_public pk;
	struct signature sig;
	(void)state;

	sign_seed_new(&seed);
	sign_public_of(&pk, &seed);
	CHECK_ERR(sign_make(&sig, &seed, "carrier test v1", SPAN_STR("hello")), 0);
	CHECK_ERR(sign_verify(&pk, "", SPAN("carrier test v1\0hello", 21), &sig), 0);
}

static void test_a_purpose_is_signed_as_documented(void **state)
{
	struct sign_seed seed;
	struct signature sig, want;
	(void)state;

	unhex(seed.b, sizeof seed.b, known[0].seed);
	unhex(want.b, sizeof want.b,
	      "49ffd972a03fd3c64ffce099527fe8906c46ab7b544c990039617741671945084b8e53cc5bf5b28d93daee7f2c886b3bd91b07cec800695cc060e185fced0908");
	CHECK_ERR(sign_make(&sig, &seed, "carrier test v1", SPAN_STR("hello")), 0);
	assert_memory_equal(sig.b, want.b, sizeof sig.b);
}

static void test_a_signature_for_one_purpose_is_worthless_for_another(void **state)
{
	static const char *const purposes[] = { "", "a", "ab", "carrier test v1", "carrier test v2" };
	struct sign_seed seed;
	struct sign_public pk;
	struct signature sig;
	(void)state;

	sign_seed_new(&seed);
	sign_public_of(&pk, &seed);
	for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
		CHECK_ERR(sign_make(&sig, &seed, purposes[i], SPAN_STR("bc")), 0);
		for (size_t j = 0; j < ARRAY_LEN(purposes); j++)
			CHECK_ERR(sign_verify(&pk, purposes[j], SPAN_STR("bc"), &sig),
				  i == j ? 0 : ERR_SIGNATURE);
	}
	CHECK_ERR(sign_make(&sig, &seed, "a", SPAN_STR("bc")), 0);
	CHECK_ERR(sign_verify(&pk, "ab", SPAN_STR("c"), &sig), ERR_SIGNATURE);
}

static void test_every_flipped_bit_is_refused(void **state)
{
	uint8_t message[24] = "what was agreed upon";
	struct sign_seed seed;
	struct sign_public pk;
	struct signature sig;
	(void)state;

	sign_seed_new(&seed);
	sign_public_of(&pk, &seed);
	CHECK_ERR(sign_make(&sig, &seed, "p", SPAN_OF(message)), 0);
	for (size_t bit = 0; bit < SIGNATURE_LEN * 8; bit++) {
		sig.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(sign_verify(&pk, "p", SPAN_OF(message), &sig), ERR_SIGNATURE);
		sig.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < sizeof message * 8; bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(sign_verify(&pk, "p", SPAN_OF(message), &sig), ERR_SIGNATURE);
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < PUBLIC_KEY_LEN * 8; bit++) {
		pk.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(sign_verify(&pk, "p", SPAN_OF(message), &sig), ERR_SIGNATURE);
		pk.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < sizeof message; len++)
		CHECK_ERR(sign_verify(&pk, "p", SPAN(message, len), &sig), ERR_SIGNATURE);
	CHECK_ERR(sign_verify(&pk, "p", SPAN_OF(message), &sig), 0);
}

/* Around the length where the bound text no longer fits the stack. */
static void test_any_length_signs_and_verifies(void **state)
{
	static uint8_t message[4096];
	struct sign_seed seed;
	struct sign_public pk;
	struct signature sig;
	(void)state;

	sign_seed_new(&seed);
	sign_public_of(&pk, &seed);
	random_bytes(message, sizeof message);
	for (size_t len = 500; len <= 520; len++) {
		CHECK_ERR(sign_make(&sig, &seed, "purpose", SPAN(message, len)), 0);
		CHECK_ERR(sign_verify(&pk, "purpose", SPAN(message, len), &sig), 0);
		message[len - 1] ^= 1;
		CHECK_ERR(sign_verify(&pk, "purpose", SPAN(message, len), &sig), ERR_SIGNATURE);
	}
	CHECK_ERR(sign_make(&sig, &seed, "purpose", SPAN_OF(message)), 0);
	CHECK_ERR(sign_verify(&pk, "purpose", SPAN_OF(message), &sig), 0);
	CHECK_ERR(sign_make(&sig, &seed, "purpose", SPAN_NONE), 0);
	CHECK_ERR(sign_verify(&pk, "purpose", SPAN_NONE, &sig), 0);
}

static void test_an_impossible_length_is_refused(void **state)
{
	struct sign_seed seed = {};
	struct sign_public pk = {};
	struct signature sig = {};
	(void)state;

	CHECK_ERR(sign_make(&sig, &seed, "p", SPAN("x", SIZE_MAX)), ERR_LIMIT);
	CHECK_ERR(sign_verify(&pk, "p", SPAN("x", SIZE_MAX), &sig), ERR_LIMIT);
}

/* S + L is the same scalar in another spelling (RFC 8032 5.1.7). */
static void test_a_second_spelling_of_a_signature_is_refused(void **state)
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
		0x14, [31] = 0x10,
	};
	struct sign_public pk;
	struct signature sig;
	unsigned carry = 0;
	(void)state;

	unhex(pk.b, sizeof pk.b, known[0].public);
	unhex(sig.b, sizeof sig.b, known[0].signature);
	CHECK_ERR(sign_verify(&pk, "", SPAN_NONE, &sig), 0);
	for (size_t i = 0; i < 32; i++) {
		carry += sig.b[32 + i] + order[i];
		sig.b[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	CHECK_ERR(sign_verify(&pk, "", SPAN_NONE, &sig), ERR_SIGNATURE);
}

/* y of the points of order 1, 2, 4 and 8, and their spellings at or above p. */
static const char *const small_order[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0100000000000000000000000000000000000000000000000000000000000080",
};

/* With R = A = a point of small order and S = 0 a lax verifier accepts any message. */
static void test_keys_of_small_order_sign_nothing(void **state)
{
	struct sign_public good;
	(void)state;

	unhex(good.b, sizeof good.b, known[0].public);
	for (size_t i = 0; i < ARRAY_LEN(small_order); i++) {
		struct sign_public pk;
		struct signature sig = {};

		unhex(pk.b, sizeof pk.b, small_order[i]);
		CHECK_ERR(sign_public_check(&pk), ERR_WEAK);
		for (size_t j = 0; j < ARRAY_LEN(small_order); j++) {
			unhex(sig.b, 32, small_order[j]);
			CHECK_ERR(sign_verify(&pk, "p", SPAN_STR("x"), &sig), ERR_SIGNATURE);
			CHECK_ERR(sign_verify(&good, "p", SPAN_STR("x"), &sig), ERR_SIGNATURE);
		}
	}
}

static void test_keys_off_the_curve_or_its_main_subgroup_are_weak(void **state)
{
	struct sign_public pk, mixed;
	uint8_t torsion[32];
	(void)state;

	unhex(pk.b, sizeof pk.b, known[0].public);
	CHECK_ERR(sign_public_check(&pk), 0);

	/* y = 2 has no x. */
	memset(&pk, 0, sizeof pk);
	pk.b[0] = 2;
	CHECK_ERR(sign_public_check(&pk), ERR_WEAK);
	/* Every y at or above p is another spelling. */
	for (int low = 0xed; low <= 0xff; low++) {
		memset(&pk, 0xff, sizeof pk);
		pk.b[0] = (uint8_t)low;
		CHECK_ERR(sign_public_check(&pk), ERR_WEAK);
		pk.b[31] = 0x7f;
		CHECK_ERR(sign_public_check(&pk), ERR_WEAK);
	}
	/* A good key plus a point of order 8: on the curve, outside the subgroup. */
	unhex(pk.b, sizeof pk.b, known[0].public);
	unhex(torsion, sizeof torsion, small_order[3]);
	int added = crypto_core_ed25519_add(mixed.b, pk.b, torsion);
	assert_int_equal(added, 0);
	CHECK_ERR(sign_public_check(&mixed), ERR_WEAK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_the_published_signatures),
		cmocka_unit_test(test_bare_messages_are_what_the_sign_command_signs),
		cmocka_unit_test(test_a_purpose_is_a_prefix_that_ends_in_zero),
		cmocka_unit_test(test_a_purpose_is_signed_as_documented),
		cmocka_unit_test(test_a_signature_for_one_purpose_is_worthless_for_another),
		cmocka_unit_test(test_every_flipped_bit_is_refused),
		cmocka_unit_test(test_any_length_signs_and_verifies),
		cmocka_unit_test(test_an_impossible_length_is_refused),
		cmocka_unit_test(test_a_second_spelling_of_a_signature_is_refused),
		cmocka_unit_test(test_keys_of_small_order_sign_nothing),
		cmocka_unit_test(test_keys_off_the_curve_or_its_main_subgroup_are_weak),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
