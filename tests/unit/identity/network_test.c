#include "test.h"

#include <errno.h>

#include "identity/network.h"

#define SECRET2 "cCOMZM5Z2HHCSVE65EDABQYXZHFA4AFH7NCTFG2VJ6V5OX7OXI33PMUQ"
#define XSECRET2 "cCSMZM5Z2HHCSVE65EDABQYXZHFA4AFH7NCTFG2VJ6V5OX7OXI33PMDY"
#define ADDRESS2 "cCZXSA73D3H4MOM7HPVUYWUOABQI7D5ERUR7QXOQPJD2HOYYSJCIYE7Q"
#define OLD_ADDRESS2 "cCZIRH5OJ4EVFYRVMIQWX2QX65NPPSCJ2YTNUN2EZBGIKX7L35HBB3VY"
#define ID1 "cDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUTA"
#define ID2 "cDFXSA73D3H4MOM7HPVUYWUOABQI7D5ERUR7QXOQPJD2HOYYSJCIYFWY"

static void test_secret_and_address_have_their_texts(void **state)
{
	struct network_secret a, b;
	struct network_address address, parsed;
	char text[IDENTITY_STR_MAX];
	(void)state;

	CHECK_ERR(network_secret_parse(&a, SECRET2, NULL), 0);
	CHECK_ERR(network_secret_parse(&b, XSECRET2, NULL), 0);
	assert_memory_equal(&a, &b, sizeof a);
	network_secret_format(text, &a);
	assert_string_equal(text, XSECRET2);
	network_address_of(&address, &a);
	network_address_format(text, &address);
	assert_string_equal(text, ADDRESS2);
	CHECK_ERR(network_address_parse(&parsed, text, NULL), 0);
	assert_memory_equal(&parsed, &address, sizeof parsed);
}

static void test_new_networks_differ_and_come_back(void **state)
{
	struct network_secret a, b, back;
	struct network_address address, parsed;
	char text[IDENTITY_STR_MAX];
	(void)state;

	network_secret_new(&a);
	network_secret_new(&b);
	CHECK(memcmp(&a, &b, sizeof a));
	network_secret_format(text, &a);
	CHECK_ERR(network_secret_parse(&back, text, NULL), 0);
	assert_memory_equal(&a, &back, sizeof a);
	network_address_of(&address, &a);
	network_address_format(text, &address);
	CHECK_ERR(network_address_parse(&parsed, text, NULL), 0);
	assert_memory_equal(&parsed, &address, sizeof parsed);
}

static void test_an_old_address_is_recognised_and_explained(void **state)
{
	struct network_secret secret;
	struct network_address a = { { 0x5a } };
	struct text_error e = {};
	uint8_t old[32], want[32];
	(void)state;

	CHECK_ERR(network_secret_parse(&secret, SECRET2, NULL), 0);
	network_old_address_of(old, &secret);
	CHECK_ERR(text_parse(want, TEXT_ADDRESS, OLD_ADDRESS2, NULL), 0);
	assert_memory_equal(old, want, sizeof old);

	CHECK_ERR(network_address_parse(&a, OLD_ADDRESS2, &e), ERR_WEAK);
	CHECK(strstr(e.text, "old kind (X25519)") && strstr(e.text, "from the network's secret"));
	CHECK_ERR(network_address_parse(&a, "oT136mPPVYptwoMvnjb2AUXird6tsKsyQ2S46TCTNYr7WwH", &e), ERR_VERSION);
	CHECK(strstr(e.text, "old kind (X25519)"));
	assert_int_equal(a.key[0], 0x5a);
}

static void test_only_a_secret_is_a_secret_and_an_address_an_address(void **state)
{
	struct network_secret secret = { { 0x5a } };
	struct network_address a = { { 0x5a } };
	struct text_error e = {};
	(void)state;

	CHECK_ERR(network_secret_parse(&secret, ID1, &e), ERR_TYPE);
	assert_string_equal(e.text, "this is an identity (type 9), a network secret was expected");
	CHECK_ERR(network_secret_parse(&secret, ADDRESS2, &e), ERR_TYPE);
	CHECK_ERR(network_secret_parse(&secret, "shadow", &e), ERR_PREFIX);
	CHECK_ERR(network_address_parse(&a, XSECRET2, &e), ERR_TYPE);
	assert_string_equal(e.text, "this is a network secret (type 4), a network address was expected");
	CHECK_ERR(network_address_parse(&a, ID1, &e), ERR_TYPE);
	assert_int_equal(secret.b[0], 0x5a);
	assert_int_equal(a.key[0], 0x5a);
}

static void test_a_proof_holds_for_exactly_what_it_names(void **state)
{
	struct network_secret secret, other_secret;
	struct network_address network, other_network;
	struct identity member, broker;
	uint8_t nonce[NETWORK_NONCE_LEN] = { 1 }, other_nonce[NETWORK_NONCE_LEN] = { 2 };
	uint8_t proof[NETWORK_PROOF_LEN];
	(void)state;

	network_secret_new(&secret);
	network_secret_new(&other_secret);
	network_address_of(&network, &secret);
	network_address_of(&other_network, &other_secret);
	CHECK_ERR(identity_parse(&member, ID1), 0);
	CHECK_ERR(identity_parse(&broker, ID2), 0);
	CHECK_ERR(network_prove(proof, &secret, NETWORK_PUBLISH, &member, &broker, nonce), 0);

	const struct {
		const struct network_address *network;
		enum network_role role;
		const struct identity *member, *broker;
		const uint8_t *nonce;
		int want;
	} table[] = {
		{ &network, NETWORK_PUBLISH, &member, &broker, nonce, 0 },
		{ &network, NETWORK_SUBSCRIBE, &member, &broker, nonce, ERR_SIGNATURE },
		{ &network, NETWORK_PUBLISH, &broker, &broker, nonce, ERR_SIGNATURE },
		{ &network, NETWORK_PUBLISH, &member, &member, nonce, ERR_SIGNATURE },
		{ &network, NETWORK_PUBLISH, &broker, &member, nonce, ERR_SIGNATURE },
		{ &network, NETWORK_PUBLISH, &member, &broker, other_nonce, ERR_SIGNATURE },
		{ &other_network, NETWORK_PUBLISH, &member, &broker, nonce, ERR_SIGNATURE },
		{ &network, 0, &member, &broker, nonce, -EINVAL },
		{ &network, 3, &member, &broker, nonce, -EINVAL },
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		CHECK_ERR(network_verify(table[i].network, table[i].role, table[i].member, table[i].broker,
					 table[i].nonce, proof),
			  table[i].want);
	for (size_t bit = 0; bit < sizeof proof * 8; bit++) {
		proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(network_verify(&network, NETWORK_PUBLISH, &member, &broker, nonce, proof), ERR_SIGNATURE);
		proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK_ERR(network_prove(proof, &secret, 3, &member, &broker, nonce), -EINVAL);
}

/* The bytes a second implementation has to sign. */
static void test_a_proof_signs_role_member_broker_nonce(void **state)
{
	struct network_secret secret;
	struct identity member, broker;
	struct sign_seed seed;
	struct signature sig;
	uint8_t nonce[NETWORK_NONCE_LEN], proof[NETWORK_PROOF_LEN], want[NETWORK_PROOF_LEN], statement[81];
	(void)state;

	CHECK_ERR(network_secret_parse(&secret, SECRET2, NULL), 0);
	CHECK_ERR(identity_parse(&member, ID1), 0);
	CHECK_ERR(identity_parse(&broker, ID2), 0);
	for (size_t i = 0; i < sizeof nonce; i++)
		nonce[i] = (uint8_t)i;
	CHECK_ERR(network_prove(proof, &secret, NETWORK_SUBSCRIBE, &member, &broker, nonce), 0);
	unhex(want, sizeof want, "73825eb6463abcd3d845c0a6473e80bac7d5292ed5507c431c20feadc9c11ed780f53f9d6b0d5669c9a16a96916a7bb993466878a4f0b817ec0de5fa256de809");
	assert_memory_equal(proof, want, sizeof proof);

	statement[0] = 2;
	memcpy(statement + 1, member.key, 32);
	memcpy(statement + 33, broker.key, 32);
	memcpy(statement + 65, nonce, 16);
	memcpy(seed.b, secret.b, sizeof seed.b);
	CHECK_ERR(sign_make(&sig, &seed, "carrier network proof v1", SPAN_OF(statement)), 0);
	assert_memory_equal(proof, sig.b, sizeof proof);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_and_address_have_their_texts),
		cmocka_unit_test(test_new_networks_differ_and_come_back),
		cmocka_unit_test(test_an_old_address_is_recognised_and_explained),
		cmocka_unit_test(test_only_a_secret_is_a_secret_and_an_address_an_address),
		cmocka_unit_test(test_a_proof_holds_for_exactly_what_it_names),
		cmocka_unit_test(test_a_proof_signs_role_member_broker_nonce),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
