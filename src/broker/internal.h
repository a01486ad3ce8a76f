/* Inside of broker/. */
#pragma once

#include "base/heap.h"
#include "base/map.h"
#include "broker/broker.h"

struct listener {
	struct broker *broker;
	struct switchboard *sb;
};

/* ---- registry.c ---- */

struct record {
	struct token id;                /* key of by_id */
	struct identity who;            /* key of by_identity */
	struct mac_key key;
	struct addr addr;
	struct listener *via;
	uint32_t seq, knock_seq;
	struct heap_node timer;
	tstamp heard;
	struct list memberships;        /* struct membership.of_record */
	struct list routes;             /* struct route.of_record */
	unsigned routes_len;
};

enum { RECORDS_PER_SLAB = 1024 };

/* Records live for months between connections that come and go: by themselves, or each
 * would keep a page of what was a connection's. */
struct record_slab {
	struct record_slab *next;
	struct record records[RECORDS_PER_SLAB];
};

struct record_pool {
	struct record_slab *slabs;      /* newest first; they go with the broker */
	size_t fresh;                   /* never used ones at the end of the newest */
	struct list unused;             /* struct record.memberships of those given back */
};
void record_pool_done(struct record_pool *p);

/* Replaces an older record of the same identity; its networks stay until the new
 * publication has ended (network_settle()). */
int registry_add(struct broker *b, const struct identity *who, const struct addr *addr, struct listener *via,
		 struct record **ret) _must_check_;
void registry_remove(struct broker *b, struct record *r);
struct record *registry_find(const struct broker *b, const struct identity *who);
/* A control datagram of a registration. */
void registry_control(struct broker *b, struct listener *via, const struct addr *from, struct span datagram,
		      const struct control *c);
void registry_expire(struct broker *b, tstamp now);
tstamp registry_ttl(const struct broker *b);

/* ---- network.c ---- */

struct network {
	struct network_address address; /* key of networks */
	struct list members;            /* struct membership.of_network */
	struct list subscribers;        /* struct subscriber.entry */
};

struct membership {
	struct list of_record, of_network;
	struct network *network;
	struct identity who;
	bool stale;                     /* from before the record was replaced */
};

struct subscriber {
	struct list entry;
	struct network *network;
	struct stream *stream;
	struct broker *broker;
};

int network_join(struct broker *b, struct record *r, const struct network_address *a) _must_check_;
void network_leave_all(struct broker *b, struct record *r);
void network_settle(struct broker *b, struct record *r);        /* drops what was not proved anew */
/* Moves the memberships over, marked stale. */
void network_inherit(struct record *to, struct record *from);
int network_subscribe(struct broker *b, struct subscriber *s, const struct network_address *a) _must_check_;
void network_unsubscribe(struct subscriber *s);

/* ---- relay.c ---- */

struct route;
struct route_side {
	struct token token;             /* key of sides */
	struct route *route;
};

struct route {
	struct route_side to_device, to_caller;
	struct list of_record;
	struct record *record;          /* NULL: it went; the route lives while packets flow */
	struct addr device, caller;
	struct listener *device_via, *caller_via;
	struct identity caller_id;
	struct mac_key key;
	struct heap_node timer;
	tstamp used, filled;
	uint64_t allowance;             /* bytes that may go now */
	uint32_t seq;
	bool open;                      /* the device has answered */
	void (*refused)(void *userdata);        /* the device says no */
	void *userdata;
};

int relay_add(struct broker *b, struct record *r, const struct identity *caller, const struct addr *caller_addr,
	      struct listener *caller_via, const struct token *to_device, const struct token *to_caller,
	      struct route **ret) _must_check_;
struct route *relay_find(const struct broker *b, const struct token *to_device);
void relay_free(struct broker *b, struct route *r);
/* A buffer from the socket: true if its tokens belong to routes (or it was dropped). */
bool relay_forward(struct broker *b, struct listener *via, const struct addr *from, struct span data, size_t seg_len);
void relay_control(struct broker *b, const struct addr *from, struct listener *via, struct span datagram,
		   const struct control *c);
void relay_refused(struct broker *b, const struct token *to_device, const struct record *by);
void relay_expire(struct broker *b, tstamp now);

/* ---- serve.c ---- */

extern const struct conn_ops broker_conn_ops;

struct broker {
	struct broker_config config;
	struct listener listeners[BROKER_LISTEN_MAX];
	size_t listeners_len;
	struct source *timer;
	struct map by_id, by_identity, sides, networks, allow;
	struct heap timers, route_timers;
	struct record_pool pool;
	struct token superseded[64];    /* registrations that another place took over */
	size_t superseded_next;
	tstamp hints_since;
	unsigned hints;
	size_t subscribers;
	struct broker_stats stats;
};

tstamp broker_now(const struct broker *b);
void broker_arm(struct broker *b);
/* Unauthenticated hints are few: true if one more may be sent now. */
bool broker_may_hint(struct broker *b);
