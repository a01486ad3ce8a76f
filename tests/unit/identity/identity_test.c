#include "test.h"

#include "identity/identity.h"

static const struct { const char *key, *gen2, *gen1, *fingerprint; } known[] = {
	{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	  "cDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUTA",
	  "oXBUPpxoaRixVSgEdtPxhUNRfUY5KDztGqjEmEmc6Pp3vX1", "lovav-jihog-vidij-fozug" },
	{ "6f207f63d9f8c733e77d698b51c00c11f1f491a47f0bba0f48f4776312489182",
	  "cDFXSA73D3H4MOM7HPVUYWUOABQI7D5ERUR7QXOQPJD2HOYYSJCIYFWY",
	  "oWeWc711EJWeLpotksaVnbiHb3tKQ1tVYdfUqiVEdCv1Y5D", "kumar-pukag-mafuv-pizak" },
	{ "1c6373783b34445ad9ff800d4bd0b40f3d6675d182c000a771ba604b843ecd20",
	  "cDEOGG43YHM2EIWWZ76AA2S6QWQHT2ZTV2GBMAAFHOG5GAS4EH3GSBMY",
	  "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9", "nikak-fasok-viruv-huvid" },
};

static void test_reads_both_generations_and_prints_the_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct identity a, b;
		char text[IDENTITY_STR_MAX], fp[FINGERPRINT_STR_MAX];
		uint8_t key[PUBLIC_KEY_LEN];

		unhex(key, sizeof key, known[i].key);
		CHECK_ERR(identity_parse(&a, known[i].gen2), 0);
		CHECK_ERR(identity_parse(&b, known[i].gen1), 0);
		assert_memory_equal(a.key, key, sizeof key);
		CHECK(identity_equal(&a, &b));
		assert_memory_equal(identity_public(&a).b, key, sizeof key);
		identity_format(text, &b);
		assert_string_equal(text, known[i].gen2);

		identity_fingerprint(fp, &a);
		assert_string_equal(fp, known[i].fingerprint);
	}
}

static void test_a_seed_has_its_identity(void **state)
{
	struct sign_seed seed;
	struct identity id, other;
	char text[IDENTITY_STR_MAX];
	(void)state;

	unhex(seed.b, sizeof seed.b, "9996773a39c52a93dd20c01862f93941c014ff68a6536aa9f57aebfdd746f6f6");
	identity_of_seed(&id, &seed);
	identity_format(text, &id);
	assert_string_equal(text, known[1].gen2);
	sign_seed_new(&seed);
	identity_of_seed(&other, &seed);
	CHECK(!identity_equal(&id, &other));
}

static void test_a_refused_text_leaves_the_identity_alone(void **state)
{
	struct identity id, before;
	(void)state;

	memset(&id, 0x5a, sizeof id);
	before = id;
	CHECK_ERR(identity_parse(&id, "cCOOWDMM5576VUYF2QRFPJEXMFTCEISOFNF5TE2IZOA52YAY4VZ7WBJA"), ERR_TYPE);
	CHECK_ERR(identity_parse(&id, "blurpington"), ERR_PREFIX);
	CHECK(identity_equal(&id, &before));
}

static void test_one_bit_changes_the_fingerprint(void **state)
{
	struct identity id;
	char was[FINGERPRINT_STR_MAX], is[FINGERPRINT_STR_MAX];
	(void)state;

	CHECK_ERR(identity_parse(&id, known[0].gen2), 0);
	identity_fingerprint(was, &id);
	for (int bit = 0; bit < 256; bit++) {
		id.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		identity_fingerprint(is, &id);
		CHECK(strcmp(was, is));
		id.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_both_generations_and_prints_the_second),
		cmocka_unit_test(test_a_seed_has_its_identity),
		cmocka_unit_test(test_a_refused_text_leaves_the_identity_alone),
		cmocka_unit_test(test_one_bit_changes_the_fingerprint),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
