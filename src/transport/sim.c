/* The life of a simulated connection, and what can be asked of it. */
#include <errno.h>

#include "base/err.h"
#include "transport/sim_internal.h"

int transport_context_new(struct transport_context **ret, struct vault *vault)
{
	struct transport_context *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->vault = vault;
	sim_random_bytes(&c->ticket, sizeof c->ticket);

	*ret = c;
	return 0;
}

void transport_context_free(struct transport_context *c) { free(c); }

static int transport_new(struct transport **ret, const struct transport_config *config, bool is_server, tstamp now)
{
	static const uint64_t seed[2];  /* nobody chooses collisions here */
	struct transport *t;

	if (strlen(config->alpn) >= SIM_ALPN_MAX)
		return ERR_LENGTH;
	t = calloc(1, sizeof *t);
	if (!t)
		return -ENOMEM;
	t->context = config->context;
	t->ops = config->ops;
	t->userdata = config->userdata;
	t->token = config->token;
	strcpy(t->alpn, config->alpn);
	t->is_server = is_server;
	t->now = t->last_rx = t->last_tx = t->idle_from = now;
	t->idle_timeout = config->idle_timeout ?: SECONDS(16);
	t->peer_streams_max = t->own_streams_max = TRANSPORT_STREAMS_MAX;
	list_init(&t->streams);
	map_init(&t->by_id, offsetof(struct transport_stream, id), sizeof(uint32_t), seed);
	sim_recovery_init(t, config->rtt_hint);
	memcpy(t->scid, config->token.b, TRANSPORT_TOKEN_LEN);
	sim_random_bytes(t->scid + TRANSPORT_TOKEN_LEN, TRANSPORT_CID_LEN - TRANSPORT_TOKEN_LEN);
	sim_random_bytes(&t->eph, sizeof t->eph);
	agree_public_of(&t->eph_pub, &t->eph);

	*ret = t;
	return 0;
}

/* A blob of another server is no ticket here. */
static void use_ticket(struct transport *t, struct span blob)
{
	if (blob.len != SIM_BLOB_LEN || memcmp(blob.data, t->peer.key, PUBLIC_KEY_LEN))
		return;
	memcpy(t->ticket, blob.data + PUBLIC_KEY_LEN, sizeof t->ticket);
	t->has_ticket = true;
	sim_early_key(t, t->ticket, &t->eph_pub);
}

int transport_dial(struct transport **ret, const struct transport_config *config, tstamp now)
{
	struct transport *t;
	int err;

	err = transport_new(&t, config, false, now);
	if (err < 0)
		return err;
	t->peer = config->peer;
	memcpy(t->dcid, config->peer_token.b, TRANSPORT_TOKEN_LEN);
	sim_random_bytes(t->dcid + TRANSPORT_TOKEN_LEN, TRANSPORT_CID_LEN - TRANSPORT_TOKEN_LEN);
	memcpy(t->first_dcid, t->dcid, sizeof t->first_dcid);
	t->hello_due = true;
	use_ticket(t, config->ticket);

	*ret = t;
	return 0;
}

int transport_accept(struct transport **ret, const struct transport_config *config, struct span initial, tstamp now)
{
	struct sim_head h;
	struct transport *t;
	int err;

	if (!transport_is_initial(initial) || sim_head_parse(&h, initial) < 0)
		return ERR_PARSE;
	err = transport_new(&t, config, true, now);
	if (err < 0)
		return err;
	t->expect_peer = config->expect_peer;
	t->expected = config->peer;

	*ret = t;
	return 0;
}

void transport_free(struct transport *t)
{
	if (!t)
		return;
	sim_recovery_done(t);
	sim_streams_done(t);
	wipe(t, sizeof *t);
	free(t);
}

void sim_wake(struct transport *t)
{
	if (t->ops->wake)
		t->ops->wake(t->userdata);
}

void sim_end(struct transport *t, int err, bool by_peer, uint64_t code, struct span reason)
{
	if (t->end.err)
		return;
	t->end = (struct transport_end){ .err = err, .by_peer = by_peer, .code = code };
	reason = span_first(reason, TRANSPORT_REASON_MAX - 1);
	if (reason.len)
		memcpy(t->end.reason, reason.data, reason.len);
	t->close_due = !by_peer && err != ERR_TIMEOUT;
	if (t->close_due)
		sim_wake(t);
}

void transport_close(struct transport *t, uint64_t code, const char *reason, tstamp now)
{
	t->now = now;
	sim_end(t, ERR_CLOSED, false, code, SPAN_STR(reason ?: ""));
}

void transport_expire(struct transport *t, tstamp now)
{
	t->now = now;
	if (!t->end.err)
		sim_check_timers(t);
	if (!t->end.err)
		sim_streams_reap(t);
}

tstamp transport_expiry(const struct transport *t) { return t->end.err ? TSTAMP_NEVER : sim_timer(t); }

bool transport_ended(const struct transport *t, struct transport_end *ret)
{
	if (t->end.err && ret)
		*ret = t->end;
	return t->end.err != 0;
}

bool transport_ready(const struct transport *t) { return t->ready; }
bool transport_confirmed(const struct transport *t) { return t->confirmed; }
bool transport_heard(const struct transport *t) { return t->has_hello || t->has_keys; }
bool transport_resumed(const struct transport *t) { return t->resumed; }
bool transport_early_accepted(const struct transport *t) { return t->early_accepted; }
bool transport_is_client(const struct transport *t) { return !t->is_server; }
const struct identity *transport_peer(const struct transport *t) { return &t->peer; }
struct token transport_token(const struct transport *t) { return t->token; }

void transport_get_info(const struct transport *t, struct transport_info *ret)
{
	*ret = (struct transport_info){
		.rtt = t->srtt,
		.min_rtt = t->min_rtt == TSTAMP_NEVER ? 0 : t->min_rtt,
		.cwnd = t->cwnd,
		.in_flight = t->flying,
		.tx_bytes = t->tx_bytes,
		.rx_bytes = t->rx_bytes,
		.packet_size = SIM_PACKET,
	};
}

void transport_keep_alive(struct transport *t, tstamp every) { t->keep_alive = every; }

int transport_migrate(struct transport *t, uint32_t path, bool old_is_dead, tstamp now)
{
	if (t->is_server || !t->confirmed || t->end.err)
		return ERR_STATE;
	t->now = now;
	t->challenge.on = t->challenge.due = true;
	t->challenge.path = path;
	t->challenge.switch_on_ok = !old_is_dead;
	t->challenge.tries = 0;
	t->challenge.at = now + 2 * t->srtt + MILLIS(100);
	sim_random_bytes(t->challenge.data, sizeof t->challenge.data);
	if (old_is_dead) {
		t->path = path;
		sim_path_changed(t, true);
		t->ping_due = true;
	}
	sim_wake(t);
	return 0;
}
