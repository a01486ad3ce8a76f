/* A returning caller asks in 0-RTT, which can be repeated by whoever saw it: only the
 * routes that said so take it. The caller is an endpoint of the tree, which keeps tickets. */
#include "world.h"

#include <errno.h>

#include "endpoint/endpoint.h"

static struct {
	struct identity id;
	struct vault *vault;
	struct endpoint *endpoint;
	struct peer *peer;
	uint8_t ticket[TRANSPORT_TICKET_MAX];
	size_t ticket_len;
	const char *path;
	bool has_ticket, registered, closed, early;
	uint64_t status;
} w;

static carrier *device;
static unsigned served;

static void serve(void *userdata, carrier_stream *s, const carrier_id *caller, const carrier_headers *h)
{
	(void)userdata;
	(void)caller;
	(void)h;
	served++;
	CHECK_ERR(carrier_stream_end(s), 0);
}

static void on_broker(void *userdata, const char *broker, int state, int err, const char *detail)
{
	(void)userdata;
	(void)broker;
	(void)err;
	(void)detail;
	w.registered |= state == CARRIER_BROKER_REGISTERED;
}

static int load(void *userdata, const char *alpn, const struct identity *peer, struct buf *out)
{
	(void)userdata;
	(void)peer;
	if (strcmp(alpn, TRANSPORT_ALPN_PEER) || !w.ticket_len)
		return -ENOENT;
	buf_add(out, w.ticket, w.ticket_len);
	return 0;
}

static void save(void *userdata, const char *alpn, const struct identity *peer, struct span blob)
{
	(void)userdata;
	(void)peer;
	if (strcmp(alpn, TRANSPORT_ALPN_PEER))
		return;
	memcpy(w.ticket, blob.data, blob.len);
	w.ticket_len = blob.len;
	w.has_ticket = true;
}

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	(void)userdata;
	(void)s;
	w.status = headers_uint(h, ":status", 0);
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	(void)userdata;
	(void)s;
	(void)err;
	w.closed = true;
}

static void on_up(void *userdata, struct peer *p)
{
	static const struct stream_handler handler = { .headers = on_headers, .closed = on_closed };
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;
	struct stream *s;

	(void)userdata;
	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", w.path);
	cbor_map_end(&m);
	CHECK_ERR(peer_open_stream(p, buf_span(&b), true, &handler, NULL, &s), 0);
	stream_end(s);
}

static void on_ready(void *userdata, struct peer *p)
{
	struct peer_info info;

	(void)userdata;
	peer_get_info(p, &info);
	w.early = info.early;
}

static void on_ended(void *userdata, struct peer *p, int err, const char *detail)
{
	(void)userdata;
	(void)p;
	fail_msg("lost: %s %s", err_name(err), detail);
}

static uint64_t ask(const char *path)
{
	static const struct peer_handler handler = { .up = on_up, .ready = on_ready, .ended = on_ended };
	struct endpoint_target t = { 0 };
	carrier_id id;

	carrier_identity(device, &id);
	memcpy(t.id.key, id.bytes, sizeof t.id.key);
	w.path = path;
	w.closed = w.has_ticket = false;
	CHECK_ERR(endpoint_dial(w.endpoint, &t, &handler, NULL, &w.peer), 0);
	world_until(&w.closed, 5000);
	world_run(50);
	peer_close(w.peer);
	world_run(20);
	return w.status;
}

static int setup(void **state)
{
	struct broker_line line;
	struct text_error detail;
	struct sign_seed seed;
	carrier_route_options safe = { .size = sizeof safe, .replay_safe = 1 };
	char text[256];

	world_setup(state);
	device = world_open("device", NULL, &(carrier_options){ .broker = on_broker });
	CHECK_ERR(carrier_route(device, "/safe", &safe, serve, NULL), 0);
	CHECK_ERR(carrier_route(device, "/unsafe", NULL, serve, NULL), 0);
	CHECK_ERR(carrier_allow(device, "*", "*"), 0);
	CHECK(carrier_publish(device) == 1);
	world_until(&w.registered, 3000);

	CHECK(sscanf(world.line, "broker = [\"%255[^\"]", text) == 1);
	CHECK_ERR(broker_line_parse(&line, text, &detail), 0);
	sign_seed_new(&seed);
	identity_of_seed(&w.id, &seed);
	CHECK_ERR(vault_new_local(&w.vault, &seed, 1u << VAULT_TLS), 0);
	struct endpoint_config c = { .loop = world.loop, .vault = w.vault, .fd = -1, .brokers = &line, .brokers_len = 1,
				     .keepalive = 25, .ticket_load = load, .ticket_save = save };
	CHECK_ERR(endpoint_new(&w.endpoint, &c), 0);
	return 0;
}

static int teardown(void **state)
{
	endpoint_free(w.endpoint);
	vault_free(w.vault);
	return world_teardown(state);
}

static void only_replay_safe_routes_take_early_requests(void **state)
{
	(void)state;
	CHECK(ask("/unsafe") == 200 && served == 1 && !w.early);        /* no ticket yet */
	CHECK(w.has_ticket);
	CHECK(ask("/safe") == 200 && served == 2 && w.early);
	CHECK(ask("/unsafe") == 425 && served == 2 && w.early);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_replay_safe_routes_take_early_requests) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
