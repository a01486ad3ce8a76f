#include <errno.h>

#include "base/err.h"
#include "stream/internal.h"
#include "wire/varint.h"

enum { SEND_SMALL = 1024 };     /* up to here one copy is cheaper than a second write */

int send_unit(struct stream *s, struct span a, struct span b)
{
	uint8_t head[STREAM_PREFIX_MAX + SEND_SMALL];
	struct span rest[2] = { a, b };
	size_t n = varint_put(head, a.len + b.len);
	int err;

	for (size_t i = 0; i < ARRAY_LEN(rest) && rest[i].len <= sizeof head - n; i++) {
		if (rest[i].len)
			memcpy(head + n, rest[i].data, rest[i].len);
		n += rest[i].len;
		rest[i] = SPAN_NONE;
	}
	err = transport_stream_write(s->ts, SPAN(head, n));
	if (err < 0)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		err = rest[i].len ? transport_stream_write(s->ts, rest[i]) : 0;
		if (err < 0) {
			stream_fail(s, STREAM_CODE_INTERNAL, err);      /* half a unit went: no way back */
			return err;
		}
	}
	return 0;
}

static int may_send(struct stream *s, size_t len)
{
	if (!stream_is_usable(s))
		return ERR_CLOSED;
	if (!s->headers_sent || s->ended)
		return ERR_STATE;
	if (len > STREAM_MESSAGE_MAX)
		return ERR_LIMIT;
	if (transport_stream_queued(s->ts) >= TRANSPORT_HIGH_WATER) {
		s->wants_writable = true;
		return ERR_AGAIN;
	}
	return 0;
}

bool stream_can_send(const struct stream *s)
{
	return stream_is_usable(s) && s->headers_sent && !s->ended &&
	       transport_stream_queued(s->ts) < TRANSPORT_HIGH_WATER;
}

int stream_send_headers(struct stream *s, struct span header_block)
{
	struct headers h;
	int err;

	if (!stream_is_usable(s))
		return ERR_CLOSED;
	if (s->headers_sent || s->ended)
		return ERR_STATE;
	err = headers_parse(&h, header_block);
	if (err < 0)
		return err;

	err = send_unit(s, header_block, SPAN_NONE);
	if (err < 0)
		return err;

	s->headers_sent = true;
	return 0;
}

int stream_send(struct stream *s, struct span m)
{
	int err = may_send(s, m.len);

	return err < 0 ? err : send_unit(s, m, SPAN_NONE);
}

int stream_send_chunk(struct stream *s, struct span prefix, struct chunk *c)
{
	uint8_t head[STREAM_PREFIX_MAX + SEND_SMALL];
	bool small = prefix.len <= SEND_SMALL;
	size_t n;
	int err;

	/* Each is checked alone first: their sum could wrap. */
	err = may_send(s, MAX(prefix.len, c->len) > STREAM_MESSAGE_MAX ? SIZE_MAX : prefix.len + c->len);
	if (err < 0)
		return err;

	n = varint_put(head, prefix.len + c->len);
	if (small && prefix.len)
		memcpy(head + n, prefix.data, prefix.len);
	err = transport_stream_write(s->ts, SPAN(head, n + (small ? prefix.len : 0)));
	if (err < 0)
		return err;
	err = small ? 0 : transport_stream_write(s->ts, prefix);
	if (err < 0) {
		stream_fail(s, STREAM_CODE_INTERNAL, err);
		return err;
	}

	if (c->len)
		transport_stream_write_chunk(s->ts, c);
	else
		c->release(c);
	return 0;
}

void stream_end(struct stream *s)
{
	if (!stream_is_usable(s) || s->ended)
		return;
	s->ended = true;
	transport_stream_finish(s->ts);
}
