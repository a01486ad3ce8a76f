#include <errno.h>

#include "base/err.h"
#include "broker/internal.h"

static tstamp idle_end(const struct route *r) { return r->used + SECONDS(BROKER_ROUTE_IDLE); }

struct route *relay_find(const struct broker *b, const struct token *to_device)
{
	struct route_side *side = map_get(&b->sides, to_device);

	return side && side == &side->route->to_device ? side->route : NULL;
}

void relay_free(struct broker *b, struct route *r)
{
	if (map_get(&b->sides, &r->to_device.token) == &r->to_device)
		map_del(&b->sides, &r->to_device.token);
	if (map_get(&b->sides, &r->to_caller.token) == &r->to_caller)
		map_del(&b->sides, &r->to_caller.token);
	if (r->record) {
		list_del(&r->of_record);
		r->record->routes_len--;
	}
	heap_del(&b->route_timers, &r->timer);
	wipe(&r->key, sizeof r->key);
	free(r);
}

static bool token_taken(struct broker *b, const struct token *t)
{
	for (size_t i = 0; i < b->listeners_len; i++)
		if (switchboard_has(b->listeners[i].sb, t))
			return true;
	return map_get(&b->sides, t);
}

/* A place for one more route. Who calls often leaves routes behind that nobody uses any
 * more: the quietest gives way. A caller's own does so at once, so that a script may call
 * as fast as it likes; another's only when it has been quiet for a while. */
static int make_room(struct broker *b, struct record *record, const struct identity *caller)
{
	struct route *r, *quietest = NULL, *own = NULL;
	unsigned n = 0;

	list_for_each(r, &record->routes, of_record) {
		if (!quietest || r->used < quietest->used)
			quietest = r;
		if (!identity_equal(&r->caller_id, caller))
			continue;
		n++;
		if (!own || r->used < own->used)
			own = r;
	}
	if (n >= BROKER_ROUTES_PER_CALLER) {
		relay_free(b, own);
		return 0;
	}
	if (record->routes_len < BROKER_ROUTES_PER_DEVICE)
		return b->sides.len / 2 < BROKER_ROUTES_MAX ? 0 : ERR_LIMIT;
	if (broker_now(b) - quietest->used < SECONDS(BROKER_ROUTE_QUIET))
		return ERR_LIMIT;
	relay_free(b, quietest);
	return 0;
}

int relay_add(struct broker *b, struct record *record, const struct identity *caller, const struct addr *caller_addr,
	      struct listener *caller_via, const struct token *to_device, const struct token *to_caller,
	      struct route **ret)
{
	struct route *r = relay_find(b, to_device);

	/* the same caller asks again for what it has: after a restart of its request */
	if (r && identity_equal(&r->caller_id, caller) && !memcmp(&r->to_caller.token, to_caller, sizeof *to_caller)) {
		r->caller = *caller_addr;
		r->caller_via = caller_via;
		*ret = r;
		return 0;
	}
	if (token_taken(b, to_device) || token_taken(b, to_caller) || !memcmp(to_device, to_caller, sizeof *to_caller))
		return ERR_EXISTS;
	int err = make_room(b, record, caller);
	if (err < 0)
		return err;

	r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	*r = (struct route){
		.to_device = { *to_device, r }, .to_caller = { *to_caller, r }, .record = record,
		.device = record->addr, .caller = *caller_addr, .device_via = record->via, .caller_via = caller_via,
		.caller_id = *caller, .used = broker_now(b), .filled = broker_now(b), .allowance = b->config.route_rate,
	};
	random_bytes(&r->key, sizeof r->key);
	list_init(&r->of_record);
	list_add_tail(&record->routes, &r->of_record);
	record->routes_len++;

	err = map_put(&b->sides, &r->to_device);
	if (err >= 0)
		err = map_put(&b->sides, &r->to_caller);
	if (err >= 0)
		err = heap_set(&b->route_timers, &r->timer, idle_end(r));
	if (err < 0) {
		relay_free(b, r);
		return err;
	}
	broker_arm(b);
	*ret = r;
	return 0;
}

/* A bucket of one second of the route's rate. */
static bool within_rate(struct broker *b, struct route *r, size_t n, tstamp now)
{
	uint64_t rate = b->config.route_rate;
	tstamp passed = MIN(now - r->filled, SECONDS(1));

	r->allowance = MIN(rate, r->allowance + (uint64_t)((double)passed * 1e-9 * (double)rate));
	r->filled = now;
	if (r->allowance < n)
		return false;
	r->allowance -= n;
	return true;
}

/* Until the device has answered, the caller's attested name goes before each packet: a
 * lost knock is made up by the caller's own retransmission. */
static void knock(struct broker *b, struct route *r)
{
	uint8_t out[CONTROL_MAX];

	if (!r->record)
		return;
	struct control c = { .type = CONTROL_KNOCK, .id = r->record->id, .seq = ++r->record->knock_seq,
			     .route = r->to_device.token, .back = r->to_caller.token, .caller = r->caller_id };
	b->stats.knocks++;
	switchboard_send(r->device_via->sb, &r->device, SPAN(out, control_encode(out, &c, &r->record->key)));
}

/* Packets of one token, from its side of the route only. */
static void forward_run(struct broker *b, struct route_side *side, struct listener *via, const struct addr *from,
			struct span data, size_t seg_len)
{
	struct route *r = side->route;
	bool to_device = side == &r->to_device;
	tstamp now = broker_now(b);
	size_t packets = (data.len + seg_len - 1) / seg_len;

	if (r->record) {                /* the device may have moved */
		r->device = r->record->addr;
		r->device_via = r->record->via;
	}
	if (!addr_equal(from, to_device ? &r->caller : &r->device) || via != (to_device ? r->caller_via : r->device_via) ||
	    !within_rate(b, r, data.len, now)) {
		b->stats.dropped_packets += packets;
		return;
	}
	r->used = now;
	if (to_device && !r->open)
		knock(b, r);
	if (!to_device)
		r->open = true;
	b->stats.forwarded_packets += packets;
	b->stats.forwarded_bytes += data.len;
	struct listener *out = to_device ? r->device_via : r->caller_via;
	udp_queue(switchboard_udp(out->sb), to_device ? &r->device : &r->caller, data, seg_len);
}

/* A coalesced buffer has one sender, but may carry packets of several routes: each run of
 * one token goes out as it came in. */
bool relay_forward(struct broker *b, struct listener *via, const struct addr *from, struct span data, size_t seg_len)
{
	struct token first, next;

	if (!b->sides.len || transport_peek(&first, span_first(data, seg_len)) < 0)
		return false;
	struct route_side *side = map_get(&b->sides, &first);
	if (!side)
		return false;

	while (data.len) {
		size_t run = MIN(seg_len, data.len);
		while (run < data.len && transport_peek(&next, span_first(span_from(data, run), seg_len)) >= 0 &&
		       !memcmp(&next, &first, sizeof next))
			run += MIN(seg_len, data.len - run);
		if (side)
			forward_run(b, side, via, from, span_first(data, run), seg_len);
		data = span_from(data, run);
		if (data.len && transport_peek(&first, span_first(data, seg_len)) >= 0)
			side = map_get(&b->sides, &first);
		else
			side = NULL;
	}
	return true;
}

void relay_control(struct broker *b, const struct addr *from, struct listener *via, struct span datagram,
		   const struct control *c)
{
	struct route *r = relay_find(b, &c->id);
	uint8_t out[CONTROL_MAX];

	if (!r) {
		struct control gone = { .type = CONTROL_ROUTE_GONE, .id = c->id };
		if (broker_may_hint(b))
			switchboard_send(via->sb, from, SPAN(out, control_encode(out, &gone, NULL)));
		return;
	}
	if (!control_verify(datagram, &r->key) || c->seq <= r->seq)
		return;
	r->seq = c->seq;
	r->caller = *from;
	r->caller_via = via;
	r->used = broker_now(b);
	struct control ack = { .type = CONTROL_ROUTE_ACK, .id = c->id, .seq = c->seq, .seen = *from };
	switchboard_send(via->sb, from, SPAN(out, control_encode(out, &ack, &r->key)));
}

void relay_refused(struct broker *b, const struct token *to_device, const struct record *by)
{
	struct route *r = relay_find(b, to_device);

	if (!r || r->record != by || r->open)
		return;
	b->stats.refused++;
	if (r->refused)
		r->refused(r->userdata);
}

void relay_expire(struct broker *b, tstamp now)
{
	struct heap_node *n;

	while ((n = heap_min(&b->route_timers)) && n->at <= now) {
		struct route *r = container_of(n, struct route, timer);
		if (idle_end(r) <= now || heap_set(&b->route_timers, n, idle_end(r)) < 0)
			relay_free(b, r);
	}
}
