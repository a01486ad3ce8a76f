#include "vault/purpose.h"

enum { CV_PADDING = 64 };       /* RFC 8446 4.4.3: octet 32, sixty-four times */

static const char *const names[_VAULT_PURPOSE_MAX] = {
	[VAULT_TLS] = "tls",
	[VAULT_STATEMENT] = "statement",
	[VAULT_RESTORE] = "restore",
};

const char *vault_purpose_name(enum vault_purpose p)
{
	return (unsigned)p < _VAULT_PURPOSE_MAX ? names[p] : "unknown";
}

static bool padded(struct span message)
{
	if (message.len < CV_PADDING)
		return false;
	for (size_t i = 0; i < CV_PADDING; i++)
		if (message.data[i] != 0x20)
			return false;
	return true;
}

bool vault_is_certificate_verify(struct span message)
{
	static const char client[] = "TLS 1.3, client CertificateVerify";
	static const char server[] = "TLS 1.3, server CertificateVerify";
	enum { SHA256_LEN = 32, SHA384_LEN = 48 };

	if (!padded(message))
		return false;

	/* sizeof counts the separating zero byte */
	struct span context = span_first(span_from(message, CV_PADDING), sizeof client);
	if (!span_equal(context, SPAN_OF(client)) && !span_equal(context, SPAN_OF(server)))
		return false;

	size_t hash_len = message.len - CV_PADDING - sizeof client;
	return hash_len == SHA256_LEN || hash_len == SHA384_LEN;
}

bool vault_is_statement(struct span message)
{
	return !padded(message) && !span_starts(message, "carrier ");
}
