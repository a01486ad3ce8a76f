/* Two real QUIC connections joined by arrays, under a made-up clock. */
#include "test.h"

#include "transport/transport.h"

enum { QUEUE = 4096, PACKET = 1500 };

struct datagram {
	uint8_t data[PACKET];
	size_t len;
	uint32_t path;
	tstamp at;
};

struct end {
	struct sign_seed seed;
	struct identity id;
	struct vault *vault;
	struct transport_context *context;
	struct transport *t;
	struct datagram *queue;         /* on the way to this end */
	size_t head, tail;
	bool ready, confirmed, refuse, early_seen;
	struct transport_stream *peer_stream;
	uint8_t *got;
	size_t got_len;
	bool got_fin;
	uint64_t reset_code;
	unsigned resets, closed, opened, writable;
	uint8_t ticket[TRANSPORT_TICKET_MAX];
	size_t ticket_len;
	int path_ok;
};

enum { GOT_MAX = 4 << 20 };

static struct world {
	struct end a, b;                /* a dials b */
	tstamp now;
	unsigned loss;                  /* percent */
	uint32_t path_map;              /* the number under which b sees a's path 1 */
	uint64_t rng;
	uint8_t batch[TRANSPORT_BATCH_BYTES];
	size_t biggest_batch;
} w;

static uint64_t rnd(void)
{
	w.rng ^= w.rng << 13;
	w.rng ^= w.rng >> 7;
	return w.rng ^= w.rng << 17;
}

/* ---- events ---- */

static bool on_admit(void *u, const struct identity *peer)
{
	struct end *e = u;

	return !e->refuse && identity_equal(peer, &w.a.id);
}
static void on_ready(void *u) { ((struct end *)u)->ready = true; }
static void on_confirmed(void *u) { ((struct end *)u)->confirmed = true; }
static void on_opened(void *u, struct transport_stream *s)
{
	struct end *e = u;

	e->peer_stream = s;
	e->opened++;
	transport_stream_bind(s, e);
}
static void on_data(void *u, void *stream, struct span d, bool fin, bool early)
{
	struct end *e = u;

	(void)stream;
	CHECK(e->got_len + d.len <= GOT_MAX);
	if (d.len)
		memcpy(e->got + e->got_len, d.data, d.len);
	e->got_len += d.len;
	e->got_fin |= fin;
	e->early_seen |= early;
	if (e->peer_stream)
		transport_stream_consume(e->peer_stream, d.len);
}
static void on_writable(void *u, void *s) { (void)s; ((struct end *)u)->writable++; }
static void on_reset(void *u, void *s, uint64_t code)
{
	struct end *e = u;

	(void)s;
	e->reset_code = code;
	e->resets++;
}
static void on_closed(void *u, void *s)
{
	struct end *e = u;

	(void)s;
	e->closed++;
	e->peer_stream = NULL;
}
static void on_ticket(void *u, struct span blob)
{
	struct end *e = u;

	memcpy(e->ticket, blob.data, blob.len);
	e->ticket_len = blob.len;
}
static void on_path(void *u, uint32_t path, bool ok) { ((struct end *)u)->path_ok = ok ? (int)path : -1; }

static const struct transport_ops ops = {
	.admit = on_admit, .ready = on_ready, .confirmed = on_confirmed, .stream_opened = on_opened,
	.stream_data = on_data, .stream_writable = on_writable, .stream_reset = on_reset, .stream_closed = on_closed,
	.ticket = on_ticket, .path_validated = on_path,
};

/* ---- the wire ---- */

static void flush(struct end *from, struct end *to)
{
	size_t len, seg;
	uint32_t path;

	while (from->t && transport_write(from->t, w.batch, &len, &seg, &path, w.now) > 0) {
		w.biggest_batch = MAX(w.biggest_batch, len);
		for (size_t off = 0; off < len; off += seg) {
			struct datagram *d = &to->queue[to->tail % QUEUE];
			if (rnd() % 100 < w.loss || to->tail - to->head >= QUEUE)
				continue;
			d->len = MIN(seg, len - off);
			memcpy(d->data, w.batch + off, d->len);
			d->path = path && to == &w.b ? w.path_map : path;
			d->at = w.now + MILLIS(1);
			to->tail++;
		}
	}
}

static void deliver(struct end *to)
{
	while (to->head < to->tail && to->queue[to->head % QUEUE].at <= w.now) {
		struct datagram *d = &to->queue[to->head++ % QUEUE];
		struct token t;

		CHECK_ERR(transport_peek(&t, SPAN(d->data, d->len)), 0);
		if (!to->t && to == &w.b && transport_is_initial(SPAN(d->data, d->len))) {
			struct transport_config c = { .context = w.b.context, .ops = &ops, .userdata = &w.b,
						      .alpn = TRANSPORT_ALPN_PEER, .token = t };
			CHECK_ERR(transport_accept(&w.b.t, &c, SPAN(d->data, d->len), w.now), 0);
		}
		if (to->t) {
			struct token mine = transport_token(to->t);
			CHECK(!memcmp(&mine, &t, sizeof t));    /* every ID leads by its token */
			transport_read(to->t, d->path, SPAN(d->data, d->len), w.now);
		}
	}
}

static bool step(tstamp limit)
{
	tstamp next = TSTAMP_NEVER;
	struct end *ends[] = { &w.a, &w.b };

	flush(&w.a, &w.b);
	flush(&w.b, &w.a);
	for (size_t i = 0; i < 2; i++) {
		if (ends[i]->head < ends[i]->tail)
			next = MIN(next, ends[i]->queue[ends[i]->head % QUEUE].at);
		if (ends[i]->t)
			next = MIN(next, transport_expiry(ends[i]->t));
	}
	if (next > limit) {
		w.now = limit;
		return false;
	}
	/* the library calls a timer over only after its time, so the clock never stands still */
	w.now = MAX(w.now + 1, next);
	deliver(&w.a);
	deliver(&w.b);
	for (size_t i = 0; i < 2; i++)
		if (ends[i]->t)
			transport_expire(ends[i]->t, w.now);
	return true;
}

static void run_for(unsigned ms)
{
	tstamp end = w.now + MILLIS(ms);

	while (w.now < end && step(end))
		;
}

/* ---- set-up ---- */

static void end_new(struct end *e)
{
	sign_seed_new(&e->seed);
	identity_of_seed(&e->id, &e->seed);
	CHECK_ERR(vault_new_local(&e->vault, &e->seed, 1u << VAULT_TLS), 0);
	CHECK_ERR(transport_context_new(&e->context, e->vault), 0);
	e->queue = calloc(QUEUE, sizeof *e->queue);
	e->got = malloc(GOT_MAX);
}

static void end_reset(struct end *e)
{
	transport_free(take(e->t));
	e->head = e->tail = e->got_len = 0;
	e->ready = e->confirmed = e->refuse = e->early_seen = e->got_fin = false;
	e->resets = e->closed = e->opened = e->writable = 0;
	e->peer_stream = NULL;
	e->path_ok = 0;
}

static int set_up(void **state)
{
	(void)state;
	w.now = SECONDS(1000);
	w.loss = 0;
	w.rng = 88172645463325252u;
	w.biggest_batch = 0;
	end_reset(&w.a);
	end_reset(&w.b);
	w.a.ticket_len = 0;
	return 0;
}

static void dial(const struct identity *whom, bool with_ticket)
{
	struct transport_config c = { .context = w.a.context, .ops = &ops, .userdata = &w.a, .alpn = TRANSPORT_ALPN_PEER,
				      .token = { "aaaaaaa" }, .peer_token = { "bbbbbbb" }, .peer = *whom,
				      .ticket = SPAN(w.a.ticket, with_ticket ? w.a.ticket_len : 0) };
	CHECK_ERR(transport_dial(&w.a.t, &c, w.now), 0);
}

static void connected(void)
{
	dial(&w.b.id, false);
	run_for(200);
	CHECK(w.a.confirmed && w.b.confirmed);
}

/* ---- questions ---- */

static void both_ends_learn_each_other(void **state)
{
	(void)state;
	connected();
	CHECK(identity_equal(transport_peer(w.b.t), &w.a.id));
	CHECK(identity_equal(transport_peer(w.a.t), &w.b.id));
	CHECK(!transport_resumed(w.a.t));
	CHECK(w.a.ticket_len > 0);
}

static void a_wrong_server_is_noticed(void **state)
{
	struct transport_end end;

	(void)state;
	dial(&w.a.id, false);
	run_for(100);
	CHECK(!w.a.ready);
	CHECK(transport_ended(w.a.t, &end));
	CHECK_ERR(end.err, ERR_PEER);
}

static void a_refused_client_hears_of_it(void **state)
{
	struct transport_end end;

	(void)state;
	w.b.refuse = true;
	dial(&w.b.id, false);
	run_for(100);
	CHECK(!w.a.confirmed && !w.b.ready);
	CHECK(transport_ended(w.a.t, &end));
	CHECK_ERR(end.err, ERR_REFUSED);
	CHECK(transport_ended(w.b.t, &end));
	CHECK_ERR(end.err, ERR_DENIED);
}

static void send_much(size_t n, unsigned loss)
{
	struct transport_stream *s;
	uint8_t *data = malloc(n);

	connected();
	w.loss = loss;
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 9));
	CHECK_ERR(transport_stream_open(w.a.t, false, &w.a, &s), 0);
	for (size_t off = 0; off < n; off += 10007)
		CHECK_ERR(transport_stream_write(s, SPAN(data + off, MIN((size_t)10007, n - off))), 0);
	transport_stream_finish(s);
	for (int i = 0; i < 600 && !w.b.got_fin; i++)
		run_for(100);
	CHECK(w.b.got_fin);
	CHECK(w.b.got_len == n && !memcmp(w.b.got, data, n));
	free(data);
}

static void a_megabyte_arrives_whole(void **state)
{
	struct transport_info info;

	(void)state;
	send_much(3 << 20, 0);
	CHECK(w.biggest_batch > 10 * 1200);
	CHECK(w.a.writable);
	transport_get_info(w.a.t, &info);
	CHECK(info.packet_size > 1200);         /* path MTU discovery has raised it */
}

static void loss_is_made_up_for(void **state)
{
	(void)state;
	send_much(1 << 20, 5);
}

struct owned {
	struct chunk c;
	bool *gone;
};

static void owned_release(struct chunk *c) { *container_of(c, struct owned, c)->gone = true; }

static void chunks_come_back_when_acknowledged(void **state)
{
	static uint8_t data[100000];
	struct transport_stream *s;
	bool gone = false;
	struct owned o = { .c = { .data = data, .len = sizeof data, .release = owned_release }, .gone = &gone };

	(void)state;
	connected();
	CHECK_ERR(transport_stream_open(w.a.t, false, &w.a, &s), 0);
	transport_stream_write_chunk(s, &o.c);
	CHECK(!gone);
	run_for(1000);
	CHECK(gone);
	CHECK(transport_stream_queued(s) == 0);
}

static void early_data_saves_a_round_trip(void **state)
{
	struct transport_stream *s;

	(void)state;
	connected();
	run_for(50);
	end_reset(&w.a);
	end_reset(&w.b);
	dial(&w.b.id, true);
	CHECK_ERR(transport_stream_open(w.a.t, true, &w.a, &s), 0);
	CHECK_ERR(transport_stream_write(s, SPAN_STR("now")), 0);
	tstamp start = w.now;
	while (w.b.got_len < 3 && w.now < start + SECONDS(1))
		step(start + SECONDS(1));
	CHECK(w.now - start <= MILLIS(1));      /* one way: with the first flight */
	CHECK(w.b.early_seen);
	run_for(100);
	CHECK(transport_resumed(w.a.t) && transport_early_accepted(w.a.t));
}

static void early_data_asks_the_rules_again(void **state)
{
	struct transport_stream *s;
	struct transport_end end;

	(void)state;
	connected();
	run_for(50);
	end_reset(&w.a);
	end_reset(&w.b);
	w.b.refuse = true;              /* the grant went meanwhile: the ticket is worth nothing */
	dial(&w.b.id, true);
	CHECK_ERR(transport_stream_open(w.a.t, true, &w.a, &s), 0);
	CHECK_ERR(transport_stream_write(s, SPAN_STR("now")), 0);
	run_for(100);
	CHECK(w.b.got_len == 0);
	CHECK(transport_ended(w.a.t, &end));
	CHECK_ERR(end.err, ERR_REFUSED);
}

static void refused_early_data_is_sent_again(void **state)
{
	struct transport_stream *s;

	(void)state;
	connected();
	run_for(50);
	end_reset(&w.a);
	end_reset(&w.b);
	transport_context_free(w.b.context);    /* the device restarted: its ticket keys are new */
	CHECK_ERR(transport_context_new(&w.b.context, w.b.vault), 0);
	dial(&w.b.id, true);
	CHECK_ERR(transport_stream_open(w.a.t, true, &w.a, &s), 0);
	CHECK_ERR(transport_stream_write(s, SPAN_STR("once only")), 0);
	transport_stream_finish(s);
	run_for(300);
	CHECK(w.a.confirmed && !transport_resumed(w.a.t));
	CHECK(w.b.got_len == 9 && !memcmp(w.b.got, "once only", 9));
	CHECK(w.b.got_fin && !w.b.early_seen && w.b.opened == 1);
}

static void streams_wait_until_the_peer_is_proven(void **state)
{
	struct transport_stream *s;

	(void)state;
	dial(&w.b.id, false);
	CHECK_ERR(transport_stream_open(w.a.t, false, &w.a, &s), 0);
	CHECK_ERR(transport_stream_write(s, SPAN_STR("later")), 0);
	run_for(100);
	CHECK(w.b.got_len == 5 && !w.b.early_seen);
}

static void an_abort_carries_its_code(void **state)
{
	struct transport_stream *s;

	(void)state;
	connected();
	CHECK_ERR(transport_stream_open(w.a.t, false, &w.a, &s), 0);
	CHECK_ERR(transport_stream_write(s, SPAN_STR("x")), 0);
	run_for(50);
	transport_stream_abort(s, 77);
	run_for(50);
	CHECK(w.b.resets >= 1 && w.b.reset_code == 77);
	run_for(500);
	CHECK(w.a.closed == 1 && w.b.closed == 1);
}

static void a_stream_given_up_early_is_closed_too(void **state)
{
	struct transport_stream *s;

	(void)state;
	dial(&w.b.id, false);
	CHECK_ERR(transport_stream_open(w.a.t, false, &w.a, &s), 0);
	transport_stream_abort(s, 1);
	run_for(100);
	CHECK(w.a.closed == 1 && w.b.opened == 0);
}

static void close_tells_code_and_reason(void **state)
{
	struct transport_end end;

	(void)state;
	connected();
	transport_close(w.a.t, 42, "good night", w.now);
	run_for(20);
	CHECK(transport_ended(w.b.t, &end));
	CHECK_ERR(end.err, ERR_CLOSED);
	CHECK(end.by_peer && end.code == 42);
	assert_string_equal(end.reason, "good night");
}

static void silence_ends_a_connection(void **state)
{
	struct transport_end end;

	(void)state;
	connected();
	w.loss = 100;
	run_for(20000);
	CHECK(transport_ended(w.a.t, &end));
	CHECK_ERR(end.err, ERR_TIMEOUT);
}

static void keep_alives_hold_it_open(void **state)
{
	(void)state;
	connected();
	transport_keep_alive(w.a.t, SECONDS(5));
	run_for(300000);
	CHECK(!transport_ended(w.a.t, NULL) && !transport_ended(w.b.t, NULL));
}

static void the_dialler_moves_to_another_path(void **state)
{
	(void)state;
	connected();
	w.path_map = 1;
	CHECK_ERR(transport_migrate(w.b.t, 1, false, w.now), ERR_STATE);
	CHECK_ERR(transport_migrate(w.a.t, 1, false, w.now), 0);
	run_for(200);
	CHECK(w.a.path_ok == 1);
	struct transport_stream *s;
	CHECK_ERR(transport_stream_open(w.a.t, false, &w.a, &s), 0);
	CHECK_ERR(transport_stream_write(s, SPAN_STR("from elsewhere")), 0);
	run_for(100);
	CHECK(w.b.got_len == 14);
}

static void garbage_changes_nothing(void **state)
{
	struct transport_stream *s;
	uint8_t junk[1400];

	(void)state;
	connected();
	for (int i = 0; i < 2000; i++) {
		size_t n = 21 + rnd() % 1300;
		for (size_t j = 0; j < n; j++)
			junk[j] = (uint8_t)rnd();
		junk[0] |= 0x40;
		if (i % 2) {
			junk[0] &= 0x7f;
			memcpy(junk + 1, transport_token(w.b.t).b, 8);
		}
		transport_read(w.b.t, 0, SPAN(junk, n), w.now);
	}
	CHECK(!transport_ended(w.b.t, NULL));
	CHECK_ERR(transport_stream_open(w.a.t, false, &w.a, &s), 0);
	CHECK_ERR(transport_stream_write(s, SPAN_STR("still here")), 0);
	run_for(100);
	CHECK(w.b.got_len == 10);
}

static const struct {
	const char *what;
	uint8_t head[8];
	size_t len;
	int err;
} peeks[] = {
	{ "empty", {}, 0, ERR_PARSE },
	{ "control datagram", { 0x01 }, 40, ERR_PARSE },
	{ "short header", { 0x40 }, 40, 0 },
	{ "short header, cut", { 0x40 }, 8, ERR_PARSE },
	{ "long header", { 0xc0, 0, 0, 0, 1, 12 }, 40, 0 },
	{ "long header, short ID", { 0xc0, 0, 0, 0, 1, 4 }, 40, ERR_PARSE },
	{ "long header, long ID", { 0xc0, 0, 0, 0, 1, 21 }, 40, ERR_PARSE },
	{ "long header, cut", { 0xc0, 0, 0, 0, 1, 12 }, 13, ERR_PARSE },
};

static void peek_finds_the_token_or_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(peeks); i++) {
		uint8_t d[40] = {};
		struct token t;

		memcpy(d, peeks[i].head, sizeof peeks[i].head);
		print_message("  %s\n", peeks[i].what);
		CHECK_ERR(transport_peek(&t, SPAN(d, peeks[i].len)), peeks[i].err);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_learn_each_other), TEST(a_wrong_server_is_noticed), TEST(a_refused_client_hears_of_it),
		TEST(a_megabyte_arrives_whole), TEST(loss_is_made_up_for), TEST(chunks_come_back_when_acknowledged),
		TEST(early_data_saves_a_round_trip), TEST(early_data_asks_the_rules_again),
		TEST(refused_early_data_is_sent_again), TEST(streams_wait_until_the_peer_is_proven),
		TEST(an_abort_carries_its_code), TEST(a_stream_given_up_early_is_closed_too),
		TEST(close_tells_code_and_reason), TEST(silence_ends_a_connection), TEST(keep_alives_hold_it_open),
		TEST(the_dialler_moves_to_another_path), TEST(garbage_changes_nothing), TEST(peek_finds_the_token_or_refuses),
	};

	if (crypto_init() < 0)
		return 1;
	end_new(&w.a);
	end_new(&w.b);
	int failed = RUN_TESTS(tests);
	end_reset(&w.a);
	end_reset(&w.b);
	transport_context_free(w.a.context);
	transport_context_free(w.b.context);
	vault_free(w.a.vault);
	vault_free(w.b.vault);
	free(w.a.queue);
	free(w.b.queue);
	free(w.a.got);
	free(w.b.got);
	return failed;
}
