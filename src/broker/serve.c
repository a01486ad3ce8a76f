/* Requests over QUIC: publish, connect, subscribe. */
#include <errno.h>

#include "base/err.h"
#include "broker/internal.h"
#include "path/token.h"

/* What one connection asked for; freed with its stream. */
struct request {
	struct broker *broker;
	struct conn *conn;
	struct listener *via;
	struct stream *stream;
	uint8_t nonce[NETWORK_NONCE_LEN];
	struct token record_id;         /* publish: the record may be replaced meanwhile */
	struct token route;             /* connect */
	struct network_address network; /* subscribe */
	struct subscriber subscriber;
};

static void answer_begin(struct cbor_map *m, struct buf *out, unsigned status, const char *error)
{
	cbor_map_begin(m, out);
	cbor_map_uint(m, ":status", status);
	if (error)
		cbor_map_str(m, ":error", error);
}

static int answer_send(struct stream *s, struct cbor_map *m, struct buf *out)
{
	cbor_map_end(m);
	int err = buf_err(out);

	return err < 0 ? err : stream_send_headers(s, buf_span(out));
}

static void refuse(struct stream *s, unsigned status, const char *error)
{
	static const struct stream_handler nobody;
	_cleanup_buf_ struct buf out = {};
	struct cbor_map m;

	stream_attach(s, &nobody, NULL);
	answer_begin(&m, &out, status, error);
	if (answer_send(s, &m, &out) < 0)
		stream_reset(s, STREAM_CODE_INTERNAL);
	else
		stream_end(s);
}

static void request_closed(void *userdata, struct stream *s, int err)
{
	struct request *q = userdata;

	(void)s;
	(void)err;
	struct route *r = relay_find(q->broker, &q->route);
	if (r && r->userdata == q) {
		r->refused = NULL;
		r->userdata = NULL;
	}
	network_unsubscribe(&q->subscriber);
	free(q);
}

static struct request *request_new(struct broker *b, struct conn *c, struct listener *via, struct stream *s,
				   const struct stream_handler *handler)
{
	struct request *q = calloc(1, sizeof *q);

	if (!q) {
		refuse(s, 503, "out of memory");
		return NULL;
	}
	*q = (struct request){ .broker = b, .conn = c, .via = via, .stream = s };
	random_bytes(q->nonce, sizeof q->nonce);
	list_init(&q->subscriber.entry);
	q->subscriber.stream = s;
	q->subscriber.broker = b;
	stream_attach(s, handler, q);
	return q;
}

/* ---- publish ---- */

static void publish_message(void *userdata, struct stream *s, struct span m)
{
	static const uint8_t empty_map = 0xa0;
	struct request *q = userdata;
	struct record *r = map_get(&q->broker->by_id, &q->record_id);
	struct identity self = *vault_identity(q->broker->config.vault);
	struct cbor net = cbor_map_find(m, "network"), proof = cbor_map_find(m, "proof");
	struct network_address a;
	uint8_t p[NETWORK_PROOF_LEN];

	cbor_bytes_exact(&net, a.key, sizeof a.key);
	cbor_bytes_exact(&proof, p, sizeof p);
	if (!r || net.err || proof.err ||
	    network_verify(&a, NETWORK_PUBLISH, conn_peer(q->conn), &self, q->nonce, p) < 0 ||
	    network_join(q->broker, r, &a) < 0) {
		stream_reset(s, STREAM_CODE_REFUSED);
		return;
	}
	if (stream_send(s, SPAN(&empty_map, 1)) < 0)
		stream_reset(s, STREAM_CODE_LIMIT);
}

static void publish_end(void *userdata, struct stream *s)
{
	struct request *q = userdata;
	struct record *r = map_get(&q->broker->by_id, &q->record_id);

	if (r)
		network_settle(q->broker, r);
	stream_end(s);
}

static const struct stream_handler publish_handler = {
	.message = publish_message, .end = publish_end, .closed = request_closed,
};

static void publish(struct broker *b, struct conn *c, struct listener *via, struct stream *s, const struct headers *h)
{
	_cleanup_buf_ struct buf out = {};
	struct addr from = conn_addr(c);
	struct record *r;
	struct cbor_map m;
	uint8_t seen[18];

	(void)h;
	int err = registry_add(b, conn_peer(c), &from, via, &r);
	if (err < 0) {
		refuse(s, 503, err == ERR_LIMIT ? "the broker is full" : "out of memory");
		return;
	}
	struct request *q = request_new(b, c, via, s, &publish_handler);
	if (!q)
		return;
	q->record_id = r->id;
	memcpy(seen, from.ip, 16);
	seen[16] = (uint8_t)(from.port >> 8);
	seen[17] = (uint8_t)from.port;

	answer_begin(&m, &out, 200, NULL);
	cbor_map_bytes(&m, "id", SPAN_OF(r->id.b));
	cbor_map_bytes(&m, "key", SPAN_OF(r->key.b));
	cbor_map_uint(&m, "interval", b->config.keepalive);
	cbor_map_bytes(&m, "seen", SPAN_OF(seen));
	cbor_map_bytes(&m, "nonce", SPAN_OF(q->nonce));
	if (answer_send(s, &m, &out) < 0)
		stream_reset(s, STREAM_CODE_INTERNAL);
	wipe(out.data, out.len);
}

/* ---- connect ---- */

static void route_refused(void *userdata)
{
	struct request *q = userdata;
	_cleanup_buf_ struct buf out = {};
	struct cbor_map m;

	cbor_map_begin(&m, &out);
	cbor_map_uint(&m, "verdict", CONTROL_REFUSED);
	cbor_map_end(&m);
	if (buf_err(&out) < 0 || stream_send(q->stream, buf_span(&out)) < 0)
		stream_reset(q->stream, STREAM_CODE_INTERNAL);
	else
		stream_end(q->stream);
	struct route *r = relay_find(q->broker, &q->route);
	if (r)
		relay_free(q->broker, r);
}

static const struct stream_handler connect_handler = { .closed = request_closed };

static bool exact(struct span from, void *to, size_t n)
{
	if (from.len != n)
		return false;
	memcpy(to, from.data, n);
	return true;
}

static void connect_peers(struct broker *b, struct conn *c, struct listener *via, struct stream *s,
			  const struct headers *h)
{
	_cleanup_buf_ struct buf out = {};
	struct addr from = conn_addr(c);
	struct token to_device, to_caller;
	struct identity target;
	struct route *r;
	struct cbor_map m;

	if (!exact(headers_bytes(h, "target"), target.key, sizeof target.key) ||
	    !exact(headers_bytes(h, "a"), to_device.b, sizeof to_device.b) ||
	    !exact(headers_bytes(h, "b"), to_caller.b, sizeof to_caller.b) || token_kind(&to_device) != TOKEN_PEER ||
	    token_kind(&to_caller) != TOKEN_PEER) {
		refuse(s, 400, "target, a, b");
		return;
	}
	struct record *record = registry_find(b, &target);
	if (!record) {
		refuse(s, 404, "not registered here");
		return;
	}
	int err = relay_add(b, record, conn_peer(c), &from, via, &to_device, &to_caller, &r);
	if (err < 0) {
		refuse(s, err == ERR_LIMIT ? 429 : err == ERR_EXISTS ? 409 : 503, err_text(err));
		return;
	}
	struct request *q = request_new(b, c, via, s, &connect_handler);
	if (!q)
		return;
	q->route = to_device;
	r->refused = route_refused;
	r->userdata = q;
	answer_begin(&m, &out, 200, NULL);
	cbor_map_bytes(&m, "key", SPAN_OF(r->key.b));
	if (answer_send(s, &m, &out) < 0)
		stream_reset(s, STREAM_CODE_INTERNAL);
	wipe(out.data, out.len);
}

/* ---- subscribe ---- */

static void subscribe_message(void *userdata, struct stream *s, struct span m)
{
	struct request *q = userdata;
	struct identity self = *vault_identity(q->broker->config.vault);
	struct cbor proof = cbor_map_find(m, "proof");
	uint8_t p[NETWORK_PROOF_LEN];

	cbor_bytes_exact(&proof, p, sizeof p);
	if (proof.err || q->subscriber.network ||
	    network_verify(&q->network, NETWORK_SUBSCRIBE, conn_peer(q->conn), &self, q->nonce, p) < 0) {
		stream_reset(s, STREAM_CODE_REFUSED);
		return;
	}
	if (network_subscribe(q->broker, &q->subscriber, &q->network) < 0)
		stream_reset(s, STREAM_CODE_LIMIT);
}

static void subscribe_end(void *userdata, struct stream *s)
{
	(void)userdata;
	stream_end(s);
}

static const struct stream_handler subscribe_handler = {
	.message = subscribe_message, .end = subscribe_end, .closed = request_closed,
};

static void subscribe(struct broker *b, struct conn *c, struct listener *via, struct stream *s, const struct headers *h)
{
	_cleanup_buf_ struct buf out = {};
	struct network_address a;
	struct cbor_map m;

	if (!exact(headers_bytes(h, "network"), a.key, sizeof a.key)) {
		refuse(s, 400, "network");
		return;
	}
	struct request *q = request_new(b, c, via, s, &subscribe_handler);
	if (!q)
		return;
	q->network = a;
	answer_begin(&m, &out, 200, NULL);
	cbor_map_bytes(&m, "nonce", SPAN_OF(q->nonce));
	if (answer_send(s, &m, &out) < 0)
		stream_reset(s, STREAM_CODE_INTERNAL);
}

/* ---- dispatch ---- */

static const struct {
	const char *path;
	bool early;                     /* a replay of it does no harm */
	void (*serve)(struct broker *b, struct conn *c, struct listener *via, struct stream *s, const struct headers *h);
} requests[] = {
	{ BROKER_PATH_PUBLISH,   false, publish },
	{ BROKER_PATH_CONNECT,   true,  connect_peers },
	{ BROKER_PATH_SUBSCRIBE, false, subscribe },
};

static bool token_fits(const struct broker *b, const struct headers *h)
{
	struct span given = headers_text(h, "token");
	size_t n = strlen(b->config.token);

	return !n || (given.len == n && equal_ct(given.data, b->config.token, n));
}

static void on_stream(void *userdata, struct conn *c, struct stream *s, const struct headers *h, bool early)
{
	struct listener *via = userdata;
	struct span path = headers_text(h, ":path");

	if (!token_fits(via->broker, h)) {
		via->broker->stats.refused++;
		refuse(s, 403, "this broker wants its token: use the line it printed");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		if (span_is(path, requests[i].path)) {
			if (early && !requests[i].early)
				refuse(s, 425, "too early");
			else
				requests[i].serve(via->broker, c, via, s, h);
			return;
		}
	refuse(s, 404, "no such request");
}

static bool on_admit(void *userdata, const struct identity *who)
{
	struct broker *b = ((struct listener *)userdata)->broker;

	return !b->config.allow_len || map_get(&b->allow, who);
}

const struct conn_ops broker_conn_ops = { .admit = on_admit, .stream = on_stream };
