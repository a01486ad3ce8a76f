/* Over random rule sets: does auth_decide() equal a plain scan of all rules, does a
 * grant never take access away, does removing one never give any? The seed is
 * printed; AUTH_SEED repeats it. */
#include "fixtures.h"

enum { ROUNDS = 600, RULES_MAX = 16, QUESTIONS = 60, NOW = 50 };

static uint64_t rng;

static unsigned pick(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng >> 33) % n;
}

#define ONE_OF(array) (array)[pick(ARRAY_LEN(array))]

static const char *const subjects[] = {
	"alice", "alice", "bob", "bob", "carol", "*", "team:t1/user", "team:t1/label:door", "team:t2/user",
};
static const char *const globs[] = { "*", "/*", "/a", "/a/*", "/a/b", "/a/b*", "/c", "/v3/*", AUTH_CHANGE_PATH };
static const char *const paths[] = { "/a", "/a/b", "/a/bc", "/c", "/d", AUTH_CHANGE_PATH, "/a/../c", "x" };
static const char *const methods[] = { NULL, "GET", "POST" };
static const char *const targets[] = { "10.0.0.1:80", "*:80", "10.0.0.1:*", "localhost:22" };
static const char *const hosts[] = { NULL, NULL, "10.0.0.1", "127.0.0.1", "10.0.0.2" };
static const uint16_t ports[] = { 22, 80 };
static const char *const roots[] = { NULL, NULL, "/srv", "/" };
static const char *const files[] = { NULL, NULL, "/srv/x", "/etc/x", "x" };
static const int64_t times[] = { 0, 0, 0, 40, 50, 60 };
static const int64_t nows[] = { 39, 40, 50, 59, 60, AUTH_TIME_UNKNOWN };

static struct rule_row random_rule(void)
{
	struct rule_row r = { .subject = ONE_OF(subjects), .path = ONE_OF(globs), .root = ONE_OF(roots) };

	r.methods[0] = ONE_OF(methods);
	if (pick(3) == 0)
		r.tcp[0] = ONE_OF(targets);
	r.not_before = ONE_OF(times);
	r.expires = ONE_OF(times);
	if (r.expires && r.expires <= r.not_before)
		r.expires = 0;
	return r;
}

static struct auth_request random_request(void)
{
	return (struct auth_request){
		.caller = person((enum who)pick(PEOPLE)), .path = ONE_OF(paths), .method = ONE_OF(methods),
		.now = ONE_OF(nows), .tcp_host = ONE_OF(hosts), .tcp_port = ONE_OF(ports), .file = ONE_OF(files),
	};
}

/* ---- the plain scan: written from the contract, sharing nothing with it ---- */

static bool names(const struct auth_rule *r, const struct identity *who)
{
	switch (r->kind) {
	case AUTH_IDENTITY:
		return !memcmp(&r->identity, who, sizeof *who);
	case AUTH_ANYONE:
		return true;
	default:
		return team_facts(NULL, r->subject, who) == 1;
	}
}

static bool covers(const char *glob, const char *path)
{
	for (; *glob && *glob != '*'; glob++, path++)
		if (*glob != *path)
			return false;
	return *glob == '*' || !*path;
}

static bool plain_rule(const struct auth_rule *r, const struct auth_request *rq)
{
	bool method = !r->methods_len, limited = r->not_before || r->expires;

	for (size_t i = 0; i < r->methods_len; i++)
		method = method || (rq->method && !strcmp(r->methods[i], rq->method));
	if (!names(r, &rq->caller) || !covers(r->path, rq->path) || !method)
		return false;
	if (limited && (rq->now == AUTH_TIME_UNKNOWN || rq->now < r->not_before || (r->expires && rq->now >= r->expires)))
		return false;
	if (rq->tcp_host && !auth_rule_allows_tcp(r, rq->tcp_host, rq->tcp_port))
		return false;
	return !rq->file || auth_rule_allows_file(r, rq->file);
}

static bool plain_decide(const struct auth *a, const struct auth_request *rq)
{
	if (rq->path[0] != '/' || strstr(rq->path, ".."))
		return false;
	for (size_t i = 0; i < auth_len(a); i++)
		if (plain_rule(auth_at(a, i), rq))
			return true;
	return false;
}

/* ---- */

static struct auth *random_auth(struct toml *config)
{
	struct auth *a;
	unsigned n = pick(RULES_MAX);

	CHECK_ERR(auth_new(&a), 0);
	auth_set_facts(a, team_facts, NULL);
	for (unsigned i = 0; i < n; i++) {
		struct rule_row r = random_rule();
		CHECK_ERR(add_row(a, config, &r), 0);
	}
	return a;
}

static void does_the_index_decide_as_a_plain_scan_does(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(auth_freep) struct auth *a = random_auth(NULL);

		for (int j = 0; j < QUESTIONS; j++) {
			struct auth_request rq = random_request();
			struct auth_decision d = auth_decide(a, &rq);

			CHECK(d.allow == plain_decide(a, &rq));
			CHECK(d.allow == (d.reason == AUTH_BY_RULE));
			/* the rule that is named really decided */
			if (d.allow)
				CHECK(plain_rule(d.rule, &rq));
			else if (d.rule)
				CHECK(names(d.rule, &rq.caller) && covers(d.rule->path, rq.path) && !plain_rule(d.rule, &rq));
			/* whoever is allowed something was let in at the door */
			CHECK(!d.allow || auth_admits(a, &rq.caller, rq.now));
		}
	}
}

static void does_a_grant_never_take_access_away(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(auth_freep) struct auth *a = random_auth(NULL);
		struct auth_request rq[QUESTIONS];
		bool before[QUESTIONS];

		for (int j = 0; j < QUESTIONS; j++) {
			rq[j] = random_request();
			before[j] = auth_decide(a, &rq[j]).allow;
		}
		struct rule_row r = random_rule();
		CHECK_ERR(add_row(a, NULL, &r), 0);
		for (int j = 0; j < QUESTIONS; j++)
			CHECK(!before[j] || auth_decide(a, &rq[j]).allow);
	}
}

static void does_a_removal_never_give_access(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(auth_freep) struct auth *a = random_auth(NULL);
		struct auth_request rq[QUESTIONS];
		bool before[QUESTIONS];
		struct rule_row row = random_rule();
		struct auth_rule like = rule_of(&row);

		if (pick(2))
			like.path = NULL;
		for (int j = 0; j < QUESTIONS; j++) {
			rq[j] = random_request();
			before[j] = auth_decide(a, &rq[j]).allow;
		}
		CHECK_ERR(auth_del_like(a, NULL, &like, NULL, NOW), 0);
		for (int j = 0; j < QUESTIONS; j++)
			CHECK(before[j] || !auth_decide(a, &rq[j]).allow);
	}
}

static bool may_change(const struct auth *a, const struct identity *who)
{
	struct auth_request rq = { .caller = *who, .path = AUTH_CHANGE_PATH, .now = NOW };
	bool yes = false;

	for (size_t i = 0; i < auth_len(a); i++) {
		struct auth_rule r = *auth_at(a, i);
		r.methods_len = 0;
		yes = yes || plain_rule(&r, &rq);
	}
	return yes;
}

static void does_nobody_ever_remove_his_own_last_way_in(void **state)
{
	unsigned refused = 0, gone = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_(auth_freep) struct auth *a = random_auth(NULL);
		struct rule_row row = random_rule();
		struct auth_rule like = rule_of(&row);
		struct identity who = person((enum who)pick(PEOPLE));
		bool before = may_change(a, &who);
		size_t len = auth_len(a);

		if (pick(2))
			like = (struct auth_rule){ .kind = AUTH_IDENTITY, .identity = who };
		if (pick(2))
			like.path = NULL;
		int err = auth_del_like(a, NULL, &like, &who, NOW);
		CHECK(may_change(a, &who) == before);
		if (err == ERR_LASTWAY) {
			CHECK(before && auth_len(a) == len);
			refused++;
		} else {
			CHECK(err >= 0 && auth_len(a) == len - (size_t)err);
			gone += err > 0;
		}
	}
	CHECK(refused > 5 && gone > 5);
}

/* What the edits wrote is what a fresh start reads. */
static void does_the_file_say_the_same_as_memory(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS / 20; i++) {
		_cleanup_(toml_freep) struct toml *config = config_of("# mine\nport = 7\n"), *again = NULL;
		_cleanup_(auth_freep) struct auth *a = random_auth(config), *b = NULL;
		struct rule_row row = random_rule();
		struct auth_rule like = rule_of(&row);
		struct toml_error te = { 0 };

		like.path = NULL;
		CHECK_ERR(auth_del_like(a, config, &like, NULL, NOW), 0);
		_cleanup_free_ char *text = text_of(config);
		again = config_of(text);
		CHECK_ERR(auth_new(&b), 0);
		auth_set_facts(b, team_facts, NULL);
		if (auth_load(b, again, NULL, &te) < 0)
			fail_msg("line %u: %s\n%s", te.line, te.text, text);
		assert_int_equal(auth_len(a), auth_len(b));
		for (int j = 0; j < QUESTIONS; j++) {
			struct auth_request rq = random_request();
			struct auth_decision da = auth_decide(a, &rq), db = auth_decide(b, &rq);

			CHECK(da.allow == db.allow && da.reason == db.reason);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_the_index_decide_as_a_plain_scan_does),
		cmocka_unit_test(does_a_grant_never_take_access_away),
		cmocka_unit_test(does_a_removal_never_give_access),
		cmocka_unit_test(does_nobody_ever_remove_his_own_last_way_in),
		cmocka_unit_test(does_the_file_say_the_same_as_memory),
	};
	const char *seed = getenv("AUTH_SEED");

	if (seed)
		rng = strtoull(seed, NULL, 0);
	else
		random_bytes(&rng, sizeof rng);
	rng |= 1;
	printf("AUTH_SEED=%#llx\n", (unsigned long long)rng);
	return RUN_TESTS(tests);
}
