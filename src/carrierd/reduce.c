#include "carrierd/reduce.h"

#include "base/err.h"

static void put_quoted(struct buf *b, const char *s)
{
	buf_add_u8(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\u%04X", c);
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else
			buf_add_u8(b, c);
	}
	buf_add_u8(b, '"');
}

static void put_key(struct buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(b, "%s = ", key);
	put_quoted(b, value);
	buf_add_u8(b, '\n');
}

static void put_list(struct buf *b, const char *key, char *const *values, size_t n)
{
	if (!n)
		return;
	buf_printf(b, "%s = [", key);
	for (size_t i = 0; i < n; i++) {
		put_quoted(b, values[i]);
		buf_add_str(b, i + 1 < n ? ", " : "]\n");
	}
}

static void put_time(struct buf *b, const char *key, int64_t v)
{
	if (v)
		buf_printf(b, "%s = %lld\n", key, (long long)v);
}

static void put_brokers(struct buf *b, const struct settings *s)
{
	buf_add_str(b, "broker = [");
	for (size_t i = 0; i < s->brokers_len; i++) {
		_cleanup_buf_ struct buf line = {};

		broker_line_format(&line, &s->brokers[i]);
		put_quoted(b, buf_str(&line));
		buf_add_str(b, i + 1 < s->brokers_len ? ", " : "");
	}
	buf_add_str(b, "]\n");
}

static void put_rule(struct buf *b, const struct auth_rule *r)
{
	char subject[AUTH_SUBJECT_STR_MAX];

	auth_subject_format(subject, r);
	buf_add_str(b, "[[authorize]]\n");
	put_key(b, "identity", subject);
	put_key(b, "resource", r->path);
	put_list(b, "methods", r->methods, r->methods_len);
	put_list(b, "tcp", r->tcp, r->tcp_len);
	put_key(b, "root", r->root);
	put_key(b, "user", r->user);
	put_time(b, "not_before", r->not_before);
	put_time(b, "expires", r->expires);
}

int reduce_config(struct buf *out, const struct settings *s, const struct auth *a)
{
	if (s->brokers_len)
		put_brokers(out, s);
	buf_printf(out, "keepalive = %u\nclaim = \"%s\"\naddress = \"%s\"\n", s->keepalive,
		   s->claim == CLAIM_CODE ? "code" : "open", s->address == ADDRESS_DIRECT ? "direct" : "relay-only");
	for (size_t i = 0; i < s->services_len; i++) {
		/* Who serves it is the monitor's business; the parser wants somebody. */
		buf_add_str(out, "[[service]]\nsocket = \"-\"\n");
		put_key(out, "path", s->services[i].path);
		buf_printf(out, "replay_safe = %s\n", s->services[i].replay_safe ? "true" : "false");
	}
	for (size_t i = 0; i < auth_len(a); i++)
		put_rule(out, auth_at(a, i));
	return buf_err(out);
}
