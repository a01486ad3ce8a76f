/* One QUIC connection with one peer, without the network: datagrams and a time go
 * in; datagrams, events and an expiry come out. TLS 1.3 with raw public keys
 * (RFC 7250), Ed25519 on both sides: the peer's key is its identity.
 *
 * Two implementations stand behind this header, chosen at link time: quic*.c
 * (ngtcp2, GnuTLS) and sim.c (a small reliable protocol for the simulator).
 *
 * Connection IDs route: every ID a side issues is its 8-byte token and 4 more
 * bytes. On an endpoint the token finds the connection, on a broker the route.
 *
 * Callbacks run inside transport_read(), transport_write(), transport_expire() and
 * transport_close(). In them every function may be called but these four and
 * transport_free(). */
#pragma once

#include "base/list.h"
#include "base/time.h"
#include "vault/vault.h"

struct transport;
struct transport_stream;

enum {
	TRANSPORT_TOKEN_LEN = 8,
	TRANSPORT_CID_LEN = 12,
	TRANSPORT_PACKET_MAX = 1452,            /* UDP payload; the floor is 1200 */
	TRANSPORT_BATCH_BYTES = 64000,
	TRANSPORT_BATCH_SEGMENTS = 60,
	TRANSPORT_STREAMS_MAX = 100,            /* the peer's, open at once */
	TRANSPORT_TICKET_MAX = 4096,
	TRANSPORT_REASON_MAX = 64,
};

#define TRANSPORT_ALPN_PEER "carrier/1"
#define TRANSPORT_ALPN_BROKER "carrier-broker/1"

struct token { uint8_t b[TRANSPORT_TOKEN_LEN]; };

/* ---- what one identity's connections share: credentials, ticket keys ---- */
struct transport_context;
int transport_context_new(struct transport_context **ret, struct vault *vault) _must_check_;
void transport_context_free(struct transport_context *c);
DEFINE_FREEP(struct transport_context *, transport_context_free)

/* ---- events ---- */
struct transport_ops {
	/* Server: may this identity come in? Asked with the proven key in the handshake,
	 * and again on the first early byte of a resumed connection. */
	bool (*admit)(void *userdata, const struct identity *peer);
	/* The peer's key is proven. On a client the server may still refuse us. */
	void (*ready)(void *userdata);
	/* Both sides know that both are proven (HANDSHAKE_DONE). */
	void (*confirmed)(void *userdata);
	/* The peer opened a stream: give it a userdata with transport_stream_bind(). */
	void (*stream_opened)(void *userdata, struct transport_stream *s);
	/* In order. Bytes count against the peer's window until transport_stream_consume().
	 * early: came in 0-RTT, so it may be a replay. */
	void (*stream_data)(void *userdata, void *stream, struct span data, bool fin, bool early);
	void (*stream_writable)(void *userdata, void *stream);  /* queued fell below TRANSPORT_LOW_WATER */
	void (*stream_reset)(void *userdata, void *stream, uint64_t code);      /* the peer gave up one direction */
	void (*stream_closed)(void *userdata, void *stream);    /* the handle is gone after this */
	void (*ticket)(void *userdata, struct span blob);       /* for the next dial; secret */
	void (*path_validated)(void *userdata, uint32_t path, bool ok);
	/* Something wants to be written that did not before: transport_write() soon. May be
	 * called from any function but transport_write() itself. */
	void (*wake)(void *userdata);
};

enum { TRANSPORT_LOW_WATER = 256 << 10, TRANSPORT_HIGH_WATER = 1 << 20 };

struct transport_config {
	struct transport_context *context;
	const struct transport_ops *ops;
	void *userdata;
	const char *alpn;
	struct token token;             /* ours: prefix of every connection ID we issue */
	struct token peer_token;        /* client: prefix of the first destination ID; server: unused */
	struct identity peer;           /* client: whom we dial; server: only this one if expect_peer */
	bool expect_peer;               /* server only */
	struct span ticket;             /* client: from ops->ticket, or empty */
	tstamp rtt_hint;                /* 0: unknown */
	bool bbr;                       /* for lossy paths; else cubic */
	tstamp idle_timeout;            /* 0: 16 s */
};

/* ---- life ---- */
int transport_dial(struct transport **ret, const struct transport_config *config, tstamp now) _must_check_;
/* initial: the client's first datagram; it must still be given to transport_read().
 * ERR_PARSE: not an Initial we speak. */
int transport_accept(struct transport **ret, const struct transport_config *config,
		     struct span initial, tstamp now) _must_check_;
void transport_free(struct transport *t);       /* NULL is fine; releases queued chunks */
DEFINE_FREEP(struct transport *, transport_free)

/* ---- datagrams ---- */
/* The token of the connection ID a datagram is for. ERR_PARSE: not QUIC. */
int transport_peek(struct token *ret, struct span datagram) _must_check_;
bool transport_is_initial(struct span datagram);

/* path: a small number that stands for one real way to the peer, 0 for the first.
 * Negative results only say that the datagram was useless or that the connection
 * ended: look at transport_end(). */
int transport_read(struct transport *t, uint32_t path, struct span datagram, tstamp now);

/* One batch of packets, all of *ret_seg bytes but the last, for one path.
 * 1: send it and call again; 0: nothing to send now. out has TRANSPORT_BATCH_BYTES. */
int transport_write(struct transport *t, uint8_t *out, size_t *ret_len, size_t *ret_seg,
		    uint32_t *ret_path, tstamp now);
tstamp transport_expiry(const struct transport *t);
void transport_expire(struct transport *t, tstamp now);

/* Says goodbye: the close packet leaves with the next transport_write(). */
void transport_close(struct transport *t, uint64_t code, const char *reason, tstamp now);

struct transport_end {
	int err;                        /* 0: still alive; ERR_CLOSED, ERR_TIMEOUT, ERR_REFUSED, ERR_PEER, ERR_PROTOCOL, ERR_CRYPTO */
	bool by_peer;
	uint64_t code;                  /* application code of an orderly close */
	char reason[TRANSPORT_REASON_MAX];
};
/* True once the connection can do nothing more for its user. It may still have a
 * close packet to write; free it when transport_write() returned 0. */
bool transport_ended(const struct transport *t, struct transport_end *ret);

/* ---- facts ---- */
bool transport_ready(const struct transport *t);
bool transport_confirmed(const struct transport *t);
/* Has the peer said anything that holds together? An accepted connection that has not
 * after its first datagram may be dropped: the Initial was damaged or forged. */
bool transport_heard(const struct transport *t);
bool transport_resumed(const struct transport *t);      /* by ticket */
bool transport_early_accepted(const struct transport *t);
bool transport_is_client(const struct transport *t);
const struct identity *transport_peer(const struct transport *t);       /* proven only when ready */
struct token transport_token(const struct transport *t);

struct transport_info {
	tstamp rtt, min_rtt;
	uint64_t cwnd, in_flight;
	uint64_t tx_bytes, rx_bytes;
	size_t packet_size;
};
void transport_get_info(const struct transport *t, struct transport_info *ret);

void transport_keep_alive(struct transport *t, tstamp every);   /* 0: off */
/* Client, confirmed: move to another path; validated first unless the old one died. */
int transport_migrate(struct transport *t, uint32_t path, bool old_is_dead, tstamp now) _must_check_;

/* ---- streams ---- */
/* Never blocks: where no stream may be opened yet the handle waits with its data.
 * early: may leave in 0-RTT (the service is replay safe). */
int transport_stream_open(struct transport *t, bool early, void *userdata, struct transport_stream **ret) _must_check_;
void transport_stream_bind(struct transport_stream *s, void *userdata);
void *transport_stream_userdata(const struct transport_stream *s);

/* A piece of data whose owner wants it back once the peer has it (or never will). */
struct chunk {
	struct list link;
	const uint8_t *data;
	size_t len;
	void (*release)(struct chunk *c);
};
/* Copies. The queue has no limit of its own: stop above TRANSPORT_HIGH_WATER. */
int transport_stream_write(struct transport_stream *s, struct span data) _must_check_;
void transport_stream_write_chunk(struct transport_stream *s, struct chunk *c); /* takes c */
void transport_stream_finish(struct transport_stream *s);       /* half-close after what is queued */
size_t transport_stream_queued(const struct transport_stream *s);       /* bytes not yet acknowledged */
void transport_stream_consume(struct transport_stream *s, size_t n);
void transport_stream_abort(struct transport_stream *s, uint64_t code); /* both directions */
