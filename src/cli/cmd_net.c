/* net address, create, join, leave; mkshadow. A network is a secret in the
 * configuration; a running agent takes a change up by itself. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/net.h"
#include "cli/out.h"

/* Everything that older generations wrote for it too, or it would stay a member. */
static int drop(struct toml *config)
{
	static const char *const keys[] = {
		"network.secret", "network.address", "publish.secret", "publish.shadow", "publish.address",
		"subscribe.secret", "subscribe.shadow", "subscribe.address",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		int err = toml_remove(toml_root(config), keys[i]);
		if (err < 0 && err != ERR_TYPE)
			return err;
	}
	return 0;
}

int net_leave_here(struct home *h, struct home_error *error)
{
	int err = drop(h->config);

	return err < 0 ? err : home_save(h, error);
}

int net_join_here(struct home *h, const struct network_secret *secret, struct home_error *error)
{
	char secret_text[IDENTITY_STR_MAX], address_text[IDENTITY_STR_MAX];
	struct network_address a;
	int err = drop(h->config);

	network_address_of(&a, secret);
	network_address_format(address_text, &a);
	network_secret_format(secret_text, secret);
	if (err >= 0)
		err = toml_set_string(toml_root(h->config), "network.address", address_text);
	if (err >= 0)
		err = toml_set_string(toml_root(h->config), "network.secret", secret_text);
	wipe(secret_text, sizeof secret_text);
	return err < 0 ? err : home_save(h, error);
}

void net_print(const struct cli *c, const struct network_address *a, const struct network_secret *secret)
{
	char address[IDENTITY_STR_MAX], text[IDENTITY_STR_MAX];
	struct out_object o;

	network_address_format(address, a);
	if (secret)
		network_secret_format(text, secret);
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "address", address);
		if (secret)
			out_str(&o, "secret", text);
		out_end(&o);
	} else if (secret) {
		printf("address: %s\nsecret: %s\n", address, text);
	} else {
		puts(address);
	}
	wipe(text, sizeof text);
}

int net_read_secret(struct network_secret *ret, const char *typed)
{
	struct text_error detail = { "malformed" };
	char line[256];

	if (!strcmp(typed, "-")) {
		if (!fgets(line, sizeof line, stdin))
			return cli_fail(CLI_USAGE, "no network secret on standard input");
		line[strcspn(line, "\n")] = 0;
	} else {
		snprintf(line, sizeof line, "%s", typed);
	}
	int err = network_secret_parse(ret, line, &detail);
	wipe(line, sizeof line);
	return err < 0 ? cli_fail(CLI_USAGE, "network secret: %s", detail.text) : 0;
}

int cmd_mkshadow(struct cli *c)
{
	struct network_secret secret;
	struct network_address a;

	network_secret_new(&secret);
	network_address_of(&a, &secret);
	net_print(c, &a, &secret);
	wipe(&secret, sizeof secret);
	return CLI_OK;
}

int net_show_here(const struct cli *c, const struct home *h)
{
	struct home_error error = { "" };
	struct network_secret secret;
	struct network_address a;
	int err = home_network(h, &secret, &error);

	if (err == -ENOENT)
		return cli_fail(CLI_CONFIG, "this machine is in no network; 'carrier net create' or 'carrier net join SECRET'");
	if (err < 0)
		return cli_home_failed(&error, err);
	network_address_of(&a, &secret);
	wipe(&secret, sizeof secret);
	net_print(c, &a, NULL);
	return CLI_OK;
}

int cmd_net_address(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };

	return cli_home(c, &h) ?: net_show_here(c, &h);
}

static int join_and_print(struct cli *c, const struct network_secret *secret, bool with_secret)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error = { "" };
	struct network_address a;
	int status = cli_home(c, &h);

	if (status)
		return status;
	int err = net_join_here(&h, secret, &error);
	if (err < 0)
		return cli_home_failed(&error, err);
	network_address_of(&a, secret);
	net_print(c, &a, with_secret ? secret : NULL);
	return CLI_OK;
}

int cmd_net_create(struct cli *c)
{
	struct network_secret secret;

	network_secret_new(&secret);
	int status = join_and_print(c, &secret, true);
	wipe(&secret, sizeof secret);
	return status;
}

int cmd_net_join(struct cli *c)
{
	struct network_secret secret;
	int status = net_read_secret(&secret, c->argv[0]);

	if (!status)
		status = join_and_print(c, &secret, false);
	wipe(&secret, sizeof secret);
	return status;
}

int cmd_net_leave(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error = { "" };
	int status = cli_home(c, &h);

	if (status)
		return status;
	int err = net_leave_here(&h, &error);
	return err < 0 ? cli_home_failed(&error, err) : CLI_OK;
}
