/* Dials, and exchanges over them. Every message is a function of its exchange and its
 * place, so that each end can tell lost, repeated, exchanged and altered ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "world.h"

#define PATH_ONCE "/sim/once"
#define PATH_SAFE "/sim/safe"

enum { MESSAGE_HEAD = 12, SHORT_MAX = 1500 };

/* ---- messages ---- */

static uint64_t spin(uint64_t z)
{
	z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9u;
	return z ^ (z >> 32);
}

static size_t message_len(const struct exchange *x, unsigned i)
{
	/* around the lengths where something changes: prefixes, packets, single copies */
	static const size_t edges[] = { 12, 63, 64, 1023, 1024, 1100, 1200, 4096, 16383, 16384, 65535, 65536, 65537,
					STREAM_MESSAGE_MAX - 1, STREAM_MESSAGE_MAX };
	uint64_t r = spin(x->number * 1000 + i + 77);

	if (!x->call->options.long_messages)
		return MESSAGE_HEAD + r % SHORT_MAX;
	return r % 3 ? edges[r / 3 % ARRAY_LEN(edges)] : MESSAGE_HEAD + r / 3 % 20000;
}

static void message_fill(uint8_t *p, size_t n, const struct exchange *x, unsigned i)
{
	uint64_t z = spin(x->number << 20 | i);

	for (size_t k = 0; k < 8; k++)
		p[k] = (uint8_t)(x->number >> (8 * k));
	for (size_t k = 0; k < 4; k++)
		p[8 + k] = (uint8_t)(i >> (8 * k));
	for (size_t k = MESSAGE_HEAD; k < n; k++) {
		if (!(k & 7))
			z = spin(z + k);
		p[k] = (uint8_t)(z >> (8 * (k & 7)));
	}
}

static bool message_is(struct span m, const struct exchange *x, unsigned i)
{
	size_t n = message_len(x, i);
	_cleanup_free_ uint8_t *want = malloc(n);

	message_fill(want, n, x, i);
	return m.len == n && !memcmp(m.data, want, n);
}

/* ---- the device's side ---- */

struct serving {
	struct party *device;
	struct exchange *exchange;
	unsigned got;
	struct buf held;
	bool waiting;
};

static void serve_message(void *userdata, struct stream *s, struct span m)
{
	struct serving *v = userdata;
	struct exchange *x = v->exchange;
	struct world *w = v->device->world;

	w->count.messages++;
	if (!(v->device->allowed & party_bit(x->call->from)))
		world_fail(w, "%s goes on listening to %s, whom it has forbidden", v->device->name, x->call->from->name);
	if (v->got >= x->messages || !message_is(m, x, v->got)) {
		world_fail(w, "%s: exchange %llu: message %u is not the one that was sent", v->device->name,
			   (unsigned long long)x->number, v->got);
		return;
	}
	v->got++;
	int err = stream_send(s, m);
	if (err == ERR_AGAIN) {
		buf_add_span(&v->held, m);
		v->waiting = true;
		stream_pause(s);
	} else if (err < 0) {
		stream_reset(s, STREAM_CODE_INTERNAL);
	}
}

static void serve_writable(void *userdata, struct stream *s)
{
	struct serving *v = userdata;

	if (!v->waiting || stream_send(s, buf_span(&v->held)) == ERR_AGAIN)
		return;
	v->waiting = false;
	buf_done(&v->held);
	stream_resume(s);
}

static void serve_end(void *userdata, struct stream *s)
{
	struct serving *v = userdata;

	if (v->got != v->exchange->messages)
		world_fail(v->device->world, "%s: exchange %llu ends after %u of %u messages", v->device->name,
			   (unsigned long long)v->exchange->number, v->got, v->exchange->messages);
	stream_end(s);
}

static void serve_closed(void *userdata, struct stream *s, int err)
{
	struct serving *v = userdata;

	(void)s, (void)err;
	v->device->calls_open--;
	buf_done(&v->held);
	free(v);                /* a second time is a sanitizer's finding */
}

static const struct stream_handler serve_handler = {
	.message = serve_message, .writable = serve_writable, .end = serve_end, .closed = serve_closed,
};

static struct exchange *exchange_find(const struct world *w, uint64_t number)
{
	struct call *c;

	list_for_each(c, &w->calls, entry)
		for (size_t i = 0; i < c->options.exchanges; i++)
			if (c->exchanges[i].number == number)
				return &c->exchanges[i];
	return NULL;
}

/* Everything that the device is told is held against what really happened. */
static struct exchange *check_caller(struct party *d, const struct identity *caller, const struct headers *h, bool early)
{
	struct exchange *x = exchange_find(d->world, headers_uint(h, "number", 0));

	if (!x)
		world_fail(d->world, "%s: a stream that nobody opened", d->name);
	else if (!identity_equal(caller, &x->call->from->id))
		world_fail(d->world, "%s: a stream of %s is shown as another's", d->name, x->call->from->name);
	else if (!identity_equal(&d->id, &x->call->to->id))
		world_fail(d->world, "%s: a stream that was meant for %s", d->name, x->call->to->name);
	else if (!(d->allowed & party_bit(x->call->from)))
		world_fail(d->world, "%s: a stream of %s, who is not admitted", d->name, x->call->from->name);
	else if (early && !x->early)
		world_fail(d->world, "%s: a stream is early that was not", d->name);
	else if (x->served && x->once)
		world_fail(d->world, "%s: exchange %llu is served again", d->name, (unsigned long long)x->number);
	else
		return x;
	return NULL;
}

static void serve_open(struct services *ss, const struct service_call *call)
{
	struct party *d = call->service->userdata;
	struct exchange *x = check_caller(d, &call->caller, call->headers, call->early);
	struct serving *v = calloc(1, sizeof *v);
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	(void)ss;
	if (!x || !v) {
		free(v);
		return;
	}
	x->served++;
	d->world->count.early += call->early;
	*v = (struct serving){ .device = d, .exchange = x };
	d->calls_open++;
	stream_attach(call->stream, &serve_handler, v);
	cbor_map_begin(&m, &b);
	cbor_map_uint(&m, ":status", 200);
	cbor_map_uint(&m, "number", x->number);
	cbor_map_bytes(&m, "device", SPAN_OF(d->id.key));
	cbor_map_end(&m);
	if (stream_send_headers(call->stream, buf_span(&b)) < 0)
		stream_reset(call->stream, STREAM_CODE_INTERNAL);
}

void call_accept(struct party *d, struct peer *p, struct stream *s, const struct headers *h, bool early)
{
	if (!check_caller(d, peer_identity(p), h, early)) {
		stream_reset(s, STREAM_CODE_REFUSED);
		return;
	}
	services_accept(d->services, peer_identity(p), s, h, early);
}

void call_serve(struct party *d)
{
	struct service rows[] = {
		{ .path = PATH_ONCE, .open = serve_open, .userdata = d },
		{ .path = PATH_SAFE, .replay_safe = true, .open = serve_open, .userdata = d },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (services_add(d->services, &rows[i]) < 0)
			world_fail(d->world, "%s: no services", d->name);
}

/* ---- the operator's side ---- */

static void send_more(struct exchange *x)
{
	while (x->sent < x->messages && x->stream) {
		size_t n = message_len(x, x->sent);
		_cleanup_free_ uint8_t *m = malloc(n);

		message_fill(m, n, x, x->sent);
		int err = stream_send(x->stream, SPAN(m, n));
		if (err == ERR_AGAIN)
			return;
		if (err < 0)
			break;
		x->sent++;
	}
	if (x->stream && x->sent == x->messages)
		stream_end(x->stream);
}

static bool may_hear(struct exchange *x)
{
	struct call *c = x->call;
	const struct party *to = party_self(c->to);
	bool ok = false;

	for (size_t i = 0; i < c->world->parties_len; i++)
		ok |= party_self(c->world->parties[i]) == to && (c->world->parties[i]->admitted & party_bit(c->from));
	if (!ok)
		world_fail(c->world, "%s hears from %s, who never admitted it", c->from->name, to->name);
	return ok;
}

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	struct exchange *x = userdata;
	struct call *c = x->call;

	(void)s;
	if (!may_hear(x))
		return;
	if (headers_uint(h, ":status", 0) != 200) {
		x->err = ERR_REFUSED;
		return;         /* a rule was withdrawn */
	}
	if (headers_uint(h, "number", 0) != x->number || !span_equal(headers_bytes(h, "device"), SPAN_OF(c->to->id.key)))
		world_fail(c->world, "%s: the answer is not of %s", c->from->name, c->to->name);
	if (x->answered)
		world_fail(c->world, "%s: answered twice", c->from->name);
	x->answered = true;
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct exchange *x = userdata;
	struct call *c = x->call;

	(void)s;
	if (!may_hear(x))
		return;
	if (!x->answered || x->back >= x->messages || !message_is(m, x, x->back)) {
		world_fail(c->world, "%s: exchange %llu: message %u comes back wrong", c->from->name,
			   (unsigned long long)x->number, x->back);
		return;
	}
	x->back++;
	if (c->options.hang_up && x->back * 2 >= x->messages)
		call_hang_up(c);
	else if (x->cancel && x->back * 3 >= x->messages)
		stream_reset(s, STREAM_CODE_CANCEL);
}

static void on_writable(void *userdata, struct stream *s)
{
	(void)s;
	send_more(userdata);
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	struct exchange *x = userdata;
	struct call *c = x->call;
	struct world *w = c->world;

	(void)s;
	if (x->closed)
		world_fail(w, "%s: exchange %llu is closed twice", c->from->name, (unsigned long long)x->number);
	x->closed = true;
	x->stream = NULL;
	x->err = x->err ? x->err : err;
	x->complete = !x->err && x->back == x->messages;
	if (!x->err && x->back != x->messages)
		world_fail(w, "%s: exchange %llu ends in order after %u of %u", c->from->name, (unsigned long long)x->number,
			   x->back, x->messages);
	world_say(w, "%s: exchange %llu: %u of %u back, %s", c->from->name, (unsigned long long)x->number, x->back,
		  x->messages, x->err ? err_name(x->err) : "complete");
	w->count.exchanges_ok += x->complete;
	for (size_t i = 0; i < c->options.exchanges; i++)
		if (!c->exchanges[i].complete)
			return;
	c->complete = true;
	c->done_at = world_now(w);
}

static const struct stream_handler stream_handler = {
	.headers = on_headers, .message = on_message, .writable = on_writable, .closed = on_closed,
};

static void open_exchange(struct exchange *x)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", x->early ? PATH_SAFE : PATH_ONCE);
	cbor_map_uint(&m, "number", x->number);
	cbor_map_end(&m);
	int err = peer_open_stream(x->call->peer, buf_span(&b), x->early, &stream_handler, x, &x->stream);
	if (err < 0) {
		x->err = err;
		return;
	}
	x->opened = true;
	x->call->world->count.exchanges++;
	send_more(x);
}

static void on_up(void *userdata, struct peer *p)
{
	struct call *c = userdata;

	if (p != c->peer || c->ended)
		world_fail(c->world, "%s: a call is up that was over", c->from->name);
	if (c->world->failed)
		return;
	for (size_t i = 0; i < c->options.exchanges && c->peer; i++)
		open_exchange(&c->exchanges[i]);
}

static void on_ready(void *userdata, struct peer *p)
{
	struct call *c = userdata;
	struct world *w = c->world;

	if (c->ready)
		world_fail(w, "%s: ready twice", c->from->name);
	if (!identity_equal(peer_identity(p), &c->to->id))
		world_fail(w, "%s dialled %s and is connected to another", c->from->name, c->to->name);
	c->ready = true;
	w->count.dials_ok++;
}

static void on_ended(void *userdata, struct peer *p, int err, const char *detail)
{
	struct call *c = userdata;

	if (c->ended || p != c->peer)
		world_fail(c->world, "%s: a call ends twice", c->from->name);
	world_say(c->world, "%s: call %llu to %s ended: %s %s", c->from->name, (unsigned long long)c->number, c->to->name,
		  err_name(err), detail);
	if (err >= 0)
		world_fail(c->world, "%s: a call ends without a reason", c->from->name);
	c->ended = true;
	c->err = err;
	snprintf(c->detail, sizeof c->detail, "%s", detail);
	c->peer = NULL;
}

struct call *call_start(struct party *from, struct party *to, const struct call_options *o)
{
	static const struct peer_handler handler = { .up = on_up, .ready = on_ready, .ended = on_ended };
	struct world *w = from->world;
	struct endpoint_target t = { .id = to->id };
	struct call *c;

	if (!from->endpoint || w->failed)
		return NULL;
	c = calloc(1, sizeof *c);
	*c = (struct call){ .world = w, .from = from, .to = to, .options = *o, .began = world_now(w), .number = ++w->calls_len };
	for (size_t i = 0; i < o->exchanges; i++)
		c->exchanges[i] = (struct exchange){
			.call = c, .number = c->number * EXCHANGES_MAX + i, .messages = o->messages, .early = o->early,
			.once = !o->early, .cancel = !o->hang_up && i == 3,
		};
	list_init(&c->entry);
	list_add_tail(&w->calls, &c->entry);
	if (o->direct) {
		struct addr at = to->places[to->places_len - 1];
		char text[ADDR_STR_MAX];

		addr_format(text, &at);
		*strchr(text, ':') = 0;
		snprintf(c->host, sizeof c->host, "%s", text);
		struct addr bound = { .port = 1 };
		if (to->endpoint && endpoint_addr(to->endpoint, &bound) < 0)
			bound.port = 1;
		t.host = c->host;
		t.port = bound.port;
	}
	world_say(w, "%s dials %s%s: call %llu", from->name, to->name, o->direct ? " directly" : "",
		  (unsigned long long)c->number);
	w->count.dials++;
	int err = endpoint_dial(from->endpoint, &t, &handler, c, &c->peer);
	if (err < 0) {
		c->ended = true;
		c->err = err;
		world_say(w, "%s: %s", from->name, err_name(err));
	}
	return c;
}

void call_talk(struct call *c)
{
	size_t i = c->options.exchanges;

	if (!c->peer || i == EXCHANGES_MAX)
		return;
	c->complete = false;
	c->exchanges[i] = (struct exchange){
		.call = c, .number = c->number * EXCHANGES_MAX + i, .messages = c->options.messages, .once = true,
	};
	c->options.exchanges++;
	open_exchange(&c->exchanges[i]);
}

void call_hang_up(struct call *c)
{
	struct peer *p = c ? take(c->peer) : NULL;

	if (p)
		peer_close(p);
}

void calls_forget(struct party *from)
{
	struct call *c;

	list_for_each(c, &from->world->calls, entry)
		if (c->from == from)
			c->peer = NULL;
}

bool call_is_over(struct world *w, void *call)
{
	struct call *c = call;

	(void)w;
	return c->complete || !c->peer;
}

void calls_check_end(struct world *w)
{
	struct call *c;

	list_for_each(c, &w->calls, entry)
		for (size_t i = 0; i < c->options.exchanges; i++)
			if (c->exchanges[i].opened && !c->exchanges[i].closed)
				world_fail(w, "exchange %llu was never closed", (unsigned long long)c->exchanges[i].number);
	for (size_t i = 0; i < w->parties_len; i++)
		if (w->parties[i]->calls_open)
			world_fail(w, "%s: %u streams were never closed", w->parties[i]->name, w->parties[i]->calls_open);
}

void calls_free(struct world *w)
{
	struct call *c;

	while ((c = list_first(&w->calls, struct call, entry))) {
		list_del(&c->entry);
		free(c);
	}
}
