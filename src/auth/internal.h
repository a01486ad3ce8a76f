/* How the rules are kept: one list in the order of the configuration owns them;
 * beside it they are found by subject, so that a decision looks at the caller's
 * own rules, the wildcards and the team rules, never at all. */
#pragma once

#include "auth/auth.h"
#include "base/map.h"

struct rule_list {
	struct auth_rule **at;
	size_t len, cap;
};

struct holder {
	struct identity id;             /* key of by_identity */
	struct rule_list rules;
};

struct auth {
	struct rule_list rules;         /* i-th rule = i-th [[authorize]] */
	struct map by_identity;         /* struct holder; never one without rules */
	struct rule_list anyone, teams;
	auth_facts_fn *facts;
	void *facts_data;
};

int rule_dup(struct auth_rule **ret, const struct auth_rule *r) _must_check_;
void rule_free(struct auth_rule *r);
DEFINE_FREEP(struct auth_rule *, rule_free)
/* The same in everything but its time and where it came from? */
bool rule_same_grant(const struct auth_rule *a, const struct auth_rule *b);
bool rule_same_subject(const struct auth_rule *a, const struct auth_rule *b);

/* Takes over the rule on success. */
int auth_put(struct auth *a, struct auth_rule *r) _must_check_;
/* Frees every rule of like's subject (and path, unless NULL); returns how many. */
int auth_drop(struct auth *a, const struct auth_rule *like);
bool rule_like(const struct auth_rule *r, const struct auth_rule *like);

/* The rules that could speak for somebody, in order of precedence. */
struct walk {
	const struct auth *a;
	const struct identity *who;
	unsigned stage;
	size_t i;
};
const struct auth_rule *walk_next(struct walk *w);

/* AUTH_BY_RULE if the rule's time is now, else why not. */
enum auth_reason rule_time(const struct auth_rule *r, int64_t now);

/* RFC 3339 with a zone, to unix seconds. ERR_PARSE. */
int rfc3339_parse(int64_t *ret, const char *text) _must_check_;
