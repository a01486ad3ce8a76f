/* What the files of the simulated twin share. */
#pragma once

#include "base/list.h"
#include "loop/sim.h"

/* Something that happens at an instant; at one instant in the order of asking. */
struct sim_event {
	tstamp at;
	uint64_t seq;
	size_t pos;                     /* place in the queue + 1; 0: not in it */
	unsigned tag;                   /* for the trace */
	void (*run)(struct sim_event *e);       /* out of the queue by then */
	void (*drop)(struct sim_event *e);      /* the simulation ends first; NULL: nothing to free */
};

struct sim_queue {
	struct sim_event **events;
	size_t len, cap;
	uint64_t seq;
};

int sim_queue_set(struct sim_queue *q, struct sim_event *e, tstamp at) _must_check_;
void sim_queue_del(struct sim_queue *q, struct sim_event *e);
static inline struct sim_event *sim_queue_min(const struct sim_queue *q) { return q->len ? q->events[0] : NULL; }

/* One direction between two hosts: the link, and what is on it. */
struct sim_pair {
	struct sim_link link;
	bool own;                       /* not the default */
	tstamp last_arrival, busy_until;
};

struct sim {
	struct sim_queue queue;
	tstamp now;
	unsigned still;                 /* events since the clock last moved */
	bool running;
	uint64_t rng, trace;
	struct list hosts, nats;
	size_t hosts_len;
	struct sim_link link;
	sim_tap_fn *tap;
	void *tap_userdata;
};

struct sim_host {
	struct sim *sim;
	struct list by_sim;
	const char *name;
	size_t index;
	struct addr addrs[SIM_ADDRS_MAX];
	size_t addrs_len;
	struct sim_nat *nat;
	struct sim_pair **out;          /* by the other host's index; entries NULL until used */
	size_t out_len;
	struct list loops, sockets;
	bool crashed;
	uint16_t next_port;
	unsigned again;
	struct sim_counters counters;
};

struct loop {
	struct sim *sim;                /* NULL once the simulation is gone */
	struct sim_host *host;
	struct list by_host;
	struct list sources, defers, sockets;
	struct sim_event defer_event;
	bool dead, stopped;
	int result;
	uint64_t ran;
};

/* A datagram on its way, or waiting in a socket. */
struct sim_flight {
	struct sim_event event;
	struct list node;
	struct sim *sim;
	struct sim_host *sender;        /* NULL: injected */
	struct sim_host *self;          /* not NULL: to the sender's own host */
	struct sim_nat *realm;          /* not NULL: inside this NAT's network */
	struct addr from, to;
	size_t len;
	uint8_t data[];
};

/* sim.c */
struct sim_host *sim_current(void);
int sim_step(struct sim *s) _must_check_;       /* the next event, which must exist */
uint64_t sim_below(struct sim *s, uint64_t n);  /* 0 .. n-1; 0 when n is 0 */
bool sim_chance(struct sim *s, unsigned parts);
void sim_mix(struct sim *s, uint64_t value);
void sim_mix_bytes(struct sim *s, struct span bytes);
bool sim_host_has(const struct sim_host *h, const struct addr *a);
int sim_parse_ip(struct addr *ret, const char *ip, size_t len) _must_check_;

/* sim_loop.c */
void sim_loop_kill(struct loop *l);

/* sim_udp.c */
void sim_socket_kill(struct udp *u);
void sim_sockets_kill(struct loop *l);
/* Takes the flight over. false: nobody listens there, or the socket is full. */
bool sim_socket_deliver(struct sim_host *h, struct sim_flight *f);

/* sim_net.c */
/* A batch from one of the host's sockets; from is the inner address. */
int sim_net_send(struct sim_host *h, const struct addr *from, const struct addr *to, struct span data,
		 size_t seg);

/* sim_nat.c */
struct sim_nat {
	struct sim *sim;
	struct list by_sim;
	struct addr ip;                 /* port 0 */
	tstamp timeout;
	bool symmetric, hairpin;
	struct sim_mapping *mappings;
	size_t len, cap;
};
void sim_nat_free(struct sim_nat *nat);
int sim_nat_out(struct sim_nat *nat, const struct addr *inner, const struct addr *dest, struct addr *ret) _must_check_;
/* Where a mapped port leads, whoever asks; then whether from may use it. */
bool sim_nat_peek(const struct sim_nat *nat, uint16_t port, struct addr *ret_inner);
bool sim_nat_in(const struct sim_nat *nat, const struct addr *from, uint16_t port, struct addr *ret_inner);
