#include "auth/internal.h"

enum { STAGE_OWN, STAGE_ANYONE, STAGE_TEAM, STAGES };

static const struct rule_list *stage_list(const struct walk *w)
{
	static const struct rule_list none;
	const struct holder *h;

	switch (w->stage) {
	case STAGE_OWN:
		h = map_get(&w->a->by_identity, w->who);
		return h ? &h->rules : &none;
	case STAGE_ANYONE:
		return &w->a->anyone;
	default:
		return &w->a->teams;
	}
}

static bool is_member(const struct auth *a, const struct auth_rule *r, const struct identity *who)
{
	return a->facts && a->facts(a->facts_data, r->subject, who) > 0;
}

const struct auth_rule *walk_next(struct walk *w)
{
	for (; w->stage < STAGES; w->stage++, w->i = 0) {
		const struct rule_list *l = stage_list(w);

		while (w->i < l->len) {
			const struct auth_rule *r = l->at[w->i++];
			if (w->stage != STAGE_TEAM || is_member(w->a, r, w->who))
				return r;
		}
	}
	return NULL;
}

static bool covers_method(const struct auth_rule *r, const char *method)
{
	if (!r->methods_len)
		return true;
	for (size_t i = 0; method && i < r->methods_len; i++)
		if (!strcmp(r->methods[i], method))
			return true;
	return false;
}

/* The first thing that stands between the rule and the request. */
static enum auth_reason judge(const struct auth_rule *r, const struct auth_request *rq)
{
	enum auth_reason time;

	if (!auth_glob_matches(r->path, rq->path))
		return AUTH_NO_RULE;
	if (!covers_method(r, rq->method))
		return AUTH_METHOD;
	time = rule_time(r, rq->now);
	if (time != AUTH_BY_RULE)
		return time;
	if (rq->tcp_host && !auth_rule_allows_tcp(r, rq->tcp_host, rq->tcp_port))
		return AUTH_TCP;
	if (rq->file && !auth_rule_allows_file(r, rq->file))
		return AUTH_ROOT;
	return AUTH_BY_RULE;
}

/* How far a denied request came; what is further is nearer to what was wanted. */
static int distance_come(enum auth_reason r)
{
	switch (r) {
	case AUTH_METHOD:
		return 1;
	case AUTH_CLOCK:
	case AUTH_NOT_YET:
	case AUTH_EXPIRED:
		return 2;
	case AUTH_TCP:
	case AUTH_ROOT:
		return 3;
	default:
		return 0;
	}
}

static int specificity(const struct auth_rule *r)
{
	int n = (int)strlen(r->path);

	return r->path[n - 1] == '*' ? n : AUTH_PATH_MAX + 1;
}

/* Precedence among rules that allow. */
static int weight(unsigned stage, const struct auth_rule *r)
{
	return (STAGES - (int)stage) * 2 * AUTH_PATH_MAX + specificity(r);
}

static bool is_request_path(const char *path)
{
	return auth_path_check(path) >= 0 && !strchr(path, '*');
}

struct auth_decision auth_decide(const struct auth *a, const struct auth_request *rq)
{
	struct auth_decision d = { .reason = AUTH_NO_RULE };
	struct walk w = { .a = a, .who = &rq->caller };
	const struct auth_rule *r;
	int best = 0;

	if (!auth_claimed(a))
		return (struct auth_decision){ .reason = AUTH_UNCLAIMED };
	if (!is_request_path(rq->path))
		return d;

	while ((r = walk_next(&w))) {
		enum auth_reason why = judge(r, rq);
		bool allow = why == AUTH_BY_RULE;
		int score = allow ? weight(w.stage, r) : distance_come(why);

		if (d.allow > allow || (d.allow == allow && score <= best))
			continue;
		d = (struct auth_decision){ .allow = allow, .reason = why, .rule = r };
		best = score;
	}
	return d;
}

bool auth_admits(const struct auth *a, const struct identity *caller, int64_t now)
{
	struct walk w = { .a = a, .who = caller };
	const struct auth_rule *r;

	if (!auth_claimed(a))
		return true;
	while ((r = walk_next(&w)))
		if (rule_time(r, now) != AUTH_EXPIRED)
			return true;
	return false;
}
