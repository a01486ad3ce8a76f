#include "endpoint/switchboard.h"

#include <errno.h>
#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/err.h"
#include "base/heap.h"
#include "base/map.h"

enum {
	FLUSH_BATCHES_MAX = 16,         /* of one connection, before the others have their turn */
	STALL = 1,                      /* seconds without hearing anything */
	QUIC_FIXED_BIT = 0x40,
	TRIM_CONNS = 64, TRIM_SHARE = 4,       /* memory goes back after so many were and 1/4 is left */
};

struct conn_path {
	uint32_t number;
	struct addr addr;
	bool used;
};

struct conn {
	struct switchboard *sb;
	struct token token;             /* key in sb->by_token */
	struct transport *transport;
	struct streams *streams;
	const struct conn_ops *ops;
	void *userdata;
	struct heap_node timer;
	struct list dirty_link;
	struct conn_path paths[CONN_PATHS_MAX];
	uint32_t path_now, path_last;
	tstamp heard, said, poked;      /* last datagram in, out; last `stalled` */
	bool forgotten, closing;        /* closing: said goodbye; it leaves with the next flush */
	uint64_t close_code;
	char close_reason[TRANSPORT_REASON_MAX];
};

struct switchboard {
	struct switchboard_config config;
	struct transport_context *context;
	struct udp *udp;
	struct source *timer, *flush;
	struct map by_token;
	struct heap timers;
	struct list dirty;
	struct {                        /* a batch the socket would not take yet */
		struct addr to;
		size_t len, seg;
	} held;
	size_t most_conns;              /* since memory was given back */
	bool closing;
	uint8_t out[TRANSPORT_BATCH_BYTES];
};

/* ---- connection events ---- */

static void mark_dirty(struct conn *c)
{
	if (list_empty(&c->dirty_link))
		list_add_tail(&c->sb->dirty, &c->dirty_link);
	source_trigger(c->sb->flush);
}

static bool on_admit(void *userdata, const struct identity *peer)
{
	struct conn *c = userdata;

	return !c->forgotten && c->ops->admit && c->ops->admit(c->userdata, peer);
}

static void on_ready(void *userdata)
{
	struct conn *c = userdata;

	if (!c->forgotten && c->ops->ready)
		c->ops->ready(c->userdata, c);
}

static void on_confirmed(void *userdata)
{
	struct conn *c = userdata;

	if (!c->forgotten && c->ops->confirmed)
		c->ops->confirmed(c->userdata, c);
}

static void on_opened(void *userdata, struct transport_stream *s)
{
	struct conn *c = userdata;

	if (c->streams)
		streams_on_opened(c->streams, s);
}

static void on_data(void *userdata, void *stream, struct span data, bool fin, bool early)
{
	struct conn *c = userdata;

	if (c->streams && stream)
		streams_on_data(stream, data, fin, early);
}

static void on_writable(void *userdata, void *stream)
{
	struct conn *c = userdata;

	if (c->streams && stream)
		streams_on_writable(stream);
}

static void on_reset(void *userdata, void *stream, uint64_t code)
{
	struct conn *c = userdata;

	if (c->streams && stream)
		streams_on_reset(stream, code);
}

static void on_closed(void *userdata, void *stream)
{
	struct conn *c = userdata;

	if (c->streams && stream)
		streams_on_closed(stream);
}

static void on_ticket(void *userdata, struct span blob)
{
	struct conn *c = userdata;

	if (!c->forgotten && c->ops->ticket)
		c->ops->ticket(c->userdata, c, blob);
}

static void on_wake(void *userdata) { mark_dirty(userdata); }

static const struct transport_ops transport_ops = {
	.admit = on_admit,
	.ready = on_ready,
	.confirmed = on_confirmed,
	.stream_opened = on_opened,
	.stream_data = on_data,
	.stream_writable = on_writable,
	.stream_reset = on_reset,
	.stream_closed = on_closed,
	.ticket = on_ticket,
	.wake = on_wake,
};

static void on_stream(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	struct conn *c = userdata;

	if (!c->forgotten && c->ops->stream)
		c->ops->stream(c->userdata, c, s, h, early);
}

static const struct streams_ops streams_ops = { .accept = on_stream };

/* ---- life of a connection ---- */

static void conn_free(struct conn *c)
{
	if (!c)
		return;
	list_del(&c->dirty_link);
	heap_del(&c->sb->timers, &c->timer);
	if (map_get(&c->sb->by_token, &c->token) == c)
		map_del(&c->sb->by_token, &c->token);
	streams_free(take(c->streams), ERR_CLOSED);     /* the transport's last words find nobody */
	transport_free(c->transport);
	free(c);
}
DEFINE_FREEP(struct conn *, conn_free)

static int conn_new(struct conn **ret, struct switchboard *sb, const struct token *token,
		    const struct conn_ops *ops, void *userdata, const struct addr *addr)
{
	_cleanup_(conn_freep) struct conn *c = calloc(1, sizeof *c);
	int err;

	if (!c)
		return -ENOMEM;
	c->sb = sb;
	list_init(&c->dirty_link);
	c->timer.at = TSTAMP_NEVER;
	c->token = *token;
	c->ops = ops;
	c->userdata = userdata;
	c->heard = loop_now(sb->config.loop);
	c->paths[0] = (struct conn_path){ .addr = *addr, .used = true };
	if (sb->by_token.len >= SWITCHBOARD_CONNS_MAX)
		return ERR_LIMIT;
	err = streams_new(&c->streams, &streams_ops, c);
	if (err < 0)
		return err;
	err = map_put(&sb->by_token, c);
	if (err < 0)
		return err;
	sb->most_conns = MAX(sb->most_conns, sb->by_token.len);
	*ret = take(c);
	return 0;
}

int conn_dial(struct switchboard *sb, const struct conn_dial *d, struct conn **ret)
{
	_cleanup_(conn_freep) struct conn *c = NULL;
	int err = conn_new(&c, sb, &d->token, d->ops, d->userdata, &d->to);

	if (err < 0)
		return err;
	struct transport_config tc = {
		.context = sb->context, .ops = &transport_ops, .userdata = c, .alpn = d->alpn, .token = d->token,
		.peer_token = d->peer_token, .peer = d->peer, .ticket = d->ticket, .bbr = d->bbr,
	};
	err = transport_dial(&c->transport, &tc, loop_now(sb->config.loop));
	if (err < 0)
		return err;
	streams_set_transport(c->streams, c->transport);
	mark_dirty(c);
	*ret = take(c);
	return 0;
}

static struct conn *conn_accept(struct switchboard *sb, const struct addr *from, const struct token *token,
				struct span initial)
{
	_cleanup_(conn_freep) struct conn *c = NULL;
	struct conn_accept a = {};

	if (sb->closing || !sb->config.accept || sb->config.accept(sb->config.userdata, from, token, &a) < 0)
		return NULL;
	if (conn_new(&c, sb, token, a.ops, a.userdata, from) < 0)
		return NULL;
	struct transport_config tc = {
		.context = sb->context, .ops = &transport_ops, .userdata = c, .alpn = a.alpn, .token = *token,
		.expect_peer = a.expect_peer, .peer = a.peer,
	};
	if (transport_accept(&c->transport, &tc, initial, loop_now(sb->config.loop)) < 0)
		return NULL;
	streams_set_transport(c->streams, c->transport);
	if (sb->config.accepted)
		sb->config.accepted(sb->config.userdata, c);
	return take(c);
}

/* A connection is some 80 kB in pieces of all sizes. After a rush (every device of a
 * broker that has restarted) the allocator would keep all of it for ever. */
static void give_back(struct switchboard *sb)
{
	if (sb->most_conns < TRIM_CONNS || sb->by_token.len > sb->most_conns / TRIM_SHARE)
		return;
	sb->most_conns = sb->by_token.len;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static void conn_finish(struct conn *c)
{
	struct switchboard *sb = c->sb;
	struct transport_end end = { .err = ERR_CLOSED };

	transport_ended(c->transport, &end);
	streams_free(take(c->streams), end.err);
	if (!c->forgotten && c->ops->ended)
		c->ops->ended(c->userdata, c, &end);
	conn_free(c);
	give_back(sb);
}

/* Not at once: callbacks of this very connection may be on the stack, and in them
 * transport_close() must not be called. */
void conn_close(struct conn *c, uint64_t code, const char *reason)
{
	if (!c->closing) {
		c->closing = true;
		c->close_code = code;
		snprintf(c->close_reason, sizeof c->close_reason, "%s", reason);
	}
	mark_dirty(c);
}

void conn_redirect(struct conn *c, const struct addr *to)
{
	c->paths[0].addr = *to;
	c->poked = 0;
	mark_dirty(c);
}

void conn_forget(struct conn *c)
{
	c->forgotten = true;
	conn_close(c, 0, "");
}

struct streams *conn_streams(const struct conn *c) { return c->streams; }
struct transport *conn_transport(const struct conn *c) { return c->transport; }
const struct identity *conn_peer(const struct conn *c) { return transport_peer(c->transport); }

void conn_set_userdata(struct conn *c, const struct conn_ops *ops, void *userdata)
{
	c->ops = ops;
	c->userdata = userdata;
}

/* ---- paths ---- */

static struct conn_path *path_by_number(struct conn *c, uint32_t number)
{
	for (size_t i = 0; i < CONN_PATHS_MAX; i++)
		if (c->paths[i].used && c->paths[i].number == number)
			return &c->paths[i];
	return NULL;
}

struct addr conn_addr(const struct conn *c)
{
	struct conn_path *p = path_by_number((struct conn *)(uintptr_t)c, c->path_now);

	return p ? p->addr : c->paths[0].addr;
}

/* Where a datagram came from, as a path. A dialler listens to whom it dialled; an
 * accepting side lets QUIC validate a new address before it follows (RFC 9000 9). */
static struct conn_path *path_from(struct conn *c, const struct addr *from)
{
	struct conn_path *oldest = NULL;

	for (size_t i = 0; i < CONN_PATHS_MAX; i++) {
		struct conn_path *p = &c->paths[i];
		if (p->used && addr_equal(&p->addr, from))
			return p;
		if (p->used && p->number == c->path_now)
			continue;
		if (!oldest || !p->used || (oldest->used && p->number < oldest->number))
			oldest = p;
	}
	if (transport_is_client(c->transport) || !oldest)
		return NULL;
	*oldest = (struct conn_path){ .number = ++c->path_last, .addr = *from, .used = true };
	return oldest;
}

/* ---- the socket's turn ---- */

static void receive(struct switchboard *sb, const struct addr *from, struct span data, size_t seg_len)
{
	tstamp now = loop_now(sb->config.loop);
	struct conn *last = NULL;

	if (sb->config.raw && sb->config.raw(sb->config.userdata, from, data, seg_len))
		return;
	for (; data.len; data = span_from(data, seg_len)) {
		struct span d = span_first(data, seg_len);
		struct token token;

		if (transport_peek(&token, d) < 0)
			continue;
		struct conn *c = last && !memcmp(&last->token, &token, sizeof token) ? last
										     : map_get(&sb->by_token, &token);
		bool fresh = !c && transport_is_initial(d);
		if (fresh)
			c = conn_accept(sb, from, &token, d);
		if (!c)
			continue;
		struct conn_path *p = c->closing ? NULL : path_from(c, from);
		if (!p)
			continue;
		mark_dirty(c);          /* first: what the callbacks dial flushes after this one */
		transport_read(c->transport, p->number, d, now);
		if (fresh && !transport_heard(c->transport)) {
			conn_finish(c);         /* damaged or forged: it must not stand in a good one's way */
			last = NULL;
			continue;
		}
		c->heard = now;
		last = c;
	}
}

/* The first segments that are all QUIC, or all not (RFC 9000 17.2: the fixed bit). */
static size_t run_of_one_kind(struct span data, size_t seg_len)
{
	size_t n = MIN(seg_len, data.len);

	while (n < data.len && !((data.data[0] ^ data.data[n]) & QUIC_FIXED_BIT))
		n += MIN(seg_len, data.len - n);
	return n;
}

/* The kernel puts datagrams of one sender together whatever they are: a keep-alive often
 * is the short last segment behind QUIC packets. */
static void on_recv(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	while (data.len) {
		size_t n = run_of_one_kind(data, seg_len);

		receive(userdata, from, span_first(data, n), seg_len);
		data = span_from(data, n);
	}
}

static void on_turn(void *userdata)
{
	struct switchboard *sb = userdata;

	if (sb->config.turn)
		sb->config.turn(sb->config.userdata);
	source_trigger(sb->flush);
}

void switchboard_send(struct switchboard *sb, const struct addr *to, struct span datagram)
{
	udp_send(sb->udp, to, datagram, datagram.len);
}

/* False: the socket is full and the batch is held back. */
static bool send_held(struct switchboard *sb)
{
	if (!sb->held.len)
		return true;
	if (udp_send(sb->udp, &sb->held.to, SPAN(sb->out, sb->held.len), sb->held.seg) == ERR_AGAIN)
		return false;
	sb->held.len = 0;
	return true;
}

enum flushed { FLUSHED, FLUSH_MORE, FLUSH_BLOCKED, FLUSH_ENDED };

static enum flushed conn_flush(struct conn *c)
{
	struct switchboard *sb = c->sb;
	tstamp now = loop_now(sb->config.loop);

	if (c->closing)
		transport_close(c->transport, c->close_code, c->close_reason, now);
	bool stalled = !transport_ready(c->transport) || (c->said > c->heard && now - c->heard > SECONDS(STALL));
	if (stalled && !c->forgotten && c->ops->stalled && (!c->poked || now - c->poked >= SECONDS(STALL))) {
		c->poked = now;
		c->ops->stalled(c->userdata, c);
	}
	for (int i = 0; i < FLUSH_BATCHES_MAX; i++) {
		size_t len, seg;
		uint32_t number;

		if (transport_write(c->transport, sb->out, &len, &seg, &number, now) <= 0)
			return transport_ended(c->transport, NULL) ? FLUSH_ENDED : FLUSHED;
		struct conn_path *p = path_by_number(c, number);
		if (!p)
			continue;
		/* probes go to other paths too: the connection is where its bulk is */
		if (len > seg || transport_ready(c->transport))
			c->path_now = number;
		c->said = now;
		sb->held.to = p->addr;
		sb->held.len = len;
		sb->held.seg = seg;
		if (!send_held(sb))
			return FLUSH_BLOCKED;
	}
	return FLUSH_MORE;
}

static void arm(struct switchboard *sb)
{
	struct heap_node *n = heap_min(&sb->timers);

	if (source_arm(sb->timer, n ? n->at : TSTAMP_NEVER) < 0)
		return;
}

static void on_flush(void *userdata)
{
	struct switchboard *sb = userdata;
	struct list again;
	struct conn *c;

	list_init(&again);
	if (!send_held(sb))
		return;                 /* on_turn comes back when the socket has room */
	while ((c = list_first(&sb->dirty, struct conn, dirty_link))) {
		list_del(&c->dirty_link);
		enum flushed f = conn_flush(c);
		if (f == FLUSH_ENDED) {
			conn_finish(c);
			continue;
		}
		if (heap_set(&sb->timers, &c->timer, transport_expiry(c->transport)) < 0)
			conn_close(c, 0, "out of memory");
		if (f == FLUSH_MORE && list_empty(&c->dirty_link))
			list_add_tail(&again, &c->dirty_link);
		if (f == FLUSH_BLOCKED) {
			if (list_empty(&c->dirty_link))
				list_add_tail(&again, &c->dirty_link);
			break;
		}
	}
	bool more = !list_empty(&again) && !sb->held.len;
	while ((c = list_first(&again, struct conn, dirty_link))) {
		list_del(&c->dirty_link);
		list_add_tail(&sb->dirty, &c->dirty_link);
	}
	if (more)
		source_trigger(sb->flush);
	arm(sb);
}

static void on_timer(void *userdata, tstamp now)
{
	struct switchboard *sb = userdata;
	struct heap_node *n;

	while ((n = heap_min(&sb->timers)) && n->at <= now) {
		struct conn *c = container_of(n, struct conn, timer);
		heap_del(&sb->timers, n);
		transport_expire(c->transport, now);
		mark_dirty(c);
	}
	arm(sb);
}

/* ---- life of the switchboard ---- */

int switchboard_new(struct switchboard **ret, const struct switchboard_config *config)
{
	_cleanup_(switchboard_freep) struct switchboard *sb = calloc(1, sizeof *sb);
	uint64_t seed[2];
	int err;

	if (!sb)
		return -ENOMEM;
	sb->config = *config;
	list_init(&sb->dirty);
	random_bytes(seed, sizeof seed);
	map_init(&sb->by_token, offsetof(struct conn, token), sizeof(struct token), seed);

	err = transport_context_new(&sb->context, config->vault);
	if (err >= 0)
		err = loop_add_timer(config->loop, &sb->timer, on_timer, sb);
	if (err >= 0)
		err = loop_add_defer(config->loop, &sb->flush, on_flush, sb);
	if (err < 0)
		return err;

	struct udp_config uc = { .bind = config->bind, .recv = on_recv, .turn = on_turn, .userdata = sb, .fd = config->fd };
	err = udp_open(&sb->udp, config->loop, &uc);
	if (err < 0)
		return err;
	*ret = take(sb);
	return 0;
}

void switchboard_free(struct switchboard *sb)
{
	struct conn *c;

	if (!sb)
		return;
	sb->closing = true;
	for (size_t at = 0; (c = map_next(&sb->by_token, &at));)
		conn_close(c, 0, "");
	if (sb->udp)
		on_flush(sb);
	for (size_t at = 0; (c = map_next(&sb->by_token, &at)); at = 0)
		conn_finish(c);
	source_free(sb->flush);
	source_free(sb->timer);
	udp_free(sb->udp);
	transport_context_free(sb->context);
	map_done(&sb->by_token);
	heap_done(&sb->timers);
	free(sb);
}

struct loop *switchboard_loop(const struct switchboard *sb) { return sb->config.loop; }
struct udp *switchboard_udp(const struct switchboard *sb) { return sb->udp; }
size_t switchboard_len(const struct switchboard *sb) { return sb->by_token.len; }

int switchboard_addr(const struct switchboard *sb, struct addr *ret)
{
	return udp_local_addr(sb->udp, ret);
}

bool switchboard_has(const struct switchboard *sb, const struct token *t)
{
	return map_get(&sb->by_token, t);
}
