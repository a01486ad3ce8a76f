#include "test.h"

#include "crypto/crypto.h"

static const char plaintext[] =
	"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
enum { TEXT_LEN = sizeof plaintext - 1 };

static const char ad_hex[] = "50515253c0c1c2c3c4c5c6c7";
static const char key_hex[] = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";

/* RFC 8439 2.8.2. */
static const char sealed_hex[] =
	"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
	"1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	"3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";
/* draft-irtf-cfrg-xchacha A.3.1. */
static const char box_hex[] =
	"bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
	"ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
	"21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

struct fixture {
	uint8_t key[32], nonce[24], ad[12], want[TEXT_LEN + AEAD_TAG_LEN];
};

static void load(struct fixture *f, const char *nonce, const char *want)
{
	unhex(f->key, sizeof f->key, key_hex);
	unhex(f->ad, sizeof f->ad, ad_hex);
	unhex(f->nonce, sizeof f->nonce, nonce);
	assert_int_equal(unhex(f->want, sizeof f->want, want), sizeof f->want);
}

typedef void seal(uint8_t *, const uint8_t *, const uint8_t *, struct span, struct span);
typedef int open_(uint8_t *, const uint8_t *, const uint8_t *, struct span, struct span);

static void check(struct fixture *f, seal *seal_, open_ *open__)
{
	uint8_t got[TEXT_LEN + AEAD_TAG_LEN], back[TEXT_LEN], zero[TEXT_LEN] = {};

	seal_(got, f->key, f->nonce, SPAN_OF(f->ad), SPAN(plaintext, TEXT_LEN));
	assert_memory_equal(got, f->want, sizeof got);
	CHECK_ERR(open__(back, f->key, f->nonce, SPAN_OF(f->ad), SPAN_OF(got)), 0);
	assert_memory_equal(back, plaintext, TEXT_LEN);

	for (size_t bit = 0; bit < sizeof got * 8; bit += 3) {
		got[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(open__(back, f->key, f->nonce, SPAN_OF(f->ad), SPAN_OF(got)), ERR_CRYPTO);
		assert_memory_equal(back, zero, sizeof back);
		got[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < sizeof got; len++)
		CHECK_ERR(open__(back, f->key, f->nonce, SPAN_OF(f->ad), SPAN(got, len)), ERR_CRYPTO);
	CHECK_ERR(open__(back, f->key, f->nonce, SPAN_NONE, SPAN_OF(got)), ERR_CRYPTO);
	f->nonce[0] ^= 1;
	CHECK_ERR(open__(back, f->key, f->nonce, SPAN_OF(f->ad), SPAN_OF(got)), ERR_CRYPTO);
	f->nonce[0] ^= 1;
	f->key[31] ^= 1;
	CHECK_ERR(open__(back, f->key, f->nonce, SPAN_OF(f->ad), SPAN_OF(got)), ERR_CRYPTO);
	f->key[31] ^= 1;

	/* In place, and nothing at all. */
	CHECK_ERR(open__(got, f->key, f->nonce, SPAN_OF(f->ad), SPAN_OF(got)), 0);
	assert_memory_equal(got, plaintext, TEXT_LEN);
	seal_(got, f->key, f->nonce, SPAN_NONE, SPAN_NONE);
	CHECK_ERR(open__(back, f->key, f->nonce, SPAN_NONE, SPAN(got, AEAD_TAG_LEN)), 0);
}

static void test_aead_gives_the_published_answer_and_refuses_all_else(void **state)
{
	struct fixture f;
	(void)state;

	load(&f, "070000004041424344454647", sealed_hex);
	check(&f, aead_seal, aead_open);
}

static void test_secretbox_gives_the_published_answer_and_refuses_all_else(void **state)
{
	struct fixture f;
	(void)state;

	load(&f, "404142434445464748494a4b4c4d4e4f5051525354555657", box_hex);
	check(&f, secretbox_seal, secretbox_open);
}

enum { OPS = 1, MEM = 64 << 10 };

static void test_a_passphrase_gives_one_key_per_salt_and_cost(void **state)
{
	const uint8_t salt[16] = "0123456789abcde", other[16] = "0123456789abcdf";
	uint8_t a[32], b[32];
	(void)state;

	CHECK_ERR(passphrase_key(a, SPAN_STR("horse"), salt, OPS, MEM), 0);
	CHECK_ERR(passphrase_key(b, SPAN_STR("horse"), salt, OPS, MEM), 0);
	assert_memory_equal(a, b, sizeof a);
	CHECK_ERR(passphrase_key(b, SPAN_STR("Horse"), salt, OPS, MEM), 0);
	CHECK(memcmp(a, b, sizeof a));
	CHECK_ERR(passphrase_key(b, SPAN_STR("horse"), other, OPS, MEM), 0);
	CHECK(memcmp(a, b, sizeof a));
	CHECK_ERR(passphrase_key(b, SPAN_STR("horse"), salt, OPS + 1, MEM), 0);
	CHECK(memcmp(a, b, sizeof a));
	CHECK_ERR(passphrase_key(b, SPAN_STR("horse"), salt, OPS, 2 * MEM), 0);
	CHECK(memcmp(a, b, sizeof a));
	CHECK_ERR(passphrase_key(b, SPAN_NONE, salt, OPS, MEM), 0);
}

static void test_a_cost_out_of_bounds_is_refused(void **state)
{
	static const struct { uint64_t ops, mem; } table[] = {
		{ 0, MEM }, { UINT64_MAX, MEM }, { OPS, 0 }, { OPS, 1024 }, { OPS, UINT64_MAX },
	};
	const uint8_t salt[16] = {};
	uint8_t out[32] = { 0x5a };
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CHECK_ERR(passphrase_key(out, SPAN_STR("x"), salt, table[i].ops, table[i].mem), ERR_LIMIT);
		assert_int_equal(out[0], 0x5a);
	}
	CHECK_ERR(passphrase_key(out, SPAN("x", SIZE_MAX), salt, OPS, MEM), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aead_gives_the_published_answer_and_refuses_all_else),
		cmocka_unit_test(test_secretbox_gives_the_published_answer_and_refuses_all_else),
		cmocka_unit_test(test_a_passphrase_gives_one_key_per_salt_and_cost),
		cmocka_unit_test(test_a_cost_out_of_bounds_is_refused),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
