#include "auth/auth.h"

#include <errno.h>

#include "auth/internal.h"
#include "base/err.h"

int auth_new(struct auth **ret)
{
	struct auth *a = calloc(1, sizeof *a);
	uint64_t seed[2];

	if (!a)
		return -ENOMEM;
	random_bytes(seed, sizeof seed);
	map_init(&a->by_identity, offsetof(struct holder, id), sizeof(struct identity), seed);
	*ret = a;
	return 0;
}

static void holder_free(struct holder *h)
{
	free(h->rules.at);
	free(h);
}

void auth_free(struct auth *a)
{
	struct holder *h;

	if (!a)
		return;
	for (size_t i = 0; (h = map_next(&a->by_identity, &i)); )
		holder_free(h);
	map_done(&a->by_identity);
	free(a->anyone.at);
	free(a->teams.at);
	for (size_t i = 0; i < a->rules.len; i++)
		rule_free(a->rules.at[i]);
	free(a->rules.at);
	free(a);
}

void auth_set_facts(struct auth *a, auth_facts_fn *fn, void *userdata)
{
	a->facts = fn;
	a->facts_data = userdata;
}

bool auth_claimed(const struct auth *a)
{
	return a->rules.len > 0;
}

size_t auth_len(const struct auth *a)
{
	return a->rules.len;
}

const struct auth_rule *auth_at(const struct auth *a, size_t i)
{
	return i < a->rules.len ? a->rules.at[i] : NULL;
}

/* Room for one more, so that the append itself cannot fail. */
static int list_reserve(struct rule_list *l)
{
	if (l->len < l->cap)
		return 0;

	size_t cap = MAX(l->cap * 2, (size_t)4);
	struct auth_rule **at = reallocarray(l->at, cap, sizeof *at);
	if (!at)
		return -ENOMEM;
	l->at = at;
	l->cap = cap;
	return 0;
}

static void list_drop(struct rule_list *l, const struct auth_rule *like)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->len; i++)
		if (!rule_like(l->at[i], like))
			l->at[kept++] = l->at[i];
	l->len = kept;
}

static int holder_of(struct auth *a, const struct identity *id, struct holder **ret)
{
	struct holder *h = map_get(&a->by_identity, id);
	int err;

	if (!h) {
		h = calloc(1, sizeof *h);
		if (!h)
			return -ENOMEM;
		h->id = *id;
		err = list_reserve(&h->rules);
		if (err >= 0)
			err = map_put(&a->by_identity, h);
		if (err < 0) {
			holder_free(h);
			return err;
		}
	}
	*ret = h;
	return 0;
}

static int list_of(struct auth *a, const struct auth_rule *r, struct rule_list **ret)
{
	struct holder *h;
	int err;

	switch (r->kind) {
	case AUTH_IDENTITY:
		err = holder_of(a, &r->identity, &h);
		if (err >= 0)
			*ret = &h->rules;
		return err;
	case AUTH_TEAM:
		*ret = &a->teams;
		return 0;
	default:
		*ret = &a->anyone;
		return 0;
	}
}

int auth_put(struct auth *a, struct auth_rule *r)
{
	struct rule_list *l;
	int err;

	if (a->rules.len >= AUTH_RULES_MAX)
		return ERR_LIMIT;
	err = list_reserve(&a->rules);
	if (err < 0)
		return err;
	err = list_of(a, r, &l);
	if (err < 0)
		return err;
	err = list_reserve(l);  /* a new holder has room already */
	if (err < 0)
		return err;
	l->at[l->len++] = r;
	a->rules.at[a->rules.len++] = r;
	return 0;
}

static void drop_from_index(struct auth *a, const struct auth_rule *like)
{
	struct holder *h;

	switch (like->kind) {
	case AUTH_IDENTITY:
		h = map_get(&a->by_identity, &like->identity);
		if (!h)
			return;
		list_drop(&h->rules, like);
		if (!h->rules.len) {
			map_del(&a->by_identity, &like->identity);
			holder_free(h);
		}
		return;
	case AUTH_TEAM:
		list_drop(&a->teams, like);
		return;
	default:
		list_drop(&a->anyone, like);
	}
}

int auth_drop(struct auth *a, const struct auth_rule *like)
{
	size_t kept = 0, n = a->rules.len;
	struct auth_rule *last = NULL;  /* like itself, if it is one of ours */

	drop_from_index(a, like);
	for (size_t i = 0; i < n; i++) {
		struct auth_rule *r = a->rules.at[i];

		if (!rule_like(r, like))
			a->rules.at[kept++] = r;
		else if (r == like)
			last = r;
		else
			rule_free(r);
	}
	rule_free(last);
	a->rules.len = kept;
	return (int)(n - kept);
}
