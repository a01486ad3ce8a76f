/* The receiving half: bytes in whatever pieces the packets had become units, and
 * units become callbacks. A unit is a varint length and that many bytes; the first
 * is the header block. One that lies whole in the packet is delivered from there,
 * others are put together in `part`.
 *
 * Window: what is delivered or copied into `part` (bounded by the message limit)
 * goes back to the peer at once; what a pause holds does not. */
#include <errno.h>

#include "base/err.h"
#include "stream/internal.h"
#include "wire/varint.h"

void receive_credit(struct stream *s, size_t n)
{
	s->rx.unread -= n;
	if (s->ts && n)
		transport_stream_consume(s->ts, n);
}

static void drop_part(struct receive *rx)
{
	free(rx->part);
	rx->part = NULL;
	rx->part_len = rx->part_cap = 0;
}

void receive_done(struct stream *s)
{
	drop_part(&s->rx);
	buf_done(&s->rx.held);
	s->rx.held_at = 0;
}

static void accept_headers(struct stream *s, const struct headers *h)
{
	struct streams *ss = s->set;

	ss->ops->accept(ss->userdata, s, h, s->rx.early);
	if (!s->handler)
		stream_fail(s, STREAM_CODE_REFUSED, ERR_REFUSED);
}

static void deliver(struct stream *s, struct span unit)
{
	struct headers h;
	int err;

	if (s->rx.headers) {
		if (s->handler->message)
			s->handler->message(s->userdata, s, unit);
		return;
	}

	err = headers_parse(&h, unit);
	if (err < 0) {
		stream_fail(s, err == ERR_LIMIT ? STREAM_CODE_LIMIT : STREAM_CODE_PROTOCOL, ERR_PROTOCOL);
		return;
	}
	s->rx.headers = true;
	if (!s->opener)
		accept_headers(s, &h);
	else if (s->handler->headers)
		s->handler->headers(s->userdata, s, &h);
}

/* True once the length of the unit is known. */
static bool read_length(struct stream *s, struct span *in)
{
	struct receive *rx = &s->rx;
	uint8_t first = rx->prefix_len ? rx->prefix[0] : in->data[0];
	size_t need = (size_t)1 << (first >> 6);        /* RFC 9000 16 */
	size_t n = MIN(need - rx->prefix_len, in->len);
	uint64_t len = 0;

	memcpy(rx->prefix + rx->prefix_len, in->data, n);
	rx->prefix_len = (uint8_t)(rx->prefix_len + n);
	*in = span_from(*in, n);
	receive_credit(s, n);
	if (rx->prefix_len < need)
		return false;

	rx->prefix_len = 0;
	varint_get(&len, SPAN(rx->prefix, need));
	if (len > (rx->headers ? (size_t)STREAM_MESSAGE_MAX : (size_t)HEADERS_LEN_MAX)) {
		stream_fail(s, STREAM_CODE_LIMIT, ERR_PROTOCOL);
		return false;
	}
	rx->want = (size_t)len;
	rx->in_unit = true;
	return true;
}

/* At most one growth: a modest size on the peer's word, the whole once bytes came. */
static int grow_part(struct receive *rx)
{
	size_t cap = rx->part_len < STREAM_PART_FIRST ? MIN(rx->want, (size_t)STREAM_PART_FIRST) : rx->want;
	uint8_t *p;

	if (rx->part_cap >= cap)
		return 0;
	p = realloc(rx->part, cap);
	if (!p)
		return -ENOMEM;

	rx->part = p;
	rx->part_cap = cap;
	return 0;
}

/* True once the unit is whole in `part`. */
static bool collect(struct stream *s, struct span *in)
{
	struct receive *rx = &s->rx;

	while (in->len && rx->part_len < rx->want) {
		if (grow_part(rx) < 0) {
			stream_fail(s, STREAM_CODE_INTERNAL, -ENOMEM);
			return false;
		}
		size_t to = MIN(rx->want, rx->part_cap);
		size_t n = MIN(to - rx->part_len, in->len);
		memcpy(rx->part + rx->part_len, in->data, n);
		rx->part_len += n;
		*in = span_from(*in, n);
		receive_credit(s, n);
	}
	return rx->part_len == rx->want;
}

static void step(struct stream *s, struct span *in)
{
	struct receive *rx = &s->rx;
	struct span unit;

	if (!rx->in_unit && !read_length(s, in))
		return;

	if (!rx->part_len && in->len >= rx->want) {
		unit = span_first(*in, rx->want);
		*in = span_from(*in, rx->want);
		receive_credit(s, unit.len);
	} else {
		if (!collect(s, in))
			return;
		unit = SPAN(rx->part, rx->part_len);
		rx->part_len = 0;
	}
	rx->in_unit = false;
	deliver(s, unit);
	if (!in->len)
		drop_part(rx);  /* an idle stream keeps no buffer; a bulk one does between packets */
}

static void tell_end(struct stream *s)
{
	if (s->rx.in_unit || s->rx.prefix_len || (!s->rx.headers && !s->opener)) {
		stream_fail(s, STREAM_CODE_PROTOCOL, ERR_PROTOCOL);
		return;
	}
	s->rx.end_told = true;
	if (s->handler->end)
		s->handler->end(s->userdata, s);
}

/* Returns what a pause left. */
static struct span run(struct stream *s, struct span in)
{
	s->busy++;
	while (in.len && !s->rx.paused && !s->err)
		step(s, &in);
	if (!in.len && s->rx.fin && !s->rx.end_told && !s->rx.paused && !s->err)
		tell_end(s);
	s->busy--;
	return in;
}

static void hold(struct stream *s, struct span data)
{
	if (!data.len)
		return;         /* the end alone */
	s->rx.held.max = STREAM_HELD_MAX;
	buf_add_span(&s->rx.held, data);
	if (buf_err(&s->rx.held) < 0)
		stream_fail(s, STREAM_CODE_LIMIT, ERR_LIMIT);
}

void receive_held(struct stream *s)
{
	struct receive *rx = &s->rx;
	struct span left = run(s, span_from(buf_span(&rx->held), rx->held_at));

	rx->held_at = rx->held.len - left.len;
	if (!left.len) {
		buf_done(&rx->held);
		rx->held_at = 0;
	}
}

void receive_data(struct stream *s, struct span data)
{
	if (s->rx.held.len || s->rx.paused) {
		hold(s, data);
		if (!s->rx.paused && !s->err)
			receive_held(s);
		return;
	}
	data = run(s, data);
	if (data.len && !s->err)
		hold(s, data);
}
