/* A device in a process of its own that answers on /echo, and an operator with its
 * tickets in memory: both ends of what is measured, over the endpoint as it ships. */
#pragma once

#include "broker_process.h"
#include "endpoint/endpoint.h"

enum { ECHO_ASK = 64, ECHO_ANSWER = 100 };      /* bytes */

struct device_process {
	pid_t pid;
	struct identity id;
	struct addr at;
};

struct device_config {
	const struct broker_line *broker;       /* or NULL */
	struct identity admitted;
	int core;                               /* < 0: anywhere */
};

/* Returns once it listens and, with a broker, is registered. Dies on failure. */
void device_process_start(struct device_process *ret, const struct device_config *config);
void device_process_stop(struct device_process *d);

struct party {
	struct loop *loop;
	struct identity id;
	struct vault *vault;
	struct endpoint *e;
	struct {
		uint8_t data[TRANSPORT_TICKET_MAX];
		size_t len;
	} tickets[2];                           /* of a broker, of a peer: the last one each */

	/* of the dialling under way */
	struct peer *peer;
	bool up, ready, answered, ended, early;
	int end_err;
	tstamp dialled_at, ready_at, answered_at;
};

void party_new(struct party *p, struct loop *l);
void party_open(struct party *p, const struct broker_line *broker);    /* or NULL */
void party_forget(struct party *p, bool broker, bool peer);             /* its tickets */
void party_close(struct party *p);
/* Dials and asks /echo on a stream opened at the first moment. Returns when the answer
 * is there and the connection confirmed; dies if not. */
void party_ask(struct party *p, const struct endpoint_target *t, bool early);
void party_hang_up(struct party *p, unsigned linger_ms);
/* One more question in the open connection; the time until its answer. */
tstamp party_ask_again(struct party *p);
