/* One question each, without chance: what a connection survives, what is told whom, and
 * what an idle device costs. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "path/token.h"
#include "world.h"

enum { DAY = 86400, DAY_BYTES_MAX = 300000, IP_UDP = 28 };

static struct world *small(uint64_t seed, bool verbose, unsigned nat, bool network)
{
	struct world_options o = {
		.seed = seed, .verbose = verbose, .brokers = 1, .devices = 1, .operators = 1, .strangers = 1, .latency = 20,
		.nat = nat, .network = network,
	};
	struct world *w;

	if (world_new(&w, &o) < 0)
		return NULL;
	if (!world_wait(w, world_all_registered, NULL, SECONDS(10)))
		world_fail(w, "not registered within 10 s");
	return w;
}

static struct call *dial(struct world *w, enum party_kind who)
{
	struct call_options o = { .exchanges = 1, .messages = 2 };
	struct call *c = call_start(party_of(w, who, 0), party_of(w, PARTY_DEVICE, 0), &o);

	(void)world_wait(w, call_is_over, c, SECONDS(DIAL));
	return c;
}

/* ---- what a connection survives ---- */

static void survives(uint64_t seed, bool verbose, struct world **ret, void (*happens)(struct world *w))
{
	struct world *w = *ret = small(seed, verbose, 100, false);
	struct call *c = w ? dial(w, PARTY_OPERATOR) : NULL;

	if (!c)
		return;
	if (!c->complete)
		world_fail(w, "the dial does not succeed: %s", err_name(c->err));
	world_run(w, SECONDS(27));      /* just after the beats: the next is too late */
	happens(w);
	world_run(w, SECONDS(14));
	if (!w->failed && !c->peer)
		world_fail(w, "the connection did not survive: %s", err_name(c->err));
	call_talk(c);
	if (!world_wait(w, call_is_over, c, SECONDS(5)) || !c->complete)
		world_fail(w, "nothing goes over it any more");
	world_end(w);
}

static void device_roams(struct world *w) { party_roam(party_of(w, PARTY_DEVICE, 0)); }
static void operator_roams(struct world *w) { party_roam(party_of(w, PARTY_OPERATOR, 0)); }
static void device_nat(struct world *w) { party_rebind(party_of(w, PARTY_DEVICE, 0), true); }
static void operator_nat(struct world *w) { party_rebind(party_of(w, PARTY_OPERATOR, 0), true); }

static void broker_restarts(struct world *w)
{
	party_crash(party_of(w, PARTY_BROKER, 0));
	world_run(w, SECONDS(1));
	party_start(party_of(w, PARTY_BROKER, 0));
}

#define SURVIVES(fn) \
	static void run_##fn(uint64_t seed, bool verbose, struct world **ret) { survives(seed, verbose, ret, fn); }

SURVIVES(device_roams)
SURVIVES(operator_roams)
SURVIVES(device_nat)
SURVIVES(operator_nat)
SURVIVES(broker_restarts)

/* ---- who is told what ---- */

static void run_twice(uint64_t seed, bool verbose, struct world **ret)
{
	struct world_options o = {
		.seed = seed, .verbose = verbose, .brokers = 1, .devices = 1, .operators = 1, .latency = 20, .twin = true,
	};

	if (world_new(ret, &o) < 0)
		return;
	struct world *w = *ret;
	struct party *d = party_of(w, PARTY_DEVICE, 0), *twin = party_of(w, PARTY_DEVICE, 1);

	world_run(w, SECONDS(10));
	party_start(twin);
	world_run(w, SECONDS(60));
	if (!d->superseded)
		world_fail(w, "nobody is told that the identity is published twice");
	world_end(w);
}

/* A stranger costs a device no handshake: not a packet of it comes back. */
static bool no_answer(void *userdata, struct sim_packet *p)
{
	struct world *w = userdata;
	struct token t;

	if (party_is_at(party_of(w, PARTY_STRANGER, 0), &p->to) && transport_peek(&t, SPAN(p->data, p->len)) >= 0 &&
	    token_kind(&t) == TOKEN_PEER)
		world_fail(w, "a device begins a handshake with a stranger");
	return true;
}

static void run_stranger(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 100, false);

	if (!w)
		return;
	w->hook = no_answer;
	w->hook_userdata = w;
	struct call *c = dial(w, PARTY_STRANGER);
	if (c && c->err != ERR_REFUSED)
		world_fail(w, "a stranger is told %s", err_name(c->err));
	if (c && world_now(w) - c->began > SECONDS(1))
		world_fail(w, "a stranger waits for its refusal");
	world_end(w);
}

/* ---- records and routes end ---- */

static void run_ends(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 0, true);
	struct party *broker = w ? party_of(w, PARTY_BROKER, 0) : NULL, *d = w ? party_of(w, PARTY_DEVICE, 0) : NULL;
	struct broker_stats s;

	if (!w)
		return;
	party_subscribe(party_of(w, PARTY_OPERATOR, 0));
	if (!world_wait(w, world_all_subscribed, NULL, SECONDS(10)))
		world_fail(w, "the member is not seen");
	struct call *c = dial(w, PARTY_OPERATOR);
	call_hang_up(c);
	party_crash(d);
	world_run(w, SECONDS(200));
	broker_get_stats(broker->broker, &s);
	if (s.records || s.routes)
		world_fail(w, "%zu records and %zu routes outlive the device", s.records, s.routes);
	if (!world_all_subscribed(w, NULL))
		world_fail(w, "a subscriber was not told that the member is gone");
	party_start(d);
	if (!world_wait(w, world_all_subscribed, NULL, SECONDS(10)))
		world_fail(w, "a subscriber was not told that the member is back");
	party_stop(d);          /* in order: at once */
	world_run(w, SECONDS(1));
	if (!world_all_subscribed(w, NULL))
		world_fail(w, "a subscriber was not told of a good-bye");
	world_end(w);
}

/* Members that left while nobody could tell. */
static void run_leaves(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 0, true);
	struct party *broker = w ? party_of(w, PARTY_BROKER, 0) : NULL, *d = w ? party_of(w, PARTY_DEVICE, 0) : NULL;

	if (!w)
		return;
	party_subscribe(party_of(w, PARTY_OPERATOR, 0));
	if (!world_wait(w, world_all_subscribed, NULL, SECONDS(10)))
		world_fail(w, "the member is not seen");
	d->member = false;
	endpoint_republish(d->endpoint);
	world_run(w, SECONDS(5));
	if (!world_all_subscribed(w, NULL))
		world_fail(w, "who does not prove its membership anew is still a member");
	d->member = true;
	endpoint_republish(d->endpoint);
	if (!world_wait(w, world_all_subscribed, NULL, SECONDS(10)))
		world_fail(w, "the member is not seen again");
	party_crash(broker);
	party_crash(d);
	world_run(w, SECONDS(30));
	party_start(broker);
	if (!world_wait(w, world_all_subscribed, NULL, SECONDS(60)))
		world_fail(w, "a member of a broker that has gone is remembered");
	world_end(w);
}

/* One broker of two is enough. */
static void run_second_broker(uint64_t seed, bool verbose, struct world **ret)
{
	struct world_options o = {
		.seed = seed, .verbose = verbose, .brokers = 2, .devices = 1, .operators = 1, .latency = 20, .nat = 100,
	};

	if (world_new(ret, &o) < 0)
		return;
	struct world *w = *ret;
	if (!world_wait(w, world_all_registered, NULL, SECONDS(10)))
		world_fail(w, "not registered within 10 s");
	party_crash(party_of(w, PARTY_BROKER, 0));
	struct call *c = dial(w, PARTY_OPERATOR);
	if (!c || !c->complete)
		world_fail(w, "the second broker is of no use: %s", c ? err_name(c->err) : "");
	world_end(w);
}

/* ---- much at once ---- */

enum { MUCH = 60, MUCH_TIME = 5 };

static void much(uint64_t seed, bool verbose, struct world **ret, unsigned again)
{
	struct world *w = *ret = small(seed, verbose, 100, false);
	struct call_options o = { .exchanges = 2, .messages = MUCH, .long_messages = true };

	if (!w)
		return;
	sim_set_again(party_of(w, PARTY_OPERATOR, 0)->host, again);
	sim_set_again(party_of(w, PARTY_DEVICE, 0)->host, again);
	struct call *c = call_start(party_of(w, PARTY_OPERATOR, 0), party_of(w, PARTY_DEVICE, 0), &o);
	tstamp began = world_now(w);
	if (!world_wait(w, call_is_over, c, SECONDS(MUCH_TIME)) || !c->complete)
		world_fail(w, "%u of %d messages are back after %d s", c->exchanges[0].back, MUCH, MUCH_TIME);
	world_say(w, "it took %.3f s", (double)(world_now(w) - began) * 1e-9);
	world_end(w);
}

/* More than windows and queues hold. */
static void run_bulk(uint64_t seed, bool verbose, struct world **ret) { much(seed, verbose, ret, 0); }
/* Sockets that take every second batch. */
static void run_busy(uint64_t seed, bool verbose, struct world **ret) { much(seed, verbose, ret, SIM_MILLION / 2); }

/* The kernel hands over a buffer of one sender: QUIC first, a keep-alive as its end. */
struct behind {
	struct world *w;
	unsigned answers;
};

static bool count_forgotten(void *userdata, struct sim_packet *p)
{
	struct behind *b = userdata;

	b->answers += p->data[0] == CONTROL_FORGOTTEN;
	return true;
}

static void run_behind(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 0, false);
	struct behind b = { .w = w };
	struct mac_key key = {};
	struct control c = { .type = CONTROL_KEEPALIVE, .seq = 1 };
	uint8_t quic[1200] = { 0x40 }, beat[CONTROL_MAX];
	enum { ROUNDS = 40 };

	if (!w)
		return;
	w->hook = count_forgotten;
	w->hook_userdata = &b;
	struct party *broker = party_of(w, PARTY_BROKER, 0);
	struct addr from = party_of(w, PARTY_OPERATOR, 0)->places[0];
	from.port = 9;
	size_t n = control_encode(beat, &c, &key);
	for (int i = 0; i < ROUNDS && !w->failed; i++) {
		if (sim_inject(w->sim, &from, &broker->at, SPAN_OF(quic)) < 0 ||
		    sim_inject(w->sim, &from, &broker->at, SPAN(beat, n)) < 0)
			world_fail(w, "no memory");
		world_run(w, MILLIS(100));
	}
	world_run(w, SECONDS(1));
	if (b.answers != ROUNDS)
		world_fail(w, "%u of %d keep-alives behind other packets are seen", b.answers, ROUNDS);
	world_end(w);
}

/* A dead broker is found out, and the device comes back to it by itself. */
static void run_silence(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 100, false);
	struct party *broker = w ? party_of(w, PARTY_BROKER, 0) : NULL, *d = w ? party_of(w, PARTY_DEVICE, 0) : NULL;

	if (!w)
		return;
	world_run(w, SECONDS(100));
	party_crash(broker);
	world_run(w, SECONDS(RECOVERY));
	if (d->registered[0])
		world_fail(w, "a device holds itself for registered with a dead broker");
	party_start(broker);
	if (!world_wait(w, world_all_registered, NULL, SECONDS(120)))
		world_fail(w, "it does not come back");
	world_end(w);
}

/* A knock is good for a few seconds; nobody but the broker can knock. */
struct replayed {
	struct world *w;
	bool armed;
	struct addr from, to;
	uint8_t data[1500], knock[CONTROL_MAX];
	size_t len, knock_len;
	unsigned answers;
};

static bool capture(void *userdata, struct sim_packet *p)
{
	struct replayed *r = userdata;
	struct party *d = party_of(r->w, PARTY_DEVICE, 0);
	struct span s = SPAN(p->data, p->len);

	if (party_is_at(d, &p->to) && transport_is_initial(s) && p->len <= sizeof r->data && !r->armed) {
		r->from = p->from;
		r->to = p->to;
		r->len = p->len;
		memcpy(r->data, p->data, p->len);
	}
	if (party_is_at(d, &p->to) && control_is(s) && p->data[0] == CONTROL_KNOCK && p->len <= sizeof r->knock) {
		r->knock_len = p->len;
		memcpy(r->knock, p->data, p->len);
	}
	if (r->armed && party_is_at(d, &p->from) && !control_is(s))
		r->answers++;
	return true;
}

static void run_replayed_initial(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 0, false);
	struct replayed r = { .w = w };

	if (!w)
		return;
	w->hook = capture;
	w->hook_userdata = &r;
	struct call *c = dial(w, PARTY_OPERATOR);
	call_hang_up(c);
	world_run(w, SECONDS(20));
	r.armed = true;
	for (int i = 0; i < 3 && r.len; i++) {
		if (sim_inject(w->sim, &r.from, &r.to, SPAN(r.data, r.len)) < 0)
			world_fail(w, "no memory");
		world_run(w, SECONDS(3));
	}
	if (!r.len || !r.knock_len)
		world_fail(w, "no knock and no Initial was seen");
	if (r.answers)
		world_fail(w, "an Initial without a knock is answered");
	r.knock[r.knock_len - 1] ^= 1;
	if (sim_inject(w->sim, &r.from, &r.to, SPAN(r.knock, r.knock_len)) < 0 ||
	    sim_inject(w->sim, &r.from, &r.to, SPAN(r.data, r.len)) < 0)
		world_fail(w, "no memory");
	world_run(w, SECONDS(3));
	if (r.answers)
		world_fail(w, "a forged knock opens the door");
	world_end(w);
}

/* A rule that is withdrawn while early data is on its way and nothing is confirmed yet. */
static bool early_is_served(struct world *w, void *unused)
{
	(void)unused;
	return w->count.early > 0;
}

static void run_early(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 0, false);
	struct call_options o = { .exchanges = 1, .messages = 15, .early = true };
	struct sim_link slow = { .latency = MILLIS(20), .rate = 20000, .queue = SECONDS(5) };

	if (!w)
		return;
	struct party *d = party_of(w, PARTY_DEVICE, 0), *who = party_of(w, PARTY_OPERATOR, 0);
	struct call *c = dial(w, PARTY_OPERATOR);       /* tickets */
	world_run(w, SECONDS(1));
	call_hang_up(c);
	world_run(w, SECONDS(1));
	if (sim_link(who->host, party_of(w, PARTY_BROKER, 0)->host, &slow) < 0)
		world_fail(w, "no memory");
	(void)call_start(who, d, &o);
	if (!world_wait(w, early_is_served, NULL, SECONDS(5)))
		world_fail(w, "no early data");
	party_forbid(d, who);
	world_run(w, SECONDS(5));
	world_end(w);
}

/* A relay is for the two ends of a route: the token alone moves nothing. */
struct heard {
	struct world *w;
	struct addr to;
	uint8_t data[1500];
	size_t len;
};

static bool overhear(void *userdata, struct sim_packet *p)
{
	struct heard *h = userdata;
	struct token t;

	if (party_is_at(party_of(h->w, PARTY_OPERATOR, 0), &p->from) && p->len <= sizeof h->data &&
	    transport_peek(&t, SPAN(p->data, p->len)) >= 0 && token_kind(&t) == TOKEN_PEER) {
		h->to = p->to;
		h->len = p->len;
		memcpy(h->data, p->data, p->len);
	}
	return true;
}

static void run_elsewhere(uint64_t seed, bool verbose, struct world **ret)
{
	struct world *w = *ret = small(seed, verbose, 0, false);
	struct heard h = { .w = w };
	struct broker_stats before, after;
	enum { TIMES = 7 };

	if (!w)
		return;
	w->hook = overhear;
	w->hook_userdata = &h;
	struct call *c = dial(w, PARTY_OPERATOR);
	struct addr elsewhere = party_of(w, PARTY_STRANGER, 0)->places[0];
	elsewhere.port = 7;
	broker_get_stats(party_of(w, PARTY_BROKER, 0)->broker, &before);
	for (int i = 0; i < TIMES && h.len; i++)
		if (sim_inject(w->sim, &elsewhere, &h.to, SPAN(h.data, h.len)) < 0)
			world_fail(w, "no memory");
	world_run(w, SECONDS(1));
	broker_get_stats(party_of(w, PARTY_BROKER, 0)->broker, &after);
	if (!c || !c->complete || after.dropped_packets - before.dropped_packets != TIMES)
		world_fail(w, "packets from elsewhere are relayed");
	world_end(w);
}

/* ---- a day ---- */

struct meter {
	struct party *device;
	uint64_t up, down, packets;
};

static bool measure(void *userdata, struct sim_packet *p)
{
	struct meter *m = userdata;

	if (party_is_at(m->device, &p->from))
		m->up += p->len + IP_UDP;
	else if (party_is_at(m->device, &p->to))
		m->down += p->len + IP_UDP;
	m->packets++;
	return true;
}

static void run_day(uint64_t seed, bool verbose, struct world **ret)
{
	struct world_options o = { .seed = seed, .verbose = verbose, .brokers = 1, .devices = 1, .latency = 20, .nat = 100 };
	struct meter m = {};

	if (world_new(ret, &o) < 0)
		return;
	struct world *w = *ret;
	m.device = party_of(w, PARTY_DEVICE, 0);
	w->hook = measure;
	w->hook_userdata = &m;
	world_run(w, SECONDS(DAY));
	if (!world_all_registered(w, NULL))
		world_fail(w, "not registered after a day");
	if (m.up + m.down > DAY_BYTES_MAX)
		world_fail(w, "a day costs %llu bytes", (unsigned long long)(m.up + m.down));
	printf("an idle day: %llu bytes up, %llu down, %llu in all, %llu datagrams\n", (unsigned long long)m.up,
	       (unsigned long long)m.down, (unsigned long long)(m.up + m.down), (unsigned long long)m.packets);
	world_end(w);
}

const struct scenario plain_scenarios[] = {
	{ "connection-survives-a-roaming-device", run_device_roams, false },
	{ "connection-survives-a-roaming-operator", run_operator_roams, false },
	{ "connection-survives-the-device's-NAT", run_device_nat, false },
	{ "connection-survives-the-operator's-NAT", run_operator_nat, false },
	{ "connection-survives-the-broker", run_broker_restarts, false },
	{ "published-twice", run_twice, false },
	{ "stranger", run_stranger, false },
	{ "ends", run_ends, false },
	{ "leaves", run_leaves, false },
	{ "second-broker", run_second_broker, false },
	{ "bulk", run_bulk, false },
	{ "busy-sockets", run_busy, false },
	{ "keepalive-behind-data", run_behind, false },
	{ "silence", run_silence, false },
	{ "replayed-initial", run_replayed_initial, false },
	{ "relayed-from-elsewhere", run_elsewhere, false },
	{ "forbidden-while-early", run_early, false },
	{ "day", run_day, false },
	{},
};
