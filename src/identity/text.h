/* Typed text forms of keys (docs/protocol/identity.md): generation 1 ("o...",
 * base58) and generation 2 ("c...", base32). Canonical only: one key has exactly
 * one accepted full-width spelling per generation.
 *
 * Errors: ERR_PREFIX unknown form; ERR_LENGTH; ERR_ALPHABET; ERR_CANON leftover
 * bits or another spelling; ERR_VERSION; ERR_TYPE well formed, but not what was
 * asked for (or an undefined type); ERR_CHECKSUM; ERR_WEAK not a usable key. */
#pragma once

#include "identity/identity.h"

enum text_type {
	TEXT_SECRET_KIT = 1, TEXT_IDENTITY_KIT = 2, TEXT_SECRET = 3, TEXT_XSECRET = 4,
	TEXT_RSA_SECRET = 5, TEXT_ADDRESS = 6, TEXT_RSA_PUBLIC = 8, TEXT_IDENTITY = 9,
	TEXT_SIGNATURE = 10, TEXT_ALIAS = 11, TEXT_MESSAGE = 14,
};

enum { TEXT_STR_MAX = 112 };    /* 64-byte payloads: 107 characters + NUL */

/* Payload length of a type in this generation of the code (32 or 64), 0 if the type has none. */
size_t text_payload_len(enum text_type type);
const char *text_type_name(enum text_type type);        /* "identity", "secret", ... */

/* payload must have text_payload_len(type) bytes. */
void text_format2(char out[static TEXT_STR_MAX], enum text_type type, const uint8_t *payload);
void text_format1(char out[static TEXT_STR_MAX], enum text_type type, const uint8_t *payload);

/* Why a text was refused, in words, for the user: "this is a secret (type 3), an
 * identity was expected"; "character '0' at position 7 is not base32". */
struct text_error {
	char text[160];
};

/* Reads either generation. detail may be NULL. */
int text_parse(uint8_t *ret_payload, enum text_type want, const char *text,
	       struct text_error *detail) _must_check_;
/* The type a well-formed text claims, without wanting one; for `ik convert`. */
int text_parse_any(uint8_t ret_payload[static 64], enum text_type *ret_type, const char *text,
		   struct text_error *detail) _must_check_;
