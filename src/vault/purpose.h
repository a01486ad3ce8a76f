/* What an identity's key may be used for. One table; the keys process permits a
 * subset of it and checks the form of what it signs, so that whoever can only
 * ask it cannot have a statement signed for another purpose. */
#pragma once

#include "crypto/crypto.h"

enum vault_purpose {
	VAULT_TLS,              /* TLS 1.3 CertificateVerify input, RFC 8446 4.4.3: form checked, signed bare */
	VAULT_STATEMENT,        /* `carrier sign PURPOSE`: the books' purpose || text, signed bare */
	VAULT_RESTORE,          /* "carrier restore v1": the declared restore of a backup */
	_VAULT_PURPOSE_MAX,
};

const char *vault_purpose_name(enum vault_purpose p);

/* 64 spaces, "TLS 1.3, client CertificateVerify" or "... server ...", a zero byte
 * and a transcript hash of 32 or 48 bytes; nothing else. */
bool vault_is_certificate_verify(struct span message);

/* What may be signed bare as a statement: neither the start of a TLS 1.3 signature
 * (64 spaces) nor of a purpose of ours (they all begin with "carrier "). */
bool vault_is_statement(struct span message);

enum { VAULT_RESTORE_MAX = 256 };       /* bytes that a declared restore may sign */
