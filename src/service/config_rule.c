#include "service/config_rule.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

struct rule_reader {
	const struct headers *h;
	char *why;
};

static int refuse(const struct rule_reader *rd, const char *key, const char *what)
{
	snprintf(rd->why, CONFIG_WHY_MAX, "%s: %s", key, what);
	return ERR_PARSE;
}

/* 1: read; 0: absent. */
static int read_text(const struct rule_reader *rd, const char *key, char **ret)
{
	char text[CONFIG_LIST_MAX + 1];

	if (!headers_has(rd->h, key))
		return 0;
	if (headers_copy(rd->h, key, text, sizeof text) < 0)
		return refuse(rd, key, "is no text, or too long");
	*ret = strdup(text);
	return *ret ? 1 : -ENOMEM;
}

static int read_words(const struct rule_reader *rd, const char *key, char **list, size_t max, size_t *len)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;
	int err = read_text(rd, key, &text);

	if (err <= 0)
		return err;
	for (char *w = strtok_r(text, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		if (*len == max)
			return refuse(rd, key, "too many entries");
		list[*len] = strdup(w);
		if (!list[*len])
			return -ENOMEM;
		(*len)++;
	}
	/* an empty list would read as "none" and mean "no constraint" */
	return *len ? 1 : refuse(rd, key, "an empty list grants nothing");
}

static int read_time(const struct rule_reader *rd, const char *key, int64_t *ret)
{
	uint64_t v = headers_uint(rd->h, key, 0);

	if (!headers_has(rd->h, key))
		return 0;
	if (!v || v > INT64_MAX)
		return refuse(rd, key, "a time is unix seconds, after 1970");
	*ret = (int64_t)v;
	return 1;
}

static int read_subject(const struct rule_reader *rd, struct auth_rule *r, const struct identity *caller)
{
	_cleanup_free_ char *text = NULL;
	struct text_error detail = { "not an identity" };
	int err = read_text(rd, "identity", &text);

	if (err < 0)
		return err;
	if (!text)
		return refuse(rd, "identity", "is missing");
	err = auth_subject_parse(r, text, caller, &detail);
	if (err == -ENOMEM)
		return err;
	return err < 0 ? refuse(rd, "identity", detail.text) : 0;
}

static int check(const struct rule_reader *rd, const struct auth_rule *r, bool need_path)
{
	const char *key, *fault;

	if (r->path || need_path) {
		fault = auth_rule_fault(r, &key);
		if (fault)
			return refuse(rd, key, fault);
	}
	return 0;
}

int config_rule_of_headers(struct auth_rule *ret, const struct headers *h, const struct identity *caller,
			   bool need_path, char why[static CONFIG_WHY_MAX])
{
	_cleanup_(auth_rule_done) struct auth_rule r = { 0 };
	const struct rule_reader rd = { h, why };
	int err;

	if ((err = read_subject(&rd, &r, caller)) < 0 ||
	    (err = read_text(&rd, "resource", &r.path)) < 0 ||
	    (err = read_words(&rd, "methods", r.methods, AUTH_METHODS_MAX, &r.methods_len)) < 0 ||
	    (err = read_words(&rd, "tcp", r.tcp, AUTH_TCP_MAX, &r.tcp_len)) < 0 ||
	    (err = read_text(&rd, "root", &r.root)) < 0 ||
	    (err = read_text(&rd, "user", &r.user)) < 0 ||
	    (err = read_time(&rd, "not_before", &r.not_before)) < 0 ||
	    (err = read_time(&rd, "expires", &r.expires)) < 0 ||
	    (err = check(&rd, &r, need_path)) < 0)
		return err;

	*ret = r;
	r = (struct auth_rule){ 0 };
	return 0;
}
