/* Broker, device and operator in one process over real sockets and real QUIC. */
#include "test.h"

#include <errno.h>

#include "broker/broker.h"
#include "endpoint/endpoint.h"

struct party {
	struct identity id;
	struct vault *vault;
	struct endpoint *e;
	uint8_t peer_ticket[4096], broker_ticket[4096];
	size_t peer_ticket_len, broker_ticket_len;
};

static struct world {
	struct loop *loop;
	struct party broker_id, device, operator, stranger;
	struct broker *broker;
	struct broker_line line;
	bool registered, up, ready, echoed, ended;
	bool early_stream, served_early;
	int end_err;
	char end_detail[128];
	uint8_t got[64];
	size_t got_len;
	struct peer *peer;
} w;

static void party_new(struct party *p)
{
	struct sign_seed seed;

	sign_seed_new(&seed);
	identity_of_seed(&p->id, &seed);
	CHECK_ERR(vault_new_local(&p->vault, &seed, 1u << VAULT_TLS), 0);
}

static void run_until(bool *flag, unsigned ms)
{
	tstamp end = time_monotonic() + MILLIS(ms);

	while (!*flag && time_monotonic() < end)
		if (loop_turn(w.loop, end) < 0)
			fail_msg("loop");
}

/* ---- device ---- */

static bool admit(void *userdata, const struct identity *who)
{
	(void)userdata;
	return identity_equal(who, &w.operator.id);
}

static void echo_message(void *userdata, struct stream *s, struct span m)
{
	(void)userdata;
	CHECK_ERR(stream_send(s, m), 0);
}

static void echo_end(void *userdata, struct stream *s)
{
	(void)userdata;
	stream_end(s);
}

static void on_stream(void *userdata, struct peer *p, struct stream *s, const struct headers *h, bool early)
{
	static const struct stream_handler echo = { .message = echo_message, .end = echo_end };
	_cleanup_buf_ struct buf b = {};

	(void)userdata;
	CHECK(identity_equal(peer_identity(p), &w.operator.id));
	CHECK(span_is(headers_text(h, ":path"), "/echo"));
	w.served_early |= early;
	stream_attach(s, &echo, NULL);
	headers_put_status(&b, 200, NULL);
	CHECK_ERR(stream_send_headers(s, buf_span(&b)), 0);
}

static void broker_state(void *userdata, const struct broker_line *b, enum endpoint_broker_state state, int err, const char *detail)
{
	(void)userdata;
	(void)b;
	if (state == BROKER_REGISTERED)
		w.registered = true;
	else if (err)
		print_message("broker: %s %s\n", err_name(err), detail);
}

/* ---- operator ---- */

static int ticket_load(void *userdata, const char *alpn, const struct identity *peer, struct buf *out)
{
	struct party *p = userdata;
	bool to_broker = !strcmp(alpn, TRANSPORT_ALPN_BROKER);

	if (!to_broker && !identity_equal(peer, &w.device.id))
		return -ENOENT;
	if (!(to_broker ? p->broker_ticket_len : p->peer_ticket_len))
		return -ENOENT;
	buf_add(out, to_broker ? p->broker_ticket : p->peer_ticket, to_broker ? p->broker_ticket_len : p->peer_ticket_len);
	return 0;
}

static void ticket_save(void *userdata, const char *alpn, const struct identity *peer, struct span blob)
{
	struct party *p = userdata;
	bool to_broker = !strcmp(alpn, TRANSPORT_ALPN_BROKER);

	(void)peer;
	memcpy(to_broker ? p->broker_ticket : p->peer_ticket, blob.data, blob.len);
	*(to_broker ? &p->broker_ticket_len : &p->peer_ticket_len) = blob.len;
}

static void op_headers(void *userdata, struct stream *s, const struct headers *h)
{
	(void)userdata;
	(void)s;
	CHECK(headers_uint(h, ":status", 0) == 200);
}

static void op_message(void *userdata, struct stream *s, struct span m)
{
	(void)userdata;
	(void)s;
	memcpy(w.got, m.data, m.len);
	w.got_len = m.len;
	w.echoed = true;
}

static const struct stream_handler op_stream = { .headers = op_headers, .message = op_message };

static void op_up(void *userdata, struct peer *p)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;
	struct stream *s;

	(void)userdata;
	w.up = true;
	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", "/echo");
	cbor_map_end(&m);
	CHECK_ERR(peer_open_stream(p, buf_span(&b), w.early_stream, &op_stream, NULL, &s), 0);
	CHECK_ERR(stream_send(s, SPAN_STR("hello")), 0);
	stream_end(s);
}

static void op_ready(void *userdata, struct peer *p)
{
	(void)userdata;
	(void)p;
	w.ready = true;
}

static void op_ended(void *userdata, struct peer *p, int err, const char *detail)
{
	(void)userdata;
	(void)p;
	w.ended = true;
	w.end_err = err;
	snprintf(w.end_detail, sizeof w.end_detail, "%s", detail);
}

static const struct peer_handler op_handler = { .up = op_up, .ready = op_ready, .ended = op_ended };

static void endpoint_for(struct party *p, bool device)
{
	struct endpoint_config c = {
		.loop = w.loop, .vault = p->vault, .fd = -1, .brokers = &w.line, .brokers_len = 1, .keepalive = 25,
		.userdata = p, .ticket_load = ticket_load, .ticket_save = ticket_save, .broker_state = broker_state,
	};

	if (device) {
		c.admit = admit;
		c.stream = on_stream;
	}
	CHECK_ERR(endpoint_new(&p->e, &c), 0);
}

static void dial(struct party *p, const struct endpoint_target *t)
{
	w.up = w.ready = w.echoed = w.ended = w.served_early = false;
	w.end_err = 0;
	w.end_detail[0] = 0;
	CHECK_ERR(endpoint_dial(p->e, t, &op_handler, NULL, &w.peer), 0);
}

static int setup(void **state)
{
	struct addr any = {}, at;

	(void)state;
	CHECK_ERR(crypto_init(), 0);
	CHECK_ERR(loop_new(&w.loop), 0);
	party_new(&w.broker_id);
	party_new(&w.device);
	party_new(&w.operator);
	party_new(&w.stranger);

	struct broker_config bc = { .loop = w.loop, .vault = w.broker_id.vault, .token = "sesame" };
	CHECK_ERR(broker_new(&w.broker, &bc), 0);
	CHECK_ERR(addr_parse(&any, "127.0.0.1:0"), 0);
	CHECK_ERR(broker_listen(w.broker, &any, -1, &at), 0);
	w.line = (struct broker_line){ .id = w.broker_id.id, .host = "127.0.0.1", .port = at.port, .token = "sesame" };
	endpoint_for(&w.device, true);
	endpoint_for(&w.operator, false);
	endpoint_for(&w.stranger, false);
	endpoint_publish(w.device.e);
	run_until(&w.registered, 3000);
	CHECK(w.registered);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	endpoint_free(w.operator.e);
	endpoint_free(w.stranger.e);
	endpoint_free(w.device.e);
	broker_free(w.broker);
	vault_free(w.broker_id.vault);
	vault_free(w.device.vault);
	vault_free(w.operator.vault);
	vault_free(w.stranger.vault);
	loop_free(w.loop);
	return 0;
}

static void check_echo(enum peer_route route)
{
	struct peer_info info;

	run_until(&w.echoed, 5000);
	if (w.ended)
		print_message("ended: %s %s\n", err_name(w.end_err), w.end_detail);
	CHECK(w.echoed);
	CHECK(w.got_len == 5 && !memcmp(w.got, "hello", 5));
	run_until(&w.ready, 2000);
	CHECK(w.ready);
	peer_get_info(w.peer, &info);
	CHECK(info.route == route);
}

static void hang_up(void)
{
	bool never = false;

	run_until(&never, 50);  /* tickets and the like */
	peer_close(w.peer);
	run_until(&never, 20);
}

static void reaches_through_the_relay(void **state)
{
	(void)state;
	w.early_stream = false;
	dial(&w.operator, &(struct endpoint_target){ .id = w.device.id });
	check_echo(PEER_RELAYED);
	hang_up();
}

static void resumes_with_early_data(void **state)
{
	(void)state;
	struct peer_info info;

	CHECK(w.operator.peer_ticket_len && w.operator.broker_ticket_len);
	w.early_stream = true;
	dial(&w.operator, &(struct endpoint_target){ .id = w.device.id });
	check_echo(PEER_RELAYED);
	peer_get_info(w.peer, &info);
	CHECK(info.resumed);
	CHECK(info.early);
	CHECK(w.served_early);
	hang_up();
}

static void reaches_a_known_address(void **state)
{
	struct addr at;

	(void)state;
	w.early_stream = false;
	CHECK_ERR(endpoint_addr(w.device.e, &at), 0);
	dial(&w.operator, &(struct endpoint_target){ .id = w.device.id, .host = "127.0.0.1", .port = at.port });
	check_echo(PEER_DIRECT);
	hang_up();
}

static void a_stranger_is_refused_through_the_relay(void **state)
{
	(void)state;
	dial(&w.stranger, &(struct endpoint_target){ .id = w.device.id });
	run_until(&w.ended, 5000);
	CHECK(w.ended && !w.echoed);
	CHECK_ERR(w.end_err, ERR_REFUSED);
}

static void an_unknown_device_is_offline(void **state)
{
	(void)state;
	dial(&w.operator, &(struct endpoint_target){ .id = w.stranger.id });
	run_until(&w.ended, 5000);
	CHECK(w.ended);
	CHECK_ERR(w.end_err, ERR_OFFLINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reaches_through_the_relay),
		cmocka_unit_test(resumes_with_early_data),
		cmocka_unit_test(reaches_a_known_address),
		cmocka_unit_test(a_stranger_is_refused_through_the_relay),
		cmocka_unit_test(an_unknown_device_is_offline),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
