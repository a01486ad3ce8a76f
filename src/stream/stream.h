/* Ordered messages in both directions over one transport stream: a header block
 * first, then length-prefixed messages (QUIC varint, RFC 9000 16), then half-close;
 * or a reset with a code. Opening costs no round trip: header and first message
 * leave together. Back-pressure is QUIC's flow control: a paused stream's bytes stay
 * uncounted, so the peer stops at the window.
 *
 * `struct streams` is the set over one connection; it fills the stream part of a
 * transport_ops. Owned by whoever owns the transport. */
#pragma once

#include "stream/headers.h"
#include "transport/transport.h"

struct streams;
struct stream;

enum {
	STREAM_MESSAGE_MAX = 256 << 10,         /* one message; more is the peer's protocol error */
};

/* Reset codes on the wire (docs/protocol/stream.md), and the err they become. */
enum stream_code {
	STREAM_CODE_NONE = 0, STREAM_CODE_CANCEL = 1, STREAM_CODE_PROTOCOL = 2,
	STREAM_CODE_LIMIT = 3, STREAM_CODE_INTERNAL = 4, STREAM_CODE_REFUSED = 5,
};

/* Any of them may be NULL. In them every function may be called but streams_free(). */
struct stream_handler {
	/* The peer's header block; for an accepted stream it was the argument of accept. */
	void (*headers)(void *userdata, struct stream *s, const struct headers *h);
	void (*message)(void *userdata, struct stream *s, struct span m);
	void (*end)(void *userdata, struct stream *s);          /* the peer sends nothing more */
	void (*writable)(void *userdata, struct stream *s);     /* after stream_send() said ERR_AGAIN */
	/* Last call, exactly once; the handle is gone after it. err 0: both halves ended in
	 * order; ERR_CLOSED: connection lost; ERR_STATE: reset by us; ERR_PROTOCOL: the peer
	 * broke the rules; reset by the peer: -ECANCELED, ERR_PROTOCOL, ERR_LIMIT, -EREMOTEIO
	 * or ERR_REFUSED by its code. */
	void (*closed)(void *userdata, struct stream *s, int err);
};

struct streams_ops {
	/* A peer's stream with its header block: stream_attach() a handler now, or refuse
	 * with stream_reset(). early: it came in 0-RTT. */
	void (*accept)(void *userdata, struct stream *s, const struct headers *h, bool early);
};

int streams_new(struct streams **ret, const struct streams_ops *ops, void *userdata) _must_check_;
/* Tells every stream err (0: ERR_CLOSED), then frees. Does not touch the transport, which
 * must not be run with these streams any more. Not in a callback. NULL is fine. */
void streams_free(struct streams *ss, int err);
void streams_set_transport(struct streams *ss, struct transport *t);
/* To be called from the transport's ops of the owner. stream: the transport stream's
 * userdata, NULL for one that was given up. */
void streams_on_opened(struct streams *ss, struct transport_stream *ts);
void streams_on_data(void *stream, struct span data, bool fin, bool early);
void streams_on_writable(void *stream);
void streams_on_reset(void *stream, uint64_t code);
void streams_on_closed(void *stream);
size_t streams_len(const struct streams *ss);   /* open now */

/* header_block: encoded map, at most HEADERS_LEN_MAX. */
int stream_open(struct streams *ss, struct span header_block, bool early,
		const struct stream_handler *handler, void *userdata, struct stream **ret) _must_check_;
void stream_attach(struct stream *s, const struct stream_handler *handler, void *userdata);
/* The answering side's header block, once, before its first message. */
int stream_send_headers(struct stream *s, struct span header_block) _must_check_;
/* Copies m. ERR_AGAIN: was not taken, wait for writable. ERR_LIMIT: too long. */
int stream_send(struct stream *s, struct span m) _must_check_;
/* One message made of prefix (copied, may be empty) and the chunk's bytes (not copied,
 * released when acknowledged). On ERR_AGAIN the chunk stays the caller's. */
int stream_send_chunk(struct stream *s, struct span prefix, struct chunk *c) _must_check_;
bool stream_can_send(const struct stream *s);
void stream_end(struct stream *s);              /* half-close; queued messages still go */
void stream_reset(struct stream *s, enum stream_code code);     /* closed(…, ERR_STATE) follows, a round trip later or with the connection's end */
/* Whoever handled it is dying: no callback any more, the stream is cancelled. */
void stream_abandon(struct stream *s);
/* Holds back headers, message and end, and a closed() in order behind them. */
void stream_pause(struct stream *s);
/* Delivers what waited before it returns, outside of a receive callback; where the
 * transport was done with the stream closed() is among it, and s is gone. The same goes
 * for stream_reset() on such a stream. */
void stream_resume(struct stream *s);
void *stream_userdata(const struct stream *s);
void *stream_owner(const struct stream *s);     /* userdata of its streams */
