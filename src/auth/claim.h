/* The first authorization. Open claim (handbook 1.3): whoever comes first. Code
 * claim: whoever has the one-time code that was printed with the QR or came on the
 * factory's manifest; kept as a hash, compared in constant time, wrong tries slowed. */
#pragma once

#include "auth/auth.h"
#include "base/time.h"

enum { CLAIM_CODE_STR_MAX = 24 };       /* "lusab-babad-gutih-tugad": 64 bits as proquints */

void claim_code_new(char out[static CLAIM_CODE_STR_MAX]);
/* Hex; what the configuration keeps (`claim_hash`). Case, spaces and dashes of the code do not matter. */
void claim_code_hash(char out[static 65], const char *code);

struct claim {
	bool need_code;
	char code_hash[65];             /* "" if none was set: then no code fits */
	unsigned failures;
	tstamp not_before;              /* next try is looked at from then on */
};

enum { CLAIM_WAIT_MAX_S = 32 }; /* the wait after a wrong code: 1 s, doubled each time up to this */

/* 0: the claim may happen now; the first rule that is added then ends it. ERR_CLAIM: code missing or wrong. ERR_AGAIN: too many
 * wrong tries, come back later. ERR_STATE: claimed already. */
int claim_check(struct claim *c, const struct auth *a, const char *code, tstamp now) _must_check_;
