/* Who may begin: knocks that the broker or the caller himself brought, and the Initials
 * that follow them. An Initial without a knock costs nothing but a look-up. */
#include "base/err.h"
#include "endpoint/internal.h"

bool endpoint_admits(struct endpoint *e, const struct identity *who)
{
	return e->config.admit && e->config.admit(e->config.userdata, who);
}

void endpoint_expect(struct endpoint *e, const struct token *t, const struct identity *caller)
{
	tstamp until = loop_now(e->config.loop) + SECONDS(PENDING_KNOCK_TIME);

	if (switchboard_has(e->sb, t))
		return;
	for (size_t i = 0; i < PENDING_KNOCKS_MAX; i++)
		if (!memcmp(&e->pending[i].token, t, sizeof *t)) {
			e->pending[i].until = until;    /* the knock is repeated until we answer */
			e->pending[i].caller = *caller;
			return;
		}
	e->pending[e->pending_next] = (struct pending_knock){ .token = *t, .caller = *caller, .until = until };
	e->pending_next = (e->pending_next + 1) % PENDING_KNOCKS_MAX;
}

int endpoint_accept_initial(struct endpoint *e, const struct token *t, struct conn_accept *ret)
{
	for (size_t i = 0; i < PENDING_KNOCKS_MAX; i++) {
		struct pending_knock *k = &e->pending[i];
		if (!k->until || memcmp(&k->token, t, sizeof *t))
			continue;
		/* it stays until its time is over: a damaged Initial may be followed by a good one */
		if (k->until < loop_now(e->config.loop))
			return ERR_TIMEOUT;
		ret->alpn = TRANSPORT_ALPN_PEER;
		ret->expect_peer = true;
		ret->peer = k->caller;
		return 0;
	}
	return ERR_UNKNOWN;
}

/* The first agreement is what a stranger can cost us; a budget bounds how often. */
static bool within_budget(struct endpoint *e)
{
	tstamp now = loop_now(e->config.loop);

	if (now - e->knocks_since >= SECONDS(1)) {
		e->knocks_since = now;
		e->knocks = 0;
	}
	return e->knocks++ < DIRECT_KNOCKS_PER_SECOND;
}

static void read_direct_knock(struct endpoint *e, struct span datagram)
{
	struct knock k;

	if (!e->config.admit || datagram.len != KNOCK_LEN || !within_budget(e))
		return;
	if (knock_open(&k, datagram, e->config.vault, &e->seen) < 0)
		return;
	if (!endpoint_admits(e, &k.caller) || knock_prove(&k, datagram, e->config.vault) < 0) {
		e->refused++;
		return;
	}
	endpoint_expect(e, &k.token, &k.caller);
}

bool endpoint_accept_control(struct endpoint *e, const struct addr *from, struct span datagram)
{
	struct control c;

	if (!control_is(datagram))
		return false;
	if (datagram.data[0] == CONTROL_DIRECT_KNOCK) {
		read_direct_knock(e, datagram);
		return true;
	}
	if (control_decode(&c, datagram) < 0)
		return true;
	if (c.type == CONTROL_ROUTE_ACK || c.type == CONTROL_ROUTE_GONE) {
		endpoint_route_control(e, from, datagram, &c);
		return true;
	}
	for (size_t i = 0; i < e->config.brokers_len; i++)
		if (e->publications[i] && publication_read(e->publications[i], from, datagram, &c))
			break;
	return true;
}
