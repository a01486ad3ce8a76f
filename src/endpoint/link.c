/* A QUIC connection to one broker, made when somebody needs it, closed when nobody
 * does: an idle device holds none. */
#include <errno.h>

#include "base/err.h"
#include "endpoint/internal.h"

enum link_state { LINK_IDLE, LINK_RESOLVING, LINK_UP };

struct link {
	struct endpoint *e;
	struct broker_line broker;
	enum link_state state;
	struct conn *conn;
	bool early, ready;
	struct list users;
	struct source *later;           /* runs what must not run inside link_use() */
};

/* Failure is told to each user once; whoever comes back in its callback starts anew. */
static void link_down(struct link *l, int err, const char *detail)
{
	struct list gone;
	struct link_user *u;

	list_init(&gone);
	l->state = LINK_IDLE;
	l->conn = NULL;
	l->ready = l->early = false;
	while ((u = list_first(&l->users, struct link_user, entry))) {
		list_del(&u->entry);
		list_add_tail(&gone, &u->entry);
	}
	while ((u = list_first(&gone, struct link_user, entry))) {
		list_del(&u->entry);
		u->down(u, l, err, detail);
	}
}

/* A callback may free its user and any other. */
static void tell(struct link *l, void (*one)(struct link *l, struct link_user *u))
{
	struct list todo;
	struct link_user *u;

	list_init(&todo);
	while ((u = list_first(&l->users, struct link_user, entry))) {
		list_del(&u->entry);
		list_add_tail(&todo, &u->entry);
	}
	while ((u = list_first(&todo, struct link_user, entry))) {
		list_del(&u->entry);
		list_add_tail(&l->users, &u->entry);
		one(l, u);
	}
}

static void tell_up(struct link *l, struct link_user *u)
{
	if (u->up)
		u->up(u, l, l->early);
}

static void tell_ready(struct link *l, struct link_user *u)
{
	if (u->ready)
		u->ready(u, l);
}

static bool is_user(const struct link *l, const struct link_user *u)
{
	const struct link_user *at;

	list_for_each(at, &l->users, entry)
		if (at == u)
			return true;
	return false;
}

static void on_ready(void *userdata, struct conn *c)
{
	struct link *l = userdata;

	(void)c;
	l->ready = true;
	tell(l, tell_ready);
}

static void on_ticket(void *userdata, struct conn *c, struct span blob)
{
	struct link *l = userdata;

	(void)c;
	if (l->e->config.ticket_save)
		l->e->config.ticket_save(l->e->config.userdata, TRANSPORT_ALPN_BROKER, &l->broker.id, blob);
}

static void on_ended(void *userdata, struct conn *c, const struct transport_end *end)
{
	struct link *l = userdata;

	if (c != l->conn)
		return;
	link_down(l, end->err == ERR_TIMEOUT && !l->ready ? ERR_NOBROKER : end->err, end->reason);
}

static const struct conn_ops conn_ops = { .ready = on_ready, .ticket = on_ticket, .ended = on_ended };

static void on_resolved(void *userdata, int err, const struct addr *addrs, size_t n)
{
	struct link *l = userdata;
	_cleanup_(buf_wipe) struct buf ticket = {};

	if (l->state != LINK_RESOLVING)
		return;
	if (err < 0 || !n) {
		link_down(l, ERR_NOBROKER, "its name does not resolve");
		return;
	}

	struct conn_dial d = { .to = addrs[0], .alpn = TRANSPORT_ALPN_BROKER, .peer = l->broker.id,
			       .ops = &conn_ops, .userdata = l };
	token_new(&d.token, TOKEN_BROKER);
	token_new(&d.peer_token, TOKEN_BROKER);
	if (l->e->config.ticket_load &&
	    l->e->config.ticket_load(l->e->config.userdata, TRANSPORT_ALPN_BROKER, &l->broker.id, &ticket) >= 0)
		d.ticket = buf_span(&ticket);
	err = conn_dial(l->e->sb, &d, &l->conn);
	if (err < 0) {
		link_down(l, err, "");
		return;
	}
	l->state = LINK_UP;
	l->early = d.ticket.len > 0;
	tell(l, tell_up);
}

static void on_later(void *userdata)
{
	struct link *l = userdata;

	if (list_empty(&l->users) || l->state != LINK_IDLE)
		return;
	l->state = LINK_RESOLVING;
	endpoint_resolve(l->e, l->broker.host, l->broker.port, on_resolved, l);
}

void link_use(struct link *l, struct link_user *u)
{
	list_add_tail(&l->users, &u->entry);
	if (l->state == LINK_IDLE) {
		source_trigger(l->later);
	} else if (l->state == LINK_UP) {
		tell_up(l, u);
		if (l->ready && is_user(l, u))  /* it may be gone by now */
			tell_ready(l, u);
	}
}

void link_release(struct link_user *u)
{
	list_del(&u->entry);
}

void link_renew(struct link *l)
{
	if (l->state != LINK_UP || !list_empty(&l->users))
		return;
	l->state = LINK_IDLE;
	l->ready = l->early = false;
	conn_forget(take(l->conn));
}

/* Nobody is left: closed at the end of the turn in which a stream went last would race
 * with its last bytes, so the connection idles out by itself unless it is used again. */
struct conn *link_conn(const struct link *l) { return l->conn; }
const struct broker_line *link_broker(const struct link *l) { return &l->broker; }

void link_headers(const struct link *l, struct cbor_map *m, const char *path)
{
	cbor_map_str(m, ":path", path);
	if (l->broker.token[0])
		cbor_map_str(m, "token", l->broker.token);
}

int link_new(struct link **ret, struct endpoint *e, const struct broker_line *b)
{
	struct link *l = calloc(1, sizeof *l);

	if (!l)
		return -ENOMEM;
	l->e = e;
	l->broker = *b;
	list_init(&l->users);
	int err = loop_add_defer(e->config.loop, &l->later, on_later, l);
	if (err < 0) {
		free(l);
		return err;
	}
	*ret = l;
	return 0;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	if (l->conn)
		conn_forget(l->conn);
	endpoint_forget_question(l->e, l);
	source_free(l->later);
	free(l);
}
