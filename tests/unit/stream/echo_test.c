/* Do messages come back as they went, whatever the network does? */
#include "pair.h"
#include "test.h"

enum { STREAMS = 6, SEEDS = 2000 };

/* ---- the server gives back what it gets ---- */

struct echo {
	bool ended;
	struct buf kept;        /* a message that ERR_AGAIN kept back */
	bool has_kept;
};

static unsigned echo_closed, echo_failed;

static void echo_settle(struct stream *s, struct echo *e)
{
	if (e->ended && !e->has_kept)
		stream_end(s);
}

static void echo_message(void *userdata, struct stream *s, struct span m)
{
	struct echo *e = userdata;
	int err = stream_send(s, m);

	if (err == ERR_AGAIN) {
		CHECK(!e->has_kept);
		buf_add_span(&e->kept, m);
		e->has_kept = true;
		stream_pause(s);
	} else {
		CHECK_ERR(err, 0);
	}
}

static void echo_writable(void *userdata, struct stream *s)
{
	struct echo *e = userdata;

	CHECK(e->has_kept);
	CHECK_ERR(stream_send(s, buf_span(&e->kept)), 0);
	buf_done(&e->kept);
	e->has_kept = false;
	stream_resume(s);
}

static void echo_end(void *userdata, struct stream *s)
{
	((struct echo *)userdata)->ended = true;
	echo_settle(s, userdata);
}

static void echo_close(void *userdata, struct stream *s, int err)
{
	struct echo *e = userdata;

	(void)s;
	echo_closed++;
	echo_failed += err != 0;
	buf_done(&e->kept);
	free(e);
}

static const struct stream_handler echo_handler = {
	.message = echo_message, .end = echo_end, .writable = echo_writable, .closed = echo_close,
};

static void echo_accept(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	_cleanup_buf_ struct buf b = {};

	(void)userdata;
	(void)early;
	CHECK(span_is(headers_text(h, ":path"), "/echo"));
	stream_attach(s, &echo_handler, calloc(1, sizeof(struct echo)));
	headers_put_status(&b, 200, NULL);
	CHECK_ERR(stream_send_headers(s, buf_span(&b)), 0);
}

/* ---- the client ---- */

struct client {
	struct pair *pair;
	struct stream *s;
	struct buf sent, got;           /* length and bytes of each message */
	size_t left;                    /* messages to send */
	unsigned headers, ends, closed;
	bool chunks, pauses;
	int err;
};

struct own_chunk { struct chunk chunk; unsigned *alive; uint8_t data[]; };
static unsigned chunks_alive;

static void release(struct chunk *c)
{
	(*container_of(c, struct own_chunk, chunk)->alive)--;
	free(container_of(c, struct own_chunk, chunk));
}

static void note(struct buf *b, struct span m)
{
	uint32_t len = (uint32_t)m.len;

	buf_add(b, &len, sizeof len);
	buf_add_span(b, m);
}

static size_t random_len(struct pair *p)
{
	switch (pair_random(p, 12)) {
	case 0: return 0;
	case 1: return 1 + pair_random(p, 20000);
	case 2: return pair_random(p, 60) ? 1200 : STREAM_MESSAGE_MAX;
	case 3: return 63 + pair_random(p, 2);
	default: return pair_random(p, 400);
	}
}

static int send_one(struct client *c, struct span m)
{
	size_t cut = pair_random(c->pair, m.len + 1);
	struct own_chunk *o;
	int err;

	if (!c->chunks)
		return stream_send(c->s, m);
	o = malloc(sizeof *o + m.len);
	CHECK(o);
	memcpy(o->data, m.data, m.len);
	o->chunk = (struct chunk){ .data = o->data + cut, .len = m.len - cut, .release = release };
	o->alive = &chunks_alive;
	chunks_alive++;
	err = stream_send_chunk(c->s, SPAN(o->data, cut), &o->chunk);
	if (err < 0)
		release(&o->chunk);
	return err;
}

static void push(struct client *c)
{
	static uint8_t m[STREAM_MESSAGE_MAX];

	while (c->left) {
		size_t len = random_len(c->pair);

		memset(m, 0, len);

		for (size_t i = 0; i < len; i += 1 + len / 64)
			m[i] = (uint8_t)pair_random(c->pair, 256);
		int err = send_one(c, SPAN(m, len));
		if (err == ERR_AGAIN)
			return;
		CHECK_ERR(err, 0);
		note(&c->sent, SPAN(m, len));
		c->left--;
	}
	stream_end(c->s);
}

static void client_headers(void *userdata, struct stream *s, const struct headers *h)
{
	(void)s;
	CHECK(headers_uint(h, ":status", 0) == 200);
	((struct client *)userdata)->headers++;
}

static void client_message(void *userdata, struct stream *s, struct span m)
{
	struct client *c = userdata;

	CHECK(c->headers == 1 && !c->ends);
	note(&c->got, m);
	if (c->pauses && !pair_random(c->pair, 4))
		stream_pause(s);
}

static void client_end(void *userdata, struct stream *s)
{
	(void)s;
	((struct client *)userdata)->ends++;
}

static void client_writable(void *userdata, struct stream *s)
{
	(void)s;
	push(userdata);
}

static void client_closed(void *userdata, struct stream *s, int err)
{
	struct client *c = userdata;

	(void)s;
	c->closed++;
	c->err = err;
	c->s = NULL;
}

static const struct stream_handler client_handler = {
	.headers = client_headers, .message = client_message, .end = client_end,
	.writable = client_writable, .closed = client_closed,
};

static void client_open(struct pair *p, struct client *c)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	*c = (struct client){ .pair = p, .left = pair_random(p, 12), .chunks = pair_random(p, 2), .pauses = pair_random(p, 2) };
	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", "/echo");
	cbor_map_end(&m);
	CHECK_ERR(stream_open(p->c.ss, buf_span(&b), false, &client_handler, c, &c->s), 0);
	push(c);
}

static bool all_closed(const struct client *c)
{
	for (size_t i = 0; i < STREAMS; i++)
		if (!c[i].closed)
			return false;
	return true;
}

static bool run_seed(uint64_t seed)
{
	struct client c[STREAMS];
	struct pair *p = pair_new(seed);
	bool good = true;

	p->s_ops.accept = echo_accept;
	p->faults = (struct pair_faults){
		.drop = pair_random(p, 2) ? (unsigned)pair_random(p, 12) : 0, .copy = (unsigned)pair_random(p, 10),
		.flip = (unsigned)pair_random(p, 3), .delay = MILLIS(1 + pair_random(p, 60)),
		.jitter = pair_random(p, 3) ? MILLIS(1 + pair_random(p, 30)) : 0,
	};
	pair_dial(p);
	echo_closed = echo_failed = chunks_alive = 0;
	for (size_t i = 0; i < STREAMS; i++)
		client_open(p, &c[i]);

	tstamp until = p->now + SECONDS(300);
	while (p->now < until && !all_closed(c)) {
		pair_run_for(p, MILLIS(40));
		for (size_t i = 0; i < STREAMS; i++)
			if (c[i].s)
				stream_resume(c[i].s);
	}
	pair_run_for(p, SECONDS(5));
	for (size_t i = 0; i < STREAMS; i++) {
		good &= c[i].closed == 1 && c[i].err == 0 && c[i].ends == 1 &&
			span_equal(buf_span(&c[i].sent), buf_span(&c[i].got));
		buf_done(&c[i].sent);
		buf_done(&c[i].got);
	}
	good &= echo_closed == STREAMS && !echo_failed && !chunks_alive && !streams_len(p->c.ss) && !streams_len(p->s.ss);
	pair_free(p);
	return good;
}

static void test_messages_come_back_as_they_went(void **state)
{
	const char *one = getenv("SEED");
	unsigned seeds = getenv("SEEDS") ? (unsigned)atoi(getenv("SEEDS")) : SEEDS;

	(void)state;
	if (one) {
		CHECK(run_seed(strtoull(one, NULL, 0)));
		return;
	}
	for (unsigned seed = 1; seed <= seeds; seed++)
		if (!run_seed(seed))
			fail_msg("seed %u: SEED=%u shows it again", seed, seed);
}

static uint64_t digest;

static void spy(struct pair *p, const struct datagram *d)
{
	for (size_t i = 0; i < d->len; i++)
		digest = (digest ^ d->data[i]) * 1099511628211u;
	digest += p->now;
}

static uint64_t run_spied(uint64_t seed)
{
	struct pair *p = pair_new(seed);
	struct client c;

	digest = 1;
	p->spy = spy;
	p->s_ops.accept = echo_accept;
	p->faults.drop = 5;
	pair_dial(p);
	client_open(p, &c);
	pair_run_for(p, SECONDS(60));
	pair_free(p);
	buf_done(&c.sent);
	buf_done(&c.got);
	return digest;
}

static void test_same_seed_same_datagrams(void **state)
{
	(void)state;
	CHECK(run_spied(7) == run_spied(7));
	CHECK(run_spied(7) != run_spied(8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_seed_same_datagrams),
		cmocka_unit_test(test_messages_come_back_as_they_went),
	};

	return RUN_TESTS(tests);
}
