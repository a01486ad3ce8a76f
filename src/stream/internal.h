/* What set.c, receive.c and send.c share. A stream ends in one of two ways: in
 * order, when both halves are done; or by the first failure, whoever noticed it,
 * which stays in `err` and is what closed() reports. */
#pragma once

#include "stream/stream.h"

enum {
	STREAM_HELD_MAX = 32 << 20,     /* a paused stream's bytes; the transport's window is smaller */
	STREAM_PART_FIRST = 64 << 10,   /* reserved on the word of a length alone */
	STREAM_PREFIX_MAX = 8,          /* a varint */
};

struct streams {
	const struct streams_ops *ops;
	void *userdata;
	struct transport *transport;
	struct list open;
	size_t len;
	bool dying;                     /* streams_free() runs: the transport is out of reach */
};

struct receive {
	bool paused;
	bool early;                     /* a byte of the header block came in 0-RTT */
	bool headers;                   /* the header block was delivered */
	bool fin, end_told;
	bool in_unit;                   /* the length is known, the bytes are not all there */
	uint8_t prefix[STREAM_PREFIX_MAX];
	uint8_t prefix_len;             /* of a length that packets cut in two */
	uint8_t *part;                  /* the unit that packets cut in pieces */
	size_t part_len, part_cap, want;
	struct buf held;                /* raw, while paused */
	size_t held_at;
	size_t unread;                  /* got, not yet given back to the peer's window */
};

struct stream {
	struct list link;
	struct streams *set;
	struct transport_stream *ts;    /* NULL once the transport let go of it */
	const struct stream_handler *handler;
	void *userdata;
	int err;                        /* 0 while it goes on */
	unsigned busy;                  /* receive callbacks on the stack: keep the buffers */
	bool opener, gone;
	bool headers_sent, ended, wants_writable;
	struct receive rx;
};

/* May bytes still be sent and received? */
bool stream_is_usable(const struct stream *s);
/* Gives the stream up. Where the transport let go of it before, closed() runs here
 * and s is gone, unless a receive callback is on the stack. */
void stream_fail(struct stream *s, enum stream_code code, int err);
/* Runs closed() if nothing is left to do; s may be gone. */
void stream_settle(struct stream *s);

/* Calls back as far as bytes and pausing allow. */
void receive_data(struct stream *s, struct span data);
void receive_held(struct stream *s);
/* Returns the peer's window for n of the unread bytes. */
void receive_credit(struct stream *s, size_t n);
void receive_done(struct stream *s);

/* One length-prefixed unit from two pieces. */
int send_unit(struct stream *s, struct span a, struct span b) _must_check_;
