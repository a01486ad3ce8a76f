/* What the files of this folder share: the structs behind the handles. Nobody outside
 * includes it.
 *
 * What would end a connection must not run inside the transport's callbacks, where the
 * user's are; what calls the user back must not run outside of carrier_dispatch(). So
 * both wait for the sweep at the end of a turn. */
#pragma once

#include <carrier/carrier.h>

#include "base/list.h"
#include "endpoint/endpoint.h"
#include "service/service.h"

enum { DETAIL_MAX = 512, OPTIONS_SIZE_MAX = 4096 };

struct carrier {
	struct carrier_options options;         /* its strings are not ours, but for these: */
	char *application, *application_version;
	struct loop *loop;
	struct home home;
	struct settings settings;
	struct identity self;
	struct vault *vault;
	bool has_network;
	struct network_secret network;
	struct log_sink log;
	struct auth *auth;
	struct services *services;
	struct endpoint *endpoint;
	struct list routes, peers, streams;
	struct list closing;                    /* peers that the user has closed */
	struct list resuming;                   /* streams */
	struct source *sweep;
	bool publishing, published, recheck, turning;
	char detail[DETAIL_MAX];
};

struct carrier_peer {
	struct carrier *c;
	struct list entry;                      /* in c->peers or c->closing */
	struct peer *peer;                      /* NULL once it has ended */
	struct source *timer;
	struct identity id;
	struct carrier_peer_callbacks cb;
	void *userdata;
	bool silent;                            /* the user has closed it */
	bool ending;                            /* peer_over() is on the stack and frees it */
};

struct carrier_stream {
	struct carrier *c;
	struct carrier_peer *peer;              /* NULL: a caller's */
	struct list entry;                      /* in c->streams */
	struct list resume_entry;
	struct stream *stream;                  /* NULL: its `closed` is running */
	struct identity id;
	struct carrier_stream_callbacks cb;
	void *userdata;
	bool answered;
};

struct carrier_headers {
	struct headers h;
	struct buf own;                         /* what h looks at, unless it is borrowed */
};

/* ---- error.c ---- */
/* Remembers the detail and returns err. */
int lib_fail(struct carrier *c, int err, const char *fmt, ...) _printf_(3, 4);

/* ---- options.c ---- */
/* Copies a sized struct of the caller's into ours: `min` is the size of its first release,
 * `known` of this one. NULL is all zero. */
int options_read(void *out, size_t known, size_t min, const void *in) _must_check_;

/* ---- peer.c ---- */
void peer_drop(struct carrier_peer *p); /* frees; says nothing */

/* ---- stream.c ---- */
int stream_take(struct carrier_stream **ret, struct carrier *c, struct carrier_peer *p, const struct identity *id) _must_check_;
void stream_bind(struct carrier_stream *s, struct stream *stream);
/* Gives it up and frees it without a word to its user. */
void stream_drop(struct carrier_stream *s, enum stream_code code);
/* The connection is over: its user is told err now, not when the endpoint gets round to it. */
void streams_lost(struct carrier_peer *p, int err);
void streams_drop(struct carrier_peer *p);
void stream_deliver(struct carrier_stream *s);

/* ---- headers.c ---- */
/* The block of a stream: *more* (or NULL) with one of our keys in place of its own. */
int headers_with_text(struct buf *out, const struct carrier_headers *more, const char *key, const char *value) _must_check_;
int headers_with_uint(struct buf *out, const struct carrier_headers *more, const char *key, uint64_t value) _must_check_;

/* ---- publish.c ---- */
int publish_new(struct carrier *c) _must_check_;
void publish_free(struct carrier *c);
bool publish_admits(void *userdata, const struct identity *who);
void publish_stream(void *userdata, struct peer *p, struct stream *s, const struct headers *h, bool early);
