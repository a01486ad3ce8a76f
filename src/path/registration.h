/* A device's standing registration with one broker, without the network: a MACed
 * keep-alive holds the NAT open and the record alive; every fifth is answered. When
 * answers stay out, or the broker says it has forgotten, register again over QUIC.
 *
 * The interval adapts: a device whose address is the same from outside as from inside
 * has no NAT to hold and beats slowly; one whose outside port changed between two
 * answers beats faster. */
#pragma once

#include "base/time.h"
#include "path/control.h"

enum {
	REGISTRATION_ANSWER_EVERY = 5,
	REGISTRATION_INTERVAL_MIN = 5, REGISTRATION_INTERVAL_MAX = 600,         /* seconds */
};

enum registration_state { REGISTRATION_NONE, REGISTRATION_HELD, REGISTRATION_ASKING };

struct registration {
	enum registration_state state;
	struct token id;
	struct mac_key key;
	uint32_t seq, acked;
	tstamp interval, expiry;        /* call registration_expire() then */
	struct addr seen;               /* our address as the broker sees it */
	unsigned asked;                 /* unanswered in a row while ASKING */
};

enum registration_event { REGISTRATION_QUIET, REGISTRATION_LOST, REGISTRATION_IS_SUPERSEDED, REGISTRATION_MOVED };

/* After the broker's answer over QUIC. interval in seconds, clamped. local: our own
 * address on the socket (any: unknown). */
void registration_start(struct registration *r, const struct token *id, const struct mac_key *key,
			unsigned interval, const struct addr *seen, const struct addr *local, tstamp now);
void registration_stop(struct registration *r);

/* Writes the keep-alive that is due; 0 if none is. LOST may be reported. */
size_t registration_expire(struct registration *r, uint8_t out[static CONTROL_MAX],
			   enum registration_event *ret_event, tstamp now);
/* A control datagram of this registration (same id) from the broker's address:
 * verified here. */
enum registration_event registration_read(struct registration *r, struct span datagram,
					  const struct control *c, tstamp now);
size_t registration_bye(struct registration *r, uint8_t out[static CONTROL_MAX]);
