/* A world in one thread: many hosts, one virtual clock, a network that
 * misbehaves on request. Programs written against loop.h and udp.h run in it
 * unchanged when they are linked with the simulated twin of this folder.
 *
 * Everything follows from the seed: the same seed and the same calls give the
 * same events in the same order. Time passes only between events; code takes
 * none. Children, signals and descriptors do not exist here (-ENOSYS).
 *
 * Which host a loop belongs to is decided by sim_enter(); inside a callback it
 * is the host whose callback runs. One simulation exists at a time in a thread. */
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/time.h"
#include "loop/loop.h"
#include "loop/udp.h"

struct sim;
struct sim_host;
struct sim_nat;

enum {
	SIM_MILLION = 1000000,          /* chances are given in parts of it */
	SIM_MTU = 1500,
	SIM_ADDRS_MAX = 8,
	SIM_STILL_MAX = 1000000,        /* events at one instant before it counts as a livelock */
};

int sim_new(struct sim **ret, uint64_t seed) _must_check_;
void sim_free(struct sim *s);           /* loops and sockets left over become dead, and are still to be freed */
DEFINE_FREEP(struct sim *, sim_free)

/* ips: numeric, separated by spaces ("192.0.2.1 2001:db8::1"). The host lives as long as the
 * simulation. The name must outlive it. */
int sim_host(struct sim *s, struct sim_host **ret, const char *name, const char *ips) _must_check_;
void sim_enter(struct sim_host *h);     /* NULL: nowhere; loop_new() then fails with ERR_STATE */

/* ---- time ---- */

tstamp sim_now(const struct sim *s);
uint64_t sim_random(struct sim *s);
/* ERR_LIMIT: a livelock, something arms timers for the present again and again. */
int sim_run_until(struct sim *s, tstamp until) _must_check_;
/* While more(userdata) is true, asked before every event. ERR_TIMEOUT at the deadline. */
int sim_run_while(struct sim *s, bool (*more)(void *userdata), void *userdata, tstamp deadline) _must_check_;
/* A hash over all that has happened: two runs are the same if it is. */
uint64_t sim_trace(const struct sim *s);

/* ---- links ---- */

/* One direction between two hosts. Packets keep their order unless reordered.
 * A host reaches itself in 10 us without any of this. */
struct sim_link {
	tstamp latency, jitter;         /* jitter: uniform, one for all packets of a batch */
	unsigned loss, duplicate, reorder;      /* chances per packet */
	uint64_t rate;                  /* bytes a second; 0: unlimited */
	tstamp queue;                   /* longest wait for the rate, then tail drop; 0: 100 ms */
	size_t mtu;                     /* whole IP packets; 0: SIM_MTU; longer ones vanish */
	bool down;                      /* partition */
};

/* The default is 10 ms of latency and nothing else. It covers the pairs that
 * have no link of their own. */
void sim_link_default(struct sim *s, const struct sim_link *link);
int sim_link(struct sim_host *from, struct sim_host *to, const struct sim_link *link) _must_check_;
int sim_link_both(struct sim_host *a, struct sim_host *b, const struct sim_link *link) _must_check_;
/* Keeps the link's other properties. Packets on their way still arrive. */
int sim_partition(struct sim_host *a, struct sim_host *b, bool parted) _must_check_;

/* ---- hosts ---- */

/* Every loop and socket of the host is dead: its callbacks never run again, its
 * packets vanish, udp_send() fails with -ENETDOWN. Their owners still free them. */
void sim_crash(struct sim_host *h);
/* loop_new() works again. The host's old loops stay dead. */
void sim_restart(struct sim_host *h);
/* Roaming: packets to the old addresses vanish; sockets bound to any address go on. */
int sim_readdress(struct sim_host *h, const char *ips) _must_check_;
/* The chance that an udp_send() says ERR_AGAIN; the socket is writable within a millisecond. */
void sim_set_again(struct sim_host *h, unsigned chance);

struct sim_counters {
	uint64_t tx_packets, tx_bytes;  /* payload handed to the network */
	uint64_t rx_packets, rx_bytes;  /* payload that reached a socket */
	uint64_t lost;                  /* sent by this host and not delivered, whatever the reason */
};
void sim_host_counters(const struct sim_host *h, struct sim_counters *ret);

/* ---- NAT (IPv4; IPv6 addresses of hosts behind it stay global) ---- */

/* Hosts behind one NAT reach each other by their private addresses. Outside, only
 * the mapped addresses exist. Inbound packets pass if the inner socket has sent
 * to exactly their source within the timeout. */
struct sim_nat_config {
	const char *ip;                 /* the public address */
	tstamp timeout;                 /* of mappings and of the filter, refreshed by outbound packets; 0: 30 s */
	bool symmetric;                 /* another mapping for every destination */
	bool hairpin;                   /* inner hosts reach the mapped addresses of each other */
};
int sim_nat(struct sim *s, struct sim_nat **ret, const struct sim_nat_config *config) _must_check_;
void sim_attach(struct sim_host *h, struct sim_nat *nat);       /* NULL: to the open network */
/* Forgets all mappings; with an ip the public address changes as well. */
int sim_nat_reset(struct sim_nat *nat, const char *ip) _must_check_;

/* ---- the hostile network ---- */

/* One datagram on the wire, after the sender's NAT. A tap may change anything in
 * it, len up to cap. */
struct sim_packet {
	struct addr from, to;
	uint8_t *data;
	size_t len, cap;
};

/* Sees every datagram before the link's fate is drawn. false: dropped. */
typedef bool sim_tap_fn(void *userdata, struct sim_packet *packet);
void sim_set_tap(struct sim *s, sim_tap_fn *fn, void *userdata);
/* A datagram from nowhere with any source; arrives after the default latency. Not tapped. */
int sim_inject(struct sim *s, const struct addr *from, const struct addr *to, struct span data) _must_check_;
