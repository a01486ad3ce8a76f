/* Streams: what waits to be acknowledged, what waits for the bytes before it. */
#include <errno.h>

#include "base/err.h"
#include "transport/sim_internal.h"

enum { COPY_MIN = 4096 };

struct copied {
	struct chunk chunk;
	size_t cap;
	uint8_t bytes[];
};

static void copied_release(struct chunk *c) { free(container_of(c, struct copied, chunk)); }

static void drop_chunks(struct transport_stream *s)
{
	struct chunk *c;

	while ((c = list_first(&s->chunks, struct chunk, link))) {
		list_del(&c->link);
		c->release(c);
	}
}

static void drop_segments(struct transport_stream *s)
{
	struct segment *g;

	while ((g = list_first(&s->segments, struct segment, link))) {
		list_del(&g->link);
		free(g);
	}
	s->segments_len = 0;
}

static struct transport_stream *stream_new(struct transport *t)
{
	struct transport_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct transport_stream){ .t = t, .id = SIM_NO_ID, .peer_max = SIM_WINDOW,
					.told_max = SIM_WINDOW, .final = UINT64_MAX };
	list_init(&s->chunks);
	list_init(&s->segments);
	list_add_tail(&t->streams, &s->link);
	return s;
}

static void stream_free(struct transport_stream *s)
{
	list_del(&s->link);
	if (s->id != SIM_NO_ID)
		map_del(&s->t->by_id, &s->id);
	drop_chunks(s);
	drop_segments(s);
	ranges_done(&s->acked);
	ranges_done(&s->lost);
	free(s);
}

struct transport_stream *sim_stream_find(struct transport *t, uint32_t id) { return map_get(&t->by_id, &id); }

/* The stream a frame is for; *ret NULL where it is over already. */
int sim_stream_get(struct transport *t, uint32_t id, struct transport_stream **ret)
{
	struct transport_stream *s = sim_stream_find(t, id);
	bool own = (id & 1) == t->is_server;

	if (own && id / 2 >= t->opened)
		return ERR_PROTOCOL;
	if (s || own || ranges_has(&t->peer_done, id / 2)) {
		*ret = s;
		return 0;
	}
	if (id / 2 >= t->own_streams_max)
		return ERR_PROTOCOL;
	s = stream_new(t);
	if (!s)
		return -ENOMEM;
	s->id = id;
	if (map_put(&t->by_id, s) < 0) {
		s->id = SIM_NO_ID;
		stream_free(s);
		return -ENOMEM;
	}
	t->ops->stream_opened(t->userdata, s);
	*ret = s;
	return 0;
}

/* ---- receiving ---- */

static void deliver(struct transport_stream *s, struct span data, bool early)
{
	s->got += data.len;
	s->rx_done = s->got == s->final;
	s->t->ops->stream_data(s->t->userdata, s->userdata, data, s->rx_done, early);
}

static int keep_segment(struct transport_stream *s, uint64_t off, struct span data, bool early)
{
	struct segment *g, *at;
	struct list *before = &s->segments;

	list_for_each(at, &s->segments, link)
		if (at->off > off) {
			before = &at->link;
			break;
		} else if (at->off == off && at->len >= data.len) {
			return 0;
		}
	if (s->segments_len >= SIM_SEGMENTS_MAX)
		return ERR_PROTOCOL;
	g = malloc(sizeof *g + data.len);
	if (!g)
		return -ENOMEM;
	g->off = off;
	g->len = data.len;
	g->early = early;
	memcpy(g->data, data.data, data.len);
	list_add_tail(before, &g->link);
	s->segments_len++;
	return 0;
}

static void deliver_segments(struct transport_stream *s)
{
	struct segment *g;

	while (!s->aborted && !s->rx_done && (g = list_first(&s->segments, struct segment, link)) && g->off <= s->got) {
		list_del(&g->link);
		s->segments_len--;
		if (g->off + g->len > s->got)
			deliver(s, span_from(SPAN(g->data, g->len), s->got - g->off), g->early);
		free(g);
	}
}

int sim_stream_data(struct transport_stream *s, uint64_t off, struct span data, bool fin, bool early)
{
	uint64_t end = off + data.len;

	if (s->aborted || s->rx_done)
		return 0;
	if (off > s->told_max || end > s->told_max || end > s->final)
		return ERR_PROTOCOL;
	if (fin) {
		if ((s->final != UINT64_MAX && s->final != end) || s->got > end)
			return ERR_PROTOCOL;
		s->final = end;
	}
	if (off > s->got)
		return data.len ? keep_segment(s, off, data, early) : 0;
	if (end > s->got || s->final == s->got)
		deliver(s, span_from(data, s->got - off), early);
	deliver_segments(s);
	return 0;
}

void transport_stream_consume(struct transport_stream *s, size_t n)
{
	s->consumed = MIN(s->consumed + n, s->got);
	if (s->rx_done || s->aborted || s->consumed + SIM_WINDOW - s->told_max < SIM_WINDOW_STEP)
		return;
	s->told_max = s->consumed + SIM_WINDOW;
	s->window_due = true;
	sim_wake(s->t);
}

/* ---- sending ---- */

int transport_stream_open(struct transport *t, bool early, void *userdata, struct transport_stream **ret)
{
	struct transport_stream *s;

	if (t->end.err)
		return t->end.err;
	s = stream_new(t);
	if (!s)
		return -ENOMEM;
	s->early = early;
	s->userdata = userdata;

	*ret = s;
	return 0;
}

void transport_stream_bind(struct transport_stream *s, void *userdata) { s->userdata = userdata; }
void *transport_stream_userdata(const struct transport_stream *s) { return s->userdata; }
size_t transport_stream_queued(const struct transport_stream *s) { return (size_t)(s->end - s->base); }

static void added(struct transport_stream *s, size_t n)
{
	s->end += n;
	if (n)
		sim_wake(s->t);
	s->was_full |= s->end - s->base >= TRANSPORT_LOW_WATER;
}

/* The bytes of a chunk never move, so the last one may grow while it is in flight. */
int transport_stream_write(struct transport_stream *s, struct span data)
{
	struct chunk *last = list_empty(&s->chunks) ? NULL : list_entry(s->chunks.prev, struct chunk, link);
	struct copied *c;

	if (s->fin || s->tx_reset || s->t->end.err)
		return ERR_STATE;
	if (last && last->release == copied_release) {
		c = container_of(last, struct copied, chunk);
		size_t n = MIN(data.len, c->cap - c->chunk.len);
		if (n)
			memcpy(c->bytes + c->chunk.len, data.data, n);
		c->chunk.len += n;
		added(s, n);
		data = span_from(data, n);
	}
	if (!data.len)
		return 0;

	size_t cap = MAX(data.len, (size_t)COPY_MIN);
	c = malloc(sizeof *c + cap);
	if (!c)
		return -ENOMEM;
	c->chunk = (struct chunk){ .data = c->bytes, .len = data.len, .release = copied_release };
	c->cap = cap;
	memcpy(c->bytes, data.data, data.len);
	list_add_tail(&s->chunks, &c->chunk.link);
	added(s, data.len);
	return 0;
}

void transport_stream_write_chunk(struct transport_stream *s, struct chunk *c)
{
	if (s->fin || s->tx_reset || s->t->end.err || !c->len) {
		c->release(c);
		return;
	}
	list_add_tail(&s->chunks, &c->link);
	added(s, c->len);
}

void transport_stream_finish(struct transport_stream *s)
{
	if (s->tx_reset || s->fin)
		return;
	s->fin = true;
	sim_wake(s->t);
}

static void reset_sending(struct transport_stream *s, uint64_t code)
{
	if (s->tx_reset || (s->fin_acked && s->base == s->end))
		return;
	s->tx_reset = s->reset_due = true;
	s->code = code;
	s->base = s->next = s->end;
	drop_chunks(s);
	ranges_done(&s->lost);
}

void transport_stream_abort(struct transport_stream *s, uint64_t code)
{
	if (s->aborted)
		return;
	s->aborted = true;
	s->code = code;
	s->stop_due = !s->rx_done;
	s->stop_acked = s->rx_done;
	reset_sending(s, code);
	drop_segments(s);
	sim_wake(s->t);
	if (s->id == SIM_NO_ID) {       /* the peer never heard of it */
		s->reset_due = s->stop_due = false;
		s->reset_acked = s->stop_acked = true;
	}
}

void sim_stream_on_reset(struct transport_stream *s, uint64_t code)
{
	if (s->rx_done)
		return;
	s->rx_done = true;
	if (!s->aborted)
		s->t->ops->stream_reset(s->t->userdata, s->userdata, code);
}

static bool sending_done(const struct transport_stream *s)
{
	return s->tx_reset ? s->reset_acked : s->fin_acked && s->base == s->end;
}

void sim_stream_on_stop(struct transport_stream *s, uint64_t code)
{
	if (s->tx_reset || sending_done(s))
		return;
	reset_sending(s, code);
	if (!s->aborted)
		s->t->ops->stream_reset(s->t->userdata, s->userdata, code);
}

bool sim_stream_may_send(const struct transport_stream *s)
{
	const struct transport *t = s->t;

	if (s->tx_reset || (s->id == SIM_NO_ID && t->opened >= t->peer_streams_max))
		return false;
	if (t->is_server)
		return t->peer_proven || (t->early_admitted && s->id != SIM_NO_ID);
	return t->has_keys || (s->early && t->has_early_key);
}

static struct span bytes_at(struct transport_stream *s, uint64_t off, size_t max)
{
	uint64_t at = s->chunk_off;
	struct chunk *c;

	list_for_each(c, &s->chunks, link) {
		if (off < at + c->len)
			return span_first(span_from(SPAN(c->data, c->len), off - at), max);
		at += c->len;
	}
	return SPAN_NONE;
}

bool sim_stream_next(struct transport_stream *s, size_t max, uint64_t *ret_off, struct span *ret_data, bool *ret_fin)
{
	uint64_t off = s->next, to = MIN(s->end, s->peer_max);

	if (s->lost.len) {
		off = s->lost.r[0].from;
		to = s->lost.r[0].to;
	}
	*ret_off = off;
	*ret_data = off < to ? bytes_at(s, off, MIN(max, to - off)) : SPAN_NONE;
	*ret_fin = s->fin && off + ret_data->len == s->end;
	return ret_data->len || (*ret_fin && !s->fin_sent);
}

void sim_stream_took(struct transport_stream *s, uint64_t off, size_t len, bool fin)
{
	struct transport *t = s->t;

	if (s->id == SIM_NO_ID) {
		s->id = t->opened++ * 2 + t->is_server;
		if (map_put(&t->by_id, s) < 0)
			sim_end(t, -ENOMEM, false, 0, SPAN_NONE);
	}
	ranges_del(&s->lost, off, off + len);
	s->next = MAX(s->next, off + len);
	s->fin_sent |= fin;
}

void sim_stream_acked(struct transport_stream *s, const struct item *i)
{
	struct transport *t = s->t;
	struct chunk *c;

	s->fin_acked |= i->fin;
	if (s->tx_reset)
		return;
	if (ranges_add(&s->acked, i->off, i->off + i->len) < 0)
		sim_end(t, -ENOMEM, false, 0, SPAN_NONE);
	ranges_del(&s->lost, i->off, i->off + i->len);
	if (s->acked.len && s->acked.r[0].from == 0)
		s->base = s->acked.r[0].to;
	while ((c = list_first(&s->chunks, struct chunk, link)) && s->chunk_off + c->len <= s->base) {
		s->chunk_off += c->len;
		list_del(&c->link);
		c->release(c);
	}
	if (s->was_full && s->end - s->base < TRANSPORT_LOW_WATER && !s->aborted && !t->end.err) {
		s->was_full = false;
		t->ops->stream_writable(t->userdata, s->userdata);
	}
}

void sim_stream_lost(struct transport_stream *s, const struct item *i)
{
	if (s->tx_reset)
		return;
	if (i->fin && !s->fin_acked)
		s->fin_sent = false;
	if (ranges_add(&s->lost, i->off, i->off + i->len) < 0)
		sim_end(s->t, -ENOMEM, false, 0, SPAN_NONE);
	for (size_t k = 0; k < s->acked.len; k++)
		ranges_del(&s->lost, s->acked.r[k].from, s->acked.r[k].to);
}

/* ---- ends ---- */

void sim_streams_reap(struct transport *t)
{
	struct transport_stream *s;

	list_for_each(s, &t->streams, link) {
		bool done = sending_done(s) && (s->rx_done || (s->aborted && s->stop_acked));

		if (!done)
			continue;
		if (!s->closed) {
			s->closed = true;
			t->ops->stream_closed(t->userdata, s->userdata);
		}
		if (s->id != SIM_NO_ID && (s->id & 1) != t->is_server) {
			if (ranges_add(&t->peer_done, s->id / 2, s->id / 2 + 1) < 0)
				continue;
			t->own_streams_max++;
			t->streams_due = true;
		}
		stream_free(s);
	}
}

void sim_streams_done(struct transport *t)
{
	struct transport_stream *s;

	while ((s = list_first(&t->streams, struct transport_stream, link)))
		stream_free(s);
	map_done(&t->by_id);
	ranges_done(&t->peer_done);
}
