/* A carrier on the network: registers with brokers as a device, dials peers through
 * them or at a known address, accepts whom the rules admit. Everything goes over one
 * UDP socket. Nobody learns this endpoint's address before it has admitted them.
 *
 * Not here: what streams mean (service/), how secrets rest (vault/). */
#pragma once

#include "base/log.h"
#include "endpoint/switchboard.h"
#include "identity/network.h"
#include "vault/settings.h"

struct endpoint;
struct peer;            /* one connection with one identity */

enum { ENDPOINT_DIAL_TIMEOUT = 12, ENDPOINT_KEEP_ALIVE = 3 };  /* seconds; with QUIC's 16 of silence a dead peer is noticed within 20 */

typedef void endpoint_resolved_fn(void *userdata, int err, const struct addr *addrs, size_t n);

enum endpoint_broker_state { BROKER_TRYING, BROKER_REGISTERED, BROKER_LOST, BROKER_SUPERSEDED, BROKER_FAILED };

struct endpoint_config {
	struct loop *loop;
	struct vault *vault;
	const struct log_sink *log;
	struct addr bind;
	int fd;                                 /* a bound UDP socket, or -1 */
	const struct broker_line *brokers;      /* copied */
	size_t brokers_len;
	unsigned keepalive;                     /* seconds */
	void *userdata;

	/* Names to addresses; answers exactly once, before it returns or later, even when the
	 * endpoint is gone by then. Numeric hosts do not come here. */
	void (*resolve)(void *userdata, const char *host, uint16_t port, endpoint_resolved_fn *done, void *done_userdata);
	/* Remembered sessions; both may be NULL. load appends the blob. */
	int (*ticket_load)(void *userdata, const char *alpn, const struct identity *peer, struct buf *out);
	void (*ticket_save)(void *userdata, const char *alpn, const struct identity *peer, struct span blob);

	/* Devices: who may come in, and the streams of whoever did. NULL: nobody. */
	bool (*admit)(void *userdata, const struct identity *who);
	void (*stream)(void *userdata, struct peer *p, struct stream *s, const struct headers *h, bool early);
	/* Membership of networks, i-th one: signs for this broker's nonce. -ENOENT after the last. */
	int (*prove)(void *userdata, size_t i, enum network_role role, const struct identity *broker,
		     const uint8_t nonce[static NETWORK_NONCE_LEN], struct network_address *ret_network,
		     uint8_t ret_proof[static NETWORK_PROOF_LEN]);
	/* What became of a registration; err and detail tell why. May be NULL. */
	void (*broker_state)(void *userdata, const struct broker_line *b, enum endpoint_broker_state state,
			     int err, const char *detail);
};

int endpoint_new(struct endpoint **ret, const struct endpoint_config *config) _must_check_;
/* Says bye to brokers, closes peers. Subscriptions must be gone. Not inside a callback. */
void endpoint_free(struct endpoint *e);
DEFINE_FREEP(struct endpoint *, endpoint_free)
struct switchboard *endpoint_switchboard(const struct endpoint *e);
int endpoint_addr(const struct endpoint *e, struct addr *ret) _must_check_;

/* Registers with every broker and stays registered. */
void endpoint_publish(struct endpoint *e);
void endpoint_republish(struct endpoint *e);    /* networks or brokers' view changed: register anew */
/* Other brokers from now on; those that stay keep their registration only if nothing
 * changed at all. ERR_STATE while peers are dialled through the old ones, or while
 * there are subscriptions. */
int endpoint_set_brokers(struct endpoint *e, const struct broker_line *brokers, size_t n) _must_check_;
/* Closes the connections of identities that are not admitted any more. */
void endpoint_recheck(struct endpoint *e);

/* ---- peers ---- */
struct peer_handler {
	/* The connection object exists: streams opened now leave with the first flight that
	 * may carry them. */
	void (*up)(void *userdata, struct peer *p);
	/* Both ends are proven to each other. */
	void (*ready)(void *userdata, struct peer *p);
	/* Last call: the peer is gone. err: ERR_NOBROKER, ERR_OFFLINE, ERR_REFUSED, ERR_TIMEOUT,
	 * ERR_PEER, ERR_CLOSED ...; detail: a clause for people, may be "". */
	void (*ended)(void *userdata, struct peer *p, int err, const char *detail);
};

struct endpoint_target {
	struct identity id;
	const char *host;               /* NULL: through the brokers */
	uint16_t port;
	bool bbr;
};
int endpoint_dial(struct endpoint *e, const struct endpoint_target *t, const struct peer_handler *h,
		  void *userdata, struct peer **ret) _must_check_;
/* Closes in order; `ended` does not come. */
void peer_close(struct peer *p);
const struct identity *peer_identity(const struct peer *p);
int peer_open_stream(struct peer *p, struct span header_block, bool early, const struct stream_handler *h,
		     void *userdata, struct stream **ret) _must_check_;
/* For the asking halves of services; from `up` on, NULL where there is no connection. */
struct streams *peer_streams(const struct peer *p);

enum peer_route { PEER_RELAYED, PEER_DIRECT };
struct peer_info {
	enum peer_route route;
	struct addr addr;               /* the broker's, or the peer's */
	struct identity broker;         /* if relayed */
	bool ready, resumed, early;
	struct transport_info transport;
};
void peer_get_info(const struct peer *p, struct peer_info *ret);

/* ---- networks ---- */
struct subscription;
struct subscription_handler {
	void (*event)(void *userdata, const struct identity *who, bool joined);
	/* The list is complete as of now (after the first events), or err ended the attempt;
	 * it goes on trying unless err is ERR_DENIED or ERR_UNKNOWN. */
	void (*state)(void *userdata, int err, const char *detail);
};
int endpoint_subscribe(struct endpoint *e, const struct subscription_handler *h, void *userdata,
		       struct subscription **ret) _must_check_;
void subscription_free(struct subscription *s);
