#include "path/control.h"

#include "base/err.h"

/* The fields of a message after its type byte, in this order. */
enum field { F_ID = 1, F_SEQ = 2, F_ROUTE = 4, F_BACK = 8, F_CALLER = 16, F_VERDICT = 32, F_SEEN = 64, F_MAC = 128 };

static const uint8_t layouts[_CONTROL_TYPE_MAX] = {
	[CONTROL_KEEPALIVE] = F_ID | F_SEQ | F_MAC,
	[CONTROL_KEEPALIVE_ACK] = F_ID | F_SEQ | F_SEEN | F_MAC,
	[CONTROL_FORGOTTEN] = F_ID | F_VERDICT,
	[CONTROL_BYE] = F_ID | F_SEQ | F_MAC,
	[CONTROL_KNOCK] = F_ID | F_SEQ | F_ROUTE | F_BACK | F_CALLER | F_MAC,
	[CONTROL_KNOCK_ANSWER] = F_ID | F_SEQ | F_ROUTE | F_VERDICT | F_MAC,
	[CONTROL_ROUTE_KEEPALIVE] = F_ID | F_SEQ | F_MAC,
	[CONTROL_ROUTE_ACK] = F_ID | F_SEQ | F_SEEN | F_MAC,
	[CONTROL_ROUTE_GONE] = F_ID,
};

static const char purpose[] = "carrier control v1";

static void put(uint8_t **p, const void *src, size_t n)
{
	memcpy(*p, src, n);
	*p += n;
}

static void put_be(uint8_t **p, uint64_t v, int bytes)
{
	while (bytes--)
		*(*p)++ = (uint8_t)(v >> (8 * bytes));
}

size_t control_encode(uint8_t out[static CONTROL_MAX], const struct control *c, const struct mac_key *key)
{
	uint8_t layout = layouts[c->type], *p = out;

	*p++ = (uint8_t)c->type;
	if (layout & F_ID)
		put(&p, c->id.b, sizeof c->id.b);
	if (layout & F_SEQ)
		put_be(&p, c->seq, 4);
	if (layout & F_ROUTE)
		put(&p, c->route.b, sizeof c->route.b);
	if (layout & F_BACK)
		put(&p, c->back.b, sizeof c->back.b);
	if (layout & F_CALLER)
		put(&p, c->caller.key, sizeof c->caller.key);
	if (layout & F_VERDICT)
		*p++ = c->verdict;
	if (layout & F_SEEN) {
		put(&p, c->seen.ip, sizeof c->seen.ip);
		put_be(&p, c->seen.port, 2);
	}
	if (layout & F_MAC) {
		mac(p, key, purpose, SPAN(out, (size_t)(p - out)));
		p += MAC_LEN;
	}
	return (size_t)(p - out);
}

struct cursor {
	struct span in;
	bool bad;
};

static void get(struct cursor *c, void *dst, size_t n)
{
	if (c->in.len < n) {
		c->bad = true;
		memset(dst, 0, n);
		return;
	}
	memcpy(dst, c->in.data, n);
	c->in = span_from(c->in, n);
}

static uint32_t get_be(struct cursor *c, size_t n)
{
	uint8_t b[4] = {};
	uint32_t v = 0;

	get(c, b, n);
	for (size_t i = 0; i < n; i++)
		v = v << 8 | b[i];
	return v;
}

int control_decode(struct control *ret, struct span d)
{
	struct cursor in = { .in = span_from(d, 1) };
	struct control c = {};
	uint8_t tag[MAC_LEN];

	if (!control_is(d) || !layouts[d.data[0]])
		return ERR_PARSE;
	c.type = d.data[0];
	uint8_t layout = layouts[c.type];
	if (layout & F_ID)
		get(&in, c.id.b, sizeof c.id.b);
	if (layout & F_SEQ)
		c.seq = get_be(&in, 4);
	if (layout & F_ROUTE)
		get(&in, c.route.b, sizeof c.route.b);
	if (layout & F_BACK)
		get(&in, c.back.b, sizeof c.back.b);
	if (layout & F_CALLER)
		get(&in, c.caller.key, sizeof c.caller.key);
	if (layout & F_VERDICT)
		get(&in, &c.verdict, 1);
	if (layout & F_SEEN) {
		get(&in, c.seen.ip, sizeof c.seen.ip);
		c.seen.port = (uint16_t)get_be(&in, 2);
	}
	if (layout & F_MAC)
		get(&in, tag, sizeof tag);
	if (in.bad || in.in.len)
		return ERR_PARSE;
	*ret = c;
	return 0;
}

bool control_verify(struct span d, const struct mac_key *key)
{
	return d.len > MAC_LEN &&
	       mac_ok(d.data + d.len - MAC_LEN, key, purpose, span_first(d, d.len - MAC_LEN));
}
