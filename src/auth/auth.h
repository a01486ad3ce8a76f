/* Who may do what on this device, decided with what the device holds.
 *
 * A rule = subject x path glob x constraints. A decision returns allow or deny and
 * the rule or fact that decided; it is a pure function of the rules, the request
 * and an explicit time. Deny is the default once a device is claimed; unclaimed, it
 * accepts one thing only: its first authorization (claim.h). */
#pragma once

#include "config/toml.h"
#include "identity/identity.h"

enum { AUTH_RULES_MAX = 65536, AUTH_PATH_MAX = 255, AUTH_TCP_MAX = 64, AUTH_METHODS_MAX = 16 };
#define AUTH_TIME_UNKNOWN INT64_MIN     /* no trustworthy clock: rules with a time constraint do not allow */

enum auth_subject_kind {
	AUTH_IDENTITY,
	AUTH_ANYONE,            /* "*" */
	AUTH_TEAM,              /* "team:ID/ROLE", "team:ID/label:NAME": kept and shown, decided by the facts callback */
};

struct auth_rule {
	enum auth_subject_kind kind;
	struct identity identity;
	char *subject;                  /* text as configured, for AUTH_TEAM */
	char *path;                     /* glob: '*' alone, exact, or '*' as the last character of a prefix */
	char *methods[AUTH_METHODS_MAX];        /* empty: all */
	char *tcp[AUTH_TCP_MAX];        /* "host:port", port or host may be '*'; empty: the device's loopback, any port */
	char *root;                     /* file root; NULL: "/" for a "*" path rule, else no files */
	char *user;                     /* run as; NULL: the agent's own user (root: the agent's) */
	int64_t not_before, expires;    /* unix seconds; 0: none */
	size_t methods_len, tcp_len;
	unsigned line;                  /* in carrier.toml, for `why` and logs; 0: made at run time */
};

enum auth_reason {
	AUTH_BY_RULE, AUTH_NO_RULE, AUTH_NOT_YET, AUTH_EXPIRED, AUTH_CLOCK, AUTH_METHOD,
	AUTH_UNCLAIMED,         /* unclaimed device: nothing but the claim */
};

struct auth_request {
	struct identity caller;
	const char *path;
	const char *method;             /* NULL: none */
	int64_t now;                    /* unix seconds or AUTH_TIME_UNKNOWN */
};

struct auth_decision {
	bool allow;
	enum auth_reason reason;
	const struct auth_rule *rule;   /* what decided, or came nearest; NULL if none. Valid until the next edit */
};

/* Membership of team subjects: 1 yes, 0 no. NULL: team subjects never match. */
typedef int auth_facts_fn(void *userdata, const char *subject, const struct identity *who);

struct auth;
int auth_new(struct auth **ret) _must_check_;
void auth_free(struct auth *a);
DEFINE_FREEP(struct auth *, auth_free)
void auth_set_facts(struct auth *a, auth_facts_fn *fn, void *userdata);

/* Replaces the rules by the [[authorize]] tables of the configuration (keys:
 * identity, resource, methods, tcp, root, user, not_before, expires; unknown keys are
 * kept in the file). `identity = "self"` is *self*. ERR_CONFIG with *error. */
int auth_load(struct auth *a, struct toml *config, const struct identity *self,
	      struct toml_error *error) _must_check_;

bool auth_claimed(const struct auth *a);        /* any rule at all */
size_t auth_len(const struct auth *a);
const struct auth_rule *auth_at(const struct auth *a, size_t i);

/* One hash look-up for identities: does the caller hold any grant that is not
 * plainly over? Decides whether a knock is answered. Unclaimed: everybody. */
bool auth_admits(const struct auth *a, const struct identity *caller, int64_t now);
struct auth_decision auth_decide(const struct auth *a, const struct auth_request *rq);
const char *auth_reason_text(enum auth_reason r);

/* Constraints of an allowing rule. */
bool auth_rule_allows_tcp(const struct auth_rule *r, const char *host, uint16_t port);
const char *auth_rule_root(const struct auth_rule *r);  /* "/" or the folder; NULL: no files */

/* Edits both the rules and the configuration (the caller saves the file). Set
 * semantics on (subject, path): adding what is there changes nothing and returns 0,
 * else 1. */
int auth_add(struct auth *a, struct toml *config, const struct auth_rule *rule) _must_check_;
/* path NULL: every rule of the subject. caller: whoever asks, or NULL for the local
 * user; ERR_LASTWAY when the caller would lose the last rule that lets it change
 * rules here. Returns how many went. */
int auth_del(struct auth *a, struct toml *config, const struct identity *subject, const char *path,
	     const struct identity *caller, int64_t now) _must_check_;

/* "*" | "/x/y" | "/x/*"; absolute, no "..", printable ASCII. */
int auth_path_check(const char *path) _must_check_;
bool auth_glob_matches(const char *glob, const char *path);
