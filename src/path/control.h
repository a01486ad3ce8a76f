/* Control datagrams: what shares a UDP socket with QUIC and is not QUIC. The first
 * byte has 0x40 clear (RFC 9000 17.2: a QUIC packet has it set). Fixed layouts, one
 * table (control.c); all but two hints carry a MAC under a key that only the two ends
 * know. docs/protocol/registration.md, knock.md and relay.md draw them.
 *
 *   device <-> broker   keep-alive, its answer, forgotten, bye, knock, knock answer
 *   caller <-> broker   route keep-alive, its answer, route gone
 *   caller  -> device   direct knock (knock.h) */
#pragma once

#include "base/addr.h"
#include "crypto/crypto.h"
#include "transport/transport.h"

enum control_type {
	CONTROL_KEEPALIVE = 1,          /* I am still here, behind this address */
	CONTROL_KEEPALIVE_ACK,          /* so I see; seen: your address from outside */
	CONTROL_FORGOTTEN,              /* hint: I know no such registration */
	CONTROL_BYE,                    /* I go */
	CONTROL_KNOCK,                  /* somebody wants in: verdict unused */
	CONTROL_KNOCK_ANSWER,           /* verdict */
	CONTROL_ROUTE_KEEPALIVE,        /* this route's caller is behind this address now */
	CONTROL_ROUTE_ACK,
	CONTROL_ROUTE_GONE,             /* hint: I know no such route */
	CONTROL_DIRECT_KNOCK,
	_CONTROL_TYPE_MAX,
};

enum { CONTROL_MAX = 112 };

enum control_verdict {
	CONTROL_REFUSED = 1,            /* KNOCK_ANSWER */
	CONTROL_UNKNOWN = 2,            /* FORGOTTEN: never heard of it, register again */
	CONTROL_SUPERSEDED = 3,         /* FORGOTTEN: the same identity registered from elsewhere */
};

struct control {
	enum control_type type;
	struct token id;                /* registration, or the route's token towards the device */
	uint32_t seq;
	struct token route, back;       /* KNOCK: towards the device, towards the caller */
	struct identity caller;
	uint8_t verdict;
	struct addr seen;
};

static inline bool control_is(struct span datagram)
{
	return datagram.len && datagram.data[0] && datagram.data[0] < _CONTROL_TYPE_MAX;
}

/* key NULL only for the hints (FORGOTTEN, ROUTE_GONE). Returns the length. */
size_t control_encode(uint8_t out[static CONTROL_MAX], const struct control *c, const struct mac_key *key);
/* Shape only. ERR_PARSE. */
int control_decode(struct control *ret, struct span datagram) _must_check_;
bool control_verify(struct span datagram, const struct mac_key *key);
