#include "test.h"

#include <errno.h>

#include "crypto/hpke.h"

/* The published vectors, read as a stream of JSON strings: every value in the
 * file is one, so "key": "value" pairs in their order are all there is. */
static const char *vectors_path;

enum { VALUE_MAX = 512 };

struct vector {
	char suite[VALUE_MAX], mode[VALUE_MAX];       /* mode: a name, then its number */
	char info[VALUE_MAX], skEm[VALUE_MAX], pkRm[VALUE_MAX], skRm[VALUE_MAX];
	char pkSm[VALUE_MAX], skSm[VALUE_MAX], enc[VALUE_MAX];
	char key[VALUE_MAX], base_nonce[VALUE_MAX], exporter_secret[VALUE_MAX];
	char sequence_number[VALUE_MAX], pt[VALUE_MAX], aad[VALUE_MAX], nonce[VALUE_MAX], ct[VALUE_MAX];
	char exporter_context[VALUE_MAX], L[VALUE_MAX], exported_value[VALUE_MAX];
};

static const struct { const char *name; size_t off; } members[] = {
#define M(m) { #m, offsetof(struct vector, m) }
	M(suite), M(mode), M(info), M(skEm), M(pkRm), M(skRm), M(pkSm), M(skSm), M(enc), M(key),
	M(base_nonce), M(exporter_secret), M(pt), M(aad), M(nonce), M(ct), M(exporter_context), M(L),
	M(exported_value),
#undef M
	{ "sequence number", offsetof(struct vector, sequence_number) },
};

static bool read_string(FILE *f, char out[static VALUE_MAX], bool *ret_is_key)
{
	int c;
	size_t n = 0;

	while ((c = getc(f)) != '"')
		if (c == EOF)
			return false;
	while ((c = getc(f)) != '"' && c != EOF && n < VALUE_MAX - 1)
		out[n++] = (char)c;
	out[n] = 0;
	c = getc(f);
	*ret_is_key = c == ':';
	return true;
}

/* Not by memory: there is padding. */
static bool same(const struct hpke_context *a, const struct hpke_context *b)
{
	return !memcmp(a->key, b->key, sizeof a->key) && a->seq == b->seq &&
	       !memcmp(a->base_nonce, b->base_nonce, sizeof a->base_nonce) &&
	       !memcmp(a->exporter, b->exporter, sizeof a->exporter);
}

static void sides(const struct vector *v, struct hpke_context *send, struct hpke_context *receive)
{
	struct agree_secret skE, skR, skS;
	struct agree_public pkR, pkS;
	struct hpke_key own, auth;
	uint8_t info[VALUE_MAX], enc[HPKE_ENC_LEN], want[32];
	size_t info_len = unhex(info, sizeof info, v->info);
	bool is_auth = !strcmp(v->mode, "2");

	unhex(skE.b, 32, v->skEm);
	unhex(skR.b, 32, v->skRm);
	unhex(pkR.b, 32, v->pkRm);
	if (is_auth) {
		unhex(skS.b, 32, v->skSm);
		unhex(pkS.b, 32, v->pkSm);
		hpke_key_local(&auth, &skS);
		assert_memory_equal(auth.pub.b, pkS.b, 32);
	}
	hpke_key_local(&own, &skR);
	assert_memory_equal(own.pub.b, pkR.b, 32);

	CHECK_ERR(hpke_send_with(send, enc, &skE, &pkR, is_auth ? &auth : NULL, SPAN(info, info_len)), 0);
	unhex(want, 32, v->enc);
	assert_memory_equal(enc, want, 32);
	CHECK_ERR(hpke_receive(receive, enc, &own, is_auth ? &pkS : NULL, SPAN(info, info_len)), 0);

	unhex(want, 32, v->key);
	assert_memory_equal(send->key, want, 32);
	unhex(want, 32, v->base_nonce);
	assert_memory_equal(send->base_nonce, want, 12);
	unhex(want, 32, v->exporter_secret);
	assert_memory_equal(send->exporter, want, 32);
	CHECK(same(send, receive));
}

static void check_message(const struct vector *v)
{
	struct hpke_context send, receive;
	uint8_t pt[VALUE_MAX], aad[VALUE_MAX], ct[VALUE_MAX], got[VALUE_MAX];
	size_t pt_len = unhex(pt, sizeof pt, v->pt), aad_len = unhex(aad, sizeof aad, v->aad);
	size_t ct_len = unhex(ct, sizeof ct, v->ct);

	sides(v, &send, &receive);
	send.seq = receive.seq = strtoull(v->sequence_number, NULL, 10);
	assert_int_equal(ct_len, pt_len + AEAD_TAG_LEN);
	CHECK_ERR(hpke_seal(&send, got, SPAN(aad, aad_len), SPAN(pt, pt_len)), 0);
	assert_memory_equal(got, ct, ct_len);
	CHECK_ERR(hpke_open(&receive, got, SPAN(aad, aad_len), SPAN(ct, ct_len)), 0);
	assert_memory_equal(got, pt, pt_len);
}

static void check_export(const struct vector *v)
{
	struct hpke_context send, receive;
	uint8_t context[VALUE_MAX], want[VALUE_MAX], got[VALUE_MAX];
	size_t context_len = unhex(context, sizeof context, v->exporter_context);
	size_t len = unhex(want, sizeof want, v->exported_value);

	sides(v, &send, &receive);
	assert_int_equal(len, strtoul(v->L, NULL, 10));
	hpke_export(&receive, got, len, SPAN(context, context_len));
	assert_memory_equal(got, want, len);
}

static void test_gives_the_published_answers_of_base_and_auth(void **state)
{
	struct vector v = {};
	char text[VALUE_MAX], name[VALUE_MAX] = "";
	unsigned messages = 0, exports = 0;
	bool is_key;
	FILE *f = fopen(vectors_path, "r");
	(void)state;

	assert_non_null(f);
	while (read_string(f, text, &is_key)) {
		if (is_key) {
			memcpy(name, text, sizeof name);
			continue;
		}
		for (size_t i = 0; i < ARRAY_LEN(members); i++)
			if (!strcmp(members[i].name, name))
				memcpy((char *)&v + members[i].off, text, sizeof text);
		if (!strstr(v.suite, "ChaCha20Poly1305") || (strcmp(v.mode, "0") && strcmp(v.mode, "2")))
			continue;
		if (!strcmp(name, "ct")) {
			check_message(&v);
			messages++;
		}
		if (!strcmp(name, "exported_value")) {
			check_export(&v);
			exports++;
		}
	}
	fclose(f);
	assert_int_equal(messages, 12);
	assert_int_equal(exports, 6);
}

struct pair {
	struct agree_secret sk;
	struct hpke_key key;
};

static void pair_new(struct pair *p)
{
	random_bytes(p->sk.b, sizeof p->sk.b);
	hpke_key_local(&p->key, &p->sk);
}

static void test_only_the_right_receiver_sender_and_info_open(void **state)
{
	struct pair alice, bob, eve;
	struct hpke_context c, r;
	uint8_t enc[HPKE_ENC_LEN], ct[5 + AEAD_TAG_LEN], out[5];
	const struct span info = SPAN_STR("info"), ad = SPAN_STR("ad");
	(void)state;

	pair_new(&alice);
	pair_new(&bob);
	pair_new(&eve);
	CHECK_ERR(hpke_send(&c, enc, &bob.key.pub, &alice.key, info), 0);
	CHECK_ERR(hpke_seal(&c, ct, ad, SPAN_STR("hello")), 0);

	const struct { const struct hpke_key *own; const struct agree_public *from; struct span info; int want; } table[] = {
		{ &bob.key, &alice.key.pub, info, 0 },
		{ &eve.key, &alice.key.pub, info, ERR_CRYPTO },
		{ &bob.key, &eve.key.pub, info, ERR_CRYPTO },
		{ &bob.key, NULL, info, ERR_CRYPTO },
		{ &bob.key, &alice.key.pub, SPAN_STR("other"), ERR_CRYPTO },
		{ &bob.key, &alice.key.pub, SPAN_NONE, ERR_CRYPTO },
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CHECK_ERR(hpke_receive(&r, enc, table[i].own, table[i].from, table[i].info), 0);
		CHECK_ERR(hpke_open(&r, out, ad, SPAN_OF(ct)), table[i].want);
	}
	enc[3] ^= 1;
	CHECK_ERR(hpke_receive(&r, enc, &bob.key, &alice.key.pub, info), 0);
	CHECK_ERR(hpke_open(&r, out, ad, SPAN_OF(ct)), ERR_CRYPTO);
}

static void test_two_sends_never_share_a_key(void **state)
{
	struct pair bob;
	struct hpke_context a, b;
	uint8_t enc_a[HPKE_ENC_LEN], enc_b[HPKE_ENC_LEN];
	(void)state;

	pair_new(&bob);
	CHECK_ERR(hpke_send(&a, enc_a, &bob.key.pub, NULL, SPAN_NONE), 0);
	CHECK_ERR(hpke_send(&b, enc_b, &bob.key.pub, NULL, SPAN_NONE), 0);
	CHECK(memcmp(enc_a, enc_b, sizeof enc_a));
	CHECK(memcmp(a.key, b.key, sizeof a.key));
	hpke_wipe(&a);
	memset(&b, 0, sizeof b);
	assert_memory_equal(&a, &b, sizeof a);
}

static void test_messages_open_in_order_only_and_a_bad_one_costs_nothing(void **state)
{
	struct pair bob;
	struct hpke_context c, r;
	uint8_t enc[HPKE_ENC_LEN], first[1 + AEAD_TAG_LEN], second[1 + AEAD_TAG_LEN], out[1];
	(void)state;

	pair_new(&bob);
	CHECK_ERR(hpke_send(&c, enc, &bob.key.pub, NULL, SPAN_NONE), 0);
	CHECK_ERR(hpke_seal(&c, first, SPAN_NONE, SPAN_STR("1")), 0);
	CHECK_ERR(hpke_seal(&c, second, SPAN_NONE, SPAN_STR("2")), 0);
	CHECK_ERR(hpke_receive(&r, enc, &bob.key, NULL, SPAN_NONE), 0);
	CHECK_ERR(hpke_open(&r, out, SPAN_NONE, SPAN_OF(second)), ERR_CRYPTO);
	CHECK_ERR(hpke_open(&r, out, SPAN_NONE, SPAN_OF(first)), 0);
	CHECK_ERR(hpke_open(&r, out, SPAN_NONE, SPAN_OF(first)), ERR_CRYPTO);
	CHECK_ERR(hpke_open(&r, out, SPAN_NONE, SPAN_OF(second)), 0);
	assert_int_equal(out[0], '2');
}

static void test_the_last_sequence_number_is_never_used(void **state)
{
	struct hpke_context c = { .seq = UINT64_MAX - 1 };
	uint8_t out[AEAD_TAG_LEN];
	(void)state;

	CHECK_ERR(hpke_seal(&c, out, SPAN_NONE, SPAN_NONE), 0);
	CHECK_ERR(hpke_seal(&c, out, SPAN_NONE, SPAN_NONE), ERR_LIMIT);
	CHECK_ERR(hpke_open(&c, out, SPAN_NONE, SPAN_OF(out)), ERR_LIMIT);
}

static int dh_fails(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	(void)userdata, (void)pk, (void)out;
	return -EIO;
}

static int dh_gives_zero(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	(void)userdata, (void)pk;
	memset(out, 0, SHARED_LEN);
	return 0;
}

static int dh_is_positive(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	struct pair *p = userdata;

	return agree(out, &p->sk, pk) < 0 ? -1 : 1;
}

static void test_a_key_elsewhere_may_fail_or_lie(void **state)
{
	struct pair bob;
	struct hpke_context c = { .seq = 77 }, r;
	uint8_t enc[HPKE_ENC_LEN] = { 0x5a };
	struct hpke_key key;
	(void)state;

	pair_new(&bob);
	key = (struct hpke_key){ .dh = dh_fails, .pub = bob.key.pub };
	CHECK_ERR(hpke_send(&c, enc, &bob.key.pub, &key, SPAN_NONE), -EIO);
	CHECK_ERR(hpke_receive(&c, enc, &key, NULL, SPAN_NONE), -EIO);
	key.dh = dh_gives_zero;
	CHECK_ERR(hpke_send(&c, enc, &bob.key.pub, &key, SPAN_NONE), ERR_WEAK);
	CHECK_ERR(hpke_receive(&c, enc, &key, NULL, SPAN_NONE), ERR_WEAK);
	assert_int_equal(c.seq, 77);
	assert_int_equal(enc[0], 0x5a);

	key.dh = dh_is_positive;
	key.userdata = &bob;
	CHECK_ERR(hpke_send(&c, enc, &bob.key.pub, &key, SPAN_NONE), 0);
	CHECK_ERR(hpke_receive(&r, enc, &key, &key.pub, SPAN_NONE), 0);
	CHECK(same(&c, &r));
}

static void test_a_point_of_low_order_is_refused_on_both_sides(void **state)
{
	struct pair bob;
	struct hpke_context c;
	const struct agree_public weak = { { 1 } };
	uint8_t enc[HPKE_ENC_LEN];
	(void)state;

	pair_new(&bob);
	CHECK_ERR(hpke_send(&c, enc, &weak, NULL, SPAN_NONE), ERR_WEAK);
	CHECK_ERR(hpke_receive(&c, weak.b, &bob.key, NULL, SPAN_NONE), ERR_WEAK);
	CHECK_ERR(hpke_send(&c, enc, &bob.key.pub, NULL, SPAN_NONE), 0);
	CHECK_ERR(hpke_receive(&c, enc, &bob.key, &weak, SPAN_NONE), ERR_WEAK);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_the_published_answers_of_base_and_auth),
		cmocka_unit_test(test_only_the_right_receiver_sender_and_info_open),
		cmocka_unit_test(test_two_sends_never_share_a_key),
		cmocka_unit_test(test_messages_open_in_order_only_and_a_bad_one_costs_nothing),
		cmocka_unit_test(test_the_last_sequence_number_is_never_used),
		cmocka_unit_test(test_a_key_elsewhere_may_fail_or_lie),
		cmocka_unit_test(test_a_point_of_low_order_is_refused_on_both_sides),
	};

	if (argc < 2 || crypto_init() < 0)
		return 1;
	vectors_path = argv[1];
	return RUN_TESTS(tests);
}
