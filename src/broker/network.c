#include <errno.h>

#include "base/err.h"
#include "broker/internal.h"

enum { IDS_PER_MESSAGE = 4096 };

static struct network *network_get(struct broker *b, const struct network_address *a)
{
	struct network *n = map_get(&b->networks, a);

	if (n)
		return n;
	n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->address = *a;
	list_init(&n->members);
	list_init(&n->subscribers);
	if (map_put(&b->networks, n) < 0) {
		free(n);
		return NULL;
	}
	return n;
}

static void network_put(struct broker *b, struct network *n)
{
	if (list_empty(&n->members) && list_empty(&n->subscribers))
		free(map_del(&b->networks, &n->address));
}

/* Identities one after the other under one key; {} ends a list. */
static int send_event(struct subscriber *s, const char *what, struct span ids)
{
	_cleanup_buf_ struct buf out = {};
	struct cbor_map m;

	cbor_map_begin(&m, &out);
	if (what)
		cbor_map_bytes(&m, what, ids);
	cbor_map_end(&m);
	int err = buf_err(&out);
	return err < 0 ? err : stream_send(s->stream, buf_span(&out));
}

/* Who cannot keep up asks again from the start: bounded memory here, truth there. */
static void tell(struct network *n, const char *what, const struct identity *who)
{
	struct subscriber *s;

	list_for_each(s, &n->subscribers, entry)
		if (send_event(s, what, SPAN_OF(who->key)) < 0)
			stream_reset(s->stream, STREAM_CODE_LIMIT);
}

static void leave(struct broker *b, struct membership *m, bool announce)
{
	struct network *n = m->network;

	list_del(&m->of_record);
	list_del(&m->of_network);
	if (announce)
		tell(n, "leave", &m->who);
	free(m);
	network_put(b, n);
}

int network_join(struct broker *b, struct record *r, const struct network_address *a)
{
	struct membership *m;
	unsigned fresh = 0;

	list_for_each(m, &r->memberships, of_record) {
		fresh += !m->stale;
		if (!memcmp(&m->network->address, a, sizeof *a)) {
			m->stale = false;
			return 0;
		}
	}
	if (fresh >= BROKER_NETWORKS_MAX)
		return ERR_LIMIT;
	m = calloc(1, sizeof *m);
	struct network *n = m ? network_get(b, a) : NULL;
	if (!n) {
		free(m);
		return -ENOMEM;
	}
	*m = (struct membership){ .network = n, .who = r->who };
	list_add_tail(&r->memberships, &m->of_record);
	list_add_tail(&n->members, &m->of_network);
	tell(n, "join", &m->who);
	return 0;
}

void network_leave_all(struct broker *b, struct record *r)
{
	struct membership *m;

	list_for_each(m, &r->memberships, of_record)
		leave(b, m, true);
}

void network_settle(struct broker *b, struct record *r)
{
	struct membership *m;

	list_for_each(m, &r->memberships, of_record)
		if (m->stale)
			leave(b, m, true);
}

void network_inherit(struct record *to, struct record *from)
{
	struct membership *m;

	list_for_each(m, &from->memberships, of_record) {
		list_del(&m->of_record);
		m->stale = true;
		list_add_tail(&to->memberships, &m->of_record);
	}
}

int network_subscribe(struct broker *b, struct subscriber *s, const struct network_address *a)
{
	struct network *n = network_get(b, a);
	_cleanup_buf_ struct buf ids = {};
	struct membership *m;
	int err = 0;

	if (!n)
		return -ENOMEM;
	list_for_each(m, &n->members, of_network) {
		buf_add(&ids, m->who.key, sizeof m->who.key);
		if (ids.len >= IDS_PER_MESSAGE * sizeof m->who.key) {
			err = err < 0 ? err : send_event(s, "join", buf_span(&ids));
			buf_consume(&ids, ids.len);
		}
	}
	if (err >= 0)
		err = buf_err(&ids);
	if (err >= 0 && ids.len)
		err = send_event(s, "join", buf_span(&ids));
	if (err >= 0)
		err = send_event(s, NULL, SPAN_NONE);
	if (err < 0) {
		network_put(b, n);
		return err;
	}
	s->network = n;
	list_add_tail(&n->subscribers, &s->entry);
	b->subscribers++;
	return 0;
}

void network_unsubscribe(struct subscriber *s)
{
	if (!s->network)
		return;
	list_del(&s->entry);
	s->broker->subscribers--;
	network_put(s->broker, s->network);
	s->network = NULL;
}
