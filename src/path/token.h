/* Tokens are random but for their first bit, which says whom an Initial is meant for:
 * a peer behind a broker, or the broker itself. So a first packet for a route that does
 * not exist (yet) is not taken for a greeting to the broker. */
#pragma once

#include "crypto/crypto.h"
#include "transport/transport.h"

enum token_kind { TOKEN_BROKER = 0, TOKEN_PEER = 0x80 };

static inline void token_new(struct token *out, enum token_kind kind)
{
	random_bytes(out->b, sizeof out->b);
	out->b[0] = (uint8_t)((out->b[0] & 0x7f) | kind);
}

static inline enum token_kind token_kind(const struct token *t)
{
	return t->b[0] & TOKEN_PEER ? TOKEN_PEER : TOKEN_BROKER;
}
