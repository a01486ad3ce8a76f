/* shell: a terminal on the device, or one command with its three streams. */
#include <signal.h>
#include <string.h>

#include "base/err.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/inlet.h"
#include "cli/outlet.h"
#include "cli/tty.h"
#include "service/shell.h"

struct shell {
	struct cli *cli;
	struct session session;
	struct shell_client client;
	struct inlet in;
	struct outlet out, err;
	struct source *winch;
	struct buf command;
	const char *env[SHELL_ENV_MAX + 1];
	bool pty, raw, exited, end_due, refused;
	int status;
};

/* ---- output ---- */

static void put(struct shell *sh, struct outlet *o, struct span data)
{
	int err = outlet_write(o, sh->client.stream, data);

	if (err < 0) {
		tty_restore();
		session_stop(&sh->session, cli_write_failed(err));
	}
}

static void on_output(void *userdata, struct span data)
{
	struct shell *sh = userdata;

	put(sh, &sh->out, data);
}

static void on_error_output(void *userdata, struct span data)
{
	struct shell *sh = userdata;

	put(sh, &sh->err, data);
}

/* ---- input ---- */

static int take_input(void *userdata, struct span data)
{
	struct shell *sh = userdata;

	return sh->client.stream ? shell_client_write(&sh->client, data) : (int)MIN(data.len, (size_t)INT32_MAX);
}

static void end_input(void *userdata)
{
	struct shell *sh = userdata;

	sh->end_due = sh->client.stream && shell_client_end_input(&sh->client) == ERR_AGAIN;
}

static void on_writable(void *userdata)
{
	struct shell *sh = userdata;

	inlet_resume(&sh->in);
	if (sh->end_due)
		end_input(sh);
}

static void on_winch(void *userdata, int)
{
	struct shell *sh = userdata;
	struct shell_window w;

	/* one that is lost in a full stream is made good by the next */
	if (tty_window(STDIN_FILENO, &w))
		(void)!shell_client_resize(&sh->client, &w);
}

/* ---- life ---- */

static bool start_input(struct shell *sh)
{
	sh->in.give = take_input;
	sh->in.end = end_input;
	sh->in.userdata = sh;
	if (sh->pty && isatty(STDIN_FILENO)) {
		if (tty_raw(STDIN_FILENO) < 0 ||
		    loop_add_signal(sh->session.loop, &sh->winch, SIGWINCH, on_winch, sh) < 0)
			return false;
		sh->raw = true;
		on_winch(sh, SIGWINCH);
	}
	return inlet_open(&sh->in, sh->session.loop, STDIN_FILENO) >= 0;
}

static void on_opened(void *userdata, unsigned status, struct span error)
{
	struct shell *sh = userdata;
	char text[256];

	if (status >= 300) {
		snprintf(text, sizeof text, "%.*s", (int)MIN(error.len, sizeof text - 1), (const char *)error.data ?: "");
		sh->refused = true;
		session_stop(&sh->session, ask_refusal(&sh->session, SHELL_PATH, status, text));
		return;
	}
	/* generation 1 shows the header before the terminal */
	if (sh->pty && isatty(STDERR_FILENO) && !cli_quiet(sh->cli))
		fprintf(stderr, "[:status = %u, ]\n", status);
	if (!start_input(sh))
		session_stop(&sh->session, cli_fail(CLI_FAILED, "the terminal cannot be used"));
}

static void on_exited(void *userdata, int status)
{
	struct shell *sh = userdata;

	sh->exited = true;
	sh->status = status;
	if (status < 0) {
		tty_restore();
		sh->status = cli_fail(CLI_LOST, "%s ended the shell without its exit status: the agent there is gone", sh->session.called);
	}
}

static void on_closed(void *userdata, int err)
{
	struct shell *sh = userdata;

	outlet_forget_stream(&sh->out, sh->out.stream);
	outlet_forget_stream(&sh->err, sh->err.stream);
	if (sh->refused || (err < 0 && session_tells(&sh->session, err)))
		return;         /* said, or about to be */
	tty_restore();
	session_stop(&sh->session, sh->exited ? sh->status
					      : cli_fail(CLI_LOST, "%s ended the shell: %s", sh->session.called, err_text(err)));
}

static const struct shell_client_ops client_ops = {
	.opened = on_opened, .output = on_output, .error_output = on_error_output, .exited = on_exited,
	.writable = on_writable, .closed = on_closed,
};

static void up(void *userdata, struct session *s)
{
	struct shell *sh = userdata;
	struct shell_request rq = { .command = sh->command.len ? buf_str(&sh->command) : NULL, .pty = sh->pty,
				    .term = sh->pty ? getenv("TERM") : NULL, .env = sh->env[0] ? sh->env : NULL };

	if (sh->pty && !tty_window(STDIN_FILENO, &rq.window))
		rq.window = (struct shell_window){ .row = 24, .col = 80 };
	int err = shell_client_open(&sh->client, peer_streams(s->peer), &rq, &client_ops, sh);
	if (err < 0)
		session_stop(s, cli_fail(CLI_FAILED, "the command cannot be sent: %s", err_text(err)));
}

static bool lost(void *userdata, struct session *s)
{
	struct shell *sh = userdata;

	tty_restore();
	if (sh->exited)
		session_stop(s, sh->status);
	return sh->exited || sh->refused;
}

/* ---- the command line ---- */

static int read_arguments(struct shell *sh)
{
	struct cli *c = sh->cli;
	const char *command = cli_option(c, "command"), *pair;

	if (command && c->argc > 1)
		return cli_usage(c, "shell: a command comes behind -c or behind the target, not both");
	if (command)
		buf_add_str(&sh->command, command);
	for (int i = 1; i < c->argc; i++)
		buf_printf(&sh->command, "%s%s", i > 1 ? " " : "", c->argv[i]);
	for (size_t i = 0; (pair = cli_option_at(c, "env", i)); i++) {
		if (i >= SHELL_ENV_MAX)
			return cli_usage(c, "shell: more than %d variables", SHELL_ENV_MAX);
		if (!shell_env_allowed(SPAN(pair, strcspn(pair, "="))))
			return cli_usage(c, "shell: the variable %.*s cannot be set: capitals, digits and '_', and none that changes "
					 "who one is or what runs", (int)strcspn(pair, "="), pair);
		sh->env[i] = pair;
	}
	if (cli_flag(c, "force-pty") && cli_flag(c, "disable-pty"))
		return cli_usage(c, "shell: either -t or -T");
	sh->pty = cli_flag(c, "force-pty") ||
		  (!sh->command.len && !cli_flag(c, "disable-pty") && isatty(STDIN_FILENO));
	return buf_err(&sh->command) < 0 ? cli_fail(CLI_FAILED, "%s", err_text(buf_err(&sh->command))) : 0;
}

int cmd_shell(struct cli *c)
{
	static const struct session_ops ops = { .up = up, .lost = lost };
	struct shell sh = { .cli = c };
	int status = read_arguments(&sh);

	if (!status)
		status = session_open(&sh.session, c);
	if (!status) {
		sh.session.broken_status = CLI_LOST;
		outlet_open(&sh.out, sh.session.loop, STDOUT_FILENO);
		outlet_open(&sh.err, sh.session.loop, STDERR_FILENO);
		status = session_dial(&sh.session, c->argv[0], &ops, &sh);
	}
	if (!status)
		status = session_run(&sh.session);
	inlet_close(&sh.in);
	source_free(sh.winch);
	if (sh.client.stream) {
		stream_abandon(sh.client.stream);
		sh.client.stream = NULL;
	}
	(void)!outlet_finish(&sh.out);
	(void)!outlet_finish(&sh.err);
	tty_restore();
	session_done(&sh.session);
	buf_done(&sh.command);
	return status;
}
