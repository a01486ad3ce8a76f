/* Send queues of streams: chunks wait until the peer has acknowledged them. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "transport/quic.h"

enum { COPY_MIN = 4096 };

/* A chunk we made ourselves to copy small writes into. Its bytes never move, for
 * packets in flight point at them. */
struct copy_chunk {
	struct chunk chunk;
	size_t cap;
	uint8_t bytes[];
};

static void copy_release(struct chunk *c)
{
	free(container_of(c, struct copy_chunk, chunk));
}

/* Streams that may send: they have an id and something new to say. */
static void want_send(struct transport_stream *s)
{
	if (s->place == STREAM_OPEN && list_empty(&s->send_link) && !s->aborted &&
	    (s->cursor || (s->fin && !s->fin_sent))) {
		list_add_tail(&s->t->sendable, &s->send_link);
		quic_wake(s->t);
	}
}

static void place_open(struct transport_stream *s, int64_t id)
{
	s->id = id;
	s->place = STREAM_OPEN;
	list_del(&s->link);
	list_add_tail(&s->t->streams, &s->link);
	want_send(s);
}

/* Early streams may go as soon as remembered parameters allow; the others when the
 * peer is proven. */
int quic_open_waiting(struct transport *t)
{
	struct transport_stream *s;

	list_for_each(s, &t->waiting, link) {
		int64_t id;

		if (s->aborted || (!t->ready && !(s->early && t->early_on)))
			continue;
		int r = ngtcp2_conn_open_bidi_stream(t->conn, &id, s);
		if (r == NGTCP2_ERR_STREAM_ID_BLOCKED)
			return 0;
		if (r != 0)
			return ERR_PROTOCOL;
		place_open(s, id);
	}
	return 0;
}

static struct transport_stream *stream_new(struct transport *t)
{
	struct transport_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->t = t;
	s->id = -1;
	list_init(&s->link);
	list_init(&s->send_link);
	list_init(&s->chunks);
	return s;
}

int transport_stream_open(struct transport *t, bool early, void *userdata, struct transport_stream **ret)
{
	if (t->end.err)
		return t->end.err;

	struct transport_stream *s = stream_new(t);
	if (!s)
		return -ENOMEM;
	s->early = early;
	s->userdata = userdata;
	list_add_tail(&t->waiting, &s->link);
	*ret = s;
	int err = quic_open_waiting(t);
	if (err < 0) {
		list_del(&s->link);
		free(s);
		*ret = NULL;
	}
	return err;
}

void quic_stream_accepted(struct transport *t, int64_t id)
{
	struct transport_stream *s = stream_new(t);

	if (!s || ngtcp2_conn_set_stream_user_data(t->conn, id, s) != 0) {
		free(s);
		ngtcp2_conn_shutdown_stream(t->conn, 0, id, 0);
		return;
	}
	list_add_tail(&t->waiting, &s->link);
	place_open(s, id);
	t->config.ops->stream_opened(t->config.userdata, s);
}

void transport_stream_bind(struct transport_stream *s, void *userdata) { s->userdata = userdata; }
void *transport_stream_userdata(const struct transport_stream *s) { return s->userdata; }
size_t transport_stream_queued(const struct transport_stream *s) { return s->queued; }

static void append(struct transport_stream *s, struct chunk *c)
{
	list_add_tail(&s->chunks, &c->link);
	s->queued += c->len;
	if (!s->cursor) {
		s->cursor = c;
		s->cursor_off = 0;
	}
	want_send(s);
}

/* Room at the end of the last chunk, if it is ours and was not sent to its end. */
static struct copy_chunk *open_tail(struct transport_stream *s)
{
	if (list_empty(&s->chunks) || !s->cursor)
		return NULL;
	struct chunk *last = list_entry(s->chunks.prev, struct chunk, link);
	return last->release == copy_release ? container_of(last, struct copy_chunk, chunk) : NULL;
}

int transport_stream_write(struct transport_stream *s, struct span data)
{
	if (s->fin || s->aborted || s->place == STREAM_GONE)
		return ERR_STATE;

	struct copy_chunk *tail = open_tail(s);
	size_t n = tail ? MIN(data.len, tail->cap - tail->chunk.len) : 0;
	if (n) {
		memcpy(tail->bytes + tail->chunk.len, data.data, n);
		tail->chunk.len += n;
		s->queued += n;
		data = span_from(data, n);
	}
	if (data.len) {
		size_t cap = MAX(data.len, (size_t)COPY_MIN);
		struct copy_chunk *c = malloc(sizeof *c + cap);
		if (!c)
			return -ENOMEM;
		*c = (struct copy_chunk){ .chunk = { .data = c->bytes, .len = data.len, .release = copy_release }, .cap = cap };
		memcpy(c->bytes, data.data, data.len);
		append(s, &c->chunk);
	}
	s->was_full |= s->queued >= TRANSPORT_LOW_WATER;
	want_send(s);
	return 0;
}

void transport_stream_write_chunk(struct transport_stream *s, struct chunk *c)
{
	if (s->fin || s->aborted || s->place == STREAM_GONE || !c->len) {
		c->release(c);
		return;
	}
	append(s, c);
	s->was_full |= s->queued >= TRANSPORT_LOW_WATER;
}

void transport_stream_finish(struct transport_stream *s)
{
	if (s->fin || s->aborted)
		return;
	s->fin = true;
	want_send(s);
}

void transport_stream_consume(struct transport_stream *s, size_t n)
{
	if (s->place != STREAM_OPEN || !n)
		return;
	ngtcp2_conn_extend_max_stream_offset(s->t->conn, s->id, n);
	ngtcp2_conn_extend_max_offset(s->t->conn, n);
	quic_wake(s->t);
}

static void drop_chunks(struct transport_stream *s)
{
	struct chunk *c;

	while ((c = list_first(&s->chunks, struct chunk, link))) {
		list_del(&c->link);
		c->release(c);
	}
	s->cursor = NULL;
	s->queued = 0;
}

void transport_stream_abort(struct transport_stream *s, uint64_t code)
{
	if (s->aborted || s->place == STREAM_GONE)
		return;
	s->aborted = true;
	s->abort_code = code;
	list_del(&s->send_link);
	if (s->place == STREAM_OPEN)
		ngtcp2_conn_shutdown_stream(s->t->conn, 0, s->id, code);
	quic_wake(s->t);
}

size_t quic_stream_next(struct transport_stream *s, ngtcp2_vec *vec, size_t max, bool *ret_fin)
{
	size_t n = 0;
	struct list *at = s->cursor ? &s->cursor->link : &s->chunks;

	for (size_t off = s->cursor_off; at != &s->chunks && n < max; at = at->next, off = 0) {
		struct chunk *c = list_entry(at, struct chunk, link);
		if (c->len > off)
			vec[n++] = (ngtcp2_vec){ .base = (uint8_t *)(uintptr_t)c->data + off, .len = c->len - off };
	}
	*ret_fin = s->fin && at == &s->chunks;
	return n;
}

void quic_stream_sent(struct transport_stream *s, size_t n, bool fin)
{
	while (s->cursor && n >= s->cursor->len - s->cursor_off) {
		n -= s->cursor->len - s->cursor_off;
		struct list *next = s->cursor->link.next;
		s->cursor = next == &s->chunks ? NULL : list_entry(next, struct chunk, link);
		s->cursor_off = 0;
	}
	if (s->cursor)
		s->cursor_off += n;
	if (fin && !s->cursor)
		s->fin_sent = true;
	if (!s->cursor && (!s->fin || s->fin_sent))
		list_del(&s->send_link);
}

int quic_stream_acked(struct transport_stream *s, uint64_t len)
{
	struct chunk *c;

	s->queued -= MIN(len, (uint64_t)s->queued);
	s->front_acked += len;
	while ((c = list_first(&s->chunks, struct chunk, link)) && c != s->cursor && s->front_acked >= c->len) {
		s->front_acked -= c->len;
		list_del(&c->link);
		c->release(c);
	}
	if (s->was_full && s->queued < TRANSPORT_LOW_WATER && !s->aborted) {
		s->was_full = false;
		s->t->config.ops->stream_writable(s->t->config.userdata, s->userdata);
	}
	return 0;
}

/* 0-RTT was refused: the library has forgotten those streams, nothing of them was
 * acknowledged, so each starts again from its first byte. */
void quic_rewind_early(struct transport *t)
{
	struct transport_stream *s;

	t->early_rejected = true;
	t->early_on = false;
	list_for_each(s, &t->streams, link) {
		s->place = STREAM_WAITS;
		s->id = -1;
		s->cursor = list_first(&s->chunks, struct chunk, link);
		s->cursor_off = s->front_acked = 0;
		s->fin_sent = false;
		list_del(&s->send_link);
		list_del(&s->link);
		list_add_tail(&t->waiting, &s->link);
	}
}

/* Given up before they had an id: the peer never heard of them. */
void quic_sweep_waiting(struct transport *t)
{
	struct transport_stream *s;

	list_for_each(s, &t->waiting, link)
		if (s->aborted)
			quic_stream_gone(s);
}

void quic_stream_gone(struct transport_stream *s)
{
	struct transport *t = s->t;

	s->place = STREAM_GONE;
	list_del(&s->link);
	list_del(&s->send_link);
	t->config.ops->stream_closed(t->config.userdata, s->userdata);
	drop_chunks(s);
	free(s);
}
