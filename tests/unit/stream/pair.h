/* A client and a server of the simulator's transport with streams on top, joined by
 * an array of datagrams and a made-up clock. Loss, copies and disorder by seed. */
#pragma once

#include "stream/stream.h"
#include "transport/sim.h"

enum { PAIR_QUEUE_MAX = 8192, PAIR_PATHS = 4 };

struct pair_side {
	struct pair *pair;
	struct vault *vault;
	struct transport_context *context;
	struct transport *t;
	struct streams *ss;
	const struct identity *id;
	unsigned admitted, ready, confirmed, validated, failed, bad_reads;
	uint64_t reset_code;            /* the last one the peer sent */
	struct buf ticket;
};

struct pair_faults {
	unsigned drop, copy, flip;      /* percent */
	tstamp delay, jitter;
};

struct pair {
	struct pair_side c, s;
	struct pair_faults faults;
	struct transport_config c_config, s_config;     /* to be changed before pair_dial() */
	struct streams_ops s_ops;
	bool refuse;                    /* the server's answer to admit */
	bool cut;                       /* nothing arrives any more */
	bool path_dead[PAIR_PATHS];
	tstamp now;
	uint64_t random;
	struct datagram { tstamp at; bool to_server; uint32_t path; size_t len; uint8_t *data; } queue[PAIR_QUEUE_MAX];
	size_t queued, batches;         /* batches: writes of more than one packet */
	uint64_t sent;
	void (*spy)(struct pair *p, const struct datagram *d);  /* sees each as it is sent */
	void *user;
};

struct pair *pair_new(uint64_t seed);
void pair_dial(struct pair *p);         /* again after pair_hang_up(): contexts and ticket stay */
void pair_hang_up(struct pair *p);
void pair_free(struct pair *p);
void pair_flush(struct pair *p);
/* One event; false if none is due before until. */
bool pair_step(struct pair *p, tstamp until);
void pair_run_for(struct pair *p, tstamp time);
uint64_t pair_random(struct pair *p, uint64_t below);
void pair_inject(struct pair *p, bool to_server, uint32_t path, struct span d);
