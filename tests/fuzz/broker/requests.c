/* A broker in a simulated world, and somebody who says anything: the first byte chooses
 * between datagrams to its socket and requests on a connection that stands. */
#include "broker/broker.h"
#include "loop/sim.h"
#include "transport/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PIECES_MAX = 16 };

struct world {
	struct sim *sim;
	struct sim_host *hosts[2];
	struct loop *loops[2];
	struct vault *vaults[2];
	struct broker *broker;
	struct switchboard *client;
	struct conn *conn;
	bool ready, ended;
};

static void must(int err)
{
	if (err < 0)
		abort();
}

static void on_ready(void *userdata, struct conn *c)
{
	(void)c;
	((struct world *)userdata)->ready = true;
}

static void on_ended(void *userdata, struct conn *c, const struct transport_end *end)
{
	struct world *w = userdata;

	(void)c;
	(void)end;
	w->ended = true;
	w->conn = NULL;
}

static const struct conn_ops client_ops = { .ready = on_ready, .ended = on_ended };
static const struct stream_handler handler;

static void world_new(struct world *w, struct addr *ret_broker)
{
	static const char *const names[] = { "broker", "caller" }, *const ips[] = { "192.0.2.1", "192.0.2.2" };
	struct addr any = {};

	must(sim_new(&w->sim, 1));
	transport_sim_seed(1);
	for (int i = 0; i < 2; i++) {
		struct sign_seed seed = { { (uint8_t)(i + 1) } };

		must(sim_host(w->sim, &w->hosts[i], names[i], ips[i]));
		sim_enter(w->hosts[i]);
		must(loop_new(&w->loops[i]));
		must(vault_new_local(&w->vaults[i], &seed, 1u << VAULT_TLS));
	}
	sim_enter(w->hosts[0]);
	struct broker_config bc = { .loop = w->loops[0], .vault = w->vaults[0] };
	must(broker_new(&w->broker, &bc));
	must(addr_parse(ret_broker, "192.0.2.1:8443"));
	must(broker_listen(w->broker, ret_broker, -1, NULL));
	sim_enter(w->hosts[1]);
	struct switchboard_config sc = { .loop = w->loops[1], .bind = any, .fd = -1, .vault = w->vaults[1] };
	must(switchboard_new(&w->client, &sc));
}

static void world_free(struct world *w)
{
	switchboard_free(w->client);
	broker_free(w->broker);
	for (int i = 0; i < 2; i++) {
		loop_free(w->loops[i]);
		vault_free(w->vaults[i]);
	}
	sim_free(w->sim);
}

static void run_for(struct world *w, unsigned ms)
{
	must(sim_run_until(w->sim, sim_now(w->sim) + MILLIS(ms)));
}

/* 16 bits of length, then that many bytes. */
static struct span next_piece(struct span *in)
{
	if (in->len < 2)
		return SPAN_NONE;
	size_t n = (size_t)in->data[0] << 8 | in->data[1];
	struct span out = span_first(span_from(*in, 2), n);

	*in = span_from(*in, 2 + out.len);
	return out;
}

static void say_datagrams(struct world *w, struct span in, const struct addr *to)
{
	for (int i = 0; i < PIECES_MAX && in.len; i++) {
		struct span d = next_piece(&in);
		if (d.len && d.len <= 1400)
			switchboard_send(w->client, to, d);
	}
	run_for(w, 100);
}

static void say_requests(struct world *w, struct span in, const struct addr *to)
{
	struct conn_dial d = { .to = *to, .alpn = TRANSPORT_ALPN_BROKER, .peer = *vault_identity(w->vaults[0]),
			       .token = { { 1 } }, .peer_token = { { 2 } }, .ops = &client_ops, .userdata = w };

	must(conn_dial(w->client, &d, &w->conn));
	run_for(w, 100);
	if (!w->ready)
		abort();
	for (int i = 0; i < PIECES_MAX && in.len && w->conn; i++) {
		struct span block = next_piece(&in), message = next_piece(&in);
		struct stream *s;

		if (block.len > HEADERS_LEN_MAX || stream_open(conn_streams(w->conn), block, false, &handler, NULL, &s) < 0)
			continue;
		if (stream_send(s, message) >= 0)
			stream_end(s);
		run_for(w, 60);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world w = {};
	struct addr to;

	if (!len || crypto_init() < 0)
		return 0;
	world_new(&w, &to);
	struct span rest = SPAN(data + 1, len - 1);
	if (data[0] & 1)
		say_requests(&w, rest, &to);
	else
		say_datagrams(&w, rest, &to);
	run_for(&w, 500);
	world_free(&w);
	return 0;
}
