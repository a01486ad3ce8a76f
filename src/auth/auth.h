/* Who may do what on this device, decided with what the device holds.
 *
 * A rule = subject x path glob x constraints. A decision returns allow or deny and
 * the rule or fact that decided; it is a pure function of the rules, the request
 * and an explicit time. Deny is the default once a device is claimed; unclaimed, it
 * accepts one thing only: its first authorization (claim.h). */
#pragma once

#include "config/toml.h"
#include "identity/identity.h"
#include "identity/text.h"

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
	AUTH_TCP, AUTH_ROOT,    /* the path is granted, this target or file is not */
};

struct auth_request {
	struct identity caller;
	const char *path;
	const char *method;             /* NULL: none */
	int64_t now;                    /* unix seconds or AUTH_TIME_UNKNOWN */
	/* What the stream wants to reach, once it is known; zero: not asked. A caller
	 * with several grants is then answered by one that covers it. */
	const char *tcp_host;
	uint16_t tcp_port;
	const char *file;               /* absolute, or relative to whatever root the rule has */
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
/* Of several rules that allow: an identity's own before "*" before a team's, then
 * the most specific path. Denied: the rule that failed last on the way path, method,
 * time, target. */
struct auth_decision auth_decide(const struct auth *a, const struct auth_request *rq);
const char *auth_reason_text(enum auth_reason r);

/* Constraints of an allowing rule. */
bool auth_rule_allows_tcp(const struct auth_rule *r, const char *host, uint16_t port);
const char *auth_rule_root(const struct auth_rule *r);  /* "/" or the folder; NULL: no files */
/* By its text only: opening it beneath the root without following links is the caller's part. */
bool auth_rule_allows_file(const struct auth_rule *r, const char *file);

/* "self", "*", "team:...", an identity of either generation; writes kind, identity
 * and subject (allocated for a team, else NULL) of *ret. */
int auth_subject_parse(struct auth_rule *ret, const char *text, const struct identity *self,
		       struct text_error *detail) _must_check_;
enum { AUTH_SUBJECT_STR_MAX = 192 };
void auth_subject_format(char out[static AUTH_SUBJECT_STR_MAX], const struct auth_rule *r);

/* NULL if the rule is well formed, else a sentence, and the key it is about. */
const char *auth_rule_fault(const struct auth_rule *r, const char **ret_key);
/* Frees what a rule holds, not the rule. */
void auth_rule_done(struct auth_rule *r);

/* Edits both the rules and the configuration (the caller saves the file; config may
 * be NULL). Adding never takes anything away: what is there already changes nothing
 * and returns 0; a rule that differs from one that is there only by a wider time
 * replaces it; any other stands beside it. ERR_PARSE: auth_rule_fault() says why.
 * ERR_CHANGED: the configuration has other rules than *a*, load it again. */
int auth_add(struct auth *a, struct toml *config, const struct auth_rule *rule) _must_check_;
/* path NULL: every rule of the subject. caller: whoever asks, or NULL for the local
 * user; ERR_LASTWAY when the caller would lose the last rule that lets it change
 * rules here. Returns how many went. */
int auth_del(struct auth *a, struct toml *config, const struct identity *subject, const char *path,
	     const struct identity *caller, int64_t now) _must_check_;
/* The same for any subject: kind, identity or subject, and path of *like* count. */
int auth_del_like(struct auth *a, struct toml *config, const struct auth_rule *like,
		  const struct identity *caller, int64_t now) _must_check_;
/* The right to change rules: some rule in force allows this path. */
#define AUTH_CHANGE_PATH "/v3/carrier.config.v1/auth_add"

/* "*", an absolute path, or the beginning of one with '*' as its last character; no
 * ".." component, printable ASCII without space. */
int auth_path_check(const char *path) _must_check_;
bool auth_glob_matches(const char *glob, const char *path);
