/* Who is on our network: one stream to each broker that lists members and says who
 * comes and goes. With several brokers a member is here while any of them says so. */
#include <errno.h>

#include "base/err.h"
#include "base/map.h"
#include "endpoint/internal.h"

enum { RETRY_WAIT = 5, MEMBERS_MAX = 1 << 20 };

struct member {
	struct identity id;
	uint32_t at;                    /* bit per broker */
};

struct feed {
	struct subscription *sub;
	unsigned index;
	struct link_user user;
	struct stream *stream;
	struct source *timer;
};

struct subscription {
	struct endpoint *e;
	const struct subscription_handler *handler;
	void *userdata;
	struct map members;
	struct feed feeds[BROKER_LINES_MAX];
	bool dead;
};

static void set_member(struct subscription *sub, unsigned broker, const struct identity *id, bool here)
{
	struct member *m = map_get(&sub->members, id);

	if (!m) {
		if (!here || sub->members.len >= MEMBERS_MAX)
			return;
		m = calloc(1, sizeof *m);
		if (!m)
			return;
		m->id = *id;
		if (map_put(&sub->members, m) < 0) {
			free(m);
			return;
		}
	}
	uint32_t was = m->at;
	m->at = here ? m->at | 1u << broker : m->at & ~(1u << broker);
	if (!was != !m->at)
		sub->handler->event(sub->userdata, id, here);
	if (!m->at)
		free(map_del(&sub->members, id));
}

static void forget_broker(struct subscription *sub, unsigned broker)
{
	struct member *m;

	for (size_t at = 0; (m = map_next(&sub->members, &at));)
		if (m->at & 1u << broker) {
			struct identity id = m->id;
			set_member(sub, broker, &id, false);
			at = 0;         /* the table has changed */
		}
}

static void tell(struct feed *f, int err, const char *detail)
{
	if (f->sub->handler->state)
		f->sub->handler->state(f->sub->userdata, err, detail);
}

static void feed_failed(struct feed *f, int err, const char *detail)
{
	link_release(&f->user);
	tell(f, err, detail);
	if (err == ERR_DENIED || err == ERR_UNKNOWN)
		return;
	if (source_arm(f->timer, loop_now(f->sub->e->config.loop) + SECONDS(RETRY_WAIT)) < 0)
		tell(f, -ENOMEM, "");
}

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	struct feed *f = userdata;
	struct endpoint *e = f->sub->e;
	struct span nonce = headers_bytes(h, "nonce");
	uint64_t status = headers_uint(h, ":status", 0);
	struct network_address network;
	uint8_t proof[NETWORK_PROOF_LEN];
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	if (status != 200 || nonce.len != NETWORK_NONCE_LEN) {
		f->stream = NULL;
		stream_abandon(s);
		feed_failed(f, status == 403 ? ERR_DENIED : ERR_PROTOCOL, "the broker refuses the subscription");
		return;
	}
	int err = e->config.prove ? e->config.prove(e->config.userdata, 0, NETWORK_SUBSCRIBE,
						    &e->brokers[f->index].id, nonce.data, &network, proof)
				  : ERR_UNKNOWN;
	cbor_map_begin(&m, &b);
	cbor_map_bytes(&m, "proof", SPAN_OF(proof));
	cbor_map_end(&m);
	if (err >= 0)
		err = buf_err(&b);
	if (err >= 0)
		err = stream_send(s, buf_span(&b));
	if (err < 0)
		stream_reset(s, STREAM_CODE_CANCEL);
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct feed *f = userdata;
	struct cbor join = cbor_map_find(m, "join"), leave = cbor_map_find(m, "leave");
	bool joined = join.in.len > 0;
	struct span ids = joined ? cbor_bytes(&join) : leave.in.len ? cbor_bytes(&leave) : SPAN_NONE;
	struct identity who;

	(void)s;
	for (; ids.len >= sizeof who.key; ids = span_from(ids, sizeof who.key)) {
		memcpy(who.key, ids.data, sizeof who.key);
		set_member(f->sub, f->index, &who, joined);
	}
	if (!joined && !leave.in.len)
		tell(f, 0, "");         /* {} ends the list of those who were here */
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	struct feed *f = userdata;

	if (s != f->stream)
		return;
	f->stream = NULL;
	forget_broker(f->sub, f->index);
	feed_failed(f, err == ERR_REFUSED ? ERR_DENIED : err ?: ERR_CLOSED,
		    err == ERR_REFUSED ? "the proof of membership does not hold" : "the broker is gone");
}

static const struct stream_handler handler = { .headers = on_headers, .message = on_message, .closed = on_closed };

static void on_up(struct link_user *u, struct link *l, bool early)
{
	struct feed *f = container_of(u, struct feed, user);
	struct endpoint *e = f->sub->e;
	static const uint8_t no_nonce[NETWORK_NONCE_LEN];
	struct network_address network;
	uint8_t proof[NETWORK_PROOF_LEN];
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	(void)early;
	int err = e->config.prove ? e->config.prove(e->config.userdata, 0, NETWORK_SUBSCRIBE,
						    &e->brokers[f->index].id, no_nonce, &network, proof)
				  : ERR_UNKNOWN;
	if (err < 0) {
		feed_failed(f, ERR_UNKNOWN, "no network is configured");
		return;
	}
	cbor_map_begin(&m, &b);
	link_headers(l, &m, BROKER_PATH_SUBSCRIBE);
	cbor_map_bytes(&m, "network", SPAN_OF(network.key));
	cbor_map_end(&m);
	err = buf_err(&b);
	if (err >= 0)
		err = stream_open(conn_streams(link_conn(l)), buf_span(&b), false, &handler, f, &f->stream);
	if (err < 0)
		feed_failed(f, err, "");
	else
		transport_keep_alive(conn_transport(link_conn(l)), SECONDS(ENDPOINT_KEEP_ALIVE));
}

static void on_down(struct link_user *u, struct link *l, int err, const char *detail)
{
	struct feed *f = container_of(u, struct feed, user);

	(void)l;
	if (!f->stream)
		feed_failed(f, err, detail);
}

static void on_timer(void *userdata, tstamp now)
{
	struct feed *f = userdata;

	(void)now;
	if (list_empty(&f->user.entry))
		link_use(f->sub->e->links[f->index], &f->user);
}

int endpoint_subscribe(struct endpoint *e, const struct subscription_handler *h, void *userdata,
		       struct subscription **ret)
{
	struct subscription *sub = calloc(1, sizeof *sub);
	uint64_t seed[2];
	int err = 0;

	if (!sub)
		return -ENOMEM;
	if (!e->config.brokers_len) {
		free(sub);
		return ERR_NOBROKER;
	}
	sub->e = e;
	e->subscriptions++;
	sub->handler = h;
	sub->userdata = userdata;
	random_bytes(seed, sizeof seed);
	map_init(&sub->members, offsetof(struct member, id), sizeof(struct identity), seed);
	for (unsigned i = 0; i < BROKER_LINES_MAX; i++) {
		struct feed *f = &sub->feeds[i];
		*f = (struct feed){ .sub = sub, .index = i, .user = { .up = on_up, .down = on_down } };
		list_init(&f->user.entry);
	}
	for (unsigned i = 0; err >= 0 && i < e->config.brokers_len; i++) {
		err = loop_add_timer(e->config.loop, &sub->feeds[i].timer, on_timer, &sub->feeds[i]);
		if (err >= 0)
			err = source_arm(sub->feeds[i].timer, loop_now(e->config.loop));
	}
	if (err < 0) {
		subscription_free(sub);
		return err;
	}
	*ret = sub;
	return 0;
}

void subscription_free(struct subscription *sub)
{
	struct member *m;

	if (!sub)
		return;
	for (size_t i = 0; i < BROKER_LINES_MAX; i++) {
		struct feed *f = &sub->feeds[i];
		link_release(&f->user);
		source_free(f->timer);
		struct stream *s = take(f->stream);
		if (s) {
			stream_abandon(s);
		}
	}
	sub->e->subscriptions--;
	for (size_t at = 0; (m = map_next(&sub->members, &at));)
		free(m);
	map_done(&sub->members);
	free(sub);
}
