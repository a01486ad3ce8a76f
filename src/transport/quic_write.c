/* Packets out, in batches of equal size for UDP_SEGMENT. */
#include "base/err.h"
#include "transport/quic.h"

enum { VECS_MAX = 16 };

static bool bad_stream(ngtcp2_ssize w)
{
	return w == NGTCP2_ERR_STREAM_SHUT_WR || w == NGTCP2_ERR_STREAM_NOT_FOUND;
}

/* One packet, filled from as many streams as it holds (NGTCP2_WRITE_STREAM_FLAG_MORE).
 * > 0 its length, 0 nothing to send now, < 0 a library error. */
static ngtcp2_ssize next_packet(struct transport *t, ngtcp2_path *path, uint8_t *out, size_t size, tstamp now)
{
	struct list blocked;            /* streams at their flow-control window, for this packet */
	ngtcp2_ssize w;

	list_init(&blocked);
	for (;;) {
		struct transport_stream *s = list_first(&t->sendable, struct transport_stream, send_link);
		ngtcp2_vec vec[VECS_MAX];
		ngtcp2_pkt_info info;
		ngtcp2_ssize used = -1;
		bool fin = false;
		size_t n = s ? quic_stream_next(s, vec, VECS_MAX, &fin) : 0;
		uint32_t flags = s ? NGTCP2_WRITE_STREAM_FLAG_MORE : 0;

		if (fin)
			flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
		w = ngtcp2_conn_writev_stream(t->conn, path, &info, out, size, &used, flags, s ? s->id : -1,
					      n ? vec : NULL, n, now);
		if (s && used >= 0) {
			size_t offered = 0;
			for (size_t i = 0; i < n; i++)
				offered += vec[i].len;
			quic_stream_sent(s, (size_t)used, fin && (size_t)used == offered);
			/* round robin: who has sent goes to the end */
			if (!list_empty(&s->send_link)) {
				list_del(&s->send_link);
				list_add_tail(&t->sendable, &s->send_link);
			}
		}
		if (w == NGTCP2_ERR_WRITE_MORE)
			continue;
		if (s && w == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
			list_del(&s->send_link);
			list_add_tail(&blocked, &s->send_link);
			continue;
		}
		if (s && bad_stream(w)) {
			list_del(&s->send_link);
			continue;
		}
		break;
	}

	struct transport_stream *s;
	while ((s = list_first(&blocked, struct transport_stream, send_link))) {
		list_del(&s->send_link);
		list_add_tail(&t->sendable, &s->send_link);
	}
	return w;
}

static int emit_close(struct transport *t, uint8_t *out, size_t *ret_len, size_t *ret_seg, uint32_t *ret_path)
{
	if (!t->close_len)
		return 0;
	memcpy(out, t->close_packet, t->close_len);
	*ret_len = *ret_seg = t->close_len;
	*ret_path = t->close_path;
	t->tx_bytes += t->close_len;
	t->close_len = 0;
	return 1;
}

int transport_write(struct transport *t, uint8_t *out, size_t *ret_len, size_t *ret_seg, uint32_t *ret_path, tstamp now)
{
	size_t len = 0, seg = 0, packets = 0, max = TRANSPORT_BATCH_SEGMENTS;
	uint32_t path = 0;

	if (t->end.err)
		return emit_close(t, out, ret_len, ret_seg, ret_path);

	quic_sweep_waiting(t);
	if (t->stash_len) {
		memcpy(out, t->stash, t->stash_len);
		len = seg = t->stash_len;
		path = t->stash_path;
		packets = 1;
		t->stash_len = 0;
	}
	size_t quantum = ngtcp2_conn_get_send_quantum(t->conn) / 1200;
	max = MIN(max, quantum ?: 1);

	/* A shorter packet ends the batch, a longer one or one for another path starts
	 * the next; only 0 from the library ends the writing. */
	while (packets < max && len + TRANSPORT_PACKET_MAX <= TRANSPORT_BATCH_BYTES && (!packets || len == seg * packets)) {
		ngtcp2_path_storage ps;

		ngtcp2_path_storage_zero(&ps);
		ngtcp2_ssize w = next_packet(t, &ps.path, out + len, TRANSPORT_PACKET_MAX, now);
		if (w < 0) {
			quic_fail(t, (int)w, now);
			return len ? (*ret_len = len, *ret_seg = seg, *ret_path = path, 1)
				   : emit_close(t, out, ret_len, ret_seg, ret_path);
		}
		if (w == 0)
			break;

		uint32_t p = quic_path_number(&ps.path);
		if (!packets) {
			seg = (size_t)w;
			path = p;
		} else if (p != path || (size_t)w > seg) {
			memcpy(t->stash, out + len, (size_t)w);
			t->stash_len = (size_t)w;
			t->stash_path = p;
			break;
		}
		len += (size_t)w;
		packets++;
	}
	/* not in the handshake: it would pace our second flight by a guessed RTT */
	if (t->ready)
		ngtcp2_conn_update_pkt_tx_time(t->conn, now);
	if (!len)
		return 0;
	t->tx_bytes += len;
	*ret_len = len;
	*ret_seg = seg;
	*ret_path = path;
	return 1;
}
