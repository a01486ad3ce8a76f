/* A device's standing with one broker: ask over QUIC, prove the networks, let go of
 * the connection, hold the record by keep-alives; when lost, again with back-off. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "endpoint/internal.h"

enum { RETRY_MIN = 1, RETRY_MAX = 60, SUPERSEDED_WAIT = 60 };  /* seconds */

struct publication {
	struct endpoint *e;
	struct link *link;
	struct link_user user;
	struct stream *stream;
	struct registration registration;
	struct addr broker_addr;
	struct source *timer;
	unsigned failures;
	unsigned proofs;                /* network proofs whose answer is to come */
	bool asking;
};

static void report(struct publication *p, enum endpoint_broker_state state, int err, const char *detail)
{
	if (p->e->config.broker_state)
		p->e->config.broker_state(p->e->config.userdata, link_broker(p->link), state, err, detail);
}

static void arm(struct publication *p, tstamp at)
{
	if (source_arm(p->timer, at) < 0)
		log_to(p->e->config.log, LOG_ERROR, "endpoint", "no timer: out of memory");
}

/* Doubling with jitter, so that a broker's restart is not met by all at once. */
static void retry(struct publication *p, unsigned wait)
{
	uint16_t jitter;

	random_bytes(&jitter, sizeof jitter);
	tstamp t = SECONDS(wait);
	arm(p, loop_now(p->e->config.loop) + t / 2 + t * jitter / 65536);
}

static void failed(struct publication *p, int err, const char *detail)
{
	unsigned wait = RETRY_MIN << MIN(p->failures, 6u);

	p->asking = false;
	p->failures++;
	link_release(&p->user);
	registration_stop(&p->registration);
	report(p, BROKER_FAILED, err, detail);
	retry(p, MIN(wait, (unsigned)RETRY_MAX));
}

static void done(struct publication *p)
{
	p->asking = false;
	p->failures = 0;
	link_release(&p->user);
	report(p, BROKER_REGISTERED, 0, "");
}

/* ---- the publish stream ---- */

static void prove_networks(struct publication *p, const uint8_t nonce[static NETWORK_NONCE_LEN])
{
	for (size_t i = 0; i < BROKER_NETWORKS_MAX && p->e->config.prove; i++) {
		struct network_address network;
		uint8_t proof[NETWORK_PROOF_LEN];
		_cleanup_buf_ struct buf b = {};
		struct cbor_map m;

		if (p->e->config.prove(p->e->config.userdata, i, NETWORK_PUBLISH, &link_broker(p->link)->id, nonce,
				       &network, proof) < 0)
			break;
		cbor_map_begin(&m, &b);
		cbor_map_bytes(&m, "network", SPAN_OF(network.key));
		cbor_map_bytes(&m, "proof", SPAN_OF(proof));
		cbor_map_end(&m);
		if (buf_err(&b) < 0 || stream_send(p->stream, buf_span(&b)) < 0)
			break;
		p->proofs++;
	}
	stream_end(p->stream);
}

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	struct publication *p = userdata;
	struct span id = headers_bytes(h, "id"), key = headers_bytes(h, "key"), seen = headers_bytes(h, "seen"),
		    nonce = headers_bytes(h, "nonce");
	uint64_t status = headers_uint(h, ":status", 0), interval = headers_uint(h, "interval", p->e->config.keepalive);
	struct token t;
	struct mac_key k;
	struct addr seen_addr = {}, local = {};

	if (status != 200) {
		char text[96];
		struct span why = span_first(headers_text(h, ":error"), 64);
		snprintf(text, sizeof text, "%.*s", (int)why.len, (const char *)why.data);
		p->stream = NULL;
		stream_abandon(s);
		failed(p, status == 403 ? ERR_DENIED : ERR_PROTOCOL, text);
		return;
	}
	if (id.len != sizeof t || key.len != sizeof k.b || seen.len != 18 || nonce.len != NETWORK_NONCE_LEN) {
		stream_reset(s, STREAM_CODE_PROTOCOL);
		return;
	}
	memcpy(&t, id.data, sizeof t);
	memcpy(k.b, key.data, sizeof k.b);
	memcpy(seen_addr.ip, seen.data, 16);
	seen_addr.port = (uint16_t)(seen.data[16] << 8 | seen.data[17]);
	if (switchboard_addr(p->e->sb, &local) < 0)
		local = (struct addr){};

	/* the broker's limit keeps the record, ours the NAT */
	if (p->e->config.keepalive)
		interval = MIN(interval, (uint64_t)p->e->config.keepalive);
	tstamp now = loop_now(p->e->config.loop);
	p->broker_addr = conn_addr(link_conn(p->link));
	registration_start(&p->registration, &t, &k, (unsigned)MIN(interval, (uint64_t)REGISTRATION_INTERVAL_MAX),
			   &seen_addr, &local, now);
	wipe(&k, sizeof k);
	arm(p, p->registration.expiry);
	prove_networks(p, nonce.data);
	if (!p->proofs)
		done(p);
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct publication *p = userdata;

	(void)s;
	(void)m;
	if (p->proofs && --p->proofs == 0 && p->asking)
		done(p);
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	struct publication *p = userdata;

	if (s != p->stream)
		return;
	p->stream = NULL;
	if (p->asking)
		failed(p, err ?: ERR_PROTOCOL, "the broker gave no answer");
}

static const struct stream_handler handler = { .headers = on_headers, .message = on_message, .closed = on_closed };

static void on_up(struct link_user *u, struct link *l, bool early)
{
	struct publication *p = container_of(u, struct publication, user);
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	(void)early;
	if (p->stream)
		return;
	cbor_map_begin(&m, &b);
	link_headers(l, &m, BROKER_PATH_PUBLISH);
	cbor_map_end(&m);
	int err = buf_err(&b);
	if (err >= 0)
		err = stream_open(conn_streams(link_conn(l)), buf_span(&b), false, &handler, p, &p->stream);
	if (err < 0)
		failed(p, err, "");
}

static void on_down(struct link_user *u, struct link *l, int err, const char *detail)
{
	struct publication *p = container_of(u, struct publication, user);

	(void)l;
	if (p->asking)
		failed(p, err, detail);
}

/* ---- its life ---- */

static void forget_stream(struct publication *p)
{
	struct stream *s = take(p->stream);

	if (!s)
		return;
	stream_abandon(s);
}

void publication_start(struct publication *p)
{
	forget_stream(p);
	link_release(&p->user);
	p->asking = true;
	p->proofs = 0;
	report(p, BROKER_TRYING, 0, "");
	link_use(p->link, &p->user);
}

static void on_timer(void *userdata, tstamp now)
{
	struct publication *p = userdata;
	enum registration_event ev;
	uint8_t out[CONTROL_MAX];

	if (p->registration.state == REGISTRATION_NONE) {
		publication_start(p);
		return;
	}
	size_t n = registration_expire(&p->registration, out, &ev, now);
	if (n)
		switchboard_send(p->e->sb, &p->broker_addr, SPAN(out, n));
	if (ev == REGISTRATION_LOST) {
		report(p, BROKER_LOST, ERR_TIMEOUT, "it does not answer");
		link_renew(p->link);
		retry(p, RETRY_MIN);
		return;
	}
	arm(p, p->registration.expiry);
}

void publications_beat(struct endpoint *e, const struct addr *broker)
{
	for (size_t i = 0; i < e->config.brokers_len; i++) {
		struct publication *p = e->publications[i];
		if (!p || p->registration.state == REGISTRATION_NONE || !addr_equal(&p->broker_addr, broker))
			continue;
		p->registration.expiry = loop_now(e->config.loop);
		arm(p, p->registration.expiry);
	}
}

static void answer_knock(struct publication *p, const struct addr *from, const struct control *c)
{
	if (endpoint_admits(p->e, &c->caller)) {
		endpoint_expect(p->e, &c->route, &c->caller);
		return;
	}
	uint8_t out[CONTROL_MAX];
	struct control no = { .type = CONTROL_KNOCK_ANSWER, .id = p->registration.id, .seq = c->seq, .route = c->route,
			      .verdict = CONTROL_REFUSED };
	size_t n = control_encode(out, &no, &p->registration.key);

	p->e->refused++;
	switchboard_send(p->e->sb, from, SPAN(out, n));
}

bool publication_read(struct publication *p, const struct addr *from, struct span datagram, const struct control *c)
{
	if (p->registration.state == REGISTRATION_NONE || memcmp(&c->id, &p->registration.id, sizeof c->id) ||
	    !addr_equal(from, &p->broker_addr))
		return false;
	if (c->type == CONTROL_KNOCK) {
		if (control_verify(datagram, &p->registration.key))
			answer_knock(p, from, c);
		return true;
	}

	switch (registration_read(&p->registration, datagram, c, loop_now(p->e->config.loop))) {
	case REGISTRATION_LOST:
		report(p, BROKER_LOST, ERR_UNKNOWN, "it has forgotten us");
		link_renew(p->link);
		retry(p, RETRY_MIN);
		break;
	case REGISTRATION_IS_SUPERSEDED:
		report(p, BROKER_SUPERSEDED, ERR_EXISTS, "this identity is published from another place too");
		retry(p, SUPERSEDED_WAIT);
		break;
	case REGISTRATION_MOVED:
	case REGISTRATION_QUIET:
		if (p->registration.state != REGISTRATION_NONE)
			arm(p, p->registration.expiry);
		break;
	}
	return true;
}

int publication_new(struct publication **ret, struct endpoint *e, struct link *l)
{
	struct publication *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	p->e = e;
	p->link = l;
	list_init(&p->user.entry);
	p->user.up = on_up;
	p->user.down = on_down;
	registration_stop(&p->registration);
	int err = loop_add_timer(e->config.loop, &p->timer, on_timer, p);
	if (err < 0) {
		free(p);
		return err;
	}
	*ret = p;
	return 0;
}

void publication_free(struct publication *p)
{
	uint8_t out[CONTROL_MAX];

	if (!p)
		return;
	size_t n = registration_bye(&p->registration, out);
	if (n)
		switchboard_send(p->e->sb, &p->broker_addr, SPAN(out, n));
	registration_stop(&p->registration);
	forget_stream(p);
	link_release(&p->user);
	source_free(p->timer);
	free(p);
}
