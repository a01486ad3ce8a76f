/* How a stream behaves apart from carrying messages: ends, resets, pauses, limits,
 * and a peer who breaks the rules. */
#include <errno.h>

#include "pair.h"
#include "test.h"
#include "wire/varint.h"

/* ---- what happened to one stream ---- */

struct seen {
	unsigned headers, messages, ends, writables, closed;
	size_t bytes;
	int err;
	struct stream *s;
	struct span last;               /* of the last message: only its length is safe */
	/* what to do in a callback */
	void (*in_message)(struct seen *e, struct stream *s);
	void (*in_end)(struct seen *e, struct stream *s);
	void (*in_closed)(struct seen *e, struct stream *s);
};

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	(void)s;
	(void)h;
	((struct seen *)userdata)->headers++;
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct seen *e = userdata;

	CHECK(!e->closed && !e->ends);
	e->messages++;
	e->bytes += m.len;
	e->last = m;
	if (e->in_message)
		e->in_message(e, s);
}

static void on_end(void *userdata, struct stream *s)
{
	struct seen *e = userdata;

	CHECK(!e->closed);
	e->ends++;
	if (e->in_end)
		e->in_end(e, s);
}

static void on_writable(void *userdata, struct stream *s)
{
	(void)s;
	((struct seen *)userdata)->writables++;
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	struct seen *e = userdata;

	CHECK(stream_userdata(s) == e);
	e->closed++;
	e->err = err;
	e->s = NULL;
	if (e->in_closed)
		e->in_closed(e, s);
}

static const struct stream_handler handler = {
	.headers = on_headers, .message = on_message, .end = on_end, .writable = on_writable, .closed = on_closed,
};
static const struct stream_handler silent;      /* every callback is optional */

/* ---- one pair, one server stream remembered ---- */

static struct seen server;
static bool server_early;
static unsigned accepts;

static void accept_one(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	struct pair_side *e = userdata;

	CHECK(stream_owner(s) == e);
	CHECK(span_starts(headers_text(h, ":path"), "/"));
	accepts++;
	server_early = early;
	server.s = s;
	stream_attach(s, &handler, &server);
}

static void ignore_one(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	(void)userdata;
	(void)s;
	(void)h;
	(void)early;
	accepts++;
}

static void refuse_one(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	ignore_one(userdata, s, h, early);
	stream_reset(s, STREAM_CODE_REFUSED);
}

static struct pair *connected(void)
{
	struct pair *p = pair_new(1);

	server = (struct seen){};
	accepts = 0;
	p->s_ops.accept = accept_one;
	pair_dial(p);
	pair_run_for(p, MILLIS(200));
	CHECK(p->c.ready == 1 && p->c.confirmed == 1 && p->s.ready == 1 && p->s.confirmed == 1 && p->s.admitted == 1);
	return p;
}

static void path_block(struct buf *b)
{
	struct cbor_map m;

	cbor_map_begin(&m, b);
	cbor_map_str(&m, ":path", "/x");
	cbor_map_end(&m);
}

static void open_early(struct pair *p, struct seen *e, bool early)
{
	_cleanup_buf_ struct buf b = {};

	path_block(&b);
	*e = (struct seen){};
	CHECK_ERR(stream_open(p->c.ss, buf_span(&b), early, &handler, e, &e->s), 0);
}

static void open_one(struct pair *p, struct seen *e) { open_early(p, e, false); }

static void answer(struct stream *s)
{
	_cleanup_buf_ struct buf b = {};

	headers_put_status(&b, 200, NULL);
	CHECK_ERR(stream_send_headers(s, buf_span(&b)), 0);
}

static void settle(struct pair *p) { pair_run_for(p, SECONDS(1)); }

/* ---- ends ---- */

static void test_half_close_lets_the_other_half_speak(void **state)
{
	struct pair *p = connected();
	struct seen c;

	(void)state;
	open_one(p, &c);
	CHECK_ERR(stream_send(c.s, SPAN("hi", 2)), 0);
	stream_end(c.s);
	stream_end(c.s);
	CHECK_ERR(stream_send(c.s, SPAN("hi", 2)), ERR_STATE);
	settle(p);
	CHECK(server.messages == 1 && server.ends == 1 && !server.closed);
	answer(server.s);
	CHECK_ERR(stream_send(server.s, SPAN_NONE), 0);
	settle(p);
	CHECK(c.headers == 1 && c.messages == 1 && c.bytes == 0 && !c.ends);
	stream_end(server.s);
	settle(p);
	CHECK(c.ends == 1 && c.closed == 1 && c.err == 0);
	CHECK(server.closed == 1 && server.err == 0);
	CHECK(!streams_len(p->c.ss) && !streams_len(p->s.ss));
	pair_free(p);
}

static void test_an_answer_may_end_without_headers(void **state)
{
	struct pair *p = connected();
	struct seen c;

	(void)state;
	open_one(p, &c);
	stream_end(c.s);
	settle(p);
	stream_end(server.s);
	settle(p);
	CHECK(c.ends == 1 && !c.headers && c.closed == 1 && c.err == 0);
	pair_free(p);
}

static void test_reset_by_either_side_tells_the_other_why(void **state)
{
	static const struct { enum stream_code code; int err; } table[] = {
		{ STREAM_CODE_NONE, -ECANCELED }, { STREAM_CODE_CANCEL, -ECANCELED },
		{ STREAM_CODE_PROTOCOL, ERR_PROTOCOL }, { STREAM_CODE_LIMIT, ERR_LIMIT },
		{ STREAM_CODE_INTERNAL, -EREMOTEIO }, { STREAM_CODE_REFUSED, ERR_REFUSED },
		{ 77, ERR_REFUSED },
	};
	struct pair *p = connected();
	struct seen c;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(table); i++) {
		bool by_client = i & 1;

		server = (struct seen){};
		open_one(p, &c);
		settle(p);
		struct seen *doer = by_client ? &c : &server, *other = by_client ? &server : &c;
		struct stream *s = doer->s;
		stream_reset(s, table[i / 2].code);
		stream_reset(s, STREAM_CODE_NONE);
		CHECK_ERR(stream_send(s, SPAN_NONE), ERR_CLOSED);
		CHECK_ERR(stream_send_headers(s, SPAN_NONE), ERR_CLOSED);
		CHECK(!stream_can_send(s));
		stream_end(s);
		stream_resume(s);
		CHECK(!doer->closed);           /* not inside the call */
		settle(p);
		CHECK(doer->closed == 1 && doer->err == ERR_STATE);
		CHECK(other->closed == 1);
		CHECK_ERR(other->err, table[i / 2].err);
		CHECK(!streams_len(p->c.ss) && !streams_len(p->s.ss));
	}
	pair_free(p);
}

static void test_a_stream_nobody_took_is_refused(void **state)
{
	(void)state;
	for (int explicitly = 0; explicitly < 2; explicitly++) {
		struct pair *p = connected();
		struct seen c;

		p->s_ops.accept = explicitly ? refuse_one : ignore_one;
		open_one(p, &c);
		settle(p);
		CHECK(accepts == 1 && c.closed == 1 && c.err == ERR_REFUSED);
		CHECK(!streams_len(p->c.ss) && !streams_len(p->s.ss));
		pair_free(p);
	}
}

static void test_lost_connection_closes_each_stream_once(void **state)
{
	struct pair *p = connected();
	struct transport_end end;
	struct seen c[20];

	(void)state;
	p->c_config.idle_timeout = SECONDS(3);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		open_one(p, &c[i]);
		if (i % 3 == 0)
			stream_end(c[i].s);
		if (i % 5 == 0)
			stream_pause(c[i].s);
	}
	settle(p);
	p->cut = true;
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		CHECK_ERR(stream_send(c[i].s, SPAN("x", 1)), i % 3 ? 0 : ERR_STATE);
	pair_run_for(p, SECONDS(40));
	CHECK(transport_ended(p->c.t, &end) && end.err == ERR_TIMEOUT);
	CHECK(transport_ended(p->s.t, &end) && end.err == ERR_TIMEOUT);
	pair_free(p);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		CHECK(c[i].closed == 1 && c[i].err == ERR_CLOSED);
}

static void poke_others(struct seen *e, struct stream *s)
{
	stream_reset(s, STREAM_CODE_CANCEL);
	stream_resume(s);
	stream_end(s);
	CHECK_ERR(stream_send(s, SPAN_NONE), ERR_CLOSED);
	if (e->last.data)       /* a neighbour's handle */
		stream_reset((struct stream *)(uintptr_t)e->last.data, STREAM_CODE_CANCEL);
}

static void test_freeing_the_set_closes_what_is_open(void **state)
{
	struct pair *p = connected();
	struct seen a, b, c;

	(void)state;
	open_one(p, &a);
	open_one(p, &b);
	open_one(p, &c);
	settle(p);
	a.in_closed = poke_others;
	a.last.data = (const uint8_t *)c.s;
	stream_reset(b.s, STREAM_CODE_CANCEL);
	streams_free(take(p->c.ss), ERR_TIMEOUT);
	streams_free(NULL, 0);
	CHECK(a.closed == 1 && a.err == ERR_TIMEOUT);
	CHECK(b.closed == 1 && b.err == ERR_STATE);
	CHECK(c.closed == 1 && c.err == ERR_STATE);
	transport_free(take(p->c.t));
	pair_free(p);
	CHECK(server.closed == 3 && server.err == ERR_CLOSED);
}

static void test_peer_closing_the_connection_closes_streams(void **state)
{
	struct stream *none = NULL;
	struct pair *p = connected();
	struct transport_end end;
	struct seen c;

	(void)state;
	open_one(p, &c);
	settle(p);
	transport_close(p->s.t, 42, "bye", p->now);
	CHECK_ERR(stream_open(p->s.ss, SPAN("\xa0", 1), false, &handler, NULL, &none), ERR_CLOSED);
	CHECK(!none);
	settle(p);
	CHECK(server.closed == 1 && server.err == ERR_CLOSED);
	CHECK(c.closed == 1 && c.err == ERR_CLOSED);
	CHECK(transport_ended(p->c.t, &end) && end.err == ERR_CLOSED && end.by_peer && end.code == 42);
	CHECK(!strcmp(end.reason, "bye"));
	pair_free(p);
}

/* ---- callbacks that call back ---- */

static void do_reset(struct seen *e, struct stream *s)
{
	(void)e;
	stream_reset(s, STREAM_CODE_CANCEL);
}

static void do_pause_resume(struct seen *e, struct stream *s)
{
	(void)e;
	stream_pause(s);
	stream_resume(s);
	stream_resume(s);
}

static void do_answer_and_end(struct seen *e, struct stream *s)
{
	if (e->messages == 1)
		answer(s);
	CHECK_ERR(stream_send(s, SPAN("ok", 2)), 0);
	if (e->messages == 3)
		stream_end(s);
}

static void do_end(struct seen *e, struct stream *s)
{
	(void)e;
	stream_end(s);
}

static void test_callbacks_may_do_anything_to_their_stream(void **state)
{
	static const struct {
		void (*in_message)(struct seen *, struct stream *), (*in_end)(struct seen *, struct stream *);
		unsigned messages, ends;
		int err;
	} table[] = {
		{ do_reset, NULL, 1, 0, ERR_STATE },
		{ NULL, do_reset, 3, 1, ERR_STATE },
		{ do_pause_resume, do_end, 3, 1, 0 },
		{ do_answer_and_end, NULL, 3, 1, 0 },
		{ NULL, do_end, 3, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (size_t len = 3; len < 5000; len += 4000) {
			struct pair *p = connected();
			static uint8_t m[5000];
			struct seen c;

			server.in_message = table[i].in_message;
			server.in_end = table[i].in_end;
			open_one(p, &c);
			for (int k = 0; k < 3; k++)
				CHECK_ERR(stream_send(c.s, SPAN(m, len)), 0);
			stream_end(c.s);
			settle(p);
			CHECK(server.messages == table[i].messages && server.ends == table[i].ends);
			CHECK(server.closed == 1);
			CHECK_ERR(server.err, table[i].err);
			CHECK(c.closed == 1);
			pair_free(p);
		}
}

static void test_handlers_may_be_silent(void **state)
{
	struct pair *p = connected();
	_cleanup_buf_ struct buf b = {};
	struct stream *s;

	(void)state;
	path_block(&b);
	CHECK_ERR(stream_open(p->c.ss, buf_span(&b), false, &silent, NULL, &s), 0);
	settle(p);
	answer(server.s);
	CHECK_ERR(stream_send(server.s, SPAN("x", 1)), 0);
	stream_end(server.s);
	stream_end(s);
	settle(p);
	CHECK(server.closed == 1 && server.err == 0 && !streams_len(p->c.ss));
	pair_free(p);
}

/* ---- pause, windows, queues ---- */

static void test_pause_stops_the_peer_at_the_window(void **state)
{
	enum { LEN = 64 << 10, ROUNDS = 100 };
	static uint8_t m[LEN];
	struct pair *p = connected();
	unsigned sent = 0;
	struct seen c;

	(void)state;
	transport_keep_alive(p->c.t, SECONDS(5));
	open_one(p, &c);
	settle(p);
	stream_pause(server.s);
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (sent < ROUNDS && stream_send(c.s, SPAN_OF(m)) >= 0)
			sent++;
		pair_run_for(p, MILLIS(300));
	}
	CHECK(sent < ROUNDS && !stream_can_send(c.s));
	CHECK(server.messages == 0 && server.ends == 0);
	CHECK(p->sent < (3 << 20));             /* one window and some retransmission, not 6.5 MB */

	stream_resume(server.s);
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (sent < ROUNDS && stream_send(c.s, SPAN_OF(m)) >= 0)
			sent++;
		pair_run_for(p, MILLIS(300));
	}
	stream_end(c.s);
	settle(p);
	CHECK(server.messages == ROUNDS && server.bytes == (size_t)ROUNDS * LEN && server.ends == 1);
	CHECK(c.writables >= 1);
	CHECK(p->batches > 0);
	pair_free(p);
}

static void test_a_paused_stream_closes_in_order_after_its_reader(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct pair *p = connected();
		struct seen c;

		open_one(p, &c);
		stream_pause(c.s);
		stream_end(c.s);
		settle(p);
		answer(server.s);
		CHECK_ERR(stream_send(server.s, SPAN("late", 4)), 0);
		stream_end(server.s);
		settle(p);
		CHECK(server.closed == 1 && server.err == 0);
		CHECK(!c.headers && !c.messages && !c.ends && !c.closed);
		CHECK_ERR(stream_send(c.s, SPAN_NONE), ERR_CLOSED);
		if (how == 0) {
			stream_resume(c.s);
			CHECK(c.headers == 1 && c.messages == 1 && c.ends == 1 && c.closed == 1 && c.err == 0);
		} else if (how == 1) {
			c.in_message = do_reset;
			stream_resume(c.s);
			CHECK(c.messages == 1 && !c.ends && c.closed == 1 && c.err == ERR_STATE);
		} else {
			stream_reset(c.s, STREAM_CODE_CANCEL);
			CHECK(!c.messages && c.closed == 1 && c.err == ERR_STATE);
		}
		pair_free(p);
	}
}

static void do_pause(struct seen *e, struct stream *s)
{
	(void)e;
	stream_pause(s);
}

static void test_pausing_after_each_message_gives_them_one_by_one(void **state)
{
	struct pair *p = connected();
	struct seen c;

	(void)state;
	server.in_message = do_pause;
	open_one(p, &c);
	for (int i = 0; i < 5; i++)
		CHECK_ERR(stream_send(c.s, SPAN("abc", 3)), 0);
	stream_end(c.s);
	settle(p);
	for (unsigned i = 1; i <= 5; i++) {
		CHECK(server.messages == i && server.ends == 0);
		stream_resume(server.s);
	}
	CHECK(server.ends == 1);
	pair_free(p);
}

/* ---- what the sender is told ---- */

static unsigned released;
static void count_release(struct chunk *c)
{
	(void)c;
	released++;
}

static void test_the_sender_is_told_what_he_cannot_do(void **state)
{
	static uint8_t big[STREAM_MESSAGE_MAX + 1];
	struct chunk chunk = { .data = big, .len = STREAM_MESSAGE_MAX, .release = count_release };
	struct pair *p = connected();
	_cleanup_buf_ struct buf b = {};
	struct stream *none;
	struct seen c;

	(void)state;
	released = 0;
	path_block(&b);
	CHECK_ERR(stream_open(p->c.ss, SPAN("\xa1", 1), false, &handler, NULL, &none), ERR_PARSE);
	streams_set_transport(p->c.ss, NULL);
	CHECK_ERR(stream_open(p->c.ss, buf_span(&b), false, &handler, NULL, &none), ERR_CLOSED);
	streams_set_transport(p->c.ss, p->c.t);
	open_one(p, &c);
	CHECK_ERR(stream_send_headers(c.s, buf_span(&b)), ERR_STATE);
	CHECK_ERR(stream_send(c.s, SPAN_OF(big)), ERR_LIMIT);
	CHECK_ERR(stream_send_chunk(c.s, SPAN(big, 1), &chunk), ERR_LIMIT);
	chunk.len = SIZE_MAX;
	CHECK_ERR(stream_send_chunk(c.s, SPAN(big, 1), &chunk), ERR_LIMIT);
	CHECK(released == 0);
	chunk.len = 0;
	CHECK_ERR(stream_send_chunk(c.s, SPAN(big, 2000), &chunk), 0);
	CHECK(released == 1);
	settle(p);
	CHECK(server.messages == 1 && server.bytes == 2000);
	CHECK_ERR(stream_send(server.s, SPAN_NONE), ERR_STATE);
	CHECK(!stream_can_send(server.s));
	CHECK_ERR(stream_send_headers(server.s, SPAN("\xa1", 1)), ERR_PARSE);
	answer(server.s);
	CHECK(stream_can_send(server.s));
	CHECK_ERR(stream_send_headers(server.s, buf_span(&b)), ERR_STATE);
	pair_free(p);
}

static void test_largest_message_passes_in_both_forms(void **state)
{
	static uint8_t big[STREAM_MESSAGE_MAX];
	struct chunk chunk = { .data = big, .len = sizeof big - 3000, .release = count_release };
	struct pair *p = connected();
	struct seen c;

	(void)state;
	released = 0;
	open_one(p, &c);
	CHECK_ERR(stream_send(c.s, SPAN_OF(big)), 0);
	CHECK_ERR(stream_send_chunk(c.s, SPAN(big, 3000), &chunk), 0);
	pair_run_for(p, SECONDS(5));
	CHECK(server.messages == 2 && server.bytes == 2 * sizeof big && released == 1);
	pair_free(p);
}

/* ---- 0-RTT ---- */

static void with_ticket(struct pair *p)
{
	CHECK(p->c.ticket.len);
	pair_hang_up(p);
	p->c_config.ticket = buf_span(&p->c.ticket);
	p->c.ready = p->c.confirmed = p->s.ready = p->s.confirmed = p->s.admitted = 0;
	server = (struct seen){};
	accepts = 0;
	pair_dial(p);
}

static void test_early_streams_arrive_in_the_first_flight(void **state)
{
	struct pair *p = connected();
	struct seen early, late;

	(void)state;
	with_ticket(p);
	open_early(p, &early, true);
	pair_run_for(p, MILLIS(30));
	CHECK(accepts == 1 && server_early && !p->s.ready && p->s.admitted == 1);
	CHECK(identity_equal(transport_peer(p->s.t), p->c.id));
	answer(server.s);
	stream_end(server.s);
	pair_run_for(p, MILLIS(25));
	CHECK(early.headers == 1 && early.ends == 1);    /* one round trip after the dial */
	settle(p);
	CHECK(transport_resumed(p->c.t) && transport_early_accepted(p->c.t) && transport_resumed(p->s.t));
	open_early(p, &late, true);
	settle(p);
	CHECK(accepts == 2 && !server_early);
	pair_free(p);
}

static void test_other_streams_wait_for_the_handshake(void **state)
{
	struct pair *p = connected();
	struct seen c;

	(void)state;
	with_ticket(p);
	open_one(p, &c);
	pair_run_for(p, MILLIS(30));
	CHECK(accepts == 0);
	settle(p);
	CHECK(accepts == 1 && !server_early);
	pair_free(p);
}

static void test_forgotten_ticket_delays_early_streams_only(void **state)
{
	struct pair *p = connected();
	struct seen c;

	(void)state;
	transport_context_free(p->s.context);
	CHECK_ERR(transport_context_new(&p->s.context, p->s.vault), 0);
	p->s_config.context = p->s.context;
	with_ticket(p);
	open_early(p, &c, true);
	CHECK_ERR(stream_send(c.s, SPAN("hi", 2)), 0);
	settle(p);
	CHECK(!transport_resumed(p->c.t) && !transport_early_accepted(p->c.t));
	CHECK(accepts == 1 && !server_early && server.messages == 1);
	pair_free(p);
}

static void test_early_stream_of_one_no_longer_welcome_is_refused(void **state)
{
	struct pair *p = connected();
	struct transport_end end;
	struct seen c;

	(void)state;
	p->refuse = true;
	with_ticket(p);
	open_early(p, &c, true);
	settle(p);
	CHECK(accepts == 0 && c.closed == 1 && c.err == ERR_CLOSED);
	CHECK(transport_ended(p->c.t, &end) && end.err == ERR_REFUSED && end.by_peer);
	CHECK(transport_ended(p->s.t, &end) && end.err == ERR_DENIED && !end.by_peer);
	pair_free(p);
}

/* ---- a peer who breaks the rules: raw bytes on a transport stream ---- */

static void test_broken_streams_die_alone(void **state)
{
	static const struct { const char *what, *hex; bool fin; size_t tail; unsigned messages; uint64_t code; } table[] = {
		{ "header block too long", "6001", false, 0, 0, STREAM_CODE_LIMIT },
		{ "header block far too long", "ffffffffffffffff", false, 0, 0, STREAM_CODE_LIMIT },
		{ "header block is no map", "0100", false, 0, 0, STREAM_CODE_PROTOCOL },
		{ "header block malformed", "02a161", false, 0, 0, STREAM_CODE_PROTOCOL },
		{ "header block empty", "00", false, 0, 0, STREAM_CODE_PROTOCOL },
		{ "bytes behind the header map", "0ca1653a70617468622f780000", false, 0, 0, STREAM_CODE_PROTOCOL },
		{ "header path empty", "08a1653a7061746860", false, 0, 0, STREAM_CODE_LIMIT },
		{ "end before the header block", "", true, 0, 0, STREAM_CODE_PROTOCOL },
		{ "end inside the header's length", "40", true, 0, 0, STREAM_CODE_PROTOCOL },
		{ "end inside the header block", "0aa165", true, 0, 0, STREAM_CODE_PROTOCOL },
		{ "message too long", "0aa1653a70617468622f78" "80040001", false, 0, 0, STREAM_CODE_LIMIT },
		{ "end inside a length", "0aa1653a70617468622f78" "80", true, 0, 0, STREAM_CODE_PROTOCOL },
		{ "end inside a message", "0aa1653a70617468622f78" "0161" "0261", true, 0, 1, STREAM_CODE_PROTOCOL },
		{ "end inside a long message", "0aa1653a70617468622f78" "80040000", true, 100000, 0, STREAM_CODE_PROTOCOL },
	};
	static uint8_t zeroes[100000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct pair *p = connected();
		struct transport_stream *ts;
		struct transport_end end;
		uint8_t raw[64];
		struct seen good;
		size_t n = unhex(raw, sizeof raw, table[i].hex);

		open_one(p, &good);
		settle(p);
		struct stream *keep = server.s;
		struct seen kept = server;
		server = (struct seen){};
		stream_attach(keep, &handler, &kept);
		CHECK_ERR(transport_stream_open(p->c.t, false, NULL, &ts), 0);
		CHECK_ERR(transport_stream_write(ts, SPAN(raw, n)), 0);
		CHECK_ERR(transport_stream_write(ts, SPAN(zeroes, table[i].tail)), 0);
		if (table[i].fin)
			transport_stream_finish(ts);
		settle(p);
		if (server.messages != table[i].messages || streams_len(p->s.ss) != 1 || server.ends ||
		    server.s || server.closed != accepts - 1 || (server.closed && server.err != ERR_PROTOCOL) ||
		    p->c.reset_code != table[i].code)
			fail_msg("%s", table[i].what);
		CHECK(!transport_ended(p->s.t, &end));
		CHECK_ERR(stream_send(good.s, SPAN("alive", 5)), 0);
		settle(p);
		CHECK(kept.messages == 1 && !kept.closed);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_close_lets_the_other_half_speak),
		cmocka_unit_test(test_an_answer_may_end_without_headers),
		cmocka_unit_test(test_reset_by_either_side_tells_the_other_why),
		cmocka_unit_test(test_a_stream_nobody_took_is_refused),
		cmocka_unit_test(test_lost_connection_closes_each_stream_once),
		cmocka_unit_test(test_freeing_the_set_closes_what_is_open),
		cmocka_unit_test(test_peer_closing_the_connection_closes_streams),
		cmocka_unit_test(test_callbacks_may_do_anything_to_their_stream),
		cmocka_unit_test(test_handlers_may_be_silent),
		cmocka_unit_test(test_pause_stops_the_peer_at_the_window),
		cmocka_unit_test(test_a_paused_stream_closes_in_order_after_its_reader),
		cmocka_unit_test(test_pausing_after_each_message_gives_them_one_by_one),
		cmocka_unit_test(test_the_sender_is_told_what_he_cannot_do),
		cmocka_unit_test(test_largest_message_passes_in_both_forms),
		cmocka_unit_test(test_early_streams_arrive_in_the_first_flight),
		cmocka_unit_test(test_other_streams_wait_for_the_handshake),
		cmocka_unit_test(test_forgotten_ticket_delays_early_streams_only),
		cmocka_unit_test(test_early_stream_of_one_no_longer_welcome_is_refused),
		cmocka_unit_test(test_broken_streams_die_alone),
	};

	return RUN_TESTS(tests);
}
