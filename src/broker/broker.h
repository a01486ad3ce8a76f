/* Rendezvous and blind relay. Devices register and hold their record with MACed
 * keep-alives; callers ask for a route; packets go by the token in their connection
 * ID, untouched. The broker sees addresses, sizes, times and identities of those who
 * register and call; contents it cannot see. It writes none of it to disk.
 *
 *   registry.c   who is here: records, their end, supersession
 *   network.c    networks: members, subscribers
 *   relay.c      routes: forwarding, knocks, rate
 *   serve.c      the requests over QUIC (endpoint/broker_api.h)
 *   broker.c     sockets and control datagrams */
#pragma once

#include "base/log.h"
#include "endpoint/broker_api.h"
#include "endpoint/switchboard.h"
#include "identity/network.h"
#include "path/control.h"

struct broker;

enum {
	BROKER_LISTEN_MAX = 8, BROKER_TOKEN_MAX = 64, BROKER_ALLOW_MAX = 4096,
	BROKER_RECORDS_MAX = 4 << 20, BROKER_ROUTES_MAX = 65536,
	BROKER_ROUTES_PER_DEVICE = 256,
	BROKER_ROUTES_PER_CALLER = 64,          /* to one device, so that nobody takes them all */
	BROKER_ROUTE_IDLE = 30,                 /* seconds without a packet: QUIC has given up by then */
	BROKER_ROUTE_QUIET = 8,                 /* seconds without a packet: its place may be taken */
	BROKER_MISSED_BEATS = 3,                /* keep-alives that may be lost in a row */
};

struct broker_config {
	struct loop *loop;
	struct vault *vault;
	const struct log_sink *log;
	char token[BROKER_TOKEN_MAX + 1];       /* "": serves everybody (--open) */
	const struct identity *allow;           /* empty: anybody who has the token; borrowed */
	size_t allow_len;
	unsigned keepalive;                     /* seconds that devices are told; 0: 25 */
	uint64_t route_rate;                    /* bytes a second of one route; 0: 100 MB/s */
};

int broker_new(struct broker **ret, const struct broker_config *config) _must_check_;
void broker_free(struct broker *b);
DEFINE_FREEP(struct broker *, broker_free)
/* fd: a bound UDP socket or -1. ret_addr: where it really listens; may be NULL. */
int broker_listen(struct broker *b, const struct addr *at, int fd, struct addr *ret_addr) _must_check_;

struct broker_stats {
	size_t records, routes, networks, subscribers, connections;
	uint64_t forwarded_packets, forwarded_bytes, dropped_packets, knocks, refused;
};
void broker_get_stats(const struct broker *b, struct broker_stats *ret);
