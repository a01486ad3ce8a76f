/* setup: first use. */
#include "base/err.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/out.h"

static void print(const struct cli *c, const struct identity *id, const struct network_secret *secret, bool created)
{
	char id_text[IDENTITY_STR_MAX], address[IDENTITY_STR_MAX], secret_text[IDENTITY_STR_MAX];
	struct network_address a;
	struct out_object o;

	network_address_of(&a, secret);
	identity_format(id_text, id);
	network_address_format(address, &a);
	network_secret_format(secret_text, secret);
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "identity", id_text);
		out_str(&o, "shadow", address);
		out_str(&o, "shadow_secret", secret_text);
		out_bool(&o, "created", created);
		out_end(&o);
	} else {
		printf("identity: %s\nshadow: %s\nshadow-secret: %s\n", id_text, address, secret_text);
	}
	wipe(secret_text, sizeof secret_text);
}

int cmd_setup(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error = { "" };
	struct network_secret secret;
	struct identity id;
	int status = cli_home(c, &h), err;

	if (status)
		return status;
	int created = home_setup(&h, &error);
	if (created < 0)
		return cli_home_failed(&error, created);
	status = cli_identity(c, &h, &id);
	if (status)
		return status;
	err = home_network(&h, &secret, &error);
	if (err < 0)
		return cli_home_failed(&error, err);
	print(c, &id, &secret, created);
	wipe(&secret, sizeof secret);
	if (created)
		cli_note(c, "the secret stands in %s: back it up ('carrier vault export FILE') and show it to nobody",
			 h.secret_path);
	return CLI_OK;
}
