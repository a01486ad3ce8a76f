/* Inside of endpoint/; nobody outside this folder includes it. */
#pragma once

#include "endpoint/broker_api.h"
#include "endpoint/endpoint.h"
#include "path/knock.h"
#include "path/registration.h"
#include "path/token.h"

enum {
	PENDING_KNOCKS_MAX = 64,
	PENDING_KNOCK_TIME = 10,        /* seconds between a knock and its Initial */
	DIRECT_KNOCKS_PER_SECOND = 100,
};

/* ---- link: one QUIC connection to one broker, while somebody needs it ---- */

struct link;
struct link_user {
	struct list entry;
	/* The connection object exists; early: requests may leave at once, in 0-RTT. */
	void (*up)(struct link_user *u, struct link *l, bool early);
	void (*ready)(struct link_user *u, struct link *l);
	/* It failed or ended; this user is off the list already. */
	void (*down)(struct link_user *u, struct link *l, int err, const char *detail);
};
void link_use(struct link *l, struct link_user *u);
void link_release(struct link_user *u);         /* twice is fine */
/* The broker seems to have been restarted: a connection that nobody uses any more leads
 * nowhere, and whoever asks next must not wait for its timeout. */
void link_renew(struct link *l);
struct conn *link_conn(const struct link *l);
const struct broker_line *link_broker(const struct link *l);
/* Appends the common header entries of a request: ":path", "token". */
void link_headers(const struct link *l, struct cbor_map *m, const char *path);
int link_new(struct link **ret, struct endpoint *e, const struct broker_line *b) _must_check_;
void link_free(struct link *l);

/* ---- publication: a device's standing with one broker ---- */
struct publication;
int publication_new(struct publication **ret, struct endpoint *e, struct link *l) _must_check_;
void publication_free(struct publication *p);
void publication_start(struct publication *p);
/* Keep-alives now to whoever listens at this address: maybe we have moved, or it has
 * forgotten us. */
void publications_beat(struct endpoint *e, const struct addr *broker);
/* Is it about this registration? Then it is dealt with. */
bool publication_read(struct publication *p, const struct addr *from, struct span datagram, const struct control *c);

/* ---- callers who have knocked and whose Initial is to come ---- */
struct pending_knock {
	struct token token;
	struct identity caller;
	tstamp until;
};
void endpoint_expect(struct endpoint *e, const struct token *t, const struct identity *caller);
bool endpoint_admits(struct endpoint *e, const struct identity *who);

struct endpoint {
	struct endpoint_config config;
	struct broker_line brokers[BROKER_LINES_MAX];
	struct switchboard *sb;
	struct link *links[BROKER_LINES_MAX];
	struct publication *publications[BROKER_LINES_MAX];
	struct list peers, questions;
	size_t subscriptions;
	struct pending_knock pending[PENDING_KNOCKS_MAX];
	size_t pending_next;
	struct knock_seen seen;
	tstamp knocks_since;
	unsigned knocks;
	uint64_t refused;
	bool publishing;
};

struct loop *endpoint_loop(const struct endpoint *e);
/* Numeric at once, else through config.resolve. */
void endpoint_resolve(struct endpoint *e, const char *host, uint16_t port, endpoint_resolved_fn *done, void *userdata);
/* done will not run any more for this userdata. */
void endpoint_forget_question(struct endpoint *e, const void *userdata);
bool endpoint_accept_control(struct endpoint *e, const struct addr *from, struct span datagram);
int endpoint_accept_initial(struct endpoint *e, const struct token *t, struct conn_accept *ret);
void endpoint_adopt(struct endpoint *e, struct conn *c);
/* A route keep-alive's answer or end, for the dialled peer whose route it is. */
void endpoint_route_control(struct endpoint *e, const struct addr *from, struct span datagram, const struct control *c);
bool peers_use_brokers(const struct endpoint *e);
void peers_free_first(struct endpoint *e);       /* without a word to its user */
