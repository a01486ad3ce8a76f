#include "wire.h"

#include "base/err.h"

struct transport {
	struct wire *w;
	bool server;
};

struct transport_stream {
	struct line *line;
	void *userdata;
	struct buf out;
	size_t unread;
	bool fin, fin_told, aborted, abort_told, was_full;
	uint64_t code;
};

struct line {
	struct list link;
	struct transport_stream end[2]; /* client, server */
	bool opened;
};

struct wire {
	struct wire_config config;
	struct transport side[2];
	struct streams *ss[2];
	struct list lines;
	bool early, stalled;
};

static const struct streams_ops none;

struct wire *wire_new(const struct wire_config *config, const struct streams_ops *ops, void *userdata)
{
	struct wire *w = calloc(1, sizeof *w);

	if (config)
		w->config = *config;
	w->config.window = w->config.window ?: 256 << 10;
	w->config.piece = w->config.piece ?: 1200;
	list_init(&w->lines);
	for (int i = 0; i < 2; i++) {
		w->side[i] = (struct transport){ w, i };
		if (streams_new(&w->ss[i], i ? ops : &none, userdata) < 0)
			abort();
		streams_set_transport(w->ss[i], &w->side[i]);
	}
	return w;
}

static void line_free(struct line *l)
{
	list_del(&l->link);
	for (int i = 0; i < 2; i++)
		buf_done(&l->end[i].out);
	free(l);
}

void wire_free(struct wire *w)
{
	struct line *l;

	if (!w)
		return;
	streams_free(w->ss[0], ERR_CLOSED);
	streams_free(w->ss[1], ERR_CLOSED);
	while ((l = list_first(&w->lines, struct line, link)))
		line_free(l);
	free(w);
}

struct streams *wire_client(struct wire *w) { return w->ss[0]; }
void wire_set_early(struct wire *w, bool early) { w->early = early; }
void wire_stall(struct wire *w, bool stalled) { w->stalled = stalled; }

size_t wire_queued(const struct wire *w)
{
	struct line *l;
	size_t n = 0;

	list_for_each(l, &w->lines, link)
		n += l->end[1].out.len;
	return n;
}

size_t wire_len(const struct wire *w)
{
	struct line *l;
	size_t n = 0;

	list_for_each(l, &w->lines, link)
		n++;
	return n;
}

static bool move_data(struct wire *w, struct transport_stream *from, struct transport_stream *to)
{
	bool moved = false;

	while (!from->aborted && !to->aborted && from->out.len && to->unread < w->config.window) {
		size_t room = MIN(w->config.piece, w->config.window - to->unread);
		size_t n = MIN(from->out.len, room);
		uint8_t *copy = malloc(n);      /* so that a sanitizer sees its end */

		memcpy(copy, from->out.data, n);
		buf_consume(&from->out, n);
		to->unread += n;
		from->fin_told = from->fin && !from->out.len;
		streams_on_data(to->userdata, SPAN(copy, n), from->fin_told, w->early && to == &to->line->end[1]);
		free(copy);
		moved = true;
	}
	if (from->fin && !from->fin_told && !from->out.len && !from->aborted && !to->aborted) {
		from->fin_told = moved = true;
		streams_on_data(to->userdata, SPAN_NONE, true, false);
	}
	if (from->was_full && from->out.len < TRANSPORT_LOW_WATER) {
		from->was_full = false;
		moved = true;
		streams_on_writable(from->userdata);
	}
	return moved;
}

static bool move_end(struct transport_stream *from, struct transport_stream *to)
{
	if (!from->aborted || from->abort_told)
		return false;
	from->abort_told = true;
	streams_on_reset(to->userdata, from->code);
	return true;
}

static bool line_turn(struct wire *w, struct line *l)
{
	bool moved = false;

	if (!l->opened) {
		l->opened = moved = true;
		streams_on_opened(w->ss[1], &l->end[1]);
	}
	for (int i = 0; i < 2; i++) {
		if (i == 1 && w->stalled)
			continue;
		moved |= move_data(w, &l->end[i], &l->end[!i]);
		moved |= move_end(&l->end[i], &l->end[!i]);
	}
	if ((l->end[0].fin_told && l->end[1].fin_told) || l->end[0].abort_told || l->end[1].abort_told) {
		streams_on_closed(l->end[0].userdata);
		streams_on_closed(l->end[1].userdata);
		line_free(l);
		return true;
	}
	return moved;
}

bool wire_turn(struct wire *w)
{
	bool moved = false;
	struct line *l;

	list_for_each(l, &w->lines, link)
		moved |= line_turn(w, l);
	return moved;
}

/* ---- transport.h, as far as streams need it ---- */

bool transport_ended(const struct transport *, struct transport_end *) { return false; }

int transport_stream_open(struct transport *t, bool, void *userdata, struct transport_stream **ret)
{
	struct line *l = calloc(1, sizeof *l);

	l->end[0].line = l->end[1].line = l;
	l->end[0].userdata = userdata;
	list_add_tail(&t->w->lines, &l->link);
	*ret = &l->end[0];
	return 0;
}

void transport_stream_bind(struct transport_stream *s, void *userdata) { s->userdata = userdata; }
void *transport_stream_userdata(const struct transport_stream *s) { return s->userdata; }

int transport_stream_write(struct transport_stream *s, struct span data)
{
	if (!s->aborted)
		buf_add_span(&s->out, data);
	s->was_full |= s->out.len >= TRANSPORT_LOW_WATER;
	return buf_err(&s->out);
}

void transport_stream_write_chunk(struct transport_stream *s, struct chunk *c)
{
	if (transport_stream_write(s, SPAN(c->data, c->len)) < 0)
		abort();
	c->release(c);
}

void transport_stream_finish(struct transport_stream *s) { s->fin = true; }
size_t transport_stream_queued(const struct transport_stream *s) { return s->out.len; }

void transport_stream_consume(struct transport_stream *s, size_t n)
{
	if (n > s->unread)
		abort();
	s->unread -= n;
}

void transport_stream_abort(struct transport_stream *s, uint64_t code)
{
	s->aborted = true;
	s->code = code;
	buf_done(&s->out);
}
