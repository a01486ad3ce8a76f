/* subscribe: who is on the network, as it changes. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/session.h"

struct watch {
	struct cli *cli;
	struct session session;
	struct subscription *subscription;
	int last;               /* the trouble that was told last */
};

static void on_event(void *userdata, const struct identity *who, bool joined)
{
	struct watch *w = userdata;
	char text[IDENTITY_STR_MAX];
	struct out_object o;

	identity_format(text, who);
	if (cli_json(w->cli)) {
		out_begin(&o);
		out_str(&o, "event", joined ? "join" : "leave");
		out_str(&o, "identity", text);
		out_end(&o);
	} else {
		printf("%c %s\n", joined ? '+' : '-', text);
		fflush(stdout);
	}
	if (ferror(stdout))
		session_stop(&w->session, CLI_FAILED);
}

static void on_state(void *userdata, int err, const char *detail)
{
	struct watch *w = userdata;

	if (err == ERR_DENIED || err == ERR_UNKNOWN) {
		session_stop(&w->session, cli_fail(CLI_DENIED, "%s", detail[0] ? detail : err_text(err)));
		return;
	}
	if (err && err != w->last)
		cli_note(w->cli, "%s%s%s; trying again", err_text(err), detail[0] ? ": " : "", detail);
	w->last = err;
}

/* ---- which network ---- */

static bool is_secret_of(const char *text, const struct network_address *a, struct network_secret *ret)
{
	struct network_address got;

	if (!text || network_secret_parse(ret, text, NULL) < 0)
		return false;
	network_address_of(&got, ret);
	return !memcmp(&got, a, sizeof got);
}

static int find_secret(struct session *s, const char *typed)
{
	static const char *const keys[] = { "network.secret", "publish.secret", "subscribe.secret" };
	struct toml_table *root = toml_root(s->home.config);
	struct text_error detail = { "malformed" };
	struct home_error error;
	struct network_address want, own;
	const char *text;

	if (network_address_parse(&want, typed, &detail) < 0)
		return cli_fail(CLI_USAGE, "%s", detail.text);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (toml_string(root, keys[i], &text) > 0 && is_secret_of(text, &want, &s->network))
			return 0;
	if (home_network(&s->home, &s->network, &error) >= 0) {
		network_address_of(&own, &s->network);
		if (!memcmp(&own, &want, sizeof own))
			return 0;
	}
	return cli_fail(CLI_DENIED, "the secret of this network is not in %s, and its address alone lists nothing: "
			"'carrier net join SECRET'", s->home.config_path);
}

static int choose(struct session *s, const char *typed)
{
	struct home_error error = { "" };
	int err;

	if (typed)
		return find_secret(s, typed);
	err = home_network(&s->home, &s->network, &error);
	if (err == -ENOENT)
		return cli_fail(CLI_CONFIG, "this machine is in no network; 'carrier net create' or 'carrier net join SECRET'");
	return err < 0 ? cli_home_failed(&error, err) : 0;
}

int cmd_subscribe(struct cli *c)
{
	static const struct subscription_handler handler = { .event = on_event, .state = on_state };
	struct watch w = { .cli = c };
	int status = session_open(&w.session, c), err;

	if (!status)
		status = choose(&w.session, c->argv[0]);
	if (!status && !w.session.settings->brokers_len)
		status = cli_fail(CLI_CONFIG, "no broker is configured: put the line that 'carrier broker' printed into %s",
				  w.session.home.config_path);
	if (!status) {
		w.session.has_network = true;
		err = endpoint_subscribe(w.session.endpoint, &handler, &w, &w.subscription);
		status = err < 0 ? cli_fail(CLI_FAILED, "%s", err_text(err)) : session_run(&w.session);
	}
	if (w.subscription)
		subscription_free(w.subscription);
	session_done(&w.session);
	return status;
}
