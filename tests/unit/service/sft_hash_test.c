#include <gnutls/crypto.h>

#include "service/blockhash.h"

#include "test.h"

static uint8_t data[BLOCKHASH_BLOCK];
static const uint8_t key[BLOCKHASH_KEY_LEN] = { 1, 2, 3, [16] = 9 };

static void tag_of(uint8_t tag[16], enum blockhash_method m, const uint8_t *k, uint64_t number, size_t len, size_t piece)
{
	struct blockhash *h;

	CHECK_ERR(blockhash_new(&h, m, k), 0);
	for (int round = 0; round < 2; round++) {       /* a used one is as a new one */
		blockhash_begin(h, number);
		for (size_t at = 0; at < len; at += piece)
			blockhash_update(h, SPAN(data + at, MIN(piece, len - at)));
		CHECK_ERR(blockhash_end(h, tag), 0);
	}
	blockhash_free(h);
}

static void test_is_it_gmac(void **state)
{
	static const size_t lens[] = { 0, 1, 15, 16, 17, 4096, BLOCKHASH_BLOCK - 1, BLOCKHASH_BLOCK };
	uint8_t nonce[12] = { [10] = 1, [11] = 2 };
	gnutls_aead_cipher_hd_t aead;
	gnutls_datum_t k = { (uint8_t *)key, 16 };

	(void)state;
	CHECK(gnutls_aead_cipher_init(&aead, GNUTLS_CIPHER_AES_128_GCM, &k) == 0);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		uint8_t want[16], got[16];
		size_t n = 16;

		CHECK(gnutls_aead_cipher_encrypt(aead, nonce, 12, data, lens[i], 16, "", 0, want, &n) == 0);
		tag_of(got, BLOCKHASH_GMAC, key, 0x102, lens[i], BLOCKHASH_BLOCK);
		assert_memory_equal(got, want, 16);
	}
	gnutls_aead_cipher_deinit(aead);
}

static void test_do_pieces_matter(void **state)
{
	static const size_t pieces[] = { 7, 16, 1000, 65536, 262144, 262145 };
	uint8_t want[16], got[16];

	(void)state;
	for (enum blockhash_method m = BLOCKHASH_GMAC; m <= BLOCKHASH_POLY1305; m++) {
		tag_of(want, m, key, 5, BLOCKHASH_BLOCK - 3, BLOCKHASH_BLOCK);
		for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
			tag_of(got, m, key, 5, BLOCKHASH_BLOCK - 3, pieces[i]);
			assert_memory_equal(got, want, 16);
		}
	}
}

static void test_does_everything_count(void **state)
{
	uint8_t other[BLOCKHASH_KEY_LEN], a[16], b[16];

	(void)state;
	memcpy(other, key, sizeof other);
	other[0] ^= 1;
	for (enum blockhash_method m = BLOCKHASH_GMAC; m <= BLOCKHASH_POLY1305; m++) {
		tag_of(a, m, key, 5, 1000, 1000);
		tag_of(b, m, other, 5, 1000, 1000);
		assert_memory_not_equal(a, b, 16);
		tag_of(b, m, key, 6, 1000, 1000);
		assert_memory_not_equal(a, b, 16);
		tag_of(b, m, key, 5, 1001, 1001);
		assert_memory_not_equal(a, b, 16);
		data[500] ^= 0x40;
		tag_of(b, m, key, 5, 1000, 1000);
		data[500] ^= 0x40;
		assert_memory_not_equal(a, b, 16);
	}
}

static void test_does_the_order_of_blocks_count(void **state)
{
	static const uint8_t one[16] = { 1 }, two[16] = { 2 };
	uint8_t a[HASH_LEN], b[HASH_LEN];
	struct filehash f;

	(void)state;
	filehash_init(&f);
	filehash_add(&f, one);
	filehash_add(&f, two);
	filehash_end(a, &f, 100);
	filehash_end(b, &f, 101);
	assert_memory_not_equal(a, b, HASH_LEN);
	filehash_init(&f);
	filehash_add(&f, two);
	filehash_add(&f, one);
	filehash_end(b, &f, 100);
	assert_memory_not_equal(a, b, HASH_LEN);
}

static void test_names_of_methods(void **state)
{
	enum blockhash_method m;

	(void)state;
	CHECK_ERR(blockhash_method_parse(&m, SPAN_STR("gmac")), 0);
	CHECK(m == BLOCKHASH_GMAC);
	CHECK_ERR(blockhash_method_parse(&m, SPAN_STR("poly1305")), 0);
	CHECK(m == BLOCKHASH_POLY1305);
	CHECK_ERR(blockhash_method_parse(&m, SPAN_STR("md5")), ERR_UNKNOWN);
	CHECK_ERR(blockhash_method_parse(&m, SPAN_NONE), ERR_UNKNOWN);
}

static void test_sha256_of_abc(void **state)
{
	uint8_t want[32], got[32];
	struct sha256 *s;

	(void)state;
	unhex(want, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_ERR(sha256_new(&s), 0);
	CHECK_ERR(sha256_update(s, SPAN_STR("a")), 0);
	CHECK_ERR(sha256_update(s, SPAN_STR("bc")), 0);
	sha256_end(s, got);
	sha256_free(s);
	assert_memory_equal(got, want, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_it_gmac),
		cmocka_unit_test(test_do_pieces_matter),
		cmocka_unit_test(test_does_everything_count),
		cmocka_unit_test(test_does_the_order_of_blocks_count),
		cmocka_unit_test(test_names_of_methods),
		cmocka_unit_test(test_sha256_of_abc),
	};

	if (crypto_init() < 0)
		return 1;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	return RUN_TESTS(tests);
}
