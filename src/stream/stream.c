/* The set of one connection's streams, and how each of them ends. */
#include "stream/stream.h"

#include <errno.h>

#include "base/err.h"
#include "stream/internal.h"

/* ---- the set ---- */

int streams_new(struct streams **ret, const struct streams_ops *ops, void *userdata)
{
	struct streams *ss = calloc(1, sizeof *ss);

	if (!ss)
		return -ENOMEM;
	ss->ops = ops;
	ss->userdata = userdata;
	list_init(&ss->open);

	*ret = ss;
	return 0;
}

void streams_set_transport(struct streams *ss, struct transport *t) { ss->transport = t; }
size_t streams_len(const struct streams *ss) { return ss->len; }

static struct stream *stream_new(struct streams *ss)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->set = ss;
	list_add_tail(&ss->open, &s->link);
	ss->len++;
	return s;
}

/* The last moment of every stream. */
static void stream_finish(struct stream *s)
{
	list_del(&s->link);
	s->set->len--;
	s->ts = NULL;
	s->gone = true;
	if (s->handler && s->handler->closed)
		s->handler->closed(s->userdata, s, s->err);
	receive_done(s);
	free(s);
}

void streams_free(struct streams *ss, int err)
{
	struct stream *s;

	if (!ss)
		return;
	ss->dying = true;
	list_for_each(s, &ss->open, link)
		s->ts = NULL;
	while ((s = list_first(&ss->open, struct stream, link))) {
		s->err = s->err ?: err < 0 ? err : ERR_CLOSED;
		stream_finish(s);
	}
	free(ss);
}

/* ---- ends ---- */

bool stream_is_usable(const struct stream *s) { return s->ts && !s->err; }

void stream_settle(struct stream *s)
{
	if (s->busy || s->gone)
		return;
	if (s->err)
		receive_done(s);
	if (!s->ts && (s->err || s->rx.end_told))
		stream_finish(s);
}

void stream_fail(struct stream *s, enum stream_code code, int err)
{
	if (s->err || s->gone)
		return;
	s->err = err;
	receive_credit(s, s->rx.unread);
	if (s->ts)
		transport_stream_abort(s->ts, code);
	stream_settle(s);
}

void stream_reset(struct stream *s, enum stream_code code) { stream_fail(s, code, ERR_STATE); }

void stream_abandon(struct stream *s)
{
	static const struct stream_handler nobody;

	stream_attach(s, &nobody, NULL);
	stream_reset(s, STREAM_CODE_CANCEL);
}

static int err_of_code(uint64_t code)
{
	static const int errs[] = {
		[STREAM_CODE_NONE] = -ECANCELED,
		[STREAM_CODE_CANCEL] = -ECANCELED,
		[STREAM_CODE_PROTOCOL] = ERR_PROTOCOL,
		[STREAM_CODE_LIMIT] = ERR_LIMIT,
		[STREAM_CODE_INTERNAL] = -EREMOTEIO,
		[STREAM_CODE_REFUSED] = ERR_REFUSED,
	};

	return code < ARRAY_LEN(errs) ? errs[code] : ERR_REFUSED;
}

/* ---- what the transport tells ---- */

void streams_on_opened(struct streams *ss, struct transport_stream *ts)
{
	struct stream *s = stream_new(ss);

	transport_stream_bind(ts, s);
	if (s)
		s->ts = ts;
	else
		transport_stream_abort(ts, STREAM_CODE_INTERNAL);
}

void streams_on_data(void *stream, struct span data, bool fin, bool early)
{
	struct stream *s = stream;

	if (!s || !s->ts)
		return;
	s->rx.unread += data.len;
	if (s->err) {
		receive_credit(s, data.len);
		return;
	}
	if (s->rx.fin && data.len) {
		stream_fail(s, STREAM_CODE_PROTOCOL, ERR_PROTOCOL);
		return;
	}
	s->rx.fin |= fin;
	s->rx.early |= early && !s->rx.headers && data.len;
	receive_data(s, data);
	stream_settle(s);
}

void streams_on_writable(void *stream)
{
	struct stream *s = stream;

	if (!s || !stream_is_usable(s) || !s->wants_writable)
		return;
	s->wants_writable = false;
	if (s->handler->writable)
		s->handler->writable(s->userdata, s);
}

void streams_on_reset(void *stream, uint64_t code)
{
	struct stream *s = stream;

	if (s)
		stream_fail(s, STREAM_CODE_CANCEL, err_of_code(code));
}

/* In order means: both ends said so, and the connection still stands, so the peer
 * has everything. A pause may keep such a stream for its reader. */
void streams_on_closed(void *stream)
{
	struct stream *s = stream;
	struct transport_end end;

	if (!s || !s->ts)
		return;
	if (!s->err && !(s->rx.fin && s->ended && s->set->transport && !transport_ended(s->set->transport, &end)))
		s->err = ERR_CLOSED;
	receive_credit(s, s->rx.unread);
	s->ts = NULL;
	stream_settle(s);
}

/* ---- what the user does ---- */

int stream_open(struct streams *ss, struct span header_block, bool early,
		const struct stream_handler *handler, void *userdata, struct stream **ret)
{
	struct transport_end end;
	struct headers h;
	struct stream *s;
	int err;

	if (ss->dying || !ss->transport || transport_ended(ss->transport, &end))
		return ERR_CLOSED;
	err = headers_parse(&h, header_block);
	if (err < 0)
		return err;

	s = stream_new(ss);
	if (!s)
		return -ENOMEM;
	s->opener = s->headers_sent = true;
	err = transport_stream_open(ss->transport, early, s, &s->ts);
	if (err >= 0)
		err = send_unit(s, header_block, SPAN_NONE);
	if (err < 0) {
		if (s->ts) {
			transport_stream_bind(s->ts, NULL);
			stream_fail(s, STREAM_CODE_INTERNAL, err);
		}
		stream_finish(s);       /* no handler yet: says nothing */
		return err;
	}

	stream_attach(s, handler, userdata);
	*ret = s;
	return 0;
}

void stream_attach(struct stream *s, const struct stream_handler *handler, void *userdata)
{
	s->handler = handler;
	s->userdata = userdata;
}

void stream_pause(struct stream *s) { s->rx.paused = true; }

void stream_resume(struct stream *s)
{
	if (!s->rx.paused)
		return;
	s->rx.paused = false;
	if (s->busy || s->err || s->gone)
		return;
	receive_held(s);
	stream_settle(s);
}

void *stream_userdata(const struct stream *s) { return s->userdata; }
void *stream_owner(const struct stream *s) { return s->set->userdata; }
