/* What do the keys do for whom? */
#include "carrierd/keys.h"
#include "carrierd/messages.h"
#include "test.h"
#include "wire/cbor.h"

static struct keys k;
static struct sign_seed seed = { { 4 } };

static int setup(void **state)
{
	(void)state;
	CHECK_ERR(crypto_init(), 0);
	return vault_new_local(&k.vault, &seed, 1u << VAULT_TLS);
}

static int teardown(void **state)
{
	(void)state;
	vault_free(take(k.vault));
	return 0;
}

static size_t certificate_verify(uint8_t out[static 192], const char *context, size_t hash_len)
{
	size_t n = strlen(context) + 1;

	memset(out, ' ', 64);
	memcpy(out + 64, context, n);
	memset(out + 64 + n, 0x5a, hash_len);
	return 64 + n + hash_len;
}

static int sign(unsigned purpose, struct span message, struct buf *out)
{
	_cleanup_buf_ struct buf rq = {};

	cbor_put_array(&rq, 2);
	cbor_put_uint(&rq, purpose);
	cbor_put_bytes(&rq, message);
	return keys_answer_net(&k, KEYS_SIGN, buf_span(&rq), out);
}

static void test_a_certificate_verify_is_signed(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf out = {};
	uint8_t cv[192];
	size_t n = certificate_verify(cv, "TLS 1.3, server CertificateVerify", 32);

	CHECK_ERR(sign(VAULT_TLS, SPAN(cv, n), &out), 0);
	struct cbor c = CBOR(buf_span(&out));
	struct signature sig;
	cbor_bytes_exact(&c, sig.b, sizeof sig.b);
	CHECK_ERR(cbor_end(&c), 0);
	struct sign_public pk = identity_public(vault_identity(k.vault));
	CHECK_ERR(sign_verify(&pk, "", SPAN(cv, n), &sig), 0);
}

static const struct { unsigned purpose; const char *context; size_t hash_len; int err; } refused[] = {
	{ VAULT_TLS, "TLS 1.3, server certificateVerify", 32, ERR_PARSE },
	{ VAULT_TLS, "TLS 1.2, server CertificateVerify", 32, ERR_PARSE },
	{ VAULT_TLS, "TLS 1.3, client CertificateVerify", 31, ERR_PARSE },
	{ VAULT_TLS, "TLS 1.3, client CertificateVerify", 64, ERR_PARSE },
	{ VAULT_STATEMENT, "TLS 1.3, client CertificateVerify", 32, ERR_DENIED },
	{ VAULT_RESTORE, "TLS 1.3, client CertificateVerify", 32, ERR_DENIED },
	{ _VAULT_PURPOSE_MAX, "TLS 1.3, client CertificateVerify", 32, ERR_LIMIT },
};

static void test_nothing_else_is_signed(void **state)
{
	(void)state;
	uint8_t cv[192];

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		_cleanup_buf_ struct buf out = {};
		size_t n = certificate_verify(cv, refused[i].context, refused[i].hash_len);
		int err = sign(refused[i].purpose, SPAN(cv, n), &out);
		if (err != refused[i].err || out.len)
			fail_msg("row %zu: %s", i, err_name(err));
	}
	_cleanup_buf_ struct buf out = {};
	CHECK_ERR(sign(VAULT_STATEMENT, SPAN_STR("I owe you"), &out), ERR_DENIED);
	CHECK_ERR(sign(VAULT_TLS, SPAN_STR("I owe you"), &out), ERR_PARSE);
	CHECK(!out.len);
}

static int prove(unsigned role, struct buf *out)
{
	_cleanup_buf_ struct buf rq = {};
	static const uint8_t nonce[NETWORK_NONCE_LEN] = { 8 };

	cbor_put_array(&rq, 3);
	cbor_put_uint(&rq, role);
	cbor_put_bytes(&rq, SPAN_OF(vault_identity(k.vault)->key));
	cbor_put_bytes(&rq, SPAN_OF(nonce));
	return keys_answer_net(&k, KEYS_PROVE, buf_span(&rq), out);
}

static void test_membership_is_proved_once_there_is_a_network(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf out = {}, rq = {}, none = {}, ans = {};
	struct network_secret secret = { { 6 } };
	struct network_address address;
	static const uint8_t nonce[NETWORK_NONCE_LEN] = { 8 };

	CHECK_ERR(prove(NETWORK_PUBLISH, &out), ERR_UNKNOWN);
	cbor_put_array(&rq, 1);
	cbor_put_bytes(&rq, SPAN_OF(secret.b));
	CHECK_ERR(keys_answer_net(&k, KEYS_NETWORK, buf_span(&rq), &ans), ERR_DENIED);  /* not net's to set */
	CHECK_ERR(keys_answer_monitor(&k, KEYS_NETWORK, buf_span(&rq), &ans), 0);
	CHECK_ERR(prove(NETWORK_PUBLISH, &out), 0);

	struct cbor c = CBOR(buf_span(&out));
	uint8_t proof[NETWORK_PROOF_LEN];
	cbor_bytes_exact(&c, proof, sizeof proof);
	network_address_of(&address, &secret);
	const struct identity *self = vault_identity(k.vault);
	CHECK_ERR(network_verify(&address, NETWORK_PUBLISH, self, self, nonce, proof), 0);
	CHECK_ERR(prove(0, &out), ERR_PARSE);
	CHECK_ERR(prove(3, &out), ERR_LIMIT);

	cbor_put_array(&none, 1);
	cbor_put_null(&none);
	CHECK_ERR(keys_answer_monitor(&k, KEYS_NETWORK, buf_span(&none), &ans), 0);
	CHECK_ERR(prove(NETWORK_PUBLISH, &out), ERR_UNKNOWN);
}

static void test_agreeing_gives_no_raw_point(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf rq = {}, out = {}, low = {};
	struct agree_secret sk, ours;
	struct agree_public pk, our_pk;
	uint8_t raw[SHARED_LEN], zero[32] = {};

	memset(&sk, 3, sizeof sk);
	agree_public_of(&pk, &sk);
	cbor_put_array(&rq, 1);
	cbor_put_bytes(&rq, SPAN_OF(pk.b));
	CHECK_ERR(keys_answer_net(&k, KEYS_AGREE, buf_span(&rq), &out), 0);
	agree_secret_from_sign(&ours, &seed);
	agree_public_of(&our_pk, &ours);
	CHECK_ERR(agree(raw, &sk, &our_pk), 0);
	CHECK(out.len == 34 && memcmp(out.data + 2, raw, 32) != 0);

	cbor_put_array(&low, 1);
	cbor_put_bytes(&low, SPAN_OF(zero));
	CHECK_ERR(keys_answer_net(&k, KEYS_AGREE, buf_span(&low), &out), ERR_WEAK);
}

static void test_every_truncation_and_every_other_type_is_refused(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf rq = {}, out = {};
	uint8_t cv[192];
	size_t n = certificate_verify(cv, "TLS 1.3, server CertificateVerify", 32);

	cbor_put_array(&rq, 2);
	cbor_put_uint(&rq, VAULT_TLS);
	cbor_put_bytes(&rq, SPAN(cv, n));
	for (size_t i = 0; i < rq.len; i++)
		CHECK(keys_answer_net(&k, KEYS_SIGN, span_first(buf_span(&rq), i), &out) < 0);
	for (unsigned t = 0; t < 300; t++)
		if (t < KEYS_SIGN || t > KEYS_PROVE)
			CHECK_ERR(keys_answer_net(&k, (uint16_t)t, buf_span(&rq), &out), ERR_DENIED);
	for (unsigned t = 0; t < 300; t++)
		if (t != KEYS_NETWORK)
			CHECK_ERR(keys_answer_monitor(&k, (uint16_t)t, buf_span(&rq), &out), ERR_DENIED);
	CHECK(!out.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_certificate_verify_is_signed),
		cmocka_unit_test(test_nothing_else_is_signed),
		cmocka_unit_test(test_membership_is_proved_once_there_is_a_network),
		cmocka_unit_test(test_agreeing_gives_no_raw_point),
		cmocka_unit_test(test_every_truncation_and_every_other_type_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
