/** @file error.h  One number space for every call that can fail.
 *
 * 0 or positive is success, -1 to -4095 a system error (-errno), below -5000 one of
 * these. Numbers are never changed and never used again for something else. */
#ifndef CARRIER_ERROR_H
#define CARRIER_ERROR_H

#include <carrier/common.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	CARRIER_OK = 0,
	CARRIER_E_PARSE = -5001,        /**< malformed input */
	CARRIER_E_CHECKSUM = -5002,     /**< checksum does not match */
	CARRIER_E_SIGNATURE = -5003,    /**< signature does not verify */
	CARRIER_E_DENIED = -5004,       /**< denied */
	CARRIER_E_UNKNOWN = -5005,      /**< no such thing */
	CARRIER_E_STATE = -5006,        /**< not possible in this state */
	CARRIER_E_LIMIT = -5007,        /**< limit reached */
	CARRIER_E_PREFIX = -5008,       /**< unknown prefix */
	CARRIER_E_LENGTH = -5009,       /**< wrong length */
	CARRIER_E_ALPHABET = -5010,     /**< character outside the alphabet */
	CARRIER_E_CANON = -5011,        /**< not the canonical spelling */
	CARRIER_E_TYPE = -5012,         /**< wrong type */
	CARRIER_E_WEAK = -5013,         /**< weak key */
	CARRIER_E_VERSION = -5014,      /**< unknown version */
	CARRIER_E_CRYPTO = -5015,       /**< cryptographic failure */
	CARRIER_E_PEER = -5016,         /**< peer is not who was dialled */
	CARRIER_E_REFUSED = -5017,      /**< refused by the peer */
	CARRIER_E_TIMEOUT = -5018,      /**< no answer in time */
	CARRIER_E_CLOSED = -5019,       /**< connection closed */
	CARRIER_E_OFFLINE = -5020,      /**< not online */
	CARRIER_E_PROTOCOL = -5021,     /**< peer broke the protocol */
	CARRIER_E_AGAIN = -5022,        /**< not now, wait until writable */
	CARRIER_E_CONFIG = -5023,       /**< configuration error */
	CARRIER_E_EXISTS = -5024,       /**< exists already */
	CARRIER_E_CLAIM = -5025,        /**< claim code missing or wrong */
	CARRIER_E_LASTWAY = -5026,      /**< would remove the caller's own last way in */
	CARRIER_E_CHANGED = -5027,      /**< changed meanwhile */
	CARRIER_E_NOBROKER = -5028      /**< no broker reachable */
};

/** What carrier_stream_send() answers under back-pressure; nothing is wrong. */
#define CARRIER_AGAIN CARRIER_E_AGAIN

/** An error in words, for people: "not online". Never NULL; static.
 * @par Thread  any */
CARRIER_API const char *carrier_strerror(int err);

/** An error's name, for logs: "OFFLINE", "ENOENT". Never NULL; static.
 * @par Thread  any */
CARRIER_API const char *carrier_error_name(int err);

/** What the last failed call on this handle, its peers and streams had to add: a
 * clause such as "carrier.toml:3:1: broker: ...", or "". Never NULL; valid until the
 * next call on the handle.
 * @par Thread  the handle's */
CARRIER_API const char *carrier_detail(const carrier *c);

#ifdef __cplusplus
}
#endif
#endif
