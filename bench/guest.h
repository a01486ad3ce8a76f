/* Somebody on a broker, stripped to what a load needs: registers as a device, or asks
 * for routes as a caller, by the requests of endpoint/broker_api.h over a switchboard of
 * its own; then its socket and its keys are the load's to use. */
#pragma once

#include "endpoint/broker_api.h"
#include "endpoint/switchboard.h"
#include "path/registration.h"
#include "path/token.h"

struct guest {
	struct loop *loop;
	struct vault *vault;
	struct identity id;
	struct switchboard *sb;
	struct conn *conn;
	struct stream *stream;
	struct addr broker;
	struct token record_id;
	struct mac_key key;
	struct addr seen;
	unsigned interval;
	uint64_t answers, received;     /* packets that came past QUIC */
	/* Answered: err 0, or what went wrong. */
	void (*done)(void *userdata, struct guest *g, int err);
	void *userdata;
	void (*verdict)(void *userdata, struct guest *g);       /* a device has refused a route; may be NULL */
};

struct guest_config {
	struct loop *loop;
	struct addr broker;
	struct identity broker_id;
	int fd;                         /* a bound socket, or -1 */
	void (*done)(void *userdata, struct guest *g, int err);
	void *userdata;
};

void bench_identity(struct identity *ret, struct vault **ret_vault);
int guest_new(struct guest **ret, const struct guest_config *config) _must_check_;
void guest_free(struct guest *g);
/* Both answer through `done`. */
int guest_publish(struct guest *g) _must_check_;
int guest_connect(struct guest *g, const struct identity *target, const struct token *to_device,
		  const struct token *to_guest) _must_check_;
/* Turns the loop until *flag, or dies after that many seconds. */
void bench_until(struct loop *l, const bool *flag, unsigned seconds, const char *what);
