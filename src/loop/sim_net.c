/* The network between the hosts: routes, links, the fate of each datagram. */
#include "loop/sim_internal.h"

#include <errno.h>

#include "base/err.h"

enum {
	HEADERS_V4 = 28, HEADERS_V6 = 48,       /* IP and UDP */
	TAP_SPARE = 2048,
};

/* ---- links ---- */

void sim_link_default(struct sim *s, const struct sim_link *link)
{
	s->link = *link;
}

static struct sim_pair *pair_get(struct sim_host *from, const struct sim_host *to)
{
	if (to->index >= from->out_len) {
		size_t len = from->sim->hosts_len;
		struct sim_pair **out = reallocarray(from->out, len, sizeof(*out));

		if (!out)
			return NULL;
		for (size_t i = from->out_len; i < len; i++)
			out[i] = NULL;
		from->out = out;
		from->out_len = len;
	}
	if (!from->out[to->index])
		from->out[to->index] = calloc(1, sizeof(struct sim_pair));
	return from->out[to->index];
}

int sim_link(struct sim_host *from, struct sim_host *to, const struct sim_link *link)
{
	struct sim_pair *p = pair_get(from, to);

	if (!p)
		return -ENOMEM;
	p->own = true;
	p->link = *link;
	return 0;
}

int sim_link_both(struct sim_host *a, struct sim_host *b, const struct sim_link *link)
{
	int err = sim_link(a, b, link);

	return err < 0 ? err : sim_link(b, a, link);
}

static int part(struct sim_host *from, struct sim_host *to, bool parted)
{
	struct sim_pair *p = pair_get(from, to);

	if (!p)
		return -ENOMEM;
	if (!p->own)
		p->link = from->sim->link;
	p->own = true;
	p->link.down = parted;
	return 0;
}

int sim_partition(struct sim_host *a, struct sim_host *b, bool parted)
{
	int err = part(a, b, parted);

	return err < 0 ? err : part(b, a, parted);
}

/* ---- routes ---- */

/* IPv4: within one realm (a NAT's network, or NULL for the open one). IPv6 is
 * the same everywhere. */
static struct sim_host *find_host(struct sim *s, const struct sim_nat *realm, const struct addr *a)
{
	struct sim_host *h;

	list_for_each(h, &s->hosts, by_sim)
		if ((h->nat == realm || !addr_is_v4(a)) && sim_host_has(h, a))
			return h;
	return NULL;
}

static struct sim_nat *find_nat(struct sim *s, const struct addr *a)
{
	struct sim_nat *n;

	list_for_each(n, &s->nats, by_sim)
		if (!memcmp(n->ip.ip, a->ip, sizeof a->ip))
			return n;
	return NULL;
}

/* Whose link a packet to this address uses: a guess, since a NAT decides only
 * when the packet gets there. NULL: nobody's. */
static struct sim_host *guess_host(struct sim *s, const struct sim_nat *realm, const struct addr *to)
{
	struct sim_host *h = find_host(s, realm, to);
	struct sim_nat *nat = h || realm ? NULL : find_nat(s, to);
	struct addr inner;

	if (nat && sim_nat_peek(nat, to->port, &inner))
		h = find_host(s, nat, &inner);
	return h;
}

/* ---- arrival ---- */

static void flight_drop(struct sim_event *e)
{
	free(container_of(e, struct sim_flight, event));
}

static struct sim_host *arrive_at(struct sim_flight *f)
{
	struct sim_host *h;
	struct sim_nat *nat;
	struct addr inner;

	if (f->self)
		return f->self;
	h = find_host(f->sim, f->realm, &f->to);
	if (h || f->realm)
		return h;
	nat = find_nat(f->sim, &f->to);
	if (!nat || !sim_nat_in(nat, &f->from, f->to.port, &inner))
		return NULL;
	f->to = inner;
	return find_host(f->sim, nat, &inner);
}

static void flight_arrive(struct sim_event *e)
{
	struct sim_flight *f = container_of(e, struct sim_flight, event);
	struct sim *s = f->sim;
	struct sim_host *h = arrive_at(f), *sender = f->sender;

	sim_mix(s, h ? h->index : ~0u);
	sim_mix_bytes(s, SPAN(f->data, f->len));
	if (h && sim_socket_deliver(h, f))
		return;
	if (sender)
		sender->counters.lost++;
	free(f);
}

/* ---- sending ---- */

/* What all packets of one batch have in common. */
struct path {
	struct sim *sim;
	struct sim_host *sender, *self;
	struct sim_nat *realm;
	struct addr from, to;
	uint64_t jitter;                /* a random number, scaled by the link */
};

static int launch(const struct path *p, struct span data, tstamp at)
{
	struct sim_flight *f = malloc(sizeof *f + data.len);
	int err;

	if (!f)
		return -ENOMEM;
	*f = (struct sim_flight){
		.event = { .tag = 3, .run = flight_arrive, .drop = flight_drop },
		.sim = p->sim, .sender = p->sender, .self = p->self, .realm = p->realm,
		.from = p->from, .to = p->to, .len = data.len,
	};
	list_init(&f->node);
	memcpy(f->data, data.data, data.len);
	err = sim_queue_set(&p->sim->queue, &f->event, at);
	if (err < 0)
		free(f);
	return err;
}

/* When the last byte has left the sender; TSTAMP_NEVER: the queue is too long. */
static tstamp serialize(const struct sim_link *link, struct sim_pair *pair, tstamp now, size_t ip_len)
{
	tstamp queue = link->queue ? link->queue : MILLIS(100);
	tstamp start = MAX(now, pair->busy_until);

	if (!link->rate)
		return now;
	if (start - now > queue)
		return TSTAMP_NEVER;
	pair->busy_until = start + ip_len * SECONDS(1) / link->rate;
	return pair->busy_until;
}

/* false: lost. */
static bool cross(const struct path *p, struct sim_pair *pair, struct span data)
{
	const struct sim_link *link = pair && pair->own ? &pair->link : &p->sim->link;
	size_t ip_len = data.len + (addr_is_v4(&p->to) ? HEADERS_V4 : HEADERS_V6);
	struct sim_pair nobody = {};
	struct sim *s = p->sim;
	tstamp at;

	pair = pair ? pair : &nobody;
	if (link->down || ip_len > (link->mtu ? link->mtu : SIM_MTU) || sim_chance(s, link->loss))
		return false;
	at = serialize(link, pair, s->now, ip_len);
	if (at == TSTAMP_NEVER)
		return false;
	at += link->latency + (link->jitter ? p->jitter % link->jitter : 0);

	if (sim_chance(s, link->reorder)) {
		at += 1 + sim_below(s, MILLIS(1) + link->jitter + link->latency / 2);
	} else {
		at = MAX(at, pair->last_arrival);
		pair->last_arrival = at;
	}
	if (sim_chance(s, link->duplicate) && launch(p, data, at + sim_below(s, MILLIS(1))) < 0)
		return false;
	return launch(p, data, at) >= 0;
}

/* The tap may turn the packet into another one, for somebody else. */
static bool tap_and_cross(struct path *p, struct sim_pair *pair, struct span data)
{
	struct sim *s = p->sim;
	size_t cap = MAX(data.len, (size_t)TAP_SPARE);
	_cleanup_free_ uint8_t *copy = malloc(cap);
	struct sim_packet packet = { .from = p->from, .to = p->to, .data = copy, .len = data.len, .cap = cap };

	if (!copy)
		return false;
	memcpy(copy, data.data, data.len);
	if (!s->tap(s->tap_userdata, &packet))
		return false;
	if (!addr_equal(&packet.to, &p->to)) {
		struct sim_host *h = guess_host(s, p->realm, &packet.to);

		pair = h ? pair_get(p->sender, h) : NULL;
	}
	p->from = packet.from;
	p->to = packet.to;
	return cross(p, pair, SPAN(copy, MIN(packet.len, cap)));
}

/* Chooses between this host, its LAN and the open network behind its NAT. */
static bool route(struct path *p, struct sim_host *h, const struct addr *from, const struct addr *to)
{
	*p = (struct path){ .sim = h->sim, .sender = h, .from = *from, .to = *to,
			    .jitter = sim_random(h->sim) };
	if (addr_is_loopback(to) || sim_host_has(h, to)) {
		p->self = h;
		return true;
	}
	if (!h->nat || !addr_is_v4(to))
		return true;
	if (find_host(h->sim, h->nat, to)) {
		p->realm = h->nat;
		return true;
	}
	if (!h->nat->hairpin && find_nat(h->sim, to) == h->nat)
		return false;
	return sim_nat_out(h->nat, from, to, &p->from) >= 0;
}

int sim_net_send(struct sim_host *h, const struct addr *from, const struct addr *to, struct span data,
		 size_t seg)
{
	struct sim *s = h->sim;
	struct sim_pair *pair = NULL;
	struct sim_host *target;
	struct path p;
	bool routed = route(&p, h, from, to);

	if (routed && !p.self && (target = guess_host(s, p.realm, to)))
		pair = pair_get(h, target);
	for (; data.len; data = span_from(data, seg)) {
		struct span packet = span_first(data, seg);
		struct path one = p;
		bool gone;

		h->counters.tx_packets++;
		h->counters.tx_bytes += packet.len;
		if (!routed)
			gone = false;
		else if (p.self)
			gone = launch(&one, packet, s->now + MICROS(10)) >= 0;
		else
			gone = s->tap ? tap_and_cross(&one, pair, packet) : cross(&one, pair, packet);
		h->counters.lost += !gone;
	}
	return 0;
}

/* ---- the hostile network ---- */

void sim_set_tap(struct sim *s, sim_tap_fn *fn, void *userdata)
{
	s->tap = fn;
	s->tap_userdata = userdata;
}

int sim_inject(struct sim *s, const struct addr *from, const struct addr *to, struct span data)
{
	struct path p = { .sim = s, .from = *from, .to = *to };

	if (!data.len)
		return -EINVAL;
	return launch(&p, data, s->now + s->link.latency);
}
