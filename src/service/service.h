/* The services of a device: one table row each, looked up by path, judged by the
 * rules, then handed the stream. A path that does not exist and a path that the
 * caller may not use answer alike (404); the truth goes to the log. */
#pragma once

#include "auth/auth.h"
#include "auth/claim.h"
#include "base/log.h"
#include "loop/loop.h"
#include "service/host.h"
#include "stream/stream.h"

struct services;
struct service_call;

struct service {
	const char *path;               /* "/v0/shell" */
	const char *name;               /* short name for every verb and for rules' readers: "shell"; or NULL */
	const char *methods;            /* "GET" or "GET POST DELETE"; NULL: any or none */
	bool replay_safe;               /* may be asked in 0-RTT */
	bool any_grant;                 /* for every caller that holds any grant (disco) */
	bool claims;                    /* an unclaimed device knows this path, to be claimed by it */
	/* Attach a handler to call->stream or answer and end it. call lives for this call. */
	void (*open)(struct services *ss, const struct service_call *call);
	void *userdata;                 /* of a route added at run time */
};

struct service_call {
	const struct service *service;
	struct stream *stream;
	const struct headers *headers;
	struct identity caller;
	const struct auth_rule *rule;   /* what allowed it; NULL for any_grant and the claim */
	const char *path, *method;
	bool early;
};

struct services_config {
	struct loop *loop;
	struct auth *auth;
	struct claim *claim;            /* NULL: never to be claimed; without rules everything is denied */
	struct service_host host;
	const struct log_sink *log;
	struct identity self;
	const char *application, *application_version;  /* disco shows them */
	int64_t (*unix_time)(void);     /* AUTH_TIME_UNKNOWN where the clock is not to be trusted, as NULL says */
};

enum {
	SERVICES_MAX = 1024,
	SERVICE_METHOD_MAX = 31,
	SERVICE_STATUS_OK = 200,
};

/* The strings of the configuration stay the caller's and must outlive it. The
 * process must ignore SIGPIPE: services write to programs that may have ended. */
int services_new(struct services **ret, const struct services_config *config) _must_check_;
void services_free(struct services *ss);        /* after every stream is gone */
DEFINE_FREEP(struct services *, services_free)
const struct services_config *services_config(const struct services *ss);

/* Adds the built-in table, and single rows (the strings are copied). -EEXIST. */
int services_add_builtin(struct services *ss) _must_check_;
int services_add(struct services *ss, const struct service *s) _must_check_;
/* Of the built-in table one service under all its paths, by its short name. ERR_UNKNOWN. */
int services_add_named(struct services *ss, const char *name) _must_check_;
/* The user's own programs of carrier.toml: opened through HOST_SERVICE. */
int services_add_program(struct services *ss, const char *path, bool replay_safe) _must_check_;
const struct service *services_find(const struct services *ss, const char *path_or_name);
/* Paths the caller may use now, in order; NULL at the end. */
const struct service *services_allowed_at(const struct services *ss, const struct identity *caller, size_t *at);

/* To be called from streams_ops.accept with the connection's proven peer. */
void services_accept(struct services *ss, const struct identity *caller, struct stream *s,
		     const struct headers *h, bool early);

/* Short names for paths, for every verb: "disco" -> "/v2/carrier.discovery.v1/discover";
 * NULL if it is not one. */
const char *service_path_of(const char *name);

/* Answering helpers: a status header block and the end; 200, one message and the
 * end. A stream that cannot be answered is reset. */
void service_answer(struct stream *s, unsigned status, const char *error);
void service_answer_message(struct stream *s, struct span cbor);
/* What a path answers that is unknown, or not for this caller. */
void service_answer_unknown(struct stream *s);
/* The status that stands for an error of the host. */
void service_answer_err(struct stream *s, int err);
/* The other direction, for the asking side: 0 below 300. */
int service_status_err(unsigned status);

/* The header block of a request without further headers; method may be NULL. */
void service_put_request(struct buf *out, const char *path, const char *method);
