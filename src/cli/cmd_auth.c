/* authorize, deauthorize, config TARGET ..., claim code. */
#include <string.h>

#include "auth/auth.h"
#include "auth/claim.h"
#include "base/err.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/grant.h"
#include "cli/net.h"
#include "cli/out.h"
#include "service/config.h"

static bool is_path(const char *s) { return s[0] == '/' || !strcmp(s, "*"); }

/* IDENTITY [PATH] or TARGET IDENTITY [PATH]: the second word tells. False: said so. */
static bool read_grant(const struct cli *c, struct grant *g, const char *fallback)
{
	int subject = c->argc >= 2 && !is_path(c->argv[1]);

	if (c->argc > subject + 2) {
		cli_usage(c, "%s: \"%s\" is one argument too many", c->spelled, c->argv[subject + 2]);
		return false;
	}
	*g = (struct grant){ .target = subject ? c->argv[0] : NULL, .subject = c->argv[subject],
			     .path = c->argv[subject + 1] ?: fallback, .generation1 = true };
	return true;
}

int cmd_authorize(struct cli *c)
{
	struct grant g;

	return read_grant(c, &g, "*") ? grant_add(c, &g) : CLI_USAGE;
}

int cmd_deauthorize(struct cli *c)
{
	struct grant g;

	return read_grant(c, &g, NULL) ? grant_del(c, &g) : CLI_USAGE;
}

/* ---- config ---- */

static int auth_list(struct cli *c) { return grant_list(c, &(struct grant){ .target = c->argv[0] }); }

static int auth_add_(struct cli *c)
{
	return grant_add(c, &(struct grant){ .target = c->argv[0], .subject = c->argv[3], .path = c->argv[4] ?: "*" });
}

static int auth_del_(struct cli *c)
{
	return grant_del(c, &(struct grant){ .target = c->argv[0], .subject = c->argv[3], .path = c->argv[4] });
}

static void print_address(void *userdata, struct ask *, struct span m)
{
	struct cli *c = userdata;
	struct cbor v = cbor_map_find(m, "address");
	struct span text = cbor_text(&v);
	char address[IDENTITY_STR_MAX];
	struct out_object o;

	snprintf(address, sizeof address, "%.*s", (int)text.len, text.data ? (const char *)text.data : "");
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "address", text.len ? address : NULL);
		out_end(&o);
	} else if (text.len) {
		puts(address);
	} else {
		cli_note(c, "it is in no network");
	}
}

static int ask_network(struct cli *c, const char *path, const char *secret)
{
	static const struct ask_ops ops = { .message = print_address };
	_cleanup_(buf_wipe) struct buf b = {};

	config_put_request(&b, &(struct config_request){ .path = path, .secret = secret });
	if (buf_err(&b) < 0)
		return cli_fail(CLI_FAILED, "%s", err_text(buf_err(&b)));
	return ask_run(c, c->argv[0], path, buf_span(&b), &ops, c);
}

static bool here(const struct cli *c) { return !strcmp(c->argv[0], "self"); }

static int net_get(struct cli *c)
{
	return here(c) ? cmd_net_address(c) : ask_network(c, CONFIG_NET_GET_PATH, NULL);
}

static int net_join(struct cli *c)
{
	char text[IDENTITY_STR_MAX];
	struct network_secret secret;
	int status;

	if (here(c)) {
		c->argv += 3;
		status = cmd_net_join(c);
		c->argv -= 3;
		return status;
	}
	status = net_read_secret(&secret, c->argv[3]);
	if (status)
		return status;
	network_secret_format(text, &secret);
	wipe(&secret, sizeof secret);
	status = ask_network(c, CONFIG_NET_JOIN_PATH, text);
	wipe(text, sizeof text);
	return status;
}

static void ignore(void *, struct ask *, struct span) {}

static int net_leave(struct cli *c)
{
	static const struct ask_ops ops = { .message = ignore };
	_cleanup_buf_ struct buf b = {};

	if (here(c))
		return cmd_net_leave(c);
	config_put_request(&b, &(struct config_request){ .path = CONFIG_NET_LEAVE_PATH });
	return ask_run(c, c->argv[0], CONFIG_NET_LEAVE_PATH, buf_span(&b), &ops, c);
}

int cmd_config(struct cli *c)
{
	static const struct {
		const char *group, *verb;
		int min, max;
		int (*run)(struct cli *c);
	} table[] = {
		{ "auth", "list", 3, 3, auth_list }, { "auth", "add", 4, 5, auth_add_ }, { "auth", "del", 4, 5, auth_del_ },
		{ "net", "get", 3, 3, net_get },     { "net", "join", 4, 4, net_join },  { "net", "leave", 3, 3, net_leave },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].group, c->argv[1]) || strcmp(table[i].verb, c->argv[2]))
			continue;
		if (c->argc < table[i].min || c->argc > table[i].max)
			return cli_usage(c, "config: too %s arguments", c->argc < table[i].min ? "few" : "many");
		return table[i].run(c);
	}
	return cli_usage(c, "config: there is no \"%s %s\"", c->argv[1], c->argv[2]);
}

/* ---- claim code ---- */

int cmd_claim_code(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error = { "" };
	char code[CLAIM_CODE_STR_MAX], code_hash[65];
	struct out_object o;
	int status = cli_home(c, &h);

	if (status)
		return status;
	if (toml_table_array_len(toml_root(h.config), "authorize"))
		return cli_fail(CLI_FAILED, "this device is claimed already; 'carrier reset' makes it claimable again");
	claim_code_new(code);
	claim_code_hash(code_hash, code);
	int err = toml_set_string(toml_root(h.config), "claim_hash", code_hash);
	if (err >= 0)
		err = toml_set_string(toml_root(h.config), "claim", "code");
	if (err >= 0)
		err = home_save(&h, &error);
	if (err < 0)
		return cli_home_failed(&error, err);
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "claim_code", code);
		out_end(&o);
	} else {
		puts(code);
	}
	wipe(code, sizeof code);
	return CLI_OK;
}
