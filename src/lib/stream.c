/* A stream as the user sees it. Its last word and reset free it; everything else that
 * happens to the stream below finds it or finds nobody. */
#include <errno.h>

#include "base/err.h"
#include "lib/internal.h"

/* ---- life ---- */

int stream_take(struct carrier_stream **ret, struct carrier *c, struct carrier_peer *p, const struct identity *id)
{
	struct carrier_stream *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	*s = (struct carrier_stream){ .c = c, .peer = p, .id = *id, .answered = p };
	list_init(&s->resume_entry);
	list_add_tail(&c->streams, &s->entry);
	*ret = s;
	return 0;
}

static void stream_free(struct carrier_stream *s)
{
	list_del(&s->entry);
	list_del(&s->resume_entry);
	free(s);
}

void stream_drop(struct carrier_stream *s, enum stream_code code)
{
	static const struct stream_handler nobody;
	struct stream *stream = take(s->stream);

	if (stream) {
		stream_attach(stream, &nobody, NULL);
		stream_reset(stream, code);
	}
	stream_free(s);
}

static struct carrier_stream *first_of(const struct carrier_peer *p)
{
	struct carrier_stream *s;

	list_for_each(s, &p->c->streams, entry)
		if (s->peer == p && s->stream)
			return s;
	return NULL;
}

static void stream_over(struct carrier_stream *s, int err)
{
	s->stream = NULL;
	if (s->cb.closed)
		s->cb.closed(s->userdata, s, err);
	stream_free(s);
}

void streams_lost(struct carrier_peer *p, int err)
{
	struct carrier_stream *s;

	while ((s = first_of(p))) {
		stream_abandon(s->stream);
		stream_over(s, err);
	}
}

void streams_drop(struct carrier_peer *p)
{
	struct carrier_stream *s;

	while ((s = first_of(p)))
		stream_drop(s, STREAM_CODE_CANCEL);
}

/* ---- events ---- */

static void on_headers(void *userdata, struct stream *stream, const struct headers *h)
{
	struct carrier_stream *s = userdata;
	struct carrier_headers borrowed = { .h = *h };

	(void)stream;
	if (s->cb.headers)
		s->cb.headers(s->userdata, s, &borrowed);
}

static void on_message(void *userdata, struct stream *stream, struct span m)
{
	struct carrier_stream *s = userdata;

	(void)stream;
	if (s->cb.message)
		s->cb.message(s->userdata, s, m.data, m.len);
}

static void on_end(void *userdata, struct stream *stream)
{
	struct carrier_stream *s = userdata;

	(void)stream;
	if (s->cb.end)
		s->cb.end(s->userdata, s);
}

static void on_writable(void *userdata, struct stream *stream)
{
	struct carrier_stream *s = userdata;

	(void)stream;
	if (s->cb.writable)
		s->cb.writable(s->userdata, s);
}

static void on_closed(void *userdata, struct stream *stream, int err)
{
	(void)stream;
	stream_over(userdata, err);
}

static const struct stream_handler handler = {
	.headers = on_headers, .message = on_message, .end = on_end, .writable = on_writable, .closed = on_closed,
};

void stream_bind(struct carrier_stream *s, struct stream *stream)
{
	s->stream = stream;
	stream_attach(stream, &handler, s);
}

/* ---- for the user ---- */

static int path_of(struct carrier *c, const char *text, const char **ret)
{
	const char *path = text[0] == '/' ? text : service_path_of(text);

	if (!path)
		return lib_fail(c, ERR_UNKNOWN, "\"%.80s\" is neither a path nor the short name of a service", text);
	*ret = path;
	return 0;
}

static int callbacks_read(struct carrier *c, struct carrier_stream_callbacks *out, const carrier_stream_callbacks *in)
{
	int err = options_read(out, sizeof *out, sizeof *out, in);

	return err < 0 ? lib_fail(c, err, "the size of carrier_stream_callbacks does not fit") : 0;
}

int carrier_stream_open(carrier_peer *p, const char *path, const carrier_headers *headers,
			const carrier_stream_callbacks *callbacks, void *userdata, carrier_stream **ret_s)
{
	_cleanup_buf_ struct buf block = {};
	struct carrier_stream_callbacks cb;
	struct carrier *c = p->c;
	struct carrier_stream *s;
	struct stream *stream;

	if (!p->peer)
		return lib_fail(c, ERR_CLOSED, "the connection has ended");
	int err = callbacks_read(c, &cb, callbacks);
	if (err >= 0)
		err = path_of(c, path, &path);
	if (err < 0)
		return err;
	err = headers_with_text(&block, headers, ":path", path);
	if (err < 0)
		return lib_fail(c, err, "the headers of the request");
	err = stream_take(&s, c, p, &p->id);
	if (err < 0)
		return lib_fail(c, err, "%s", "");
	s->cb = cb;
	s->userdata = userdata;
	err = peer_open_stream(p->peer, buf_span(&block), false, &handler, s, &stream);
	if (err < 0) {
		stream_free(s);
		return lib_fail(c, err, err == ERR_STATE ? "not connected yet: wait for `up`" : "");
	}
	s->stream = stream;
	if (ret_s)
		*ret_s = s;
	return 0;
}

int carrier_stream_attach(carrier_stream *s, const carrier_stream_callbacks *callbacks, void *userdata)
{
	struct carrier_stream_callbacks cb;
	int err = callbacks_read(s->c, &cb, callbacks);

	if (err < 0)
		return err;
	s->cb = cb;
	s->userdata = userdata;
	return 0;
}

void carrier_stream_identity(const carrier_stream *s, carrier_id *ret_id)
{
	memcpy(ret_id->bytes, s->id.key, sizeof ret_id->bytes);
}

int carrier_stream_answer(carrier_stream *s, uint32_t status, const carrier_headers *headers)
{
	_cleanup_buf_ struct buf block = {};

	if (!s->stream)
		return lib_fail(s->c, ERR_CLOSED, "%s", "");
	if (s->answered)
		return lib_fail(s->c, ERR_STATE, "the headers have been sent");
	int err = headers_with_uint(&block, headers, ":status", status);
	if (err < 0)
		return lib_fail(s->c, err, "the headers of the answer");
	err = stream_send_headers(s->stream, buf_span(&block));
	if (err < 0)
		return lib_fail(s->c, err, "%s", "");
	s->answered = true;
	return 0;
}

int carrier_stream_send(carrier_stream *s, const void *data, size_t len)
{
	if (len > STREAM_MESSAGE_MAX)
		return lib_fail(s->c, ERR_LIMIT, "a message has at most %d bytes", (int)STREAM_MESSAGE_MAX);
	int err = s->answered ? 0 : carrier_stream_answer(s, SERVICE_STATUS_OK, NULL);
	if (err < 0)
		return err;
	err = s->stream ? stream_send(s->stream, SPAN(data, len)) : ERR_CLOSED;
	return err < 0 ? lib_fail(s->c, err, "%s", "") : 0;
}

int carrier_stream_end(carrier_stream *s)
{
	int err = s->answered ? 0 : carrier_stream_answer(s, SERVICE_STATUS_OK, NULL);

	if (err < 0)
		return err;
	if (!s->stream)
		return lib_fail(s->c, ERR_CLOSED, "%s", "");
	stream_end(s->stream);
	return 0;
}

void carrier_stream_reset(carrier_stream *s, uint32_t code)
{
	if (s && s->stream)
		stream_drop(s, code >= STREAM_CODE_CANCEL && code <= STREAM_CODE_REFUSED ? (enum stream_code)code :
											   STREAM_CODE_CANCEL);
}

void carrier_stream_pause(carrier_stream *s)
{
	list_del(&s->resume_entry);
	if (s->stream)
		stream_pause(s->stream);
}

void carrier_stream_resume(carrier_stream *s)
{
	if (!s->stream || !list_empty(&s->resume_entry))
		return;
	list_add_tail(&s->c->resuming, &s->resume_entry);
	source_trigger(s->c->sweep);
}

void stream_deliver(struct carrier_stream *s)
{
	list_del(&s->resume_entry);
	if (s->stream)
		stream_resume(s->stream);       /* s may be gone */
}
