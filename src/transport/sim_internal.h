/* A small reliable protocol behind transport.h, for the deterministic simulator. It
 * has QUIC's shape where the code above can see it: connection IDs at the same place,
 * a handshake of one round trip in which both keys are proven, early data by ticket,
 * streams with windows, loss recovery, paths, idle timeout. It is no product: no key
 * update, no version, no defence against an authenticated peer who wastes memory.
 *
 *   long header   type u8, version u32, 12, dcid, 12, scid, pn u32, sealed frames
 *   short header  0x40 u8, dcid, pn u32, sealed frames
 *
 * The header is the seal's associated data. One packet number space a direction.
 *
 *   Initial    key of the dcid, so readable by all, as in QUIC: e_c, ALPN, ticket
 *   Early      key of the ticket's secret: streams
 *   Reply      e_s in the clear, then under ee: server's identity and its proof (es)
 *   Short      under ee and es: everything; until confirmed each packet of the client
 *              begins with its identity and its proof (se)  */
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "transport/transport.h"

enum {
	SIM_VERSION = 0x53494d31,
	SIM_PACKET = 1200,
	SIM_LONG_HEADER = 1 + 4 + 1 + TRANSPORT_CID_LEN + 1 + TRANSPORT_CID_LEN + 4,
	SIM_SHORT_HEADER = 1 + TRANSPORT_CID_LEN + 4,
	SIM_WINDOW = 1 << 20,
	SIM_WINDOW_STEP = SIM_WINDOW / 4,
	SIM_SEGMENTS_MAX = 8192,        /* out of order, one stream */
	SIM_RANGES_MAX = 256,
	SIM_ACK_RANGES = 24,
	SIM_ITEMS = 12,                 /* what one packet carries that must arrive */
	SIM_ALPN_MAX = 32,
	SIM_TICKET_LEN = 32 + 12 + 64 + AEAD_TAG_LEN,   /* secret, nonce, sealed {identity, secret} */
	SIM_BLOB_LEN = PUBLIC_KEY_LEN + SIM_TICKET_LEN, /* what the client keeps: whose it is first */
};

#define SIM_NO_ID UINT32_MAX

enum sim_type { SIM_INITIAL = 0xc0, SIM_EARLY = 0xd0, SIM_REPLY = 0xe0, SIM_SHORT = 0x40 };

enum sim_frame {
	FRAME_PADDING, FRAME_PING, FRAME_ACK, FRAME_HELLO, FRAME_SERVER, FRAME_CLIENT, FRAME_DONE,
	FRAME_STREAM, FRAME_RESET, FRAME_STOP, FRAME_WINDOW, FRAME_STREAMS, FRAME_TICKET,
	FRAME_CHALLENGE, FRAME_RESPONSE, FRAME_CLOSE, _FRAME_MAX,
};

/* ---- sets of numbers as sorted, disjoint [from, to) ---- */
struct ranges {
	struct range { uint64_t from, to; } *r;
	size_t len, cap;
};
int ranges_add(struct ranges *s, uint64_t from, uint64_t to) _must_check_;
void ranges_del(struct ranges *s, uint64_t from, uint64_t to);
bool ranges_has(const struct ranges *s, uint64_t v);
void ranges_done(struct ranges *s);

/* ---- streams ---- */
struct segment {
	struct list link;
	uint64_t off;
	size_t len;
	bool early;
	uint8_t data[];
};

struct transport_stream {
	struct list link;
	struct transport *t;
	uint32_t id;            /* SIM_NO_ID until something is sent */
	void *userdata;
	bool early;
	bool closed;            /* the user was told that it is gone */
	bool aborted;

	/* sending: bytes [base, end) are queued in `chunks`, of which [base, next) were sent */
	struct list chunks;
	uint64_t chunk_off;     /* stream offset of the first chunk's first byte */
	uint64_t base, next, end, peer_max;
	struct ranges acked, lost;
	bool fin, fin_sent, fin_acked, was_full;
	bool tx_reset, reset_due, reset_acked, stop_due, stop_acked;
	uint64_t code;

	/* receiving */
	struct list segments;
	size_t segments_len;
	uint64_t got, consumed, told_max, final;        /* final: UINT64_MAX until known */
	bool rx_done, window_due;
};

/* ---- packets in flight ---- */
struct item {
	enum sim_frame kind;
	uint32_t id;
	uint64_t off;
	size_t len;
	bool fin;
};

struct sent {
	struct list link;
	uint32_t pn;
	tstamp at;
	size_t size;
	enum sim_type type;
	struct item items[SIM_ITEMS];
	size_t items_len;
};

struct key { uint8_t b[AEAD_KEY_LEN]; };

struct transport_context {
	struct vault *vault;
	struct key ticket;
};

struct transport {
	struct transport_context *context;
	const struct transport_ops *ops;
	void *userdata;
	char alpn[SIM_ALPN_MAX];
	struct token token;
	uint8_t scid[TRANSPORT_CID_LEN], dcid[TRANSPORT_CID_LEN], first_dcid[TRANSPORT_CID_LEN];
	struct identity peer, expected;
	bool is_server, expect_peer;
	tstamp now;

	/* handshake */
	struct agree_secret eph;
	struct agree_public eph_pub, eph_peer;
	struct key reply_key, early_key, key[2];        /* key[1]: from the server */
	uint8_t se[MAC_LEN];                    /* the client's proof */
	uint8_t ticket[SIM_TICKET_LEN];
	bool has_ticket, has_hello, has_keys, has_early_key;
	bool has_reply_key, peer_has_keys;
	bool hello_due, server_due, client_due, done_due, ticket_due;
	bool peer_proven, early_admitted, resumed, early_accepted, ready, confirmed;

	/* streams */
	struct list streams;
	struct map by_id;
	uint32_t opened, peer_streams_max;      /* ours so far; how many we may */
	uint32_t own_streams_max;               /* how many the peer may */
	bool streams_due;
	struct ranges peer_done;                /* ids of the peer that are over */

	/* recovery */
	struct list in_flight;
	uint32_t next_pn, largest_acked, recovery_pn;
	uint64_t cwnd, ssthresh, flying;
	tstamp srtt, rttvar, min_rtt, rto_at;
	unsigned backoff;
	struct ranges got;                      /* packet numbers of the peer */
	uint32_t got_floor;                     /* what is below is old, whether it came or not */
	bool ack_due, ping_due;

	/* paths */
	uint32_t path;
	struct { bool on, due; uint32_t path; bool switch_on_ok; tstamp at; unsigned tries; uint8_t data[8]; } challenge;
	struct { bool due; uint32_t path; uint8_t data[8]; } response;

	/* life */
	tstamp last_rx, idle_from, last_tx, idle_timeout, keep_alive;
	bool sent_since_rx;
	struct transport_end end;
	bool close_due;
	uint64_t tx_bytes, rx_bytes;
};

/* sim_random.c */
void sim_random_bytes(void *p, size_t n);

/* sim_packet.c */
struct sim_head {
	enum sim_type type;
	uint8_t dcid[TRANSPORT_CID_LEN], scid[TRANSPORT_CID_LEN];
	uint32_t pn;
	size_t len;             /* of the header; of a Reply without its e_s */
};
int sim_head_parse(struct sim_head *ret, struct span datagram) _must_check_;
size_t sim_head_write(uint8_t *out, const struct sim_head *h);
/* In place: plain bytes follow `head` bytes of header, the tag comes behind. */
size_t sim_seal(uint8_t *packet, size_t head, size_t plain, const struct key *k, uint32_t pn, bool from_server);
int sim_open(uint8_t *out, struct span datagram, size_t head, const struct key *k, uint32_t pn, bool from_server) _must_check_;

/* sim_handshake.c */
void sim_initial_key(struct key *out, const uint8_t dcid[static TRANSPORT_CID_LEN]);
void sim_early_key(struct transport *t, const uint8_t secret[static 32], const struct agree_public *e_c);
int sim_reply_key(struct transport *t) _must_check_;
int sim_server_keys(struct transport *t, uint8_t ret_proof[static MAC_LEN]) _must_check_;
int sim_client_keys(struct transport *t, const uint8_t proof[static MAC_LEN]) _must_check_;
int sim_client_proof_ok(struct transport *t, const struct identity *who, const uint8_t proof[static MAC_LEN]) _must_check_;
void sim_ticket_make(struct transport *t, uint8_t out[static SIM_TICKET_LEN]);
int sim_ticket_open(struct transport *t, struct span ticket) _must_check_;

/* sim_recovery.c */
void sim_recovery_init(struct transport *t, tstamp rtt_hint);
void sim_path_changed(struct transport *t, bool old_is_dead);
void sim_sent(struct transport *t, const struct sent *s);
void sim_on_ack(struct transport *t, const struct range *r, size_t len);
void sim_forget_type(struct transport *t, enum sim_type type, bool lost);
void sim_check_timers(struct transport *t);
tstamp sim_timer(const struct transport *t);
void sim_recovery_done(struct transport *t);

/* sim_write.c */
size_t sim_write_close(struct transport *t, uint8_t *out);

/* sim_stream.c */
struct transport_stream *sim_stream_find(struct transport *t, uint32_t id);
int sim_stream_get(struct transport *t, uint32_t id, struct transport_stream **ret) _must_check_;
int sim_stream_data(struct transport_stream *s, uint64_t off, struct span data, bool fin, bool early) _must_check_;
void sim_stream_on_reset(struct transport_stream *s, uint64_t code);
void sim_stream_on_stop(struct transport_stream *s, uint64_t code);
void sim_stream_acked(struct transport_stream *s, const struct item *i);
void sim_stream_lost(struct transport_stream *s, const struct item *i);
/* The next bytes to send, at most max; false: nothing. Borrowed until acknowledged. */
bool sim_stream_next(struct transport_stream *s, size_t max, uint64_t *ret_off, struct span *ret_data, bool *ret_fin);
void sim_stream_took(struct transport_stream *s, uint64_t off, size_t len, bool fin);
bool sim_stream_may_send(const struct transport_stream *s);
void sim_streams_reap(struct transport *t);
void sim_streams_done(struct transport *t);

/* sim.c */
void sim_wake(struct transport *t);
void sim_end(struct transport *t, int err, bool by_peer, uint64_t code, struct span reason);
