/* Written against the ngtcp2 1.x names; this maps them to 0.12.1 of Debian 12. */
#pragma once

#include <string.h>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#if NGTCP2_VERSION_NUM < 0x010000

#define QUIC_TICKET_VERSION 1
typedef ngtcp2_crypto_level quic_level;

typedef ngtcp2_connection_close_error ngtcp2_ccerr;
typedef ngtcp2_conn_stat ngtcp2_conn_info;
#define NGTCP2_CCERR_TYPE_TRANSPORT NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_TRANSPORT
#define NGTCP2_CCERR_TYPE_APPLICATION NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION
#define ngtcp2_ccerr_default(e) ngtcp2_connection_close_error_default(e)
#define ngtcp2_ccerr_set_application_error(e, c, r, n) \
	ngtcp2_connection_close_error_set_application_error((e), (c), (uint8_t *)(uintptr_t)(r), (n))
#define ngtcp2_ccerr_set_transport_error(e, c, r, n) \
	ngtcp2_connection_close_error_set_transport_error((e), (c), (uint8_t *)(uintptr_t)(r), (n))
#define ngtcp2_ccerr_set_liberr(e, c, r, n) \
	ngtcp2_connection_close_error_set_transport_error_liberr((e), (c), (uint8_t *)(uintptr_t)(r), (n))
#define ngtcp2_ccerr_set_tls_alert(e, a, r, n) \
	ngtcp2_connection_close_error_set_transport_error_tls_alert((e), (a), (uint8_t *)(uintptr_t)(r), (n))
#define ngtcp2_conn_get_conn_info(c, i) ngtcp2_conn_get_conn_stat((c), (i))
#define ngtcp2_conn_shutdown_stream(c, f, s, e) ngtcp2_conn_shutdown_stream((c), (s), (e))
#define NGTCP2_STREAM_DATA_FLAG_0RTT NGTCP2_STREAM_DATA_FLAG_EARLY
#define tls_early_data_rejected early_data_rejected
#define QUIC_OLD_PATH_ARG
#define quic_set_original_dcid(p, id) ((p)->original_dcid = *(id))

static inline ngtcp2_ccerr quic_peer_close(ngtcp2_conn *c)
{
	ngtcp2_ccerr e;

	ngtcp2_conn_get_connection_close_error(c, &e);
	return e;
}

/* What 0-RTT must remember of the peer's parameters: numbers only, the library's
 * struct holds pointers. */
#define QUIC_EARLY_PARAMS(X)                                                              \
	X(initial_max_streams_bidi) X(initial_max_streams_uni)                            \
	X(initial_max_stream_data_bidi_local) X(initial_max_stream_data_bidi_remote)      \
	X(initial_max_stream_data_uni) X(initial_max_data) X(active_connection_id_limit)  \
	X(max_datagram_frame_size)

static inline ngtcp2_ssize quic_early_params_save(ngtcp2_conn *c, uint8_t *out, size_t size)
{
	const ngtcp2_transport_params *p = ngtcp2_conn_get_remote_transport_params(c);
	uint64_t v[8];
	int i = 0;

	if (!p || size < sizeof v)
		return NGTCP2_ERR_NOBUF;
#define X(f) v[i++] = p->f;
	QUIC_EARLY_PARAMS(X)
#undef X
	memcpy(out, v, sizeof v);
	return sizeof v;
}

static inline int quic_early_params_load(ngtcp2_conn *c, const uint8_t *in, size_t len)
{
	ngtcp2_transport_params p;
	uint64_t v[8];
	int i = 0;

	if (len != sizeof v)
		return NGTCP2_ERR_INVALID_ARGUMENT;
	memcpy(v, in, len);
	ngtcp2_transport_params_default(&p);
#define X(f) p.f = v[i++];
	QUIC_EARLY_PARAMS(X)
#undef X
	ngtcp2_conn_set_early_remote_transport_params(c, &p);
	return 0;
}

#else /* 1.x */

#define QUIC_TICKET_VERSION 2
typedef ngtcp2_encryption_level quic_level;
#define QUIC_OLD_PATH_ARG __attribute__((__unused__)) const ngtcp2_path *old_path,
#define quic_set_original_dcid(p, id) ((p)->original_dcid = *(id), (p)->original_dcid_present = 1)
#define quic_peer_close(c) (*ngtcp2_conn_get_ccerr(c))
#define quic_early_params_save ngtcp2_conn_encode_0rtt_transport_params
#define quic_early_params_load ngtcp2_conn_decode_and_set_0rtt_transport_params

#endif
