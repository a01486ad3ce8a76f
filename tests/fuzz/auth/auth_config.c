/* Any TOML as carrier.toml: rules, settings, secret and network. What was loaded and
 * edited is what the written file says. */
#include <stdlib.h>

#include "auth/auth.h"
#include "vault/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct identity someone = { { 7 } };

static struct toml *parse(struct span text)
{
	struct toml_error te;
	struct toml *t = NULL;

	return toml_parse(&t, text, &te) < 0 ? NULL : t;
}

static void check_written(const struct auth *a, struct toml *config)
{
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_(toml_freep) struct toml *again = NULL;
	_cleanup_(auth_freep) struct auth *b = NULL;
	struct toml_error te;

	if (toml_write(config, &text) < 0 || auth_new(&b) < 0)
		abort();
	again = parse(buf_span(&text));
	if (!again || auth_load(b, again, &someone, &te) < 0 || auth_len(a) != auth_len(b))
		abort();
	for (size_t i = 0; i < auth_len(a); i++)
		if (strcmp(auth_at(a, i)->path, auth_at(b, i)->path) || auth_at(a, i)->expires != auth_at(b, i)->expires)
			abort();
}

static void check_rules(struct toml *config)
{
	_cleanup_(auth_freep) struct auth *a = NULL;
	struct auth_rule extra = { .kind = AUTH_ANYONE, .path = (char *)"/fuzz" };
	struct toml_error te = { 0 };
	int err;

	if (auth_new(&a) < 0)
		return;
	err = auth_load(a, config, &someone, &te);
	if (err < 0) {
		if (!te.text[0] || auth_len(a))
			abort();
		return;
	}
	err = auth_add(a, config, &extra);
	if (err >= 0)
		check_written(a, config);
	if (auth_len(a)) {
		extra = (struct auth_rule){ .kind = auth_at(a, 0)->kind, .identity = auth_at(a, 0)->identity,
					    .subject = auth_at(a, 0)->subject };
		struct auth_rule like = extra;
		_cleanup_free_ char *subject = extra.subject ? strdup(extra.subject) : NULL;
		like.subject = subject;
		if (auth_del_like(a, config, &like, NULL, AUTH_TIME_UNKNOWN) > 0)
			check_written(a, config);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char config[] = "/nonexistent/carrier.toml", secret[] = "/nonexistent/carrier.secret";
	static struct settings s;
	struct home h = { .config_path = config, .secret_path = secret, .config = parse(SPAN(data, len)) };
	struct home_error error = { "" };
	struct network_secret network;
	struct sign_seed seed;

	if (!h.config)
		return 0;
	if (settings_load(&s, &h, &error) >= 0)
		settings_done(&s);
	else if (!error.text[0])
		abort();
	if (home_secret(&h, &seed, NULL, NULL, &error) < 0 && !error.text[0])
		abort();
	if (home_network(&h, &network, &error) < 0)
		error.text[0] = 0;
	check_rules(h.config);
	toml_free(h.config);
	return 0;
}
