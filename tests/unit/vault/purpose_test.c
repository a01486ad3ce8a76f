/* Does a vault sign what its purposes permit, in their form, and nothing else? */
#include "test.h"
#include "vault/vault.h"

enum { CONTEXT_LEN = 34, CV256 = 64 + CONTEXT_LEN + 32, CV384 = 64 + CONTEXT_LEN + 48 };

static struct span certificate_verify(uint8_t out[static 200], const char *who, size_t hash_len)
{
	memset(out, ' ', 64);
	snprintf((char *)out + 64, 100, "TLS 1.3, %s CertificateVerify", who);
	memset(out + 64 + CONTEXT_LEN, 0xab, hash_len);
	return SPAN(out, 64 + CONTEXT_LEN + hash_len);
}

static void which_messages_are_a_certificate_verify(void **state)
{
	uint8_t m[200];
	struct span ok = certificate_verify(m, "client", 32);

	(void)state;
	CHECK(vault_is_certificate_verify(ok));
	CHECK(vault_is_certificate_verify(certificate_verify(m, "server", 32)));
	CHECK(vault_is_certificate_verify(certificate_verify(m, "server", 48)));
	CHECK(!vault_is_certificate_verify(certificate_verify(m, "Server", 32)));
	CHECK(!vault_is_certificate_verify(certificate_verify(m, "sirver", 32)));
	for (size_t len = 0; len <= 100; len++)
		CHECK(vault_is_certificate_verify(certificate_verify(m, "client", len)) == (len == 32 || len == 48));
	certificate_verify(m, "client", 48);
	for (size_t len = 0; len < CV384; len++)
		CHECK(vault_is_certificate_verify(SPAN(m, len)) == (len == CV256));
	/* every byte before the hash matters, none in it does */
	for (size_t i = 0; i < CV384; i++) {
		certificate_verify(m, "client", 48);
		m[i] ^= 0x40;
		CHECK(vault_is_certificate_verify(SPAN(m, CV384)) == (i >= 64 + CONTEXT_LEN));
	}
	CHECK(!vault_is_certificate_verify(SPAN_NONE));
}

static struct vault *local(unsigned permit)
{
	struct sign_seed seed = { { 7 } };
	struct vault *v;

	CHECK_ERR(vault_new_local(&v, &seed, permit), 0);
	return v;
}

static void what_is_signed_for_which_purpose(void **state)
{
	uint8_t cv[200], long_restore[VAULT_RESTORE_MAX + 1] = { 0 };
	struct span tls = certificate_verify(cv, "server", 32), text = SPAN_STR("a statement");
	char spaces[80];
	memset(spaces, ' ', sizeof spaces);
	const struct { enum vault_purpose p; unsigned permit; struct span message; int want; const char *purpose; } rows[] = {
		{ VAULT_TLS, 1 << VAULT_TLS, tls, 0, "" },
		{ VAULT_TLS, 1 << VAULT_TLS, text, ERR_PARSE, 0 },
		{ VAULT_TLS, 1 << VAULT_TLS, SPAN_NONE, ERR_PARSE, 0 },
		{ VAULT_TLS, 0, tls, ERR_DENIED, 0 },
		{ VAULT_TLS, ~(1u << VAULT_TLS), tls, ERR_DENIED, 0 },
		{ VAULT_STATEMENT, 1 << VAULT_STATEMENT, text, 0, "" },
		{ VAULT_STATEMENT, 1 << VAULT_STATEMENT, SPAN_NONE, 0, "" },
		{ VAULT_STATEMENT, 1 << VAULT_STATEMENT, tls, ERR_PARSE, 0 },
		{ VAULT_STATEMENT, 1 << VAULT_STATEMENT, SPAN(spaces, 64), ERR_PARSE, 0 },
		{ VAULT_STATEMENT, 1 << VAULT_STATEMENT, SPAN(spaces, 63), 0, "" },
		{ VAULT_STATEMENT, 1 << VAULT_STATEMENT, SPAN("carrier restore v1\0x", 20), ERR_PARSE, 0 },
		{ VAULT_STATEMENT, 1 << VAULT_STATEMENT, SPAN_STR("carriers are fine"), 0, "" },
		{ VAULT_STATEMENT, 1 << VAULT_TLS, text, ERR_DENIED, 0 },
		{ VAULT_RESTORE, 1 << VAULT_RESTORE, text, 0, "carrier restore v1" },
		{ VAULT_RESTORE, 1 << VAULT_RESTORE, SPAN(long_restore, VAULT_RESTORE_MAX), 0, "carrier restore v1" },
		{ VAULT_RESTORE, 1 << VAULT_RESTORE, SPAN_OF(long_restore), ERR_PARSE, 0 },
		{ VAULT_RESTORE, 1 << VAULT_RESTORE, SPAN_NONE, ERR_PARSE, 0 },
		{ VAULT_RESTORE, 1 << VAULT_STATEMENT, text, ERR_DENIED, 0 },
		{ _VAULT_PURPOSE_MAX, ~0u, text, ERR_DENIED, 0 },
		{ (enum vault_purpose)77, ~0u, text, ERR_DENIED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(vault_freep) struct vault *v = local(rows[i].permit);
		struct sign_public self = identity_public(vault_identity(v));
		struct signature sig, untouched;

		memset(&sig, 0x5a, sizeof sig);
		untouched = sig;
		if (vault_sign(v, rows[i].p, rows[i].message, &sig) != rows[i].want)
			fail_msg("row %zu", i);
		if (rows[i].want < 0)
			assert_memory_equal(&sig, &untouched, sizeof sig);
		else
			CHECK_ERR(sign_verify(&self, rows[i].purpose, rows[i].message, &sig), 0);
	}
}

static void do_both_sides_agree(void **state)
{
	_cleanup_(vault_freep) struct vault *v = local(0);
	struct sign_public self = identity_public(vault_identity(v));
	struct agree_public self_x, peer_x, zero = { { 0 } };
	struct agree_secret peer;
	uint8_t in[SHARED_LEN + 2 * PUBLIC_KEY_LEN], want[HASH_LEN], here[SHARED_LEN], there[SHARED_LEN];

	(void)state;
	CHECK_ERR(agree_public_from_sign(&self_x, &self), 0);
	for (int i = 0; i < 8; i++) {   /* either key may be the lower one */
		random_bytes(&peer, sizeof peer);
		agree_public_of(&peer_x, &peer);
		bool self_first = memcmp(&self_x, &peer_x, PUBLIC_KEY_LEN) < 0;
		CHECK_ERR(agree(in, &peer, &self_x), 0);
		memcpy(in + SHARED_LEN, self_first ? &self_x : &peer_x, PUBLIC_KEY_LEN);
		memcpy(in + SHARED_LEN + PUBLIC_KEY_LEN, self_first ? &peer_x : &self_x, PUBLIC_KEY_LEN);
		hash(want, "carrier agree v1", SPAN_OF(in));

		CHECK_ERR(vault_agree(v, &peer_x, here), 0);
		CHECK_ERR(vault_agree_with(&peer, &self_x, there), 0);
		assert_memory_equal(here, want, sizeof want);
		assert_memory_equal(there, want, sizeof want);
	}
	CHECK_ERR(vault_agree(v, &zero, here), ERR_WEAK);
	CHECK_ERR(vault_agree_with(&peer, &zero, here), ERR_WEAK);
}

static enum vault_purpose asked;

static int remote_sign(void *userdata, enum vault_purpose p, struct span message, struct signature *ret)
{
	asked = p;
	return vault_sign(userdata, p, message, ret);
}

static int remote_agree(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	return vault_agree(userdata, pk, out);
}

static void does_a_remote_vault_ask_the_other_side(void **state)
{
	static const struct vault_ops ops = { remote_sign, remote_agree };
	_cleanup_(vault_freep) struct vault *keys = local(1 << VAULT_STATEMENT), *v = NULL;
	struct agree_public pk;
	struct sign_public self = identity_public(vault_identity(keys));
	struct signature sig;
	uint8_t a[SHARED_LEN], b[SHARED_LEN];

	(void)state;
	CHECK_ERR(vault_new_remote(&v, vault_identity(keys), &ops, keys), 0);
	CHECK(identity_equal(vault_identity(v), vault_identity(keys)));
	CHECK_ERR(vault_sign(v, VAULT_STATEMENT, SPAN_STR("x"), &sig), 0);
	CHECK_ERR(sign_verify(&self, "", SPAN_STR("x"), &sig), 0);
	CHECK_ERR(vault_sign(v, VAULT_RESTORE, SPAN_STR("x"), &sig), ERR_DENIED);
	assert_int_equal(asked, VAULT_RESTORE);
	CHECK_ERR(vault_sign(v, _VAULT_PURPOSE_MAX, SPAN_STR("x"), &sig), ERR_DENIED);
	assert_int_equal(asked, VAULT_RESTORE);
	CHECK_ERR(agree_public_from_sign(&pk, &self), 0);
	CHECK_ERR(vault_agree(v, &pk, a), 0);
	CHECK_ERR(vault_agree(keys, &pk, b), 0);
	assert_memory_equal(a, b, sizeof a);
}

static void has_every_purpose_a_name(void **state)
{
	(void)state;
	for (int p = 0; p < _VAULT_PURPOSE_MAX; p++)
		CHECK(strlen(vault_purpose_name((enum vault_purpose)p)) > 2);
	assert_string_equal(vault_purpose_name(_VAULT_PURPOSE_MAX), "unknown");
	vault_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_messages_are_a_certificate_verify),
		cmocka_unit_test(what_is_signed_for_which_purpose),
		cmocka_unit_test(do_both_sides_agree),
		cmocka_unit_test(does_a_remote_vault_ask_the_other_side),
		cmocka_unit_test(has_every_purpose_a_name),
	};

	CHECK_ERR(crypto_init(), 0);
	return RUN_TESTS(tests);
}
