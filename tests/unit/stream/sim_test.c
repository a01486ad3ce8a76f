/* The simulator's transport: who gets in, what a network may do to its datagrams,
 * and the shape that brokers and endpoints route by. */
#include "pair.h"
#include "test.h"
#include "transport/sim_internal.h"

static unsigned messages, closed;

static void on_message(void *userdata, struct stream *s, struct span m)
{
	(void)userdata;
	(void)s;
	messages += m.len > 0;
}

static void on_end(void *userdata, struct stream *s)
{
	(void)userdata;
	stream_end(s);
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	(void)userdata;
	(void)s;
	(void)err;
	closed++;
}

static const struct stream_handler handler = { .message = on_message, .end = on_end, .closed = on_closed };

static void accept_one(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	(void)userdata;
	(void)h;
	(void)early;
	stream_attach(s, &handler, NULL);
}

static struct pair *fresh(uint64_t seed)
{
	struct pair *p = pair_new(seed);

	messages = closed = 0;
	p->s_ops.accept = accept_one;
	return p;
}

static struct stream *open_one(struct pair *p)
{
	struct stream *s;

	CHECK_ERR(stream_open(p->c.ss, SPAN("\xa0", 1), false, &handler, NULL, &s), 0);
	return s;
}

static void say(struct pair *p, unsigned n)
{
	struct stream *s = open_one(p);

	while (n--)
		CHECK_ERR(stream_send(s, SPAN("hello", 5)), 0);
	stream_end(s);
}

static bool works(struct pair *p, unsigned n)
{
	return messages == n && p->c.ready == 1 && p->c.confirmed == 1 && p->s.ready == 1 && p->s.confirmed == 1;
}

static int end_of(const struct pair_side *e, bool *ret_by_peer)
{
	struct transport_end end = {};

	transport_ended(e->t, &end);
	*ret_by_peer = end.by_peer;
	return end.err;
}

/* ---- who gets in ---- */

static void refuse_all(struct pair *p) { p->refuse = true; }
static void expect_another(struct pair *p) { p->s_config.expect_peer = true; p->s_config.peer.key[0] = 1; }
static void expect_him(struct pair *p) { p->s_config.expect_peer = true; p->s_config.peer = *p->c.id; }
static void dial_another(struct pair *p) { p->c_config.peer = *p->c.id; }
static void other_alpn(struct pair *p) { p->c_config.alpn = TRANSPORT_ALPN_BROKER; }
static void nobody_there(struct pair *p) { p->cut = true; }
static void all_well(struct pair *p) { (void)p; }

static void test_handshake_ends_as_it_should(void **state)
{
	static const struct {
		const char *what;
		void (*prepare)(struct pair *p);
		int client; bool c_by_peer;
		int server; bool s_by_peer;
	} table[] = {
		{ "welcome", all_well, 0, false, 0, false },
		{ "the one expected", expect_him, 0, false, 0, false },
		{ "refused", refuse_all, ERR_REFUSED, true, ERR_DENIED, false },
		{ "not the one expected", expect_another, ERR_REFUSED, true, ERR_PEER, false },
		{ "another server", dial_another, ERR_PEER, false, ERR_CRYPTO, true },
		{ "another protocol", other_alpn, ERR_PROTOCOL, true, ERR_PROTOCOL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct pair *p = fresh(i + 1);
		bool c_by_peer, s_by_peer;

		table[i].prepare(p);
		pair_dial(p);
		say(p, 1);
		pair_run_for(p, SECONDS(2));
		int c = end_of(&p->c, &c_by_peer), s = end_of(&p->s, &s_by_peer);
		if (c != table[i].client || s != table[i].server || c_by_peer != table[i].c_by_peer || s_by_peer != table[i].s_by_peer)
			fail_msg("%s: client %s, server %s", table[i].what, err_name(c), err_name(s));
		CHECK(messages == !table[i].server);
		CHECK(table[i].server ? p->s.ready == 0 : p->s.ready == 1);
		CHECK(transport_ready(p->s.t) == !table[i].server);
		pair_free(p);
	}
}

static void test_no_answer_is_a_timeout(void **state)
{
	struct pair *p = fresh(1);
	bool by_peer;

	(void)state;
	nobody_there(p);
	pair_dial(p);
	pair_run_for(p, SECONDS(15));
	CHECK_ERR(end_of(&p->c, &by_peer), 0);
	CHECK(p->sent < 12 * SIM_PACKET);       /* backs off */
	pair_run_for(p, SECONDS(5));
	CHECK_ERR(end_of(&p->c, &by_peer), ERR_TIMEOUT);
	CHECK(!by_peer);
	CHECK(transport_expiry(p->c.t) == TSTAMP_NEVER);
	pair_free(p);
}

static void test_closing_at_each_moment_ends_both(void **state)
{
	(void)state;
	for (unsigned by_server = 0; by_server < 2; by_server++)
		for (tstamp at = MILLIS(21); at < MILLIS(130); at += MILLIS(5)) {
			struct pair *p = fresh(3);
			bool by_peer;

			pair_dial(p);
			say(p, 1);
			pair_run_for(p, at);
			struct pair_side *e = by_server ? &p->s : &p->c, *other = by_server ? &p->c : &p->s;
			transport_close(e->t, 9, NULL, p->now);
			pair_run_for(p, SECONDS(20));
			CHECK_ERR(end_of(e, &by_peer), ERR_CLOSED);
			CHECK(!by_peer);
			/* A client without keys can only fall silent. */
			bool mute = !by_server && at < MILLIS(40);
			CHECK_ERR(end_of(other, &by_peer), mute ? ERR_TIMEOUT : ERR_CLOSED);
			pair_free(p);
		}
}

/* ---- what a network may do ---- */

static unsigned injected[2];

static void flip_each(struct pair *p, const struct datagram *d)
{
	uint8_t copy[SIM_PACKET];

	CHECK(d->len <= sizeof copy);
	injected[d->to_server] += 45;
	for (int i = 0; i < 40; i++) {
		size_t at = i < 33 ? (size_t)i : pair_random(p, d->len);
		uint8_t bit = (uint8_t)(1 << pair_random(p, 8));

		memcpy(copy, d->data, d->len);
		copy[at % d->len] ^= bit;
		pair_inject(p, d->to_server, d->path, SPAN(copy, d->len));
	}
	for (int i = 0; i < 5; i++)
		pair_inject(p, d->to_server, d->path, SPAN(d->data, pair_random(p, d->len)));
}

static void test_damaged_datagrams_are_as_good_as_none(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 40; seed++) {
		struct pair *p = fresh(seed);

		/* The Initial comes whole: which object a damaged one makes is the endpoint's affair. */
		pair_dial(p);
		pair_run_for(p, MILLIS(20) + 1);
		p->spy = flip_each;
		injected[0] = injected[1] = 0;
		say(p, 5);
		pair_run_for(p, SECONDS(5));
		if (!works(p, 5) || p->s.admitted != 1 || !injected[0] || !injected[1] ||
		    p->c.bad_reads != injected[0] || p->s.bad_reads != injected[1])
			fail_msg("seed %u: %u messages, %u + %u refused", (unsigned)seed, messages, p->c.bad_reads, p->s.bad_reads);
		pair_free(p);
	}
}

static struct { bool to_server; size_t len; uint8_t data[SIM_PACKET]; } record[400];
static size_t recorded;

static void remember(struct pair *p, const struct datagram *d)
{
	(void)p;
	if (recorded == ARRAY_LEN(record))
		return;
	record[recorded].to_server = d->to_server;
	record[recorded].len = d->len;
	memcpy(record[recorded++].data, d->data, d->len);
}

static void test_replayed_datagrams_change_nothing(void **state)
{
	struct pair *p = fresh(1);
	struct transport_info before, after;

	(void)state;
	recorded = 0;
	p->faults.copy = 100;
	p->spy = remember;
	pair_dial(p);
	say(p, 5);
	pair_run_for(p, SECONDS(2));
	CHECK(works(p, 5) && recorded > 5 && closed == 2);
	p->spy = NULL;
	transport_get_info(p->s.t, &before);
	for (size_t i = 0; i < recorded; i++)
		pair_inject(p, record[i].to_server, 3, SPAN(record[i].data, record[i].len));
	pair_run_for(p, SECONDS(1));
	transport_get_info(p->s.t, &after);
	CHECK(works(p, 5) && p->s.admitted == 1);
	CHECK(before.rx_bytes == after.rx_bytes && before.tx_bytes == after.tx_bytes);
	CHECK(p->s.bad_reads >= 5 && p->c.bad_reads >= 5);
	pair_free(p);
}

static void test_a_third_of_the_datagrams_may_go_missing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct pair *p = fresh(seed);

		p->faults.drop = 33;
		p->faults.jitter = MILLIS(20);
		p->c_config.idle_timeout = p->s_config.idle_timeout = SECONDS(120);
		pair_dial(p);
		say(p, 200);
		pair_run_for(p, SECONDS(110));
		if (!works(p, 200))
			fail_msg("seed %u: %u messages", (unsigned)seed, messages);
		pair_free(p);
	}
}

/* ---- shape ---- */

static bool contains(const struct datagram *d, const struct identity *id)
{
	return memmem(d->data, d->len, id->key, 16);
}

static void check_shape(struct pair *p, const struct datagram *d)
{
	struct span in = SPAN(d->data, d->len);
	struct token t;

	CHECK_ERR(transport_peek(&t, in), 0);
	CHECK(!memcmp(t.b, d->to_server ? "ssssssss" : "cccccccc", sizeof t.b));
	CHECK(!contains(d, p->c.id) && !contains(d, p->s.id));
	if (transport_is_initial(in)) {
		CHECK(d->to_server && d->len == SIM_PACKET && !memcmp(d->data + 19, "cccccccc", 8));
		(*(unsigned *)p->user)++;
	}
}

static void test_tokens_route_and_nobody_is_named(void **state)
{
	unsigned initials = 0;
	struct pair *p = fresh(1);

	(void)state;
	p->spy = check_shape;
	p->user = &initials;
	pair_dial(p);
	say(p, 100);
	pair_run_for(p, SECONDS(2));
	CHECK(works(p, 100) && initials == 1);
	pair_free(p);
}

static void test_peek_refuses_what_is_not_ours(void **state)
{
	static const struct { const char *what, *hex; bool ok; } table[] = {
		{ "short", "40" "0102030405060708" "00000000" "00", true },
		{ "short, other low bits", "5f" "0102030405060708" "00000000", true },
		{ "long", "c0" "00000001" "0c" "0102030405060708" "00000000" "00", true },
		{ "nothing", "", false },
		{ "no fixed bit", "00" "0102030405060708" "0000000000", false },
		{ "short, cut", "40" "0102030405060708" "000000", false },
		{ "long, cut", "c0" "00000001" "0c" "0102030405060708" "000000", false },
		{ "long, ID of 8", "c0" "00000001" "08" "0102030405060708" "0000000000", false },
	};
	uint8_t d[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct token t = {};
		size_t n = unhex(d, sizeof d, table[i].hex);

		if ((transport_peek(&t, SPAN(d, n)) == 0) != table[i].ok || t.b[7] != (table[i].ok ? 8 : 0))
			fail_msg("%s", table[i].what);
		CHECK(!transport_is_initial(SPAN(d, n)));
	}
}

static void test_accept_takes_initials_only(void **state)
{
	struct pair *p = fresh(1);
	struct transport *t = NULL;
	static uint8_t d[SIM_PACKET] = { 0x40 };

	(void)state;
	CHECK_ERR(transport_accept(&t, &p->s_config, SPAN_OF(d), p->now), ERR_PARSE);
	CHECK_ERR(transport_accept(&t, &p->s_config, SPAN_NONE, p->now), ERR_PARSE);
	CHECK(!t);
	pair_free(p);
}

/* ---- time ---- */

static void test_idle_ends_and_keep_alive_holds(void **state)
{
	bool by_peer;

	(void)state;
	for (int alive = 0; alive < 2; alive++) {
		struct pair *p = fresh(1);

		pair_dial(p);
		pair_run_for(p, SECONDS(1));
		if (alive)
			transport_keep_alive(p->c.t, SECONDS(10));
		uint64_t before = p->sent;
		pair_run_for(p, SECONDS(14));
		CHECK_ERR(end_of(&p->c, &by_peer), 0);
		pair_run_for(p, SECONDS(105));
		CHECK_ERR(end_of(&p->c, &by_peer), alive ? 0 : ERR_TIMEOUT);
		CHECK_ERR(end_of(&p->s, &by_peer), alive ? 0 : ERR_TIMEOUT);
		CHECK(p->sent - before < (alive ? 2000 : 1));
		pair_free(p);
	}
}

static void test_quiet_connections_ask_for_no_time(void **state)
{
	struct pair *p = fresh(1);
	unsigned steps = 0;

	(void)state;
	pair_dial(p);
	say(p, 10);
	pair_run_for(p, SECONDS(1));
	CHECK(transport_expiry(p->c.t) > p->now + SECONDS(10));
	tstamp until = p->now + SECONDS(10);
	while (pair_step(p, until))
		steps++;
	CHECK(steps == 0);
	pair_free(p);
}

static void test_round_trip_is_measured(void **state)
{
	struct pair *p = fresh(1);
	struct transport_info i;

	(void)state;
	pair_dial(p);
	say(p, 10);
	pair_run_for(p, SECONDS(1));
	transport_get_info(p->c.t, &i);
	CHECK(i.min_rtt >= MILLIS(40) && i.min_rtt < MILLIS(41) && i.in_flight == 0 && i.tx_bytes && i.rx_bytes);
	pair_free(p);
}

/* ---- paths ---- */

static uint32_t last_path[2];
static void note_path(struct pair *p, const struct datagram *d)
{
	(void)p;
	last_path[d->to_server] = d->path;
}

static void test_migration_validates_then_both_move(void **state)
{
	struct pair *p = fresh(1);

	(void)state;
	p->spy = note_path;
	pair_dial(p);
	CHECK_ERR(transport_migrate(p->c.t, 1, false, p->now), ERR_STATE);
	pair_run_for(p, SECONDS(1));
	CHECK_ERR(transport_migrate(p->s.t, 1, false, p->now), ERR_STATE);
	CHECK_ERR(transport_migrate(p->c.t, 1, false, p->now), 0);
	pair_run_for(p, SECONDS(1));
	CHECK(p->c.validated == 1 && p->c.failed == 0);
	say(p, 3);
	pair_run_for(p, SECONDS(1));
	CHECK(works(p, 3) && last_path[0] == 1 && last_path[1] == 1);
	pair_free(p);
}

static void test_a_path_that_does_not_carry_is_not_taken(void **state)
{
	struct pair *p = fresh(1);

	(void)state;
	p->spy = note_path;
	p->path_dead[1] = true;
	pair_dial(p);
	pair_run_for(p, SECONDS(1));
	CHECK_ERR(transport_migrate(p->c.t, 1, false, p->now), 0);
	pair_run_for(p, SECONDS(3));
	CHECK(p->c.validated == 0 && p->c.failed == 1);
	say(p, 3);
	pair_run_for(p, SECONDS(1));
	CHECK(works(p, 3) && last_path[0] == 0 && last_path[1] == 0);
	pair_free(p);
}

static void test_dead_path_is_left_at_once(void **state)
{
	struct pair *p = fresh(1);

	(void)state;
	p->spy = note_path;
	pair_dial(p);
	pair_run_for(p, SECONDS(1));
	p->path_dead[0] = true;
	say(p, 300);
	pair_run_for(p, SECONDS(2));
	CHECK(messages == 0);
	CHECK_ERR(transport_migrate(p->c.t, 2, true, p->now), 0);
	pair_run_for(p, SECONDS(2));
	CHECK(works(p, 300) && p->c.validated == 1 && last_path[0] == 2 && last_path[1] == 2);
	pair_free(p);
}

/* ---- streams ---- */

static void test_streams_above_the_limit_wait_for_their_turn(void **state)
{
	struct pair *p = fresh(1);

	(void)state;
	pair_dial(p);
	for (int i = 0; i < 3 * TRANSPORT_STREAMS_MAX; i++)
		say(p, 1);
	pair_run_for(p, MILLIS(70));
	CHECK(messages <= TRANSPORT_STREAMS_MAX);
	pair_run_for(p, SECONDS(10));
	CHECK(messages == 3 * TRANSPORT_STREAMS_MAX && closed == 6 * TRANSPORT_STREAMS_MAX);
	CHECK(!streams_len(p->c.ss) && !streams_len(p->s.ss));
	pair_free(p);
}

static void test_waiting_streams_cost_no_place_when_given_up(void **state)
{
	struct pair *p = fresh(1);

	(void)state;
	pair_dial(p);
	for (int i = 0; i < 2 * TRANSPORT_STREAMS_MAX; i++)
		stream_reset(open_one(p), STREAM_CODE_CANCEL);
	pair_flush(p);          /* the peer never heard of them */
	CHECK(closed == 2 * TRANSPORT_STREAMS_MAX && !streams_len(p->c.ss));
	for (int i = 0; i < TRANSPORT_STREAMS_MAX; i++)
		say(p, 1);
	pair_run_for(p, SECONDS(3));
	CHECK(messages == TRANSPORT_STREAMS_MAX);
	pair_free(p);
}

/* ---- sets of numbers, against a table of bits ---- */

static void test_ranges_are_a_set(void **state)
{
	struct pair *p = fresh(5);
	bool bits[200] = {};
	struct ranges r = {};

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t from = pair_random(p, 200), to = from + pair_random(p, 201 - from);
		bool add = pair_random(p, 2);

		if (add)
			CHECK_ERR(ranges_add(&r, from, to), 0);
		else
			ranges_del(&r, from, to);
		for (size_t i = from; i < to; i++)
			bits[i] = add;
		for (size_t i = 0; i < 200; i++)
			CHECK(ranges_has(&r, i) == bits[i]);
		for (size_t i = 0; i < r.len; i++)
			CHECK(r.r[i].from < r.r[i].to && (!i || r.r[i - 1].to < r.r[i].from));
	}
	ranges_done(&r);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake_ends_as_it_should),
		cmocka_unit_test(test_no_answer_is_a_timeout),
		cmocka_unit_test(test_closing_at_each_moment_ends_both),
		cmocka_unit_test(test_damaged_datagrams_are_as_good_as_none),
		cmocka_unit_test(test_replayed_datagrams_change_nothing),
		cmocka_unit_test(test_a_third_of_the_datagrams_may_go_missing),
		cmocka_unit_test(test_tokens_route_and_nobody_is_named),
		cmocka_unit_test(test_peek_refuses_what_is_not_ours),
		cmocka_unit_test(test_accept_takes_initials_only),
		cmocka_unit_test(test_idle_ends_and_keep_alive_holds),
		cmocka_unit_test(test_quiet_connections_ask_for_no_time),
		cmocka_unit_test(test_round_trip_is_measured),
		cmocka_unit_test(test_migration_validates_then_both_move),
		cmocka_unit_test(test_a_path_that_does_not_carry_is_not_taken),
		cmocka_unit_test(test_dead_path_is_left_at_once),
		cmocka_unit_test(test_streams_above_the_limit_wait_for_their_turn),
		cmocka_unit_test(test_waiting_streams_cost_no_place_when_given_up),
		cmocka_unit_test(test_ranges_are_a_set),
	};

	return RUN_TESTS(tests);
}
