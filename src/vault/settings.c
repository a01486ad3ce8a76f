#include "vault/settings.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "vault/internal.h"

enum { KEEPALIVE_MIN = 5, KEEPALIVE_MAX = 600, KEEPALIVE_DEFAULT = 25 };

struct reader {
	struct settings *s;
	const struct home *h;
	struct home_error *error;
	const char *key;
	const struct toml_value *v;
};

/* ---- one function a key: what it takes, what it may be ---- */

static int add_broker(struct settings *s, const char *line, struct text_error *detail)
{
	if (s->brokers_len >= BROKER_LINES_MAX)
		return refuse_text(detail, "more than %d brokers", BROKER_LINES_MAX);
	if (broker_line_parse(&s->brokers[s->brokers_len], line, detail) < 0)
		return ERR_PARSE;
	s->brokers_len++;
	return 0;
}

static int read_broker_line(const struct reader *r, const struct toml_value *v)
{
	const char *line = toml_value_string(v);
	struct text_error detail;

	if (!line)
		return home_refuse_at(r->error, r->h, v, "broker: a list of strings was expected");
	if (add_broker(r->s, line, &detail) < 0)
		return home_refuse_at(r->error, r->h, v, "broker: %s", detail.text);
	return 0;
}

static int read_brokers(const struct reader *r)
{
	if (toml_type(r->v) != TOML_ARRAY)
		return read_broker_line(r, r->v);
	for (size_t i = 0; i < toml_array_len(r->v); i++) {
		int err = read_broker_line(r, toml_array_at(r->v, i));
		if (err < 0)
			return err;
	}
	return 0;
}

static int read_number(const struct reader *r, int64_t min, int64_t max, int64_t *ret)
{
	int64_t v;

	if (toml_value_integer(r->v, &v) < 0 || v < min || v > max)
		return home_refuse_at(r->error, r->h, r->v, "%s: a whole number from %lld to %lld was expected",
				      r->key, (long long)min, (long long)max);
	*ret = v;
	return 0;
}

static int read_word(const struct reader *r, const char *zero, const char *one, int *ret)
{
	const char *v = toml_value_string(r->v);

	if (!v || (strcmp(v, zero) && strcmp(v, one)))
		return home_refuse_at(r->error, r->h, r->v, "%s: \"%s\" or \"%s\" was expected", r->key, zero, one);
	*ret = !strcmp(v, one);
	return 0;
}

static int read_port(const struct reader *r)
{
	int64_t port = 0;
	int err = read_number(r, 0, UINT16_MAX, &port);

	if (err >= 0)
		r->s->listen.port = (uint16_t)port;
	return err;
}

static int read_listen(const struct reader *r)
{
	const char *text = toml_value_string(r->v);

	if (toml_get(toml_root(r->h->config), "port"))
		return home_refuse_at(r->error, r->h, r->v, "listen: says the port too; remove `port`");
	if (!text || addr_parse(&r->s->listen, text) < 0)
		return home_refuse_at(r->error, r->h, r->v, "listen: \"ADDRESS:PORT\" or \"[IPv6]:PORT\" was expected");
	return 0;
}

static int read_keepalive(const struct reader *r)
{
	int64_t v = 0;
	int err = read_number(r, KEEPALIVE_MIN, KEEPALIVE_MAX, &v);

	if (err >= 0)
		r->s->keepalive = (unsigned)v;
	return err;
}

static int read_claim(const struct reader *r)
{
	int v = 0, err = read_word(r, "open", "code", &v);

	if (err >= 0)
		r->s->claim = v ? CLAIM_CODE : CLAIM_OPEN;
	return err;
}

static int read_claim_hash(const struct reader *r)
{
	const char *v = toml_value_string(r->v);
	size_t n = v ? strspn(v, "0123456789abcdef") : 0;

	if (n != 64 || v[n])
		return home_refuse_at(r->error, r->h, r->v, "claim_hash: 64 hexadecimal digits were expected");
	memcpy(r->s->claim_hash, v, 65);
	return 0;
}

static int read_address(const struct reader *r)
{
	int v = 0, err = read_word(r, "direct", "relay-only", &v);

	if (err >= 0)
		r->s->address = v ? ADDRESS_RELAY_ONLY : ADDRESS_DIRECT;
	return err;
}

static int refuse_principal(const struct reader *r)
{
	return home_refuse_at(r->error, r->h, r->v, "principal: one secret shared by several people is no longer used; "
			      "make a team, add each person to it, and authorize \"team:ID/ROLE\"");
}

static const struct {
	const char *key;
	int (*read)(const struct reader *r);
} table[] = {
	{ "broker", read_brokers },
	{ "port", read_port },
	{ "listen", read_listen },
	{ "keepalive", read_keepalive },
	{ "claim", read_claim },
	{ "claim_hash", read_claim_hash },
	{ "address", read_address },
	{ "principal", refuse_principal },
};

/* ---- the whole ---- */

static int brokers_from_environment(struct settings *s, struct home_error *error)
{
	const char *text = getenv("CARRIER_BROKERS");
	struct text_error detail;
	char *rest, *line;

	if (!text || !*text)
		return 0;

	_cleanup_free_ char *copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	s->brokers_len = 0;
	for (line = strtok_r(copy, "; \t\n", &rest); line; line = strtok_r(NULL, "; \t\n", &rest))
		if (add_broker(s, line, &detail) < 0)
			return home_refuse(error, "CARRIER_BROKERS in the environment: %s", detail.text);
	return 0;
}

static bool overridden(const char *key)
{
	const char *brokers = getenv("CARRIER_BROKERS");

	return !strcmp(key, "broker") && brokers && *brokers;
}

static int read_all(struct settings *s, const struct home *h, struct home_error *error)
{
	struct toml_table *root = toml_root(h->config);
	int err;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct reader r = { s, h, error, table[i].key, toml_get(root, table[i].key) };

		if (!r.v || overridden(r.key))
			continue;
		err = table[i].read(&r);
		if (err < 0)
			return err;
	}
	err = brokers_from_environment(s, error);
	if (err >= 0)
		err = settings_services(s, h, error);
	return err < 0 ? err : names_check_all(h, error);
}

int settings_load(struct settings *ret, const struct home *h, struct home_error *error)
{
	_cleanup_free_ struct settings *s = calloc(1, sizeof *s);
	int err;

	error->text[0] = 0;
	if (!s)
		return -ENOMEM;
	s->keepalive = KEEPALIVE_DEFAULT;
	err = read_all(s, h, error);
	if (err < 0) {
		settings_done(s);
		return err;
	}
	*ret = *s;
	return 0;
}
