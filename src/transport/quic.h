/* Inside of the QUIC adapter; nobody outside this folder includes it. */
#pragma once

#include <gnutls/gnutls.h>

#include "transport/quic_compat.h"
#include "transport/transport.h"

enum {
	QUIC_ANTI_REPLAY_ENTRIES = 4096,
	QUIC_TICKET_LIFETIME = 24 * 3600,       /* seconds */
};

struct transport_context {
	struct vault *vault;                    /* borrowed */
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	gnutls_anti_replay_t anti_replay;
	struct replay_cache *replay;
	uint8_t reset_secret[32];
};

enum stream_place { STREAM_WAITS, STREAM_OPEN, STREAM_GONE };

struct transport_stream {
	struct transport *t;
	struct list link;               /* in t->waiting until it has an id, then in t->streams */
	struct list send_link;          /* in t->sendable while it has something to send */
	enum stream_place place;
	int64_t id;
	void *userdata;
	struct list chunks;             /* not yet acknowledged */
	struct chunk *cursor;           /* next to send; NULL: everything is sent */
	size_t cursor_off;              /* sent of *cursor */
	size_t front_acked;             /* acknowledged of the first chunk */
	size_t queued;
	uint64_t abort_code;
	bool early, fin, fin_sent, was_full, aborted;
};

struct transport {
	ngtcp2_crypto_conn_ref ref;     /* GnuTLS session -> ngtcp2_conn, for the crypto helper */
	ngtcp2_conn *conn;
	gnutls_session_t tls;
	struct transport_config config;
	struct identity peer;
	struct list streams, waiting, sendable;
	struct transport_end end;
	uint64_t tx_bytes, rx_bytes;
	uint32_t stash_path;
	size_t stash_len;
	uint8_t stash[TRANSPORT_PACKET_MAX];    /* a packet that did not fit the last batch */
	uint8_t close_packet[1200];
	size_t close_len;
	uint32_t close_path;
	bool is_server, heard, ready, confirmed, resumed, early_on, early_rejected, admitted, refused, wrong_peer;
};

/* quic_tls.c */
int quic_tls_new(struct transport *t);
void quic_tls_resume(struct transport *t, struct span ticket);
int quic_peer_identity(gnutls_session_t s, struct identity *ret);
bool quic_admit(struct transport *t);   /* the peer's key, checked against what the owner allows */

/* quic_stream.c */
int quic_open_waiting(struct transport *t);
void quic_sweep_waiting(struct transport *t);
void quic_rewind_early(struct transport *t);
void quic_stream_accepted(struct transport *t, int64_t id);
int quic_stream_acked(struct transport_stream *s, uint64_t len);
void quic_stream_gone(struct transport_stream *s);      /* frees */
/* The next bytes to send: fills vec, returns how many; *ret_fin if they end the stream. */
size_t quic_stream_next(struct transport_stream *s, ngtcp2_vec *vec, size_t max, bool *ret_fin);
void quic_stream_sent(struct transport_stream *s, size_t n, bool fin);

/* quic_events.c */
extern const ngtcp2_callbacks quic_callbacks;
void quic_make_cid(ngtcp2_cid *cid, const struct token *token, size_t len);

/* quic.c */
void quic_wake(struct transport *t);
void quic_path(ngtcp2_path_storage *out, uint32_t path);
uint32_t quic_path_number(const ngtcp2_path *path);
void quic_fail(struct transport *t, int liberr, tstamp now);
