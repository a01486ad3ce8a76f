/** @file headers.h  The named values that open each direction of a stream.
 *
 * Keys are text; values are text, bytes, unsigned numbers or truth values. ":path",
 * ":method", ":status" and ":error" are carrier's own, all other keys are free. At
 * most 64 entries and 8192 bytes encoded.
 *
 * Errors of the put functions: CARRIER_E_LIMIT too many, too long, or not allowed for
 * one of carrier's own keys; CARRIER_E_PARSE text that is not UTF-8, or control
 * characters in :path or :method; CARRIER_E_TYPE one of carrier's own keys takes
 * another type; -ENOMEM. A put that fails changes nothing. What is there under the
 * same key is replaced.
 *
 * Errors of the get functions: CARRIER_E_UNKNOWN no such key; CARRIER_E_TYPE its value is
 * of another type. Outputs are written on success only.
 *
 * @par Thread  one at a time for each handle
 * @see docs/protocol/stream.md */
#ifndef CARRIER_HEADERS_H
#define CARRIER_HEADERS_H

#include <carrier/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An empty set. @param ret_h the caller's; release it with carrier_headers_free(). */
CARRIER_API int carrier_headers_new(carrier_headers **ret_h);
/** NULL is fine. Not for headers that a callback was given: those are borrowed. */
CARRIER_API void carrier_headers_free(carrier_headers *h);

/** @param value  len bytes of UTF-8, copied; no terminating zero is needed */
CARRIER_API int carrier_headers_put_text(carrier_headers *h, const char *key, const char *value, size_t len);
/** @param value  len bytes, copied */
CARRIER_API int carrier_headers_put_bytes(carrier_headers *h, const char *key, const void *value, size_t len);
CARRIER_API int carrier_headers_put_uint(carrier_headers *h, const char *key, uint64_t value);
/** @param value  0 false, else true */
CARRIER_API int carrier_headers_put_bool(carrier_headers *h, const char *key, int value);

/** @param ret_value  borrowed from h until it changes or goes; not zero-terminated
 * @param ret_len    in bytes */
CARRIER_API int carrier_headers_get_text(const carrier_headers *h, const char *key, const char **ret_value,
					 size_t *ret_len);
/** As carrier_headers_get_text(), for bytes. */
CARRIER_API int carrier_headers_get_bytes(const carrier_headers *h, const char *key, const void **ret_value,
					  size_t *ret_len);
CARRIER_API int carrier_headers_get_uint(const carrier_headers *h, const char *key, uint64_t *ret_value);
/** @param ret_value  0 or 1 */
CARRIER_API int carrier_headers_get_bool(const carrier_headers *h, const char *key, int *ret_value);

/** How many entries. */
CARRIER_API size_t carrier_headers_len(const carrier_headers *h);
/** The key of the i-th entry, in the order of the wire (shorter keys first).
 * @param ret_key  borrowed from h until it changes or goes; not zero-terminated
 * @retval CARRIER_E_UNKNOWN  there are not so many */
CARRIER_API int carrier_headers_key(const carrier_headers *h, size_t i, const char **ret_key, size_t *ret_len);

#ifdef __cplusplus
}
#endif
#endif
