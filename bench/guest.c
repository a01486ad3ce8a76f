#include "guest.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "bench.h"

void bench_identity(struct identity *ret, struct vault **ret_vault)
{
	struct sign_seed seed;

	sign_seed_new(&seed);
	identity_of_seed(ret, &seed);
	BENCH_CHECK(vault_new_local(ret_vault, &seed, 1u << VAULT_TLS));
}

void bench_until(struct loop *l, const bool *flag, unsigned seconds, const char *what)
{
	tstamp end = time_monotonic() + SECONDS(seconds);

	while (!*flag) {
		BENCH_CHECK(loop_turn(l, end));
		if (time_monotonic() >= end)
			bench_die(what, ERR_TIMEOUT);
	}
}

static void tell(struct guest *g, int err)
{
	if (g->done)
		g->done(g->userdata, g, err);
}

static bool on_raw(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	struct guest *g = userdata;
	struct token t;

	(void)from;
	if (transport_peek(&t, data) >= 0 && switchboard_has(g->sb, &t))
		return false;           /* the broker's own */
	g->received += (data.len + seg_len - 1) / seg_len;
	return true;
}

static void on_ended(void *userdata, struct conn *c, const struct transport_end *end)
{
	struct guest *g = userdata;

	(void)c;
	g->conn = NULL;
	tell(g, end->err);
}

static const struct conn_ops conn_ops = { .ended = on_ended };

/* ---- publish ---- */

static void publish_headers(void *userdata, struct stream *s, const struct headers *h)
{
	struct guest *g = userdata;
	struct span id = headers_bytes(h, "id"), key = headers_bytes(h, "key"), seen = headers_bytes(h, "seen");

	if (headers_uint(h, ":status", 0) != 200 || id.len != sizeof g->record_id || key.len != sizeof g->key ||
	    seen.len != 18) {
		tell(g, ERR_PROTOCOL);
		return;
	}
	memcpy(&g->record_id, id.data, id.len);
	memcpy(&g->key, key.data, key.len);
	memcpy(g->seen.ip, seen.data, 16);
	g->seen.port = (uint16_t)(seen.data[16] << 8 | seen.data[17]);
	g->interval = (unsigned)headers_uint(h, "interval", 0);
	stream_end(s);
	tell(g, 0);
}

static void request_closed(void *userdata, struct stream *s, int err)
{
	struct guest *g = userdata;

	(void)err;
	if (g->stream == s)
		g->stream = NULL;
}

/* ---- connect ---- */

static void connect_headers(void *userdata, struct stream *s, const struct headers *h)
{
	(void)s;
	tell(userdata, headers_uint(h, ":status", 0) == 200 ? 0 : ERR_REFUSED);
}

static void connect_message(void *userdata, struct stream *s, struct span m)
{
	struct guest *g = userdata;

	(void)m;
	stream_end(s);
	if (g->verdict)
		g->verdict(g->userdata, g);
}

static int request(struct guest *g, const struct buf *headers, const struct stream_handler *handler)
{
	return headers->err ?: stream_open(conn_streams(g->conn), buf_span(headers), false, handler, g, &g->stream);
}

int guest_publish(struct guest *g)
{
	static const struct stream_handler handler = { .headers = publish_headers, .closed = request_closed };
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", BROKER_PATH_PUBLISH);
	cbor_map_end(&m);
	return request(g, &b, &handler);
}

int guest_connect(struct guest *g, const struct identity *target, const struct token *to_device,
		  const struct token *to_guest)
{
	static const struct stream_handler handler = {
		.headers = connect_headers, .message = connect_message, .closed = request_closed,
	};
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", BROKER_PATH_CONNECT);
	cbor_map_bytes(&m, "target", SPAN_OF(target->key));
	cbor_map_bytes(&m, "a", SPAN_OF(to_device->b));
	cbor_map_bytes(&m, "b", SPAN_OF(to_guest->b));
	cbor_map_end(&m);
	return request(g, &b, &handler);
}

/* ---- life ---- */

int guest_new(struct guest **ret, const struct guest_config *config)
{
	struct guest *g = calloc(1, sizeof *g);

	if (!g)
		return -ENOMEM;
	g->loop = config->loop;
	g->broker = config->broker;
	g->done = config->done;
	g->userdata = config->userdata;
	bench_identity(&g->id, &g->vault);

	struct switchboard_config sc = { .loop = g->loop, .fd = config->fd, .vault = g->vault, .raw = on_raw, .userdata = g };
	struct conn_dial d = { .to = config->broker, .alpn = TRANSPORT_ALPN_BROKER, .peer = config->broker_id,
			       .ops = &conn_ops, .userdata = g };
	token_new(&d.token, TOKEN_BROKER);
	token_new(&d.peer_token, TOKEN_BROKER);
	int err = switchboard_new(&g->sb, &sc);
	if (err >= 0)
		err = conn_dial(g->sb, &d, &g->conn);
	if (err < 0) {
		guest_free(g);
		return err;
	}
	*ret = g;
	return 0;
}

void guest_free(struct guest *g)
{
	if (!g)
		return;
	g->done = NULL;
	switchboard_free(g->sb);
	vault_free(g->vault);
	wipe(&g->key, sizeof g->key);
	free(g);
}
