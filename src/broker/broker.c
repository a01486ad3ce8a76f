#include "broker/broker.h"

#include <errno.h>

#include "base/err.h"
#include "broker/internal.h"
#include "path/token.h"

enum { KEEPALIVE_DEFAULT = 25, ROUTE_RATE_DEFAULT = 100000000, HINTS_PER_SECOND = 1000 };

tstamp broker_now(const struct broker *b) { return loop_now(b->config.loop); }

bool broker_may_hint(struct broker *b)
{
	tstamp now = broker_now(b);

	if (now - b->hints_since >= SECONDS(1)) {
		b->hints_since = now;
		b->hints = 0;
	}
	return b->hints++ < HINTS_PER_SECOND;
}

void broker_arm(struct broker *b)
{
	struct heap_node *n = heap_min(&b->timers), *m = heap_min(&b->route_timers);
	tstamp at = MIN(n ? n->at : TSTAMP_NEVER, m ? m->at : TSTAMP_NEVER);

	if (source_arm(b->timer, at) < 0)
		log_to(b->config.log, LOG_ERROR, "broker", "out of memory: records will not expire");
}

static void on_timer(void *userdata, tstamp now)
{
	struct broker *b = userdata;

	registry_expire(b, now);
	relay_expire(b, now);
	broker_arm(b);
}

/* ---- the socket ---- */

static void on_control(struct listener *via, const struct addr *from, struct span datagram)
{
	struct control c;

	if (control_decode(&c, datagram) < 0)
		return;
	if (c.type == CONTROL_ROUTE_KEEPALIVE)
		relay_control(via->broker, from, via, datagram, &c);
	else
		registry_control(via->broker, via, from, datagram, &c);
}

static bool on_raw(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	struct listener *via = userdata;

	if (!control_is(data))
		return relay_forward(via->broker, via, from, data, seg_len);
	for (; data.len; data = span_from(data, seg_len))
		on_control(via, from, span_first(data, seg_len));
	return true;
}

static void on_turn(void *userdata)
{
	struct broker *b = ((struct listener *)userdata)->broker;

	for (size_t i = 0; i < b->listeners_len; i++)
		udp_flush(switchboard_udp(b->listeners[i].sb));
}

static int on_accept(void *userdata, const struct addr *from, const struct token *token, struct conn_accept *ret)
{
	(void)from;
	if (token_kind(token) != TOKEN_BROKER)
		return ERR_UNKNOWN;     /* for a device that is not here */
	*ret = (struct conn_accept){ .alpn = TRANSPORT_ALPN_BROKER, .ops = &broker_conn_ops, .userdata = userdata };
	return 0;
}

int broker_listen(struct broker *b, const struct addr *at, int fd, struct addr *ret_addr)
{
	if (b->listeners_len >= BROKER_LISTEN_MAX)
		return ERR_LIMIT;
	struct listener *l = &b->listeners[b->listeners_len];
	struct switchboard_config config = {
		.loop = b->config.loop, .bind = *at, .fd = fd, .vault = b->config.vault,
		.raw = on_raw, .accept = on_accept, .turn = on_turn, .userdata = l,
	};

	l->broker = b;
	int err = switchboard_new(&l->sb, &config);
	if (err < 0)
		return err;
	b->listeners_len++;
	return ret_addr ? switchboard_addr(l->sb, ret_addr) : 0;
}

/* ---- life ---- */

struct allowed {
	struct identity id;
};

int broker_new(struct broker **ret, const struct broker_config *config)
{
	_cleanup_(broker_freep) struct broker *b = calloc(1, sizeof *b);
	uint64_t seed[2];

	if (!b)
		return -ENOMEM;
	b->config = *config;
	b->config.keepalive = config->keepalive ?: KEEPALIVE_DEFAULT;
	b->config.route_rate = config->route_rate ?: ROUTE_RATE_DEFAULT;
	list_init(&b->pool.unused);
	random_bytes(seed, sizeof seed);
	map_init(&b->by_id, offsetof(struct record, id), sizeof(struct token), seed);
	map_init(&b->by_identity, offsetof(struct record, who), sizeof(struct identity), seed);
	map_init(&b->sides, offsetof(struct route_side, token), sizeof(struct token), seed);
	map_init(&b->networks, offsetof(struct network, address), sizeof(struct network_address), seed);
	map_init(&b->allow, 0, sizeof(struct identity), seed);
	for (size_t i = 0; i < config->allow_len; i++) {
		/* the map only reads its values' keys */
		int err = map_put(&b->allow, (void *)(uintptr_t)&config->allow[i]);
		if (err < 0 && err != -EEXIST)
			return err;
	}
	int err = loop_add_timer(config->loop, &b->timer, on_timer, b);
	if (err < 0)
		return err;
	*ret = take(b);
	return 0;
}

void broker_free(struct broker *b)
{
	struct route_side *side;
	struct record *r;

	if (!b)
		return;
	for (size_t i = 0; i < b->listeners_len; i++)
		switchboard_free(b->listeners[i].sb);
	for (size_t at = 0; (side = map_next(&b->sides, &at)); at = 0)
		relay_free(b, side->route);
	for (size_t at = 0; (r = map_next(&b->by_identity, &at)); at = 0)
		registry_remove(b, r);
	source_free(b->timer);
	map_done(&b->by_id);
	map_done(&b->by_identity);
	map_done(&b->sides);
	map_done(&b->networks);
	map_done(&b->allow);
	heap_done(&b->timers);
	heap_done(&b->route_timers);
	record_pool_done(&b->pool);
	free(b);
}

void broker_get_stats(const struct broker *b, struct broker_stats *ret)
{
	*ret = b->stats;
	ret->records = b->by_identity.len;
	ret->routes = b->sides.len / 2;
	ret->networks = b->networks.len;
	ret->subscribers = b->subscribers;
	for (size_t i = 0; i < b->listeners_len; i++)
		ret->connections += switchboard_len(b->listeners[i].sb);
}
