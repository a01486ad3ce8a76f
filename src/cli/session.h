/* One command's use of the network: home, identity, endpoint, and the peer it dials.
 * Whatever goes wrong is said here, in one line, and becomes the exit status. */
#pragma once

#include "cli/cli.h"
#include "endpoint/endpoint.h"

struct session;
struct session_ops {
	/* Streams opened now leave with the first flight. */
	void (*up)(void *userdata, struct session *s);
	void (*ready)(void *userdata, struct session *s);       /* may be NULL */
	/* The peer is gone: the moment to restore a terminal. True: there is nothing more to
	 * say, session_stop() has been called. May be NULL. */
	bool (*lost)(void *userdata, struct session *s);
};

struct session {
	struct cli *cli;
	const struct session_ops *ops;
	void *userdata;
	struct home home;
	struct settings *settings;
	struct vault *vault;
	struct loop *loop;
	struct endpoint *endpoint;
	struct peer *peer;              /* NULL once it is gone */
	struct target target;
	char name[IDENTITY_STR_MAX + 328];      /* for people: "office (cDE...)" */
	char called[320];               /* as typed */
	bool ready;
	int broken_status;              /* of a connection that stood; 0: the error's */
	bool has_network;
	struct network_secret network;  /* for subscribe */
	struct source *timeout, *signals[4];
};

/* The loop alone, for what must be forked before the secret is read. */
int session_prepare(struct session *s, struct cli *c) _must_check_;
/* Everything but the peer. 0, or an exit status and it has been said. */
int session_open(struct session *s, struct cli *c) _must_check_;
int session_dial(struct session *s, const char *target, const struct session_ops *ops, void *userdata) _must_check_;
/* Until session_stop(); returns the status given there. */
int session_run(struct session *s) _must_check_;
void session_stop(struct session *s, int status);
/* A stream ended because the connection did: the session says so itself, once. */
bool session_tells(const struct session *s, int err);
/* Numeric or a name; answers before it returns. */
void session_resolve(struct session *s, const char *host, uint16_t port, endpoint_resolved_fn *done, void *userdata);
void session_done(struct session *s);
#define _cleanup_session_ _cleanup_(session_done)

/* May a request for this path leave in 0-RTT? Only what a replay cannot harm. */
bool session_early(const char *path);
