#include "path/registration.h"

enum { ASK_AGAIN = 3, ASKED_MAX = 4 };

static tstamp clamp_interval(tstamp v)
{
	return v < SECONDS(REGISTRATION_INTERVAL_MIN)   ? SECONDS(REGISTRATION_INTERVAL_MIN)
	       : v > SECONDS(REGISTRATION_INTERVAL_MAX) ? SECONDS(REGISTRATION_INTERVAL_MAX)
							: v;
}

void registration_start(struct registration *r, const struct token *id, const struct mac_key *key,
			unsigned interval, const struct addr *seen, const struct addr *local, tstamp now)
{
	*r = (struct registration){ .state = REGISTRATION_HELD, .id = *id, .key = *key, .seen = *seen };
	r->interval = clamp_interval(SECONDS(interval));
	/* no NAT between us: nothing but the record has to be kept alive */
	if (addr_equal(seen, local))
		r->interval = clamp_interval(2 * r->interval);
	r->expiry = now + r->interval;
}

void registration_stop(struct registration *r)
{
	wipe(&r->key, sizeof r->key);
	*r = (struct registration){ .expiry = TSTAMP_NEVER };
}

size_t registration_expire(struct registration *r, uint8_t out[static CONTROL_MAX],
			   enum registration_event *ret_event, tstamp now)
{
	*ret_event = REGISTRATION_QUIET;
	if (r->state == REGISTRATION_NONE || now < r->expiry)
		return 0;
	if (r->state == REGISTRATION_ASKING && r->asked++ >= ASKED_MAX) {
		registration_stop(r);
		*ret_event = REGISTRATION_LOST;
		return 0;
	}

	r->seq++;
	/* an answer is overdue: ask quickly, with numbers that are answered, until one comes or we give up */
	if (r->state == REGISTRATION_HELD && r->seq - r->acked > REGISTRATION_ANSWER_EVERY)
		r->state = REGISTRATION_ASKING;
	if (r->state == REGISTRATION_ASKING)
		r->seq += (REGISTRATION_ANSWER_EVERY - r->seq % REGISTRATION_ANSWER_EVERY) % REGISTRATION_ANSWER_EVERY;
	r->expiry = now + (r->state == REGISTRATION_ASKING ? SECONDS(ASK_AGAIN) : r->interval);

	struct control c = { .type = CONTROL_KEEPALIVE, .id = r->id, .seq = r->seq };
	return control_encode(out, &c, &r->key);
}

enum registration_event registration_read(struct registration *r, struct span datagram,
					  const struct control *c, tstamp now)
{
	if (r->state == REGISTRATION_NONE || memcmp(&c->id, &r->id, sizeof r->id))
		return REGISTRATION_QUIET;

	if (c->type == CONTROL_FORGOTTEN) {
		/* Only a hint, anyone could send it: it costs us one registration. */
		enum registration_event ev = c->verdict == CONTROL_SUPERSEDED ? REGISTRATION_IS_SUPERSEDED
									      : REGISTRATION_LOST;
		registration_stop(r);
		return ev;
	}
	if (c->type != CONTROL_KEEPALIVE_ACK || c->seq > r->seq || c->seq <= r->acked ||
	    !control_verify(datagram, &r->key))
		return REGISTRATION_QUIET;

	r->acked = c->seq;
	r->asked = 0;
	if (r->state == REGISTRATION_ASKING)
		r->expiry = now + r->interval;
	r->state = REGISTRATION_HELD;
	if (addr_equal(&r->seen, &c->seen))
		return REGISTRATION_QUIET;
	/* same address, other port: the NAT forgot us in between */
	if (!memcmp(r->seen.ip, c->seen.ip, sizeof r->seen.ip))
		r->interval = clamp_interval(r->interval / 2);
	r->seen = c->seen;
	return REGISTRATION_MOVED;
}

size_t registration_bye(struct registration *r, uint8_t out[static CONTROL_MAX])
{
	if (r->state == REGISTRATION_NONE)
		return 0;
	struct control c = { .type = CONTROL_BYE, .id = r->id, .seq = ++r->seq };
	return control_encode(out, &c, &r->key);
}
