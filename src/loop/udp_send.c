#include "loop/udp_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "base/err.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
	GSO_BYTES_MAX = 65000,          /* an IP packet's worth, headers left out */
};

struct tx_slot {
	struct sockaddr_storage to;
	struct iovec iov;
	union {
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} control;
};

struct udp_queue {
	struct tx_slot slots[UDP_QUEUE_MAX];
	struct mmsghdr mm[UDP_QUEUE_MAX];
	struct addr to[UDP_QUEUE_MAX];
	size_t seg[UDP_QUEUE_MAX];
	unsigned len;
};

static size_t segments(size_t len, size_t seg)
{
	return (len + seg - 1) / seg;
}

/* How much of data one system call can carry. */
static size_t piece_len(const struct udp *u, struct span data, size_t seg)
{
	size_t n = u->no_gso ? 1 : MIN((size_t)UDP_GSO_SEGMENTS_MAX, GSO_BYTES_MAX / seg);

	return span_first(data, n ? n * seg : seg).len;
}

/* m points into slot, which must stay where it is until m is sent. */
static int fill(const struct udp *u, struct msghdr *m, struct tx_slot *slot, const struct addr *to,
		struct span data, size_t seg)
{
	if (u->family == AF_INET && !addr_is_v4(to))
		return -EAFNOSUPPORT;

	slot->iov = (struct iovec){ (void *)data.data, data.len };
	*m = (struct msghdr){
		.msg_name = &slot->to, .msg_namelen = addr_to_sockaddr(&slot->to, to, u->family),
		.msg_iov = &slot->iov, .msg_iovlen = 1,
	};
	if (data.len > seg) {
		uint16_t value = (uint16_t)seg;
		struct cmsghdr *c;

		m->msg_control = slot->control.bytes;
		m->msg_controllen = sizeof slot->control.bytes;
		slot->control.align = (struct cmsghdr){ .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT,
							.cmsg_len = CMSG_LEN(sizeof value) };
		c = CMSG_FIRSTHDR(m);
		memcpy(CMSG_DATA(c), &value, sizeof value);
	}
	return 0;
}

static void count_sent(struct udp *u, size_t len, size_t seg)
{
	u->stats.tx_bytes += len;
	u->stats.tx_packets += segments(len, seg);
}

/* 0, ERR_AGAIN, or the packet's fate. Counts nothing but success. */
static int send_message(struct udp *u, const struct addr *to, struct span data, size_t seg)
{
	struct tx_slot slot;
	struct msghdr m;
	ssize_t n;
	int err = fill(u, &m, &slot, to, data, seg);

	if (err < 0)
		return err;
	do
		n = sendmsg(u->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? ERR_AGAIN : -errno;
	count_sent(u, data.len, seg);
	return 0;
}

static bool refuses_gso(int err)
{
	return err == -EIO || err == -EMSGSIZE || err == -EINVAL;
}

/* One packet a call. *ret_done counts what was sent or is lost. */
static int send_singles(struct udp *u, const struct addr *to, struct span data, size_t seg, size_t *ret_done)
{
	size_t off = 0;
	int result = 0;

	while (off < data.len) {
		struct span packet = span_first(span_from(data, off), seg);
		int err = send_message(u, to, packet, seg);

		if (err == ERR_AGAIN) {
			*ret_done = off;
			return err;
		}
		if (err < 0) {
			u->stats.tx_dropped++;
			result = err;
		}
		off += packet.len;
	}
	*ret_done = off;
	return result;
}

/* After the kernel refused a batch with err. A driver without checksums (EIO)
 * refuses every batch. The other errors may be the packets' own fault: too long
 * for the path alone as well, and then GSO stays on. */
static int send_refused(struct udp *u, const struct addr *to, struct span data, size_t seg, int err,
			size_t *ret_done)
{
	uint64_t before = u->stats.tx_packets;
	int result = send_singles(u, to, data, seg, ret_done);

	if (err == -EIO || u->stats.tx_packets > before)
		u->no_gso = true;
	return result;
}

/* Sends piece after piece. ERR_AGAIN: *ret_done bytes are gone, the rest waits. */
static int send_pieces(struct udp *u, const struct addr *to, struct span data, size_t seg, size_t *ret_done)
{
	size_t off = 0;
	int result = 0;

	while (off < data.len) {
		struct span rest = span_from(data, off);
		struct span piece = span_first(rest, piece_len(u, rest, seg));
		size_t done = piece.len;
		int err = send_message(u, to, piece, seg);

		if (piece.len > seg && refuses_gso(err))
			err = send_refused(u, to, piece, seg, err, &done);
		else if (err < 0 && err != ERR_AGAIN)
			u->stats.tx_dropped += segments(piece.len, seg);
		else if (err == ERR_AGAIN)
			done = 0;
		off += done;
		if (err == ERR_AGAIN) {
			*ret_done = off;
			return err;
		}
		result = err < 0 ? err : result;
	}
	*ret_done = off;
	return result;
}

int udp_send_tail(struct udp *u)
{
	size_t done;
	int err;

	if (!u->tail.len)
		return 0;
	err = send_pieces(u, &u->tail_to, buf_span(&u->tail), u->tail_seg, &done);
	if (err == ERR_AGAIN) {
		buf_consume(&u->tail, done);
		udp_want_out(u);
		return err;
	}
	buf_done(&u->tail);
	return 0;
}

int udp_send(struct udp *u, const struct addr *to, struct span data, size_t seg)
{
	size_t done;
	int err;

	if (!data.len || !seg)
		return -EINVAL;
	err = udp_send_tail(u);
	if (err < 0)
		return err;

	err = send_pieces(u, to, data, MIN(seg, data.len), &done);
	if (err != ERR_AGAIN)
		return err;
	udp_want_out(u);
	if (!done)
		return err;

	/* Taken in part: a repeat would send the first packets twice. */
	data = span_from(data, done);
	u->tail_to = *to;
	u->tail_seg = seg;
	buf_add_span(&u->tail, data);
	if (buf_err(&u->tail) < 0) {
		buf_done(&u->tail);
		u->stats.tx_dropped += segments(data.len, seg);
	}
	return 0;
}

static int enqueue(struct udp *u, const struct addr *to, struct span piece, size_t seg)
{
	struct udp_queue *q = u->queue;
	int err;

	if (q->len == UDP_QUEUE_MAX)
		udp_flush(u);
	q->mm[q->len] = (struct mmsghdr){};
	err = fill(u, &q->mm[q->len].msg_hdr, &q->slots[q->len], to, piece, seg);
	if (err < 0) {
		u->stats.tx_dropped += segments(piece.len, seg);
		return err;
	}
	q->to[q->len] = *to;
	q->seg[q->len] = seg;
	q->len++;
	return 0;
}

int udp_queue(struct udp *u, const struct addr *to, struct span data, size_t seg)
{
	if (!data.len || !seg)
		return -EINVAL;
	if (!u->queue) {
		u->queue = malloc(sizeof *u->queue);
		if (!u->queue)
			return -ENOMEM;
		u->queue->len = 0;
	}
	seg = MIN(seg, data.len);
	while (data.len) {
		struct span piece = span_first(data, piece_len(u, data, seg));
		int err = enqueue(u, to, piece, seg);

		if (err < 0)
			return err;
		data = span_from(data, piece.len);
	}
	return 0;
}

/* The first entry of mm[at..] was refused. Returns how many to skip. */
static unsigned flush_failed(struct udp *u, unsigned at, int err)
{
	struct udp_queue *q = u->queue;
	struct span data = SPAN(q->slots[at].iov.iov_base, q->slots[at].iov.iov_len);
	size_t seg = q->seg[at], done = 0;

	if (err == -EAGAIN) {
		for (unsigned i = at; i < q->len; i++)
			u->stats.tx_dropped += segments(q->slots[i].iov.iov_len, q->seg[i]);
		return q->len - at;
	}
	if (data.len > seg && refuses_gso(err)) {
		if (send_refused(u, &q->to[at], data, seg, err, &done) == ERR_AGAIN)
			u->stats.tx_dropped += segments(data.len - done, seg);
	} else {
		u->stats.tx_dropped += segments(data.len, seg);
	}
	return 1;
}

void udp_flush(struct udp *u)
{
	struct udp_queue *q = u->queue;
	unsigned at = 0;

	while (q && at < q->len) {
		int n = sendmmsg(u->fd, q->mm + at, q->len - at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			at += flush_failed(u, at, n < 0 ? -errno : -EAGAIN);
			continue;
		}
		for (int i = 0; i < n; i++, at++)
			count_sent(u, q->slots[at].iov.iov_len, q->seg[at]);
	}
	if (q)
		q->len = 0;
}
