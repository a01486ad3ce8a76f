/* What ngtcp2 tells a connection. No reading or writing of the connection in here. */
#include <gnutls/crypto.h>

#include "base/err.h"
#include "transport/quic.h"

static void on_rand(uint8_t *out, size_t len, const ngtcp2_rand_ctx *ctx)
{
	(void)ctx;
	gnutls_rnd(GNUTLS_RND_NONCE, out, len);
	/* The library draws one byte to decide whether to grease the fixed bit (RFC 9287), by
	 * which we tell QUIC from control datagrams: never. */
	if (len == 1)
		out[0] &= 0xfe;
}

void quic_make_cid(ngtcp2_cid *cid, const struct token *token, size_t len)
{
	cid->datalen = len;
	gnutls_rnd(GNUTLS_RND_NONCE, cid->data, len);
	memcpy(cid->data, token->b, MIN(len, sizeof token->b));
}

static int on_new_cid(ngtcp2_conn *c, ngtcp2_cid *cid, uint8_t *reset_token, size_t len, void *userdata)
{
	struct transport *t = userdata;

	(void)c;
	quic_make_cid(cid, &t->config.token, len);
	if (ngtcp2_crypto_generate_stateless_reset_token(reset_token, t->config.context->reset_secret,
							 sizeof t->config.context->reset_secret, cid) != 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_remove_cid(ngtcp2_conn *c, const ngtcp2_cid *cid, void *userdata)
{
	(void)c;
	(void)cid;
	(void)userdata;
	return 0;       /* the token stays until the connection goes */
}

static int on_crypto_data(ngtcp2_conn *c, quic_level level, uint64_t offset, const uint8_t *data, size_t len,
			  void *userdata)
{
	((struct transport *)userdata)->heard = true;
	return ngtcp2_crypto_recv_crypto_data_cb(c, level, offset, data, len, userdata);
}

/* The verify function of the TLS library does not run on a resumed session, so the
 * key is looked at here again. */
static int on_handshake_completed(ngtcp2_conn *c, void *userdata)
{
	struct transport *t = userdata;

	(void)c;
	if (!quic_admit(t))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	t->ready = true;
	t->resumed = gnutls_session_is_resumed(t->tls);
	if (t->is_server)
		gnutls_session_ticket_send(t->tls, 1, 0);
	if (t->config.ops->ready)
		t->config.ops->ready(t->config.userdata);
	if (t->is_server) {
		t->confirmed = true;
		if (t->config.ops->confirmed)
			t->config.ops->confirmed(t->config.userdata);
	}
	return quic_open_waiting(t) < 0 ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_handshake_confirmed(ngtcp2_conn *c, void *userdata)
{
	struct transport *t = userdata;

	(void)c;
	if (t->is_server)
		return 0;
	t->confirmed = true;
	if (t->config.ops->confirmed)
		t->config.ops->confirmed(t->config.userdata);
	return 0;
}

static int on_stream_open(ngtcp2_conn *c, int64_t id, void *userdata)
{
	(void)c;
	quic_stream_accepted(userdata, id);
	return 0;
}

static int on_stream_data(ngtcp2_conn *c, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data,
			  size_t len, void *userdata, void *stream)
{
	struct transport *t = userdata;
	struct transport_stream *s = stream;
	bool early = flags & NGTCP2_STREAM_DATA_FLAG_0RTT;

	(void)offset;
	if (early && !quic_admit(t))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	if (!s || s->aborted) {
		ngtcp2_conn_extend_max_stream_offset(c, id, len);
		ngtcp2_conn_extend_max_offset(c, len);
		return 0;
	}
	t->config.ops->stream_data(t->config.userdata, s->userdata, SPAN(data, len),
				   flags & NGTCP2_STREAM_DATA_FLAG_FIN, early);
	return 0;
}

static int on_acked(ngtcp2_conn *c, int64_t id, uint64_t offset, uint64_t len, void *userdata, void *stream)
{
	(void)c;
	(void)id;
	(void)offset;
	(void)userdata;
	return stream ? quic_stream_acked(stream, len) : 0;
}

static int on_stream_close(ngtcp2_conn *c, uint32_t flags, int64_t id, uint64_t code, void *userdata, void *stream)
{
	struct transport *t = userdata;

	(void)flags;
	(void)code;
	if (!ngtcp2_conn_is_local_stream(c, id))
		ngtcp2_conn_extend_max_streams_bidi(c, 1);      /* or the peer runs dry */
	if (stream)
		quic_stream_gone(stream);
	(void)t;
	return 0;
}

static int on_stream_reset(ngtcp2_conn *c, int64_t id, uint64_t final_size, uint64_t code, void *userdata, void *stream)
{
	struct transport *t = userdata;
	struct transport_stream *s = stream;

	(void)c;
	(void)id;
	(void)final_size;
	if (s && !s->aborted)
		t->config.ops->stream_reset(t->config.userdata, s->userdata, code);
	return 0;
}

static int on_stop_sending(ngtcp2_conn *c, int64_t id, uint64_t code, void *userdata, void *stream)
{
	return on_stream_reset(c, id, 0, code, userdata, stream);
}

static int on_extend_streams(ngtcp2_conn *c, uint64_t max, void *userdata)
{
	struct transport *t = userdata;

	(void)c;
	(void)max;
	return quic_open_waiting(t) < 0 ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_early_rejected(ngtcp2_conn *c, void *userdata)
{
	(void)c;
	quic_rewind_early(userdata);
	return 0;
}

static int on_path(ngtcp2_conn *c, uint32_t flags, const ngtcp2_path *path, QUIC_OLD_PATH_ARG
		   ngtcp2_path_validation_result result, void *userdata)
{
	struct transport *t = userdata;

	(void)c;
	(void)flags;
	if (result != NGTCP2_PATH_VALIDATION_RESULT_ABORTED && t->config.ops->path_validated)
		t->config.ops->path_validated(t->config.userdata, quic_path_number(path),
					      result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS);
	return 0;
}

const ngtcp2_callbacks quic_callbacks = {
	.client_initial = ngtcp2_crypto_client_initial_cb,
	.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
	.recv_crypto_data = on_crypto_data,
	.encrypt = ngtcp2_crypto_encrypt_cb,
	.decrypt = ngtcp2_crypto_decrypt_cb,
	.hp_mask = ngtcp2_crypto_hp_mask_cb,
	.recv_retry = ngtcp2_crypto_recv_retry_cb,
	.update_key = ngtcp2_crypto_update_key_cb,
	.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
	.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
	.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
	.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	.rand = on_rand,
	.get_new_connection_id = on_new_cid,
	.remove_connection_id = on_remove_cid,
	.handshake_completed = on_handshake_completed,
	.handshake_confirmed = on_handshake_confirmed,
	.stream_open = on_stream_open,
	.recv_stream_data = on_stream_data,
	.acked_stream_data_offset = on_acked,
	.stream_close = on_stream_close,
	.stream_reset = on_stream_reset,
	.stream_stop_sending = on_stop_sending,
	.extend_max_local_streams_bidi = on_extend_streams,
	.tls_early_data_rejected = on_early_rejected,
	.path_validation = on_path,
};
