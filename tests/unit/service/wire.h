/* The streams of one connection in memory: what transport.h promises for streams, with
 * nothing below. Bytes move in wire_turn() only, in pieces and up to a window. */
#pragma once

#include "stream/stream.h"

struct wire;

struct wire_config {
	size_t window;                  /* bytes a reader may leave unread; 0: 256 KiB */
	size_t piece;                   /* bytes of one delivery; 0: 1200 */
};

/* ops and userdata: of the serving side. */
struct wire *wire_new(const struct wire_config *config, const struct streams_ops *ops, void *userdata);
/* The connection is lost: every stream is closed. */
void wire_free(struct wire *w);
struct streams *wire_client(struct wire *w);
/* Moves what can be moved; false when nothing did. */
bool wire_turn(struct wire *w);
void wire_set_early(struct wire *w, bool early);
/* The client takes nothing for the moment: a reader that has gone to sleep. */
void wire_stall(struct wire *w, bool stalled);
size_t wire_queued(const struct wire *w);       /* bytes the server has sent and nobody took */
size_t wire_len(const struct wire *w);          /* streams */
