#include "auth/claim.h"

#include <ctype.h>

#include "base/err.h"
#include "identity/proquint.h"

_Static_assert((int)CLAIM_CODE_STR_MAX == (int)FINGERPRINT_STR_MAX, "a code is written like a fingerprint");

enum { CODE_INPUT_MAX = 64 };

void claim_code_new(char out[static CLAIM_CODE_STR_MAX])
{
	uint8_t bits[8];

	random_bytes(bits, sizeof bits);
	proquint_format(out, bits);
	wipe(bits, sizeof bits);
}

/* As people type it: "LUSAB babad-..." is the printed code. */
static size_t normalise(char out[static CODE_INPUT_MAX], const char *code)
{
	size_t n = 0;

	for (; *code && n < CODE_INPUT_MAX; code++)
		if (*code != ' ' && *code != '-')
			out[n++] = (char)tolower((unsigned char)*code);
	return n;
}

void claim_code_hash(char out[static 65], const char *code)
{
	static const char digits[] = "0123456789abcdef";
	char plain[CODE_INPUT_MAX];
	uint8_t h[HASH_LEN];
	size_t n = normalise(plain, code);

	hash(h, "carrier claim code v1", SPAN(plain, n));
	for (size_t i = 0; i < HASH_LEN; i++) {
		out[2 * i] = digits[h[i] >> 4];
		out[2 * i + 1] = digits[h[i] & 15];
	}
	out[2 * HASH_LEN] = 0;
	wipe(plain, sizeof plain);
}

static bool code_fits(const struct claim *c, const char *code)
{
	char h[65];

	if (strlen(c->code_hash) != 64)
		return false;
	claim_code_hash(h, code);
	return equal_ct(h, c->code_hash, 64);
}

int claim_check(struct claim *c, const struct auth *a, const char *code, tstamp now)
{
	unsigned wait;

	if (auth_claimed(a))
		return ERR_STATE;
	if (!c->need_code)
		return 0;
	if (!code)
		return ERR_CLAIM;       /* no guess, so nothing to slow down */
	if (now < c->not_before)
		return ERR_AGAIN;
	if (code_fits(c, code)) {
		c->failures = 0;
		return 0;
	}

	wait = c->failures < 5 ? 1u << c->failures : CLAIM_WAIT_MAX_S;
	c->failures += c->failures < UINT32_MAX;
	c->not_before = now + SECONDS(wait);
	return ERR_CLAIM;
}
