/* A caller's knock at a known address: who I am, readable by the device alone, and
 * proof of it, in one datagram before the first QUIC packet. The pattern is the
 * one-way X of the Noise framework (e, es, s, ss) over vault_agree(): a stranger costs
 * the device one agreement and a look-up, and no handshake.
 *
 *   type 1 | ephemeral 32 | route token 8 | sealed caller 32 + 16 | mac 16 */
#pragma once

#include "path/control.h"

enum { KNOCK_LEN = 105, KNOCK_SEEN_MAX = 256 };

/* token: prefix of the connection ID of the Initial that follows. */
int knock_seal(uint8_t out[static KNOCK_LEN], struct vault *caller, const struct identity *device,
	       const struct token *token) _must_check_;

/* Repeats of the same knock, bounded. */
struct knock_seen {
	uint8_t ephemeral[KNOCK_SEEN_MAX][8];
	size_t next;
};

struct knock {
	struct token token;
	struct identity caller;         /* claimed until knock_prove() */
	uint8_t ephemeral[32];
};
/* ERR_PARSE, ERR_EXISTS (seen before), ERR_CRYPTO. One agreement. */
int knock_open(struct knock *ret, struct span datagram, struct vault *device, struct knock_seen *seen) _must_check_;
/* A second agreement: only for callers that the rules admit. ERR_CRYPTO: not him. */
int knock_prove(const struct knock *k, struct span datagram, struct vault *device) _must_check_;
