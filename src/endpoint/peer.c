/* Peers: dialled through brokers or at a known address, or accepted. The connection is
 * between the two ends alone; a broker only lends the way, so the next broker can take
 * over while the first flight still finds nobody. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "endpoint/internal.h"

enum { BROKER_PATIENCE = 4, ROUTE_KEEP_ALIVE = 25 };    /* seconds */

struct peer {
	struct endpoint *e;
	struct list entry;
	struct identity id;
	struct token token, peer_token; /* ours; the prefix that leads to the other side */
	struct conn *conn;
	const struct peer_handler *handler;     /* NULL: accepted */
	void *userdata;
	struct source *timer;
	tstamp deadline;                /* of the whole dialling */
	bool dialled, direct, ready, early, bbr, over;  /* early: proven by its ticket only, as yet */

	/* a direct dial */
	char host[256];
	uint16_t port;
	uint8_t knock[KNOCK_LEN];

	/* a relayed dial */
	size_t broker;                  /* index of the one being tried or used */
	struct link_user user;
	struct stream *request;
	bool asked;                     /* the request is on its way with this broker */
	bool route_known;
	struct mac_key route_key;
	uint32_t route_seq;
	tstamp route_due;
	int worst;                      /* what to say if every broker fails */
	char detail[128];
};

static struct conn_ops peer_conn_ops;
static void try_broker(struct peer *p);

/* ---- the end ---- */

static void forget_request(struct peer *p)
{
	struct stream *s = take(p->request);

	link_release(&p->user);
	if (!s)
		return;
	stream_abandon(s);
}

static void peer_free(struct peer *p)
{
	if (!p)
		return;
	forget_request(p);
	list_del(&p->entry);
	source_free(p->timer);
	if (p->conn)
		conn_forget(p->conn);
	endpoint_forget_question(p->e, p);
	wipe(&p->route_key, sizeof p->route_key);
	free(p);
}

bool peers_use_brokers(const struct endpoint *e)
{
	struct peer *p;

	list_for_each(p, &e->peers, entry)
		if (p->dialled && !p->direct)
			return true;
	return false;
}

void peers_free_first(struct endpoint *e)
{
	struct peer *p = list_first(&e->peers, struct peer, entry);

	if (p)
		peer_close(p);
}

static void peer_over(struct peer *p, int err, const char *detail)
{
	char text[128];

	if (p->over)
		return;
	p->over = true;
	snprintf(text, sizeof text, "%s", detail);
	struct conn *c = take(p->conn);
	if (c)
		conn_forget(c);
	if (p->handler)
		p->handler->ended(p->userdata, p, err, text);
	peer_free(p);
}

void peer_close(struct peer *p)
{
	p->handler = NULL;
	peer_free(p);
}

/* ---- the connection's events ---- */

static bool conn_admit(void *userdata, const struct identity *who)
{
	struct peer *p = userdata;

	return endpoint_admits(p->e, who);
}

static void conn_confirmed(void *userdata, struct conn *c)
{
	struct peer *p = userdata;

	p->ready = true;
	p->early = false;
	p->id = *conn_peer(c);
	transport_keep_alive(conn_transport(c), SECONDS(ENDPOINT_KEEP_ALIVE));
	if (!p->dialled)
		return;
	p->route_due = loop_now(p->e->config.loop) + SECONDS(ROUTE_KEEP_ALIVE);
	if (source_arm(p->timer, p->direct ? TSTAMP_NEVER : p->route_due) < 0)
		return;
	if (p->request && p->route_known)
		forget_request(p);
	if (p->handler->ready)
		p->handler->ready(p->userdata, p);
}

static void conn_stream(void *userdata, struct conn *c, struct stream *s, const struct headers *h, bool early)
{
	struct peer *p = userdata;

	if (!p->ready) {
		p->id = *conn_peer(c);
		p->early = true;
	}
	/* the rules may have changed since its first early byte */
	if (p->early && !p->dialled && !endpoint_admits(p->e, &p->id))
		conn_close(c, 0, "authorization withdrawn");
	else if (p->e->config.stream)
		p->e->config.stream(p->e->config.userdata, p, s, h, early);
	else
		stream_reset(s, STREAM_CODE_REFUSED);
}

static void conn_ticket(void *userdata, struct conn *c, struct span blob)
{
	struct peer *p = userdata;

	(void)c;
	if (p->e->config.ticket_save)
		p->e->config.ticket_save(p->e->config.userdata, TRANSPORT_ALPN_PEER, &p->id, blob);
}

static void send_route_keepalive(struct peer *p)
{
	struct control c = { .type = CONTROL_ROUTE_KEEPALIVE, .id = p->peer_token, .seq = ++p->route_seq };
	struct addr to = conn_addr(p->conn);
	uint8_t out[CONTROL_MAX];

	if (!p->route_known)
		return;
	switchboard_send(p->e->sb, &to, SPAN(out, control_encode(out, &c, &p->route_key)));
}

/* Nothing is heard: knock (again), tell the relay where we are now, or ask for the way
 * that it has forgotten. */
static void conn_stalled(void *userdata, struct conn *c)
{
	struct peer *p = userdata;
	struct addr to = conn_addr(c);

	if (!p->dialled) {
		if (p->ready)
			publications_beat(p->e, &to);
		return;
	}
	if (!p->direct && p->ready && !p->route_known && !p->request && list_empty(&p->user.entry))
		try_broker(p);
	else if (!p->direct)
		send_route_keepalive(p);
	else if (!p->ready)
		switchboard_send(p->e->sb, &to, SPAN_OF(p->knock));
}

static void conn_ended(void *userdata, struct conn *c, const struct transport_end *end)
{
	struct peer *p = userdata;

	(void)c;
	p->conn = NULL;
	int err = end->err;
	if (!p->ready && err == ERR_TIMEOUT && p->worst)
		err = p->worst;
	peer_over(p, err, end->reason[0] ? end->reason : p->detail);
}

static struct conn_ops peer_conn_ops = {
	.admit = conn_admit,
	.confirmed = conn_confirmed,
	.stream = conn_stream,
	.ticket = conn_ticket,
	.stalled = conn_stalled,
	.ended = conn_ended,
};

static void start_conn(struct peer *p, const struct addr *to)
{
	_cleanup_(buf_wipe) struct buf ticket = {};
	struct conn_dial d = { .to = *to, .alpn = TRANSPORT_ALPN_PEER, .peer = p->id, .token = p->token,
			       .peer_token = p->peer_token, .bbr = p->bbr, .ops = &peer_conn_ops, .userdata = p };

	if (p->conn) {
		conn_redirect(p->conn, to);
		return;
	}
	if (p->e->config.ticket_load &&
	    p->e->config.ticket_load(p->e->config.userdata, TRANSPORT_ALPN_PEER, &p->id, &ticket) >= 0)
		d.ticket = buf_span(&ticket);
	int err = conn_dial(p->e->sb, &d, &p->conn);
	if (err < 0) {
		peer_over(p, err, "");
		return;
	}
	if (p->handler->up)
		p->handler->up(p->userdata, p);
}

/* ---- through a broker ---- */

static void next_broker(struct peer *p, int err, const char *detail)
{
	forget_request(p);
	/* an answer about the device says more than a broker that is silent */
	if (!p->worst || p->worst == ERR_NOBROKER || err == ERR_REFUSED) {
		p->worst = err;
		snprintf(p->detail, sizeof p->detail, "%s", detail);
	}
	p->broker++;
	if (p->broker < p->e->config.brokers_len)
		try_broker(p);
	else if (p->ready)
		p->broker = 0;  /* the connection stands: it ends by itself if no way comes back */
	else
		peer_over(p, p->worst, p->detail);
}

static void request_headers(void *userdata, struct stream *s, const struct headers *h)
{
	struct peer *p = userdata;
	struct span key = headers_bytes(h, "key");
	uint64_t status = headers_uint(h, ":status", 0);

	(void)s;
	if (status == 200 && key.len == sizeof p->route_key.b) {
		memcpy(p->route_key.b, key.data, key.len);
		p->route_known = true;
		if (p->ready)
			forget_request(p);
		return;
	}
	switch (status) {
	case 404:
		next_broker(p, ERR_OFFLINE, "no broker knows it");
		break;
	case 403:
		next_broker(p, ERR_DENIED, "the broker does not serve this identity: its line in the configuration lacks the #TOKEN");
		break;
	case 429:
		next_broker(p, ERR_LIMIT, "the broker asks to slow down");
		break;
	default:
		next_broker(p, ERR_PROTOCOL, "the broker's answer makes no sense");
	}
}

static void request_message(void *userdata, struct stream *s, struct span m)
{
	struct peer *p = userdata;
	struct cbor v = cbor_map_find(m, "verdict");

	(void)s;
	if (cbor_uint(&v) == CONTROL_REFUSED && !p->ready)
		next_broker(p, ERR_REFUSED, "");
}

static void request_closed(void *userdata, struct stream *s, int err)
{
	struct peer *p = userdata;

	if (s != p->request)
		return;
	p->request = NULL;
	if (!p->route_known)
		next_broker(p, err == ERR_CLOSED || err == ERR_TIMEOUT || !err ? ERR_NOBROKER : err, "the broker gave no answer");
}

static const struct stream_handler request_handler = {
	.headers = request_headers, .message = request_message, .closed = request_closed,
};

static int ask(struct peer *p, struct link *l)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	link_headers(l, &m, BROKER_PATH_CONNECT);
	cbor_map_bytes(&m, "target", SPAN_OF(p->id.key));
	cbor_map_bytes(&m, "a", SPAN_OF(p->peer_token.b));
	cbor_map_bytes(&m, "b", SPAN_OF(p->token.b));
	cbor_map_end(&m);
	int err = buf_err(&b);
	if (err >= 0)
		err = stream_open(conn_streams(link_conn(l)), buf_span(&b), true, &request_handler, p, &p->request);
	p->asked = err >= 0;
	return err;
}

/* The request first and right behind it, without waiting for an answer, the first
 * packet for the device: that saves a round trip. */
static void link_up(struct link_user *u, struct link *l, bool early)
{
	struct peer *p = container_of(u, struct peer, user);

	struct addr to = conn_addr(link_conn(l));
	int err = ask(p, l);

	if (err < 0)
		next_broker(p, err, "");
	else if (early && !p->ready)
		start_conn(p, &to);
}

static void link_ready(struct link_user *u, struct link *l)
{
	struct peer *p = container_of(u, struct peer, user);
	struct addr to = conn_addr(link_conn(l));
	struct addr now = p->conn ? conn_addr(p->conn) : (struct addr){};

	if (p->asked && !addr_equal(&now, &to))
		start_conn(p, &to);
}

static void link_failed(struct link_user *u, struct link *l, int err, const char *detail)
{
	struct peer *p = container_of(u, struct peer, user);
	char text[400];

	if (p->route_known)
		return;
	snprintf(text, sizeof text, "broker %s:%u%s%s", link_broker(l)->host, link_broker(l)->port,
		 detail[0] ? ": " : "", detail);
	next_broker(p, err == ERR_PEER ? ERR_PEER : ERR_NOBROKER, text);
}

static void try_broker(struct peer *p)
{
	p->asked = p->route_known = false;
	link_release(&p->user);
	p->user.up = link_up;
	p->user.ready = link_ready;
	p->user.down = link_failed;
	tstamp patience = loop_now(p->e->config.loop) + SECONDS(BROKER_PATIENCE);
	bool last = p->broker + 1 >= p->e->config.brokers_len;
	if (source_arm(p->timer, last ? p->deadline : MIN(patience, p->deadline)) < 0) {
		peer_over(p, -ENOMEM, "");
		return;
	}
	link_use(p->e->links[p->broker], &p->user);
}

/* ---- at a known address ---- */

static void on_resolved(void *userdata, int err, const struct addr *addrs, size_t n)
{
	struct peer *p = userdata;

	if (err < 0 || !n)
		peer_over(p, ERR_OFFLINE, "its name does not resolve");
	else
		start_conn(p, &addrs[0]);
}

static void on_timer(void *userdata, tstamp now)
{
	struct peer *p = userdata;

	if (p->ready) {
		send_route_keepalive(p);
		p->route_due = now + SECONDS(ROUTE_KEEP_ALIVE);
		if (source_arm(p->timer, p->route_due) < 0)
			peer_over(p, -ENOMEM, "");
		return;
	}
	if (!p->direct && !p->conn && p->asked == false && !p->route_known && p->deadline == 0) {
		/* the first turn after endpoint_dial() */
		p->deadline = now + SECONDS(ENDPOINT_DIAL_TIMEOUT);
		try_broker(p);
		return;
	}
	if (p->direct && p->deadline == 0) {
		p->deadline = now + SECONDS(ENDPOINT_DIAL_TIMEOUT);
		if (source_arm(p->timer, p->deadline) < 0)
			return;
		endpoint_resolve(p->e, p->host, p->port, on_resolved, p);
		return;
	}
	if (now >= p->deadline)
		peer_over(p, p->worst ?: p->direct || p->route_known ? ERR_TIMEOUT : ERR_NOBROKER, p->detail);
	else
		next_broker(p, ERR_NOBROKER, "the broker does not answer");
}

/* ---- for the outside ---- */

int endpoint_dial(struct endpoint *e, const struct endpoint_target *t, const struct peer_handler *h,
		  void *userdata, struct peer **ret)
{
	struct peer *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	*p = (struct peer){ .e = e, .id = t->id, .handler = h, .userdata = userdata, .dialled = true, .bbr = t->bbr };
	list_init(&p->entry);
	list_init(&p->user.entry);
	token_new(&p->token, TOKEN_PEER);
	token_new(&p->peer_token, TOKEN_PEER);

	int err = 0;
	if (t->host) {
		p->direct = true;
		p->port = t->port;
		if (snprintf(p->host, sizeof p->host, "%s", t->host) >= (int)sizeof p->host)
			err = ERR_LENGTH;
		else
			err = knock_seal(p->knock, e->config.vault, &t->id, &p->peer_token);
	} else if (!e->config.brokers_len) {
		err = ERR_NOBROKER;
	}
	if (err >= 0)
		err = loop_add_timer(e->config.loop, &p->timer, on_timer, p);
	/* everything else in the next turn, so that no callback runs before we return */
	if (err >= 0)
		err = source_arm(p->timer, loop_now(e->config.loop));
	if (err < 0) {
		peer_free(p);
		return err;
	}
	list_add_tail(&e->peers, &p->entry);
	*ret = p;
	return 0;
}

void endpoint_adopt(struct endpoint *e, struct conn *c)
{
	struct peer *p = calloc(1, sizeof *p);

	if (!p) {
		conn_forget(c);
		return;
	}
	*p = (struct peer){ .e = e, .conn = c };
	list_init(&p->user.entry);
	list_add_tail(&e->peers, &p->entry);
	conn_set_userdata(c, &peer_conn_ops, p);
}

void endpoint_recheck(struct endpoint *e)
{
	struct peer *p;

	list_for_each(p, &e->peers, entry)
		if (!p->dialled && (p->ready || p->early) && !endpoint_admits(e, &p->id))
			conn_close(p->conn, 0, "authorization withdrawn");
}

void endpoint_route_control(struct endpoint *e, const struct addr *from, struct span datagram, const struct control *c)
{
	struct peer *p;

	(void)datagram;
	if (c->type != CONTROL_ROUTE_GONE)
		return;
	/* Only a hint: ask for the route anew with the same tokens, the connection lives on. */
	list_for_each(p, &e->peers, entry) {
		if (!p->dialled || p->direct || !p->ready || !p->conn || memcmp(&p->peer_token, &c->id, sizeof c->id))
			continue;
		struct addr way = conn_addr(p->conn);
		if (addr_equal(&way, from) && p->route_known && p->broker < e->config.brokers_len) {
			link_renew(e->links[p->broker]);
			try_broker(p);
		}
		return;
	}
}

const struct identity *peer_identity(const struct peer *p) { return &p->id; }

int peer_open_stream(struct peer *p, struct span header_block, bool early, const struct stream_handler *h,
		     void *userdata, struct stream **ret)
{
	if (!p->conn)
		return ERR_STATE;
	return stream_open(conn_streams(p->conn), header_block, early, h, userdata, ret);
}

struct streams *peer_streams(const struct peer *p)
{
	return p->conn ? conn_streams(p->conn) : NULL;
}

void peer_get_info(const struct peer *p, struct peer_info *ret)
{
	*ret = (struct peer_info){ .route = p->direct ? PEER_DIRECT : PEER_RELAYED, .ready = p->ready };
	if (!p->conn)
		return;
	ret->addr = conn_addr(p->conn);
	ret->resumed = transport_resumed(conn_transport(p->conn));
	ret->early = transport_early_accepted(conn_transport(p->conn));
	transport_get_info(conn_transport(p->conn), &ret->transport);
	if (!p->direct && p->dialled && p->broker < p->e->config.brokers_len)
		ret->broker = p->e->brokers[p->broker].id;
}
