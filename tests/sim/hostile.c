/* A broker, or a network, that is not honest. It may delay and refuse; it must not make
 * two ends talk to the wrong one, show anybody what is not his, or bring one down. Each
 * test lets it do one thing for a while, then all must be well again. */
#include <string.h>

#include "base/err.h"
#include "broker/internal.h"
#include "path/token.h"
#include "world.h"

enum { MEMORY = 512, HELD = 12, ATTACK = 45 };

struct kept {
	struct addr from, to;
	tstamp at;
	uint8_t data[1500];
	size_t len;
};

struct hostile {
	struct world *w;
	struct party *broker, *device[2], *operator[2], *stranger;
	struct kept memory[MEMORY];
	size_t memory_len, next;
	struct party *named;            /* the lie: every knock is in this name */
	uint64_t did;
};

static void keep(struct hostile *h, const struct sim_packet *p)
{
	struct kept *k = &h->memory[h->next];

	if (p->len > sizeof k->data)
		return;
	*k = (struct kept){ .from = p->from, .to = p->to, .at = world_now(h->w), .len = p->len };
	memcpy(k->data, p->data, p->len);
	h->next = (h->next + 1) % MEMORY;
	h->memory_len = MAX(h->memory_len, h->next);
}

static void inject(struct hostile *h, const struct addr *from, const struct addr *to, struct span data)
{
	h->did++;
	if (data.len && sim_inject(h->w->sim, from, to, data) < 0)
		world_fail(h->w, "no memory");
}

static const struct kept *remembered(struct hostile *h)
{
	return h->memory_len ? &h->memory[world_below(h->w, h->memory_len)] : NULL;
}

static bool from_broker(const struct hostile *h, const struct sim_packet *p) { return party_is_at(h->broker, &p->from); }

/* ---- what it does ---- */

static bool drop(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	tstamp now = world_now(h->w);

	/* by and by, everything, and one direction only */
	unsigned phase = (unsigned)(now / SECONDS(8) % 3);
	bool gone = phase == 0 ? world_percent(h->w, 50) : phase == 1 || from_broker(h, p);
	h->did += gone;
	return !gone;
}

static bool repeat(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	const struct kept *k;

	inject(h, &p->from, &p->to, SPAN(p->data, p->len));
	keep(h, p);
	for (int i = 0; i < 2 && (k = remembered(h)); i++)
		inject(h, &k->from, &k->to, SPAN(k->data, k->len));
	return true;
}

/* Each packet waits until others have passed it. */
static bool reorder(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	struct kept *slot = &h->memory[world_below(h->w, HELD)], out = *slot;

	if (p->len > sizeof slot->data)
		return true;
	*slot = (struct kept){ .from = p->from, .to = p->to, .len = p->len };
	memcpy(slot->data, p->data, p->len);
	if (!out.len)
		return false;
	p->from = out.from;
	p->to = out.to;
	p->len = out.len;
	memcpy(p->data, out.data, out.len);
	h->did++;
	return true;
}

static struct addr address_of(const struct party *p)
{
	struct addr a = p->places[p->places_len - 1], bound = {};

	if (p->endpoint && endpoint_addr(p->endpoint, &bound) >= 0)
		a.port = bound.port;
	return a;
}

static bool redirect(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	struct party *all[] = { h->device[0], h->device[1], h->operator[0], h->operator[1], h->stranger };

	if (from_broker(h, p) && world_percent(h->w, 40)) {
		p->to = address_of(all[world_below(h->w, ARRAY_LEN(all))]);
		h->did++;
	}
	return true;
}

/* The broker itself, with its key: whoever dials, the device is told another name. */
static bool lie(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	struct control c;

	if (!h->broker->broker || control_decode(&c, SPAN(p->data, p->len)) < 0 || c.type != CONTROL_KNOCK)
		return true;
	struct record *r = map_get(&h->broker->broker->by_id, &c.id);
	if (r && !identity_equal(&c.caller, &h->named->id)) {
		c.caller = h->named->id;
		p->len = control_encode(p->data, &c, &r->key);
		h->did++;
	}
	return true;
}

static void spoil(struct hostile *h, struct sim_packet *p)
{
	switch (world_below(h->w, 4)) {
	case 0:
		for (size_t i = 0; i < p->len; i++)
			p->data[i] = (uint8_t)world_random(h->w);
		break;
	case 1:
		p->data[world_below(h->w, p->len)] ^= (uint8_t)(1u << world_below(h->w, 8));
		break;
	case 2:
		p->len = 1 + world_below(h->w, p->len);
		break;
	default:
		p->data[0] = (uint8_t)world_below(h->w, _CONTROL_TYPE_MAX + 2);
		p->len = MIN(p->len, 1 + world_below(h->w, CONTROL_MAX + 4));
	}
}

static bool garbage(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	uint8_t noise[CONTROL_MAX + 8];
	bool control = control_is(SPAN(p->data, p->len));

	/* beside the real one, so that some things go on to be spoilt later */
	if (world_percent(h->w, control ? 60 : 20)) {
		inject(h, &p->from, &p->to, SPAN(p->data, p->len));
		spoil(h, p);
	}
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)world_random(h->w);
	noise[0] = (uint8_t)world_below(h->w, _CONTROL_TYPE_MAX);
	inject(h, &p->to, &p->from, SPAN(noise, 1 + world_below(h->w, sizeof noise)));
	return true;
}

static void send_hint(struct hostile *h, struct control c, const struct addr *from, const struct addr *to)
{
	uint8_t out[CONTROL_MAX];
	size_t n = control_encode(out, &c, NULL);

	for (uint64_t i = 1 + world_below(h->w, 3); i--;)
		inject(h, from, to, SPAN(out, n));
}

static bool hints(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	struct span d = SPAN(p->data, p->len);
	struct control seen, c = {};

	if (from_broker(h, p) || !party_is_at(h->broker, &p->to) || !world_percent(h->w, 30))
		return true;
	if (control_is(d) && control_decode(&seen, d) >= 0) {
		c.id = seen.id;
		c.verdict = world_percent(h->w, 50) ? CONTROL_UNKNOWN : CONTROL_SUPERSEDED;
		c.type = seen.type == CONTROL_KEEPALIVE ? CONTROL_FORGOTTEN : CONTROL_ROUTE_GONE;
	} else if (transport_peek(&c.id, d) >= 0) {
		c.type = CONTROL_ROUTE_GONE;
	} else {
		return true;
	}
	send_hint(h, c, &p->to, &p->from);
	return true;
}

/* Old keep-alives from where somebody else is: nothing may move there. (Who overtakes a
 * new one moves the record until the next; that is delay.) */
static bool stale(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;
	struct addr elsewhere = address_of(h->stranger);
	const struct kept *k;

	if (control_is(SPAN(p->data, p->len)) && !from_broker(h, p))
		keep(h, p);
	if ((k = remembered(h)) && k->at + SECONDS(1) < world_now(h->w))
		inject(h, &elsewhere, &k->to, SPAN(k->data, k->len));
	for (size_t i = 0; i < 2 && h->broker->broker; i++) {
		struct record *r = registry_find(h->broker->broker, &h->device[i]->id);
		if (r && party_is_at(h->stranger, &r->addr))
			world_fail(h->w, "an old keep-alive moved %s", h->device[i]->name);
	}
	return true;
}

/* Control datagrams that only one who knows the key could have made, from one who does
 * not: newer numbers, other types, from anywhere. */
static void forge_one(struct hostile *h, const struct sim_packet *p, bool from_elsewhere)
{
	struct addr elsewhere = address_of(h->stranger);
	uint8_t forged[CONTROL_MAX];

	if (p->len > sizeof forged || p->len < 1 + 8 + 4 + MAC_LEN)
		return;
	memcpy(forged, p->data, p->len);
	if (forged[0] == CONTROL_KEEPALIVE && world_percent(h->w, 40))
		forged[0] = CONTROL_BYE;
	forged[11] = (uint8_t)(forged[11] + world_below(h->w, 3));
	forged[12] = (uint8_t)(forged[12] + 1 + world_below(h->w, 50));
	if (world_percent(h->w, 50))
		forged[p->len - 1] ^= 1;
	inject(h, from_elsewhere ? &elsewhere : &p->from, &p->to, SPAN(forged, p->len));
}

/* The token of a route is there for all to see. */
static void forge_route(struct hostile *h, const struct sim_packet *p)
{
	struct control c = { .type = CONTROL_ROUTE_KEEPALIVE, .seq = 1000 };
	struct addr elsewhere = address_of(h->stranger);
	struct mac_key guess;
	uint8_t out[CONTROL_MAX];

	if (!party_is_at(h->broker, &p->to) || transport_peek(&c.id, SPAN(p->data, p->len)) < 0 ||
	    token_kind(&c.id) != TOKEN_PEER || !world_percent(h->w, 20))
		return;
	random_bytes(&guess, sizeof guess);
	inject(h, &elsewhere, &p->to, SPAN(out, control_encode(out, &c, &guess)));
}

static void check_places(struct hostile *h)
{
	struct route_side *side;

	for (size_t at = 0; (side = map_next(&h->broker->broker->sides, &at));)
		if (party_is_at(h->stranger, &side->route->caller) &&
		    !identity_equal(&side->route->caller_id, &h->stranger->id))
			world_fail(h->w, "a forged keep-alive moved a route");
	for (size_t i = 0; i < 2; i++) {
		struct record *r = registry_find(h->broker->broker, &h->device[i]->id);
		if (!r)
			world_fail(h->w, "a forged good-bye removed %s", h->device[i]->name);
		else if (party_is_at(h->stranger, &r->addr))
			world_fail(h->w, "a forged keep-alive moved %s", h->device[i]->name);
	}
}

static bool forge(void *userdata, struct sim_packet *p)
{
	struct hostile *h = userdata;

	if (control_is(SPAN(p->data, p->len)) && !from_broker(h, p)) {
		forge_one(h, p, true);
		forge_one(h, p, false);
	}
	forge_route(h, p);
	if (h->broker->broker)
		check_places(h);
	return true;
}

/* ---- the course of a test ---- */

static void everybody_dials(struct hostile *h)
{
	struct party *from[] = { h->operator[0], h->operator[1], h->stranger };
	struct call_options o = {
		.early = world_percent(h->w, 40), .direct = world_percent(h->w, 15), .exchanges = 2,
		.messages = 1 + (unsigned)world_below(h->w, 6), .long_messages = world_percent(h->w, 10),
	};

	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		(void)call_start(from[i], h->device[world_below(h->w, 2)], &o);
}

static struct hostile *begin(uint64_t seed, bool verbose)
{
	struct world_options o = {
		.seed = seed, .verbose = verbose, .brokers = 1, .devices = 2, .operators = 2, .strangers = 1, .latency = 10,
		.jitter = 5, .network = true, .slow_names = seed % 2,
	};
	struct hostile *h = calloc(1, sizeof *h);

	if (!h || world_new(&h->w, &o) < 0)
		abort();
	h->broker = party_of(h->w, PARTY_BROKER, 0);
	h->stranger = party_of(h->w, PARTY_STRANGER, 0);
	for (size_t i = 0; i < 2; i++) {
		h->device[i] = party_of(h->w, PARTY_DEVICE, i);
		h->operator[i] = party_of(h->w, PARTY_OPERATOR, i);
		party_subscribe(h->operator[i]);
	}
	if (!world_wait(h->w, world_all_registered, NULL, SECONDS(10)))
		world_fail(h->w, "not even registered");
	everybody_dials(h);             /* tickets */
	world_run(h->w, SECONDS(3));
	world_hang_up(h->w);
	return h;
}

static struct world *finish(struct hostile *h)
{
	struct world *w = h->w;

	w->hook = NULL;
	w->hostile = false;
	if (!h->did)
		world_fail(w, "nothing hostile was done");
	world_hang_up(w);
	world_must_recover(w);
	world_all_dial(w);
	world_end(w);
	free(h);
	return w;
}

static void attack(struct hostile *h, sim_tap_fn *fn)
{
	tstamp end = world_now(h->w) + SECONDS(ATTACK);

	h->w->hook = fn;
	h->w->hook_userdata = h;
	h->w->hostile = true;
	while (world_now(h->w) < end && !h->w->failed) {
		everybody_dials(h);
		world_run(h->w, MILLIS(500 + world_below(h->w, 4000)));
		if (world_percent(h->w, 30))
			world_hang_up(h->w);
		if (world_percent(h->w, 10))
			endpoint_republish(h->device[0]->endpoint);
	}
}

#define ATTACK(fn)                                                               \
	static void run_##fn(uint64_t seed, bool verbose, struct world **ret)    \
	{                                                                        \
		struct hostile *h = begin(seed, verbose);                        \
		attack(h, fn);                                                   \
		*ret = finish(h);                                                \
	}

ATTACK(drop)
ATTACK(repeat)
ATTACK(reorder)
ATTACK(redirect)
ATTACK(garbage)
ATTACK(hints)
ATTACK(stale)
ATTACK(forge)

/* Whoever dials is announced as operator 0; nobody but he may come through. */
static void run_lie(uint64_t seed, bool verbose, struct world **ret)
{
	struct hostile *h = begin(seed, verbose);
	uint64_t first = h->w->calls_len + 1;
	struct call *c;

	h->named = h->operator[0];
	attack(h, lie);
	list_for_each(c, &h->w->calls, entry)
		if (c->number >= first && c->from != h->named && c->ready && !c->options.direct)
			world_fail(h->w, "%s came through under the name of %s", c->from->name, h->named->name);
	*ret = finish(h);
}

const struct scenario hostile_scenarios[] = {
	{ "broker-drops", run_drop, true },
	{ "broker-repeats", run_repeat, true },
	{ "broker-reorders", run_reorder, true },
	{ "broker-redirects", run_redirect, true },
	{ "broker-lies-about-the-caller", run_lie, true },
	{ "garbage", run_garbage, true },
	{ "invented-hints", run_hints, true },
	{ "stale-keepalives", run_stale, true },
	{ "forged-control", run_forge, true },
	{},
};
