/** @file peer.h  Connections to other identities. */
#ifndef CARRIER_PEER_H
#define CARRIER_PEER_H

#include <carrier/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Events of a connection; each may be NULL. userdata is carrier_connect()'s. */
typedef struct carrier_peer_callbacks {
	size_t size;                    /**< sizeof(carrier_peer_callbacks) */
	/** Streams may be opened from now on; what they carry leaves as soon as the peer has
	 * proven to be who was dialled, and saves a round trip over waiting for `ready`. */
	void (*up)(void *userdata, carrier_peer *p);
	/** Both ends are proven to each other, and the peer has let us in. */
	void (*ready)(void *userdata, carrier_peer *p);
	/** Last call: the connection ended or never came to be. Its streams were told before;
	 * the handle is gone when this returns. detail is a clause for people, or "".
	 * - CARRIER_E_NOBROKER  no broker answers
	 * - CARRIER_E_OFFLINE   no broker knows the peer, or its host name does not resolve
	 * - CARRIER_E_REFUSED   the peer does not let us in
	 * - CARRIER_E_DENIED    the broker does not serve us
	 * - CARRIER_E_TIMEOUT   no answer in time
	 * - CARRIER_E_PEER      somebody else answered
	 * - CARRIER_E_CLOSED    it was connected and the peer hung up, or fell silent */
	void (*closed)(void *userdata, carrier_peer *p, int err, const char *detail);
} carrier_peer_callbacks;

/** Connect to a peer. Returns at once; the callbacks tell what became of it.
 * @param target     an alias of the configuration, an identity, "self", or one of the
 *                   first two with "@host:port" to dial without a broker
 * @param callbacks  copied; NULL: none
 * @param userdata   for the callbacks
 * @param ret_p      valid until `closed` has returned or carrier_peer_close()
 * @retval CARRIER_E_UNKNOWN   no such alias
 * @retval CARRIER_E_CHECKSUM  and others of carrier_identity_parse(): mistyped
 * @retval CARRIER_E_NOBROKER  no broker is configured, and the target has no address
 * @par Thread  the handle's */
CARRIER_API int carrier_connect(carrier *c, const char *target, const carrier_peer_callbacks *callbacks,
				void *userdata, carrier_peer **ret_p);

/** Hang up. The handle and its streams are gone; no callback comes for them any more, and
 * what they still had to send is lost: wait for their `closed` where that matters. NULL is fine.
 * @par Thread  the handle's */
CARRIER_API void carrier_peer_close(carrier_peer *p);

/** Whom it was dialled for. @par Thread the handle's */
CARRIER_API void carrier_peer_identity(const carrier_peer *p, carrier_id *ret_id);

/** carrier_peer_info.way: which way packets go. */
#define CARRIER_WAY_RELAYED 0   /**< through a broker, which sees ciphertext */
#define CARRIER_WAY_DIRECT 1

/** Facts of a connection as of now. */
typedef struct carrier_peer_info {
	size_t size;                    /**< sizeof(carrier_peer_info), set by the caller */
	uint32_t way;                   /**< CARRIER_WAY_... */
	uint32_t ready;                 /**< 1: both ends are proven */
	uint64_t rtt_us, min_rtt_us;    /**< round trip, smoothed and smallest, in microseconds; 0: not known yet */
	uint64_t tx_bytes, rx_bytes;    /**< UDP payload bytes since it was dialled */
	char address[CARRIER_ADDRESS_TEXT_MAX]; /**< the broker's or the peer's, "203.0.113.9:8443"; "": none yet */
	carrier_id broker;              /**< where relayed, else zero */
} carrier_peer_info;

/** Fill in *info up to info->size.
 * @retval CARRIER_E_LENGTH  info->size cannot be right
 * @par Thread  the handle's */
CARRIER_API int carrier_peer_get_info(const carrier_peer *p, carrier_peer_info *info);

#ifdef __cplusplus
}
#endif
#endif
