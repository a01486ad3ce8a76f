/* A batched UDP socket: GRO in, GSO out (udp(7): UDP_GRO, UDP_SEGMENT). Falls
 * back to single packets where the kernel or the path refuses GSO. Dual stack
 * where IPv6 exists. */
#pragma once

#include "base/addr.h"
#include "base/span.h"
#include "loop/loop.h"

struct udp;

enum { UDP_PAYLOAD_MAX = 65527, UDP_BATCH_BYTES = 64000, UDP_BATCH_SEGMENTS = 60 };

/* One coalesced buffer from one sender: every segment has seg_len bytes but the
 * last, which may be shorter; neither length is zero. Borrowed until the
 * udp_turn_fn that follows has returned. */
typedef void udp_recv_fn(void *userdata, const struct addr *from, struct span data, size_t seg_len);
/* After the last buffer of a batch: the place to flush what was caused. */
typedef void udp_turn_fn(void *userdata);

struct udp_config {
	struct addr bind;               /* any address and port 0 are fine */
	udp_recv_fn *recv;
	udp_turn_fn *turn;              /* may be NULL */
	void *userdata;
	int fd;                         /* >= 0: use this bound socket (taken over on success); else -1 */
};

int udp_open(struct udp **ret, struct loop *l, const struct udp_config *config) _must_check_;
void udp_free(struct udp *u);
DEFINE_FREEP(struct udp *, udp_free)
int udp_local_addr(const struct udp *u, struct addr *ret) _must_check_;

/* Sends data as segments of seg_len (the last may be shorter) to one address.
 * A batch above the limits is split. ERR_AGAIN: the socket is full; call again after
 * a writable turn (udp_turn_fn runs then too). Other errors are the packet's
 * fate, not the socket's, and may be ignored as loss. -EINVAL: no bytes, or no
 * segment length. */
int udp_send(struct udp *u, const struct addr *to, struct span data, size_t seg_len);

/* Collects several udp_send()s into one sendmmsg; data must stay valid until
 * udp_flush(). For relays: what the socket cannot take at once is dropped. */
int udp_queue(struct udp *u, const struct addr *to, struct span data, size_t seg_len);
void udp_flush(struct udp *u);

struct udp_stats { uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets, tx_dropped; };
void udp_get_stats(const struct udp *u, struct udp_stats *ret);
