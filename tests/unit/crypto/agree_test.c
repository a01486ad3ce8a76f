#include "test.h"

#include "crypto/crypto.h"

/* RFC 7748 5.2. */
static void test_gives_the_published_products(void **state)
{
	static const struct { const char *scalar, *u, *want; } table[] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct agree_secret sk;
		struct agree_public pk;
		uint8_t got[SHARED_LEN], want[SHARED_LEN];

		unhex(sk.b, sizeof sk.b, table[i].scalar);
		unhex(pk.b, sizeof pk.b, table[i].u);
		unhex(want, sizeof want, table[i].want);
		CHECK_ERR(agree(got, &sk, &pk), 0);
		assert_memory_equal(got, want, sizeof want);
	}
}

/* RFC 7748 5.2, a thousand steps of the iteration. */
static void test_holds_through_the_published_iteration(void **state)
{
	uint8_t k[32] = { 9 }, u[32] = { 9 }, want[32];
	(void)state;

	for (int i = 0; i < 1000; i++) {
		struct agree_secret sk;
		struct agree_public pk;

		memcpy(sk.b, k, 32);
		memcpy(pk.b, u, 32);
		memcpy(u, k, 32);
		CHECK_ERR(agree(k, &sk, &pk), 0);
	}
	unhex(want, sizeof want, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
	assert_memory_equal(k, want, sizeof want);
}

/* RFC 7748 6.1. */
static void test_both_sides_come_to_the_published_secret(void **state)
{
	struct agree_secret a, b;
	struct agree_public pa, pb;
	uint8_t ab[SHARED_LEN], ba[SHARED_LEN], want[SHARED_LEN], want_pa[32], want_pb[32];
	(void)state;

	unhex(a.b, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
	unhex(b.b, 32, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
	unhex(want_pa, 32, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	unhex(want_pb, 32, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	unhex(want, 32, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	agree_public_of(&pa, &a);
	agree_public_of(&pb, &b);
	assert_memory_equal(pa.b, want_pa, 32);
	assert_memory_equal(pb.b, want_pb, 32);
	CHECK_ERR(agree(ab, &a, &pb), 0);
	CHECK_ERR(agree(ba, &b, &pa), 0);
	assert_memory_equal(ab, want, 32);
	assert_memory_equal(ba, want, 32);
}

static void test_points_of_low_order_are_weak_and_give_nothing(void **state)
{
	static const char *const table[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
	};
	struct agree_secret sk;
	(void)state;

	random_bytes(sk.b, sizeof sk.b);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct agree_public pk;
		uint8_t out[SHARED_LEN] = { 0x5a }, untouched[SHARED_LEN] = { 0x5a };

		unhex(pk.b, sizeof pk.b, table[i]);
		CHECK_ERR(agree(out, &sk, &pk), ERR_WEAK);
		assert_memory_equal(out, untouched, sizeof out);
	}
}

static void test_the_two_forms_of_a_signing_pair_belong_together(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct sign_seed seed;
		struct sign_public sign;
		struct agree_secret sk;
		struct agree_public from_public, from_secret;

		sign_seed_new(&seed);
		sign_public_of(&sign, &seed);
		agree_secret_from_sign(&sk, &seed);
		agree_public_of(&from_secret, &sk);
		CHECK_ERR(agree_public_from_sign(&from_public, &sign), 0);
		assert_memory_equal(from_public.b, from_secret.b, 32);
	}
}

static void test_a_weak_signing_key_has_no_agreement_form(void **state)
{
	struct sign_public pk = { { 1 } };
	struct agree_public out = { { 0x5a } };
	(void)state;

	CHECK_ERR(agree_public_from_sign(&out, &pk), ERR_WEAK);
	memset(&pk, 0xff, sizeof pk);
	CHECK_ERR(agree_public_from_sign(&out, &pk), ERR_WEAK);
	assert_int_equal(out.b[0], 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_the_published_products),
		cmocka_unit_test(test_holds_through_the_published_iteration),
		cmocka_unit_test(test_both_sides_come_to_the_published_secret),
		cmocka_unit_test(test_points_of_low_order_are_weak_and_give_nothing),
		cmocka_unit_test(test_the_two_forms_of_a_signing_pair_belong_together),
		cmocka_unit_test(test_a_weak_signing_key_has_no_agreement_form),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
