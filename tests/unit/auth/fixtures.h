/* People and rules as the tests here name them. */
#pragma once

#include "auth/auth.h"
#include "test.h"

enum who { ALICE, BOB, CAROL, STRANGER, PEOPLE };

static inline struct identity person(enum who w)
{
	static struct identity known[PEOPLE];
	struct sign_seed seed = { { 0x41, (uint8_t)w } };

	if (!known[w].key[0])
		identity_of_seed(&known[w], &seed);
	return known[w];
}

/* A rule in one line. Texts are borrowed; constraints NULL-terminated. */
struct rule_row {
	const char *subject;            /* "alice", "bob", "carol", "*", "team:..." */
	const char *path;
	const char *methods[4], *tcp[4];
	const char *root, *user;
	int64_t not_before, expires;
};

static inline struct auth_rule rule_of(const struct rule_row *row)
{
	static const char *const names[] = { "alice", "bob", "carol", "stranger" };
	struct auth_rule r = {
		.kind = AUTH_TEAM, .path = (char *)row->path, .root = (char *)row->root, .user = (char *)row->user,
		.not_before = row->not_before, .expires = row->expires,
	};

	if (!strcmp(row->subject, "*"))
		r.kind = AUTH_ANYONE;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(row->subject, names[i])) {
			r.kind = AUTH_IDENTITY;
			r.identity = person((enum who)i);
		}
	if (r.kind == AUTH_TEAM)
		r.subject = (char *)row->subject;
	for (; r.methods_len < 4 && row->methods[r.methods_len]; r.methods_len++)
		r.methods[r.methods_len] = (char *)row->methods[r.methods_len];
	for (; r.tcp_len < 4 && row->tcp[r.tcp_len]; r.tcp_len++)
		r.tcp[r.tcp_len] = (char *)row->tcp[r.tcp_len];
	return r;
}

static inline int add_row(struct auth *a, struct toml *config, const struct rule_row *row)
{
	struct auth_rule r = rule_of(row);

	return auth_add(a, config, &r);
}

static inline struct toml *config_of(const char *text)
{
	struct toml_error te;
	struct toml *t = NULL;

	if (toml_parse(&t, SPAN_STR(text), &te) < 0)
		fail_msg("line %u: %s", te.line, te.text);
	return t;
}

static inline char *text_of(struct toml *t)
{
	struct buf b = { 0 };

	CHECK_ERR(toml_write(t, &b), 0);
	return buf_take_str(&b);
}

/* bob is in team:t1/user, carol in team:t1/label:door. */
static inline int team_facts(void *userdata, const char *subject, const struct identity *who)
{
	struct identity bob = person(BOB), carol = person(CAROL);

	(void)userdata;
	if (!strcmp(subject, "team:t1/user"))
		return identity_equal(who, &bob);
	if (!strcmp(subject, "team:t1/label:door"))
		return identity_equal(who, &carol);
	return 0;
}
