/* The two halves of a real socket: udp.c opens and receives, udp_send.c sends. */
#pragma once

#include "base/buf.h"
#include "loop/internal.h"
#include "loop/udp.h"

enum {
	UDP_QUEUE_MAX = 64,             /* entries of one sendmmsg */
	UDP_GSO_SEGMENTS_MAX = 64,      /* the kernel's */
};

struct udp_queue;

struct udp {
	struct loop *loop;
	struct source *io;
	int fd, family;
	udp_recv_fn *recv;
	udp_turn_fn *turn;
	void *userdata;
	bool want_out;                  /* told somebody ERR_AGAIN: waits to be writable */
	bool no_gso;
	bool *freed;                    /* where a running dispatch wants to hear of udp_free() */
	struct udp_stats stats;

	/* The rest of a batch of single packets that the socket took in part. */
	struct buf tail;
	struct addr tail_to;
	size_t tail_seg;

	struct udp_queue *queue;        /* NULL until the first udp_queue() */
};

void udp_want_out(struct udp *u);
int udp_send_tail(struct udp *u);       /* ERR_AGAIN while some of it is left */
