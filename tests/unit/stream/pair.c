#include "pair.h"

#include "test.h"

uint64_t pair_random(struct pair *p, uint64_t below)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random % below;
}

/* ---- the transport's events ---- */

static bool on_admit(void *userdata, const struct identity *who)
{
	struct pair_side *e = userdata;

	e->admitted++;
	CHECK(identity_equal(who, e->pair->c.id));
	return !e->pair->refuse;
}

static void on_ready(void *userdata) { ((struct pair_side *)userdata)->ready++; }
static void on_confirmed(void *userdata) { ((struct pair_side *)userdata)->confirmed++; }

static void on_opened(void *userdata, struct transport_stream *ts)
{
	streams_on_opened(((struct pair_side *)userdata)->ss, ts);
}

static void on_data(void *userdata, void *stream, struct span data, bool fin, bool early)
{
	(void)userdata;
	streams_on_data(stream, data, fin, early);
}

static void on_writable(void *userdata, void *stream)
{
	(void)userdata;
	streams_on_writable(stream);
}

static void on_reset(void *userdata, void *stream, uint64_t code)
{
	((struct pair_side *)userdata)->reset_code = code;
	streams_on_reset(stream, code);
}

static void on_closed(void *userdata, void *stream)
{
	(void)userdata;
	streams_on_closed(stream);
}

static void on_ticket(void *userdata, struct span blob)
{
	struct pair_side *e = userdata;

	buf_done(&e->ticket);
	buf_add_span(&e->ticket, blob);
}

static void on_path(void *userdata, uint32_t path, bool ok)
{
	struct pair_side *e = userdata;

	(void)path;
	e->validated += ok;
	e->failed += !ok;
}

static const struct transport_ops ops = {
	.admit = on_admit, .ready = on_ready, .confirmed = on_confirmed, .stream_opened = on_opened,
	.stream_data = on_data, .stream_writable = on_writable, .stream_reset = on_reset,
	.stream_closed = on_closed, .ticket = on_ticket, .path_validated = on_path,
};

/* ---- life ---- */

static void side_init(struct pair *p, struct pair_side *e, uint8_t name)
{
	struct sign_seed seed = { { name } };

	e->pair = p;
	CHECK_ERR(vault_new_local(&e->vault, &seed, 0), 0);
	CHECK_ERR(transport_context_new(&e->context, e->vault), 0);
	e->id = vault_identity(e->vault);
}

struct pair *pair_new(uint64_t seed)
{
	struct pair *p = calloc(1, sizeof *p);

	CHECK(p);
	CHECK_ERR(crypto_init(), 0);
	transport_sim_seed(seed);
	p->random = seed * 0x9e3779b97f4a7c15u + 1;
	p->now = SECONDS(1000);
	p->faults.delay = MILLIS(20);
	side_init(p, &p->c, 1);
	side_init(p, &p->s, 2);
	p->c_config = (struct transport_config){
		.context = p->c.context, .ops = &ops, .userdata = &p->c, .alpn = TRANSPORT_ALPN_PEER,
		.token = { "cccccccc" }, .peer_token = { "ssssssss" }, .peer = *p->s.id,
	};
	p->s_config = (struct transport_config){
		.context = p->s.context, .ops = &ops, .userdata = &p->s, .alpn = TRANSPORT_ALPN_PEER,
		.token = { "ssssssss" },
	};
	return p;
}

void pair_dial(struct pair *p)
{
	static const struct streams_ops none;

	CHECK_ERR(streams_new(&p->c.ss, &none, &p->c), 0);
	CHECK_ERR(streams_new(&p->s.ss, &p->s_ops, &p->s), 0);
	CHECK_ERR(transport_dial(&p->c.t, &p->c_config, p->now), 0);
	streams_set_transport(p->c.ss, p->c.t);
}

static void side_hang_up(struct pair_side *e)
{
	streams_free(take(e->ss), 0);
	transport_free(take(e->t));
}

void pair_hang_up(struct pair *p)
{
	side_hang_up(&p->c);
	side_hang_up(&p->s);
	while (p->queued)
		free(p->queue[--p->queued].data);
}

static void side_done(struct pair_side *e)
{
	transport_context_free(e->context);
	vault_free(e->vault);
	buf_done(&e->ticket);
}

void pair_free(struct pair *p)
{
	pair_hang_up(p);
	side_done(&p->c);
	side_done(&p->s);
	free(p);
}

/* ---- the network ---- */

void pair_inject(struct pair *p, bool to_server, uint32_t path, struct span d)
{
	struct datagram *q = &p->queue[p->queued];

	if (p->queued == PAIR_QUEUE_MAX)
		return;
	*q = (struct datagram){ .to_server = to_server, .path = path, .len = d.len, .data = malloc(d.len) };
	CHECK(q->data);
	memcpy(q->data, d.data, d.len);
	q->at = p->now + p->faults.delay + (p->faults.jitter ? pair_random(p, p->faults.jitter) : 0);
	p->queued++;
}

static void send_one(struct pair *p, bool to_server, uint32_t path, struct span d)
{
	unsigned times = 1 + (pair_random(p, 100) < p->faults.copy);

	p->sent += d.len;
	if (p->spy)
		p->spy(p, &(struct datagram){ .to_server = to_server, .path = path, .len = d.len, .data = (uint8_t *)d.data });
	if (p->cut || p->path_dead[path] || pair_random(p, 100) < p->faults.drop)
		return;
	for (; times; times--) {
		pair_inject(p, to_server, path, d);
		if (p->queued && pair_random(p, 100) < p->faults.flip)
			p->queue[p->queued - 1].data[pair_random(p, d.len)] ^= (uint8_t)(1 << pair_random(p, 8));
	}
}

static void flush_side(struct pair *p, struct pair_side *e)
{
	static uint8_t out[TRANSPORT_BATCH_BYTES];
	size_t len, seg;
	uint32_t path;

	while (e->t && transport_write(e->t, out, &len, &seg, &path, p->now) == 1) {
		CHECK(len && len <= sizeof out && seg && seg <= TRANSPORT_PACKET_MAX);
		p->batches += len > seg;
		for (size_t at = 0; at < len; at += seg)
			send_one(p, e == &p->c, path, SPAN(out + at, MIN(seg, len - at)));
	}
}

/* What every owner does: the streams of a connection that ended end with it. */
static void reap_side(struct pair_side *e)
{
	struct transport_end end;

	if (e->t && transport_ended(e->t, &end))
		streams_free(take(e->ss), 0);
}

void pair_flush(struct pair *p)
{
	flush_side(p, &p->c);
	flush_side(p, &p->s);
	reap_side(&p->c);
	reap_side(&p->s);
}

static void deliver(struct pair *p, size_t at)
{
	struct datagram d = p->queue[at];
	struct pair_side *e = d.to_server ? &p->s : &p->c;
	struct span in = SPAN(d.data, d.len);
	struct token token;

	p->queue[at] = p->queue[--p->queued];
	bool fresh = transport_peek(&token, in) == 0 && d.to_server && !e->t && transport_is_initial(in) &&
		     transport_accept(&e->t, &p->s_config, in, p->now) == 0;
	bool bad = e->t && transport_read(e->t, d.path, in, p->now) < 0;

	e->bad_reads += bad;
	if (fresh && bad && !transport_ended(e->t, NULL))
		transport_free(take(e->t));     /* a damaged Initial must not stand in the way of the whole one */
	else if (fresh && e->ss)
		streams_set_transport(e->ss, e->t);
	free(d.data);
}

static tstamp expiry(const struct pair_side *e) { return e->t ? transport_expiry(e->t) : TSTAMP_NEVER; }

bool pair_step(struct pair *p, tstamp until)
{
	tstamp at = until;
	size_t best = SIZE_MAX;
	struct pair_side *late = NULL;

	pair_flush(p);
	for (size_t i = 0; i < p->queued; i++)
		if (p->queue[i].at < at) {
			at = p->queue[i].at;
			best = i;
		}
	for (struct pair_side *e = &p->c; e; e = e == &p->c ? &p->s : NULL)
		if (expiry(e) < at) {
			at = expiry(e);
			late = e;
		}
	p->now = MAX(p->now, at);
	if (late)
		transport_expire(late->t, p->now);
	else if (best != SIZE_MAX)
		deliver(p, best);
	pair_flush(p);
	return late || best != SIZE_MAX;
}

void pair_run_for(struct pair *p, tstamp time)
{
	tstamp until = p->now + time;

	while (pair_step(p, until))
		;
}
