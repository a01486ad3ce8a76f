/* One ngtcp2 connection: its life, reading, expiry, the end. */
#include "transport/quic.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/err.h"

enum {
	STREAM_WINDOW = 1 << 20,                /* grows by itself up to the maxima below */
	STREAM_WINDOW_MAX = 16 << 20,
	CONN_WINDOW = 4 << 20,
	CONN_WINDOW_MAX = 32 << 20,
	ALERT_ACCESS = 42,                      /* bad_certificate: what GnuTLS says when a key is refused */
	CRYPTO_ERROR = 0x100,                   /* RFC 9000 20.1: 0x100 + alert */
};

/* ---- paths: a number is a pair of addresses that exist nowhere ---- */

static void label(struct sockaddr_in6 *out, uint8_t side, uint32_t path)
{
	*out = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(1) };
	out->sin6_addr.s6_addr[0] = 0xfd;
	out->sin6_addr.s6_addr[11] = side;
	for (int i = 0; i < 4; i++)
		out->sin6_addr.s6_addr[12 + i] = (uint8_t)(path >> (24 - 8 * i));
}

void quic_path(ngtcp2_path_storage *out, uint32_t path)
{
	struct sockaddr_in6 local, remote;

	label(&local, 1, path);
	label(&remote, 2, path);
	ngtcp2_path_storage_init(out, (struct sockaddr *)&local, sizeof local, (struct sockaddr *)&remote,
				 sizeof remote, NULL);
}

uint32_t quic_path_number(const ngtcp2_path *path)
{
	struct sockaddr_in6 local;
	uint32_t n = 0;

	memcpy(&local, path->local.addr, sizeof local);
	for (int i = 0; i < 4; i++)
		n = n << 8 | local.sin6_addr.s6_addr[12 + i];
	return n;
}

void quic_wake(struct transport *t)
{
	if (t->config.ops->wake)
		t->config.ops->wake(t->config.userdata);
}

/* ---- life ---- */

static void settings_for(const struct transport_config *config, ngtcp2_settings *s,
			 ngtcp2_transport_params *p, tstamp now)
{
	ngtcp2_settings_default(s);
	s->initial_ts = now;
	s->cc_algo = config->bbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
	s->max_tx_udp_payload_size = TRANSPORT_PACKET_MAX;      /* from 1200 up by path MTU discovery */
	s->max_window = CONN_WINDOW_MAX;
	s->max_stream_window = STREAM_WINDOW_MAX;
	s->handshake_timeout = SECONDS(10);
	/* 333 ms (RFC 9002 6.2.2) is three tries before we give up: too few where one packet in five is lost */
	s->initial_rtt = config->rtt_hint ?: MILLIS(100);

	ngtcp2_transport_params_default(p);
	p->initial_max_stream_data_bidi_local = p->initial_max_stream_data_bidi_remote = STREAM_WINDOW;
	p->initial_max_data = CONN_WINDOW;
	p->initial_max_streams_bidi = TRANSPORT_STREAMS_MAX;
	p->max_idle_timeout = config->idle_timeout ?: SECONDS(16);
	p->active_connection_id_limit = 7;
	p->max_udp_payload_size = 65527;
	p->grease_quic_bit = 0;         /* the bit tells QUIC from control datagrams */
}

static struct transport *transport_alloc(const struct transport_config *config, bool is_server)
{
	struct transport *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->config = *config;
	t->config.ticket = SPAN_NONE;
	t->is_server = is_server;
	list_init(&t->streams);
	list_init(&t->waiting);
	list_init(&t->sendable);
	return t;
}

int transport_dial(struct transport **ret, const struct transport_config *config, tstamp now)
{
	_cleanup_(transport_freep) struct transport *t = transport_alloc(config, false);
	ngtcp2_transport_params params;
	ngtcp2_settings settings;
	ngtcp2_path_storage path;
	ngtcp2_cid dcid, scid;

	if (!t)
		return -ENOMEM;
	t->peer = config->peer;
	settings_for(config, &settings, &params, now);
	quic_make_cid(&dcid, &config->peer_token, TRANSPORT_CID_LEN);
	quic_make_cid(&scid, &config->token, TRANSPORT_CID_LEN);
	quic_path(&path, 0);
	if (ngtcp2_conn_client_new(&t->conn, &dcid, &scid, &path.path, NGTCP2_PROTO_VER_V1, &quic_callbacks,
				   &settings, &params, NULL, t) != 0)
		return -ENOMEM;

	int err = quic_tls_new(t);
	if (err < 0)
		return err;
	quic_tls_resume(t, config->ticket);
	*ret = take(t);
	return 0;
}

int transport_accept(struct transport **ret, const struct transport_config *config, struct span initial, tstamp now)
{
	_cleanup_(transport_freep) struct transport *t = NULL;
	ngtcp2_transport_params params;
	ngtcp2_settings settings;
	ngtcp2_path_storage path;
	ngtcp2_pkt_hd hd;
	ngtcp2_cid scid;

	if (ngtcp2_accept(&hd, initial.data, initial.len) != 0)
		return ERR_PARSE;
	t = transport_alloc(config, true);
	if (!t)
		return -ENOMEM;
	settings_for(config, &settings, &params, now);
	quic_set_original_dcid(&params, &hd.dcid);
	quic_make_cid(&scid, &config->token, TRANSPORT_CID_LEN);
	params.stateless_reset_token_present = 1;
	if (ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, config->context->reset_secret,
							 sizeof config->context->reset_secret, &scid) != 0)
		return ERR_CRYPTO;
	quic_path(&path, 0);
	if (ngtcp2_conn_server_new(&t->conn, &hd.scid, &scid, &path.path, hd.version, &quic_callbacks, &settings,
				   &params, NULL, t) != 0)
		return -ENOMEM;

	int err = quic_tls_new(t);
	if (err < 0)
		return err;
	*ret = take(t);
	return 0;
}

void transport_free(struct transport *t)
{
	struct transport_stream *s;

	if (!t)
		return;
	while ((s = list_first(&t->streams, struct transport_stream, link)) ||
	       (s = list_first(&t->waiting, struct transport_stream, link)))
		quic_stream_gone(s);
	if (t->conn)
		ngtcp2_conn_del(t->conn);
	if (t->tls)
		gnutls_deinit(t->tls);
	free(t);
}

/* ---- reading ---- */

int transport_peek(struct token *ret, struct span d)
{
	if (d.len < 1 + TRANSPORT_TOKEN_LEN || !(d.data[0] & 0x40))
		return ERR_PARSE;
	if (!(d.data[0] & 0x80)) {              /* short header: the ID follows */
		memcpy(ret->b, d.data + 1, sizeof ret->b);
		return 0;
	}
	/* long header, RFC 8999 5.1: flags, version, length of the destination ID */
	if (d.len < 6 + TRANSPORT_TOKEN_LEN || d.data[5] < TRANSPORT_TOKEN_LEN || d.data[5] > 20)
		return ERR_PARSE;
	memcpy(ret->b, d.data + 6, sizeof ret->b);
	return 0;
}

bool transport_is_initial(struct span d)
{
	return d.len >= 1200 && (d.data[0] & 0xf0) == 0xc0 && !memcmp(d.data + 1, "\0\0\0\1", 4);
}

/* The err a peer's close means to us. */
static int err_of_close(const struct transport *t, const ngtcp2_ccerr *e)
{
	if (e->type == NGTCP2_CCERR_TYPE_APPLICATION || e->error_code == NGTCP2_NO_ERROR)
		return ERR_CLOSED;
	if (e->error_code >= CRYPTO_ERROR && e->error_code < CRYPTO_ERROR + 0x100)
		return e->error_code == CRYPTO_ERROR + ALERT_ACCESS && !t->is_server ? ERR_REFUSED : ERR_CRYPTO;
	return ERR_PROTOCOL;
}

static void peer_closed(struct transport *t)
{
	ngtcp2_ccerr e = quic_peer_close(t->conn);

	if (t->end.err)
		return;
	t->end = (struct transport_end){ .err = err_of_close(t, &e), .by_peer = true, .code = e.error_code };
	size_t n = MIN((size_t)e.reasonlen, sizeof t->end.reason - 1);
	for (size_t i = 0; i < n; i++)
		t->end.reason[i] = e.reason[i] >= 0x20 && e.reason[i] < 0x7f ? (char)e.reason[i] : '?';
}

static void write_close(struct transport *t, const ngtcp2_ccerr *e, tstamp now)
{
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info;

	ngtcp2_path_storage_zero(&path);
	ngtcp2_ssize n = ngtcp2_conn_write_connection_close(t->conn, &path.path, &info, t->close_packet,
							    sizeof t->close_packet, e, now);
	if (n <= 0)
		return;
	t->close_len = (size_t)n;
	t->close_path = quic_path_number(&path.path);
	quic_wake(t);
}

/* The library leaves it to us to tell the peer why (RFC 9000 10.2). */
void quic_fail(struct transport *t, int liberr, tstamp now)
{
	ngtcp2_ccerr e;

	if (t->end.err)
		return;
	t->end.err = t->wrong_peer ? ERR_PEER : t->refused ? ERR_DENIED :
		     liberr == NGTCP2_ERR_CRYPTO ? ERR_CRYPTO :
		     liberr == NGTCP2_ERR_NOMEM ? -ENOMEM : ERR_PROTOCOL;

	ngtcp2_ccerr_default(&e);
	if (t->wrong_peer || t->refused)
		ngtcp2_ccerr_set_tls_alert(&e, ALERT_ACCESS, NULL, 0);
	else if (liberr == NGTCP2_ERR_CRYPTO)
		ngtcp2_ccerr_set_tls_alert(&e, ngtcp2_conn_get_tls_alert(t->conn), NULL, 0);
	else
		ngtcp2_ccerr_set_liberr(&e, liberr, NULL, 0);
	write_close(t, &e, now);
}

int transport_read(struct transport *t, uint32_t path, struct span datagram, tstamp now)
{
	ngtcp2_path_storage ps;
	ngtcp2_pkt_info info = {};

	if (t->end.err)
		return t->end.err;
	t->rx_bytes += datagram.len;
	quic_path(&ps, path);
	int r = ngtcp2_conn_read_pkt(t->conn, &ps.path, &info, datagram.data, datagram.len, now);
	switch (r) {
	case 0:
		return 0;
	case NGTCP2_ERR_DRAINING:
		peer_closed(t);
		return t->end.err;
	case NGTCP2_ERR_CLOSING:
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_RETRY:
		if (!t->end.err)
			t->end.err = ERR_CLOSED;
		return t->end.err;
	default:
		quic_fail(t, r, now);
		return t->end.err;
	}
}

tstamp transport_expiry(const struct transport *t)
{
	return t->end.err ? TSTAMP_NEVER : ngtcp2_conn_get_expiry(t->conn);
}

void transport_expire(struct transport *t, tstamp now)
{
	if (t->end.err || ngtcp2_conn_get_expiry(t->conn) > now)
		return;
	int r = ngtcp2_conn_handle_expiry(t->conn, now);
	if (r == NGTCP2_ERR_IDLE_CLOSE || r == NGTCP2_ERR_HANDSHAKE_TIMEOUT)
		t->end.err = ERR_TIMEOUT;
	else if (r != 0)
		quic_fail(t, r, now);
}

void transport_close(struct transport *t, uint64_t code, const char *reason, tstamp now)
{
	ngtcp2_ccerr e;

	if (t->end.err)
		return;
	t->end = (struct transport_end){ .err = ERR_CLOSED, .code = code };
	snprintf(t->end.reason, sizeof t->end.reason, "%s", reason ?: "");
	ngtcp2_ccerr_default(&e);
	ngtcp2_ccerr_set_application_error(&e, code, (const uint8_t *)t->end.reason, strlen(t->end.reason));
	write_close(t, &e, now);
}

bool transport_ended(const struct transport *t, struct transport_end *ret)
{
	if (t->end.err && ret)
		*ret = t->end;
	return t->end.err != 0;
}

/* ---- facts ---- */

bool transport_ready(const struct transport *t) { return t->ready; }
bool transport_confirmed(const struct transport *t) { return t->confirmed; }
bool transport_heard(const struct transport *t) { return t->heard; }
bool transport_resumed(const struct transport *t) { return t->resumed; }
bool transport_is_client(const struct transport *t) { return !t->is_server; }
const struct identity *transport_peer(const struct transport *t) { return &t->peer; }
struct token transport_token(const struct transport *t) { return t->config.token; }

bool transport_early_accepted(const struct transport *t)
{
	return t->ready && t->early_on && !t->early_rejected &&
	       (gnutls_session_get_flags(t->tls) & GNUTLS_SFLAGS_EARLY_DATA);
}

void transport_get_info(const struct transport *t, struct transport_info *ret)
{
	ngtcp2_conn_info i;

	ngtcp2_conn_get_conn_info(t->conn, &i);
	*ret = (struct transport_info){
		.rtt = i.smoothed_rtt, .min_rtt = i.min_rtt, .cwnd = i.cwnd, .in_flight = i.bytes_in_flight,
		.tx_bytes = t->tx_bytes, .rx_bytes = t->rx_bytes,
		.packet_size = ngtcp2_conn_get_path_max_tx_udp_payload_size(t->conn),
	};
}

void transport_keep_alive(struct transport *t, tstamp every)
{
	ngtcp2_conn_set_keep_alive_timeout(t->conn, every);
}

int transport_migrate(struct transport *t, uint32_t path, bool old_is_dead, tstamp now)
{
	ngtcp2_path_storage ps;

	if (t->is_server || !t->confirmed || t->end.err)
		return ERR_STATE;
	quic_path(&ps, path);
	int r = old_is_dead ? ngtcp2_conn_initiate_immediate_migration(t->conn, &ps.path, now)
			    : ngtcp2_conn_initiate_migration(t->conn, &ps.path, now);
	return r == 0 ? 0 : r == NGTCP2_ERR_CONN_ID_BLOCKED ? ERR_AGAIN : ERR_STATE;
}
