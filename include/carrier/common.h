/** @file common.h  What every header of libcarrier shares: linkage, identities, version. */
#ifndef CARRIER_COMMON_H
#define CARRIER_COMMON_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CARRIER_API __attribute__((visibility("default")))
#else
#define CARRIER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** An endpoint: one identity on one UDP socket. */
typedef struct carrier carrier;
/** A connection that this side has dialled. */
typedef struct carrier_peer carrier_peer;
/** Ordered messages in both directions over one connection. */
typedef struct carrier_stream carrier_stream;
/** The named values that open each direction of a stream. */
typedef struct carrier_headers carrier_headers;

/** Bytes of an identity. */
#define CARRIER_ID_LEN 32
/** Bytes of an identity's text with its terminating zero. */
#define CARRIER_ID_TEXT_MAX 57
/** Bytes of the longest address text ("[2001:db8::1]:8443") with its terminating zero. */
#define CARRIER_ADDRESS_TEXT_MAX 64
/** Bytes of the longest message. */
#define CARRIER_MESSAGE_MAX 262144

/** Who somebody is: an Ed25519 public key. A plain value, to be copied and compared bytewise. */
typedef struct carrier_id {
	uint8_t bytes[CARRIER_ID_LEN];
} carrier_id;

/** Write an identity as text, generation 2 ("c", 55 more characters).
 * @param id    the identity
 * @param out   receives the text and a terminating zero
 * @param size  bytes at out; CARRIER_ID_TEXT_MAX is enough
 * @retval CARRIER_E_LENGTH  out is too small; nothing was written
 * @par Thread  any
 * @see docs/protocol/identity.md */
CARRIER_API int carrier_identity_text(const carrier_id *id, char *out, size_t size);

/** Read an identity from its text, generation 2 or 1. Canonical spellings only.
 * @param text    zero-terminated
 * @param ret_id  written on success only
 * @retval CARRIER_E_PREFIX    not the form of an identity
 * @retval CARRIER_E_LENGTH    characters are missing, or too many
 * @retval CARRIER_E_ALPHABET  a character that does not belong there
 * @retval CARRIER_E_CANON     another spelling of the same bytes
 * @retval CARRIER_E_CHECKSUM  mistyped
 * @retval CARRIER_E_TYPE      a secret, a network, ...: something else
 * @retval CARRIER_E_WEAK      no usable key
 * @par Thread  any
 * @see docs/protocol/identity.md */
CARRIER_API int carrier_identity_parse(const char *text, carrier_id *ret_id);

/** The library's version, "0.1.0". Static. @par Thread any */
CARRIER_API const char *carrier_version(void);

/** CARRIER_MESSAGE_MAX of the library that is linked, in bytes. @par Thread any */
CARRIER_API size_t carrier_message_max(void);

#ifdef __cplusplus
}
#endif
#endif
