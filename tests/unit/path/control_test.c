/* Control datagrams, registrations, knocks: bytes and times only. */
#include "test.h"

#include "path/control.h"
#include "path/knock.h"
#include "path/registration.h"
#include "path/token.h"

static const struct mac_key key = { { 1, 2, 3 } }, other_key = { { 1, 2, 4 } };

static const struct {
	enum control_type type;
	const char *name;
	size_t len;
	bool mac;
} rows[] = {
	{ CONTROL_KEEPALIVE, "keep-alive", 29, true },
	{ CONTROL_KEEPALIVE_ACK, "keep-alive answer", 47, true },
	{ CONTROL_FORGOTTEN, "forgotten", 10, false },
	{ CONTROL_BYE, "bye", 29, true },
	{ CONTROL_KNOCK, "knock", 77, true },
	{ CONTROL_KNOCK_ANSWER, "knock answer", 38, true },
	{ CONTROL_ROUTE_KEEPALIVE, "route keep-alive", 29, true },
	{ CONTROL_ROUTE_ACK, "route answer", 47, true },
	{ CONTROL_ROUTE_GONE, "route gone", 9, false },
};

static struct control sample(enum control_type type)
{
	struct control c = { .type = type, .seq = 0x01020304, .verdict = CONTROL_REFUSED, .seen = { .port = 8443 } };

	memset(&c.id, 0xa1, sizeof c.id);
	memset(&c.route, 0xb2, sizeof c.route);
	memset(&c.back, 0xc3, sizeof c.back);
	memset(&c.caller, 0xd4, sizeof c.caller);
	memset(c.seen.ip, 0xe5, sizeof c.seen.ip);
	return c;
}

static void every_type_has_the_length_of_its_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct control c = sample(rows[i].type), back;
		uint8_t out[CONTROL_MAX];
		size_t n = control_encode(out, &c, rows[i].mac ? &key : NULL);

		print_message("  %s\n", rows[i].name);
		CHECK(n == rows[i].len);
		CHECK(control_is(SPAN(out, n)));
		CHECK_ERR(control_decode(&back, SPAN(out, n)), 0);
		CHECK(back.type == c.type && !memcmp(&back.id, &c.id, sizeof c.id));
		for (size_t cut = 0; cut < n; cut++)
			CHECK_ERR(control_decode(&back, SPAN(out, cut)), ERR_PARSE);
		uint8_t longer[CONTROL_MAX + 1];
		memcpy(longer, out, n);
		longer[n] = 0;
		CHECK_ERR(control_decode(&back, SPAN(longer, n + 1)), ERR_PARSE);
	}
}

static void a_keep_alive_fits_the_budget(void **state)
{
	(void)state;
	CHECK(rows[0].len + 28 <= 66);          /* IPv4 and UDP headers */
}

static void every_flipped_bit_breaks_the_mac(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct control c = sample(rows[i].type);
		uint8_t out[CONTROL_MAX];

		if (!rows[i].mac)
			continue;
		size_t n = control_encode(out, &c, &key);
		CHECK(control_verify(SPAN(out, n), &key));
		CHECK(!control_verify(SPAN(out, n), &other_key));
		for (size_t bit = 0; bit < n * 8; bit++) {
			out[bit / 8] ^= (uint8_t)(1 << bit % 8);
			CHECK(!control_verify(SPAN(out, n), &key));
			out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void quic_is_never_a_control_datagram(void **state)
{
	(void)state;
	for (unsigned b = 0; b < 256; b++) {
		uint8_t d[40] = { (uint8_t)b };
		struct token t;

		if (b & 0x40)
			CHECK(!control_is(SPAN_OF(d)));
		if (control_is(SPAN_OF(d)))
			CHECK_ERR(transport_peek(&t, SPAN_OF(d)), ERR_PARSE);
	}
}

static void tokens_tell_whom_they_are_for(void **state)
{
	struct token a, b;

	(void)state;
	for (int i = 0; i < 100; i++) {
		token_new(&a, TOKEN_PEER);
		token_new(&b, TOKEN_BROKER);
		CHECK(token_kind(&a) == TOKEN_PEER && token_kind(&b) == TOKEN_BROKER);
	}
}

/* ---- registrations ---- */

static const struct token id = { { 9, 9, 9 } };

static struct registration started(bool nat, tstamp now)
{
	struct addr seen = { .port = 1000 }, local = { .port = nat ? 2000 : 1000 };
	struct registration r;

	registration_start(&r, &id, &key, 25, &seen, &local, now);
	return r;
}

static size_t answer(uint8_t out[CONTROL_MAX], uint32_t seq, uint16_t port, const struct mac_key *k)
{
	struct control c = { .type = CONTROL_KEEPALIVE_ACK, .id = id, .seq = seq, .seen = { .port = port } };

	return control_encode(out, &c, k);
}

static enum registration_event feed(struct registration *r, const uint8_t *d, size_t n, tstamp now)
{
	struct control c;

	CHECK_ERR(control_decode(&c, SPAN(d, n)), 0);
	return registration_read(r, SPAN(d, n), &c, now);
}

static void it_beats_at_its_interval(void **state)
{
	struct registration r = started(true, SECONDS(100));
	enum registration_event ev;
	uint8_t out[CONTROL_MAX];

	(void)state;
	CHECK(r.expiry == SECONDS(125));
	CHECK(registration_expire(&r, out, &ev, SECONDS(124)) == 0);
	CHECK(registration_expire(&r, out, &ev, SECONDS(125)) == 29);
	CHECK(r.expiry == SECONDS(150));
	r = started(false, SECONDS(100));
	CHECK(r.expiry == SECONDS(150));        /* no NAT: half as often */
}

static void a_silent_broker_is_given_up(void **state)
{
	struct registration r = started(true, 0);
	enum registration_event ev = REGISTRATION_QUIET;
	uint8_t out[CONTROL_MAX];
	unsigned sent = 0;

	(void)state;
	while (ev != REGISTRATION_LOST && sent < 100) {
		tstamp now = r.expiry;
		sent += registration_expire(&r, out, &ev, now) > 0;
	}
	CHECK(ev == REGISTRATION_LOST);
	CHECK(r.state == REGISTRATION_NONE);
	CHECK(sent >= 8 && sent <= 12);
}

static void an_answer_keeps_it(void **state)
{
	struct registration r = started(true, 0);
	enum registration_event ev;
	uint8_t out[CONTROL_MAX];
	size_t n;

	(void)state;
	for (int i = 1; i <= 50; i++) {
		registration_expire(&r, out, &ev, r.expiry);
		CHECK(ev == REGISTRATION_QUIET);
		if (r.seq % REGISTRATION_ANSWER_EVERY == 0) {
			n = answer(out, r.seq, 1000, &key);
			CHECK(feed(&r, out, n, 0) == REGISTRATION_QUIET);
		}
	}
	CHECK(r.state == REGISTRATION_HELD);
}

static void only_true_and_new_answers_count(void **state)
{
	struct registration r = started(true, 0);
	enum registration_event ev;
	uint8_t out[CONTROL_MAX];

	(void)state;
	for (int i = 0; i < 5; i++)
		registration_expire(&r, out, &ev, r.expiry);
	CHECK(feed(&r, out, answer(out, 5, 4000, &other_key), 0) == REGISTRATION_QUIET);
	CHECK(r.acked == 0 && r.seen.port == 1000);
	feed(&r, out, answer(out, 99, 4000, &key), 0);
	CHECK(r.acked == 0);            /* a number we never sent */
	CHECK(feed(&r, out, answer(out, 5, 4000, &key), 0) == REGISTRATION_MOVED);
	CHECK(r.acked == 5 && r.seen.port == 4000);
	feed(&r, out, answer(out, 5, 1000, &key), 0);
	CHECK(r.seen.port == 4000);     /* a repetition */
}

static void a_forgetful_nat_makes_it_beat_faster(void **state)
{
	struct registration r = started(true, 0);
	enum registration_event ev;
	uint8_t out[CONTROL_MAX];

	(void)state;
	for (unsigned port = 1001; port < 1020; port++) {
		while (r.seq % REGISTRATION_ANSWER_EVERY || !r.seq || r.seq == r.acked)
			registration_expire(&r, out, &ev, r.expiry);
		feed(&r, out, answer(out, r.seq, (uint16_t)port, &key), r.expiry);
	}
	CHECK(r.interval == SECONDS(REGISTRATION_INTERVAL_MIN));
}

static void hints_end_it_and_say_why(void **state)
{
	struct registration r = started(true, 0);
	struct control c = { .type = CONTROL_FORGOTTEN, .id = id, .verdict = CONTROL_SUPERSEDED };
	uint8_t out[CONTROL_MAX];

	(void)state;
	CHECK(feed(&r, out, control_encode(out, &c, NULL), 0) == REGISTRATION_IS_SUPERSEDED);
	CHECK(r.state == REGISTRATION_NONE);
	r = started(true, 0);
	c.verdict = CONTROL_UNKNOWN;
	CHECK(feed(&r, out, control_encode(out, &c, NULL), 0) == REGISTRATION_LOST);
	r = started(true, 0);
	c.id.b[0] ^= 1;
	CHECK(feed(&r, out, control_encode(out, &c, NULL), 0) == REGISTRATION_QUIET);
	CHECK(r.state == REGISTRATION_HELD);
}

/* ---- knocks ---- */

static struct person {
	struct identity id;
	struct vault *vault;
} device, caller, thief;

static void person_new(struct person *p)
{
	struct sign_seed seed;

	sign_seed_new(&seed);
	identity_of_seed(&p->id, &seed);
	if (vault_new_local(&p->vault, &seed, 0) < 0)
		abort();
}

static void a_knock_names_and_proves_its_caller(void **state)
{
	static struct knock_seen seen;
	uint8_t d[KNOCK_LEN];
	struct token t = { { 0x80, 7 } };
	struct knock k;

	(void)state;
	CHECK_ERR(knock_seal(d, caller.vault, &device.id, &t), 0);
	CHECK_ERR(knock_open(&k, SPAN_OF(d), device.vault, &seen), 0);
	CHECK(identity_equal(&k.caller, &caller.id) && !memcmp(&k.token, &t, sizeof t));
	CHECK_ERR(knock_prove(&k, SPAN_OF(d), device.vault), 0);
	CHECK_ERR(knock_open(&k, SPAN_OF(d), device.vault, &seen), ERR_EXISTS);
	for (size_t i = 0; i + 32 <= sizeof d; i++)
		CHECK(memcmp(d + i, caller.id.key, 32));        /* readable by the device alone */
	CHECK_ERR(knock_open(&k, SPAN_OF(d), thief.vault, &(struct knock_seen){}), ERR_CRYPTO);
}

static void nobody_knocks_in_anothers_name(void **state)
{
	uint8_t d[KNOCK_LEN];
	struct token t = { { 0x80 } };
	struct knock k;

	(void)state;
	CHECK_ERR(knock_seal(d, thief.vault, &device.id, &t), 0);
	CHECK_ERR(knock_open(&k, SPAN_OF(d), device.vault, &(struct knock_seen){}), 0);
	k.caller = caller.id;
	CHECK_ERR(knock_prove(&k, SPAN_OF(d), device.vault), ERR_CRYPTO);
}

static void a_changed_knock_is_refused(void **state)
{
	uint8_t d[KNOCK_LEN];
	struct token t = { { 0x80 } };
	struct knock k;

	(void)state;
	CHECK_ERR(knock_seal(d, caller.vault, &device.id, &t), 0);
	for (size_t bit = 8; bit < sizeof d * 8; bit += 3) {
		d[bit / 8] ^= (uint8_t)(1 << bit % 8);
		struct knock_seen seen = {};
		int err = knock_open(&k, SPAN_OF(d), device.vault, &seen);
		if (err >= 0)
			err = knock_prove(&k, SPAN_OF(d), device.vault);
		CHECK_ERR(err, ERR_CRYPTO);
		d[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < sizeof d; n++)
		CHECK_ERR(knock_open(&k, SPAN(d, n), device.vault, &(struct knock_seen){}), ERR_PARSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_the_length_of_its_page), cmocka_unit_test(a_keep_alive_fits_the_budget),
		cmocka_unit_test(every_flipped_bit_breaks_the_mac), cmocka_unit_test(quic_is_never_a_control_datagram),
		cmocka_unit_test(tokens_tell_whom_they_are_for), cmocka_unit_test(it_beats_at_its_interval),
		cmocka_unit_test(a_silent_broker_is_given_up), cmocka_unit_test(an_answer_keeps_it),
		cmocka_unit_test(only_true_and_new_answers_count), cmocka_unit_test(a_forgetful_nat_makes_it_beat_faster),
		cmocka_unit_test(hints_end_it_and_say_why), cmocka_unit_test(a_knock_names_and_proves_its_caller),
		cmocka_unit_test(nobody_knocks_in_anothers_name), cmocka_unit_test(a_changed_knock_is_refused),
	};

	if (crypto_init() < 0)
		return 1;
	person_new(&device);
	person_new(&caller);
	person_new(&thief);
	int failed = RUN_TESTS(tests);
	vault_free(device.vault);
	vault_free(caller.vault);
	vault_free(thief.vault);
	return failed;
}
