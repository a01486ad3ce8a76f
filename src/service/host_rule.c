#include "service/host_rule.h"

#include <errno.h>

#include "base/err.h"
#include "wire/cbor.h"

static void put_list(struct cbor_map *m, const char *key, char *const *list, size_t n)
{
	struct buf *out;

	if (!n)
		return;
	out = cbor_map_key(m, key);
	cbor_put_array(out, n);
	for (size_t i = 0; i < n; i++)
		cbor_put_str(out, list[i]);
}

void host_rule_put(struct buf *out, const struct auth_rule *r, const char *path_key, const char *code)
{
	char subject[AUTH_SUBJECT_STR_MAX];
	struct cbor_map m;

	auth_subject_format(subject, r);
	cbor_map_begin(&m, out);
	cbor_map_str(&m, "identity", subject);
	cbor_map_str(&m, path_key, r->path);
	put_list(&m, "methods", r->methods, r->methods_len);
	put_list(&m, "tcp", r->tcp, r->tcp_len);
	if (r->root)
		cbor_map_str(&m, "root", r->root);
	if (r->user)
		cbor_map_str(&m, "user", r->user);
	if (r->not_before)
		cbor_map_uint(&m, "not_before", (uint64_t)r->not_before);
	if (r->expires)
		cbor_map_uint(&m, "expires", (uint64_t)r->expires);
	if (code)
		cbor_map_str(&m, "code", code);
	cbor_map_end(&m);
}

/* ---- reading ---- */

static char *dup_text(struct cbor *c)
{
	struct span s = cbor_text(c);
	char *r;

	if (s.len && memchr(s.data, 0, s.len))
		cbor_fail(c, ERR_PARSE);
	if (c->err)
		return NULL;
	r = span_dup_str(s);
	if (!r)
		cbor_fail(c, -ENOMEM);
	return r;
}

static void read_list(struct cbor *c, char **list, size_t max, size_t *len)
{
	size_t n = cbor_array(c, max);

	while (n-- && !c->err) {
		list[*len] = dup_text(c);
		*len += list[*len] != NULL;
	}
}

static void read_subject(struct cbor *c, struct auth_rule *r)
{
	_cleanup_free_ char *text = dup_text(c);
	static const struct identity nobody;
	struct text_error detail;
	int err;

	if (!text)
		return;
	/* "self" has been resolved by whoever knows whom it means */
	err = strcmp(text, "self") ? auth_subject_parse(r, text, &nobody, &detail) : ERR_PARSE;
	if (err < 0)
		cbor_fail(c, err == -ENOMEM ? err : ERR_PARSE);
}

static void read_code(struct cbor *c, char *out)
{
	struct span s = cbor_text(c);

	if (s.len > HOST_CODE_MAX || (s.len && memchr(s.data, 0, s.len)))
		cbor_fail(c, ERR_PARSE);
	else if (s.len)
		memcpy(out, s.data, s.len);
}

static void read_one(struct cbor *c, struct span key, struct auth_rule *r, char *code)
{
	if (span_is(key, "identity"))
		read_subject(c, r);
	else if (span_is(key, "path"))
		r->path = dup_text(c);
	else if (span_is(key, "methods"))
		read_list(c, r->methods, AUTH_METHODS_MAX, &r->methods_len);
	else if (span_is(key, "tcp"))
		read_list(c, r->tcp, AUTH_TCP_MAX, &r->tcp_len);
	else if (span_is(key, "root"))
		r->root = dup_text(c);
	else if (span_is(key, "user"))
		r->user = dup_text(c);
	else if (span_is(key, "not_before"))
		r->not_before = (int64_t)cbor_uint_max(c, INT64_MAX);
	else if (span_is(key, "expires"))
		r->expires = (int64_t)cbor_uint_max(c, INT64_MAX);
	else if (span_is(key, "code"))
		read_code(c, code);
	else
		cbor_fail(c, ERR_PARSE);        /* a constraint that we don't know must not be lost */
}

int host_rule_parse(struct auth_rule *ret, char ret_code[static HOST_CODE_MAX + 1], struct span args)
{
	_cleanup_(auth_rule_done) struct auth_rule r = { 0 };
	char code[HOST_CODE_MAX + 1] = "";
	struct cbor c = CBOR(args);
	struct span last = SPAN_NONE;
	bool subject = false;
	const char *key;
	int err;

	for (size_t n = cbor_map(&c, CBOR_MAP_ENTRIES_FEW); n && !c.err; n--) {
		struct span k = cbor_key(&c, &last);
		subject |= span_is(k, "identity");
		if (!c.err)
			read_one(&c, k, &r, code);
	}
	err = cbor_end(&c);
	if (err < 0)
		return err;
	if (!subject || auth_rule_fault(&r, &key))
		return ERR_PARSE;

	*ret = r;
	r = (struct auth_rule){ 0 };
	memcpy(ret_code, code, sizeof code);
	wipe(code, sizeof code);
	return 0;
}
