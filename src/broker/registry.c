#include <errno.h>

#include "base/err.h"
#include "broker/internal.h"
#include "path/registration.h"

tstamp registry_ttl(const struct broker *b)
{
	return SECONDS(b->config.keepalive) * BROKER_MISSED_BEATS * 2 + SECONDS(5);
}

struct record *registry_find(const struct broker *b, const struct identity *who)
{
	return map_get(&b->by_identity, who);
}

/* ---- records ---- */

static struct record *record_new(struct record_pool *p)
{
	struct record *r = list_first(&p->unused, struct record, memberships);

	if (r) {
		list_del(&r->memberships);
	} else {
		if (!p->fresh) {
			struct record_slab *s = malloc(sizeof *s);
			if (!s)
				return NULL;
			s->next = p->slabs;
			p->slabs = s;
			p->fresh = RECORDS_PER_SLAB;
		}
		r = &p->slabs->records[RECORDS_PER_SLAB - p->fresh--];
	}
	*r = (struct record){};
	list_init(&r->memberships);
	list_init(&r->routes);
	return r;
}

static void record_free(struct record_pool *p, struct record *r)
{
	wipe(r, sizeof *r);
	list_add_tail(&p->unused, &r->memberships);
}

void record_pool_done(struct record_pool *p)
{
	while (p->slabs) {
		struct record_slab *s = p->slabs;
		p->slabs = s->next;
		free(s);
	}
}

static void drop(struct broker *b, struct record *r)
{
	struct route *route;

	list_for_each(route, &r->routes, of_record) {
		list_del(&route->of_record);
		route->record = NULL;
	}
	if (map_get(&b->by_id, &r->id) == r)
		map_del(&b->by_id, &r->id);
	if (map_get(&b->by_identity, &r->who) == r)
		map_del(&b->by_identity, &r->who);
	heap_del(&b->timers, &r->timer);
	record_free(&b->pool, r);
}

void registry_remove(struct broker *b, struct record *r)
{
	network_leave_all(b, r);
	drop(b, r);
}

static void supersede(struct broker *b, struct record *old, struct record *r)
{
	network_inherit(r, old);
	b->superseded[b->superseded_next] = old->id;
	b->superseded_next = (b->superseded_next + 1) % ARRAY_LEN(b->superseded);
	drop(b, old);
}

int registry_add(struct broker *b, const struct identity *who, const struct addr *addr, struct listener *via,
		 struct record **ret)
{
	struct record *old = registry_find(b, who);

	if (!old && b->by_identity.len >= BROKER_RECORDS_MAX)
		return ERR_LIMIT;
	struct record *r = record_new(&b->pool);
	if (!r)
		return -ENOMEM;
	r->who = *who;
	r->addr = *addr;
	r->via = via;
	r->heard = broker_now(b);
	random_bytes(&r->id, sizeof r->id);
	random_bytes(&r->key, sizeof r->key);
	if (old)
		supersede(b, old, r);

	int err = map_put(&b->by_id, r);
	if (err >= 0)
		err = map_put(&b->by_identity, r);
	if (err >= 0)
		err = heap_set(&b->timers, &r->timer, r->heard + registry_ttl(b));
	if (err < 0) {
		registry_remove(b, r);
		return err;
	}
	broker_arm(b);
	*ret = r;
	return 0;
}

static void send_control(struct listener *via, const struct addr *to, const struct control *c, const struct mac_key *key)
{
	uint8_t out[CONTROL_MAX];

	switchboard_send(via->sb, to, SPAN(out, control_encode(out, c, key)));
}

static void forgotten(struct broker *b, struct listener *via, const struct addr *from, const struct token *id)
{
	struct control no = { .type = CONTROL_FORGOTTEN, .id = *id, .verdict = CONTROL_UNKNOWN };

	if (!broker_may_hint(b))
		return;
	for (size_t i = 0; i < ARRAY_LEN(b->superseded); i++)
		if (!memcmp(&b->superseded[i], id, sizeof *id))
			no.verdict = CONTROL_SUPERSEDED;
	send_control(via, from, &no, NULL);
}

/* The record follows the address of the newest keep-alive; an old one, repeated from
 * somewhere else, moves nothing. The record's end is only looked at when its old time
 * is up, so that a keep-alive touches no heap. */
static void keepalive(struct broker *b, struct record *r, struct listener *via, const struct addr *from,
		      const struct control *c)
{
	if (c->seq <= r->seq)
		return;
	r->seq = c->seq;
	r->addr = *from;
	r->via = via;
	r->heard = broker_now(b);
	if (c->seq % REGISTRATION_ANSWER_EVERY == 0) {
		struct control ack = { .type = CONTROL_KEEPALIVE_ACK, .id = r->id, .seq = c->seq, .seen = *from };
		send_control(via, from, &ack, &r->key);
	}
}

void registry_control(struct broker *b, struct listener *via, const struct addr *from, struct span datagram,
		      const struct control *c)
{
	struct record *r = map_get(&b->by_id, &c->id);

	if (!r) {
		if (c->type == CONTROL_KEEPALIVE)
			forgotten(b, via, from, &c->id);
		return;
	}
	if (!control_verify(datagram, &r->key))
		return;
	switch (c->type) {
	case CONTROL_KEEPALIVE:
		keepalive(b, r, via, from, c);
		break;
	case CONTROL_BYE:
		if (c->seq > r->seq)
			registry_remove(b, r);
		break;
	case CONTROL_KNOCK_ANSWER:
		if (c->verdict == CONTROL_REFUSED)
			relay_refused(b, &c->route, r);
		break;
	default:
		break;
	}
}

void registry_expire(struct broker *b, tstamp now)
{
	struct heap_node *n;

	while ((n = heap_min(&b->timers)) && n->at <= now) {
		struct record *r = container_of(n, struct record, timer);
		tstamp end = r->heard + registry_ttl(b);
		if (end <= now || heap_set(&b->timers, &r->timer, end) < 0)
			registry_remove(b, r);
	}
}
