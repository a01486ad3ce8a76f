/* publish: the device agent in the foreground. */
#include <string.h>

#include "base/err.h"
#include "carrierd/agent.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/qr.h"

static void show_qr(const struct identity *self)
{
	_cleanup_buf_ struct buf qr = {};
	char text[IDENTITY_STR_MAX];

	identity_format(text, self);
	if (isatty(STDERR_FILENO) && qr_print(&qr, text) >= 0)
		fputs(buf_str(&qr), stderr);
}

static void on_identity(void *userdata, const struct identity *self, bool claimed)
{
	const struct cli *c = userdata;
	char text[IDENTITY_STR_MAX];
	struct out_object o;

	identity_format(text, self);
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "identity", text);
		out_bool(&o, "claimed", claimed);
		out_end(&o);
	} else {
		printf("my identity:\n%s\n", text);
		fflush(stdout);
	}
	if (claimed)
		return;
	show_qr(self);
	cli_note(c, "nobody has claimed this device yet: the first identity that is authorized on it will own it");
	cli_note(c, "claim it with 'carrier authorize %s self' from where you are, or 'carrier authorize IDENTITY' here", text);
}

static void on_claim_code(void *userdata, const char *code)
{
	const struct cli *c = userdata;
	struct out_object o;

	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "claim_code", code);
		out_end(&o);
	} else {
		printf("claim code: %s\n", code);
		fflush(stdout);
	}
	cli_note(c, "the code is shown this once; whoever claims this device gives it with --claim");
}

static int ask(void *userdata, const char *prompt, struct buf *ret)
{
	return cli_passphrase(userdata, prompt, false, ret);
}

int cmd_publish(struct cli *c)
{
	const char *listen = cli_option(c, "listen"), *claim = cli_option(c, "claim");
	struct log_sink log = log_stderr;
	struct addr at;
	struct agent_options o = {
		.config_path = cli_option(c, "config"), .claim = AGENT_CLAIM_AS_CONFIGURED, .application = "carrier-cli",
		.application_version = CARRIER_VERSION, .log = &log, .ask = ask, .ask_userdata = c,
		.identity = on_identity, .claim_code = on_claim_code, .userdata = c,
	};

	log.max = cli_quiet(c) ? LOG_ERROR : cli_flag(c, "verbose") ? LOG_DEBUG : LOG_INFO;
	if (listen && addr_parse(&at, listen) < 0)
		return cli_usage(c, "--listen: ADDRESS:PORT was expected, such as [::]:4433");
	if (listen)
		o.listen = &at;
	if (claim && strcmp(claim, "open") && strcmp(claim, "code"))
		return cli_usage(c, "--claim: \"open\" or \"code\" was expected");
	if (claim)
		o.claim = strcmp(claim, "code") ? CLAIM_OPEN : CLAIM_CODE;
	int err = agent_run(&o);
	/* one of its processes is gone: nothing that could be tried again by itself */
	int status = err == ERR_CLOSED ? CLI_FAILED : cli_status_of(err);
	return err < 0 ? cli_fail(status, "the agent ended: %s", err_text(err)) : CLI_OK;
}
