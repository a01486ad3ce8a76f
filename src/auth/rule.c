#include <errno.h>
#include <stdio.h>

#include "auth/internal.h"
#include "base/err.h"

void auth_rule_done(struct auth_rule *r)
{
	free(r->subject);
	free(r->path);
	for (size_t i = 0; i < r->methods_len; i++)
		free(r->methods[i]);
	for (size_t i = 0; i < r->tcp_len; i++)
		free(r->tcp[i]);
	free(r->root);
	free(r->user);
	*r = (struct auth_rule){ 0 };
}

void rule_free(struct auth_rule *r)
{
	if (!r)
		return;
	auth_rule_done(r);
	free(r);
}

static int dup_to(char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

static int dup_all(char **out, size_t *out_len, char *const *in, size_t n)
{
	for (; *out_len < n; (*out_len)++)
		if (dup_to(&out[*out_len], in[*out_len]) < 0)
			return -ENOMEM;
	return 0;
}

int rule_dup(struct auth_rule **ret, const struct auth_rule *r)
{
	_cleanup_(rule_freep) struct auth_rule *n = calloc(1, sizeof *n);

	if (!n)
		return -ENOMEM;
	n->kind = r->kind;
	n->identity = r->identity;
	n->not_before = r->not_before;
	n->expires = r->expires;
	n->line = r->line;
	if (dup_to(&n->subject, r->subject) < 0 || dup_to(&n->path, r->path) < 0 ||
	    dup_to(&n->root, r->root) < 0 || dup_to(&n->user, r->user) < 0 ||
	    dup_all(n->methods, &n->methods_len, r->methods, r->methods_len) < 0 ||
	    dup_all(n->tcp, &n->tcp_len, r->tcp, r->tcp_len) < 0)
		return -ENOMEM;
	*ret = take(n);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool contains(char *const *all, size_t n, const char *one)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i], one))
			return true;
	return false;
}

static bool same_set(char *const *a, size_t an, char *const *b, size_t bn)
{
	for (size_t i = 0; i < an; i++)
		if (!contains(b, bn, a[i]))
			return false;
	for (size_t i = 0; i < bn; i++)
		if (!contains(a, an, b[i]))
			return false;
	return true;
}

bool rule_same_subject(const struct auth_rule *a, const struct auth_rule *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case AUTH_IDENTITY:
		return identity_equal(&a->identity, &b->identity);
	case AUTH_TEAM:
		return same_text(a->subject, b->subject);
	default:
		return true;
	}
}

bool rule_same_grant(const struct auth_rule *a, const struct auth_rule *b)
{
	return rule_same_subject(a, b) && same_text(a->path, b->path) && same_text(a->root, b->root) &&
	       same_text(a->user, b->user) &&
	       same_set(a->methods, a->methods_len, b->methods, b->methods_len) &&
	       same_set(a->tcp, a->tcp_len, b->tcp, b->tcp_len);
}

bool rule_like(const struct auth_rule *r, const struct auth_rule *like)
{
	return rule_same_subject(r, like) && (!like->path || same_text(r->path, like->path));
}

enum auth_reason rule_time(const struct auth_rule *r, int64_t now)
{
	if (!r->not_before && !r->expires)
		return AUTH_BY_RULE;
	if (now == AUTH_TIME_UNKNOWN)
		return AUTH_CLOCK;
	if (r->not_before && now < r->not_before)
		return AUTH_NOT_YET;
	if (r->expires && now >= r->expires)
		return AUTH_EXPIRED;
	return AUTH_BY_RULE;
}

const char *auth_reason_text(enum auth_reason r)
{
	static const char *const texts[] = {
		[AUTH_BY_RULE] = "a rule allows it",
		[AUTH_NO_RULE] = "no rule names this caller and path",
		[AUTH_NOT_YET] = "the rule is not in force yet",
		[AUTH_EXPIRED] = "the rule has expired",
		[AUTH_CLOCK] = "the rule has a time limit and this device has no trustworthy clock",
		[AUTH_METHOD] = "the rule does not cover this method",
		[AUTH_UNCLAIMED] = "the device is unclaimed and accepts only its first authorization",
		[AUTH_TCP] = "the rule does not cover this host and port",
		[AUTH_ROOT] = "the file is outside the rule's root",
	};

	return (unsigned)r < ARRAY_LEN(texts) ? texts[r] : "unknown";
}
