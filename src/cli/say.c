/* What the program says on stderr, and the exit status that goes with it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

static const struct {
	int err, status;
} statuses[] = {
	{ ERR_DENIED, CLI_DENIED },       { ERR_REFUSED, CLI_DENIED },      { ERR_CLAIM, CLI_DENIED },
	{ ERR_LASTWAY, CLI_DENIED },      { ERR_UNKNOWN, CLI_DENIED },
	{ ERR_OFFLINE, CLI_UNAVAILABLE }, { ERR_NOBROKER, CLI_UNAVAILABLE }, { ERR_CLOSED, CLI_UNAVAILABLE },
	{ ERR_PEER, CLI_UNAVAILABLE },    { ERR_PROTOCOL, CLI_UNAVAILABLE }, { ERR_CRYPTO, CLI_UNAVAILABLE },
	{ -EADDRINUSE, CLI_UNAVAILABLE }, { -EADDRNOTAVAIL, CLI_UNAVAILABLE },
	{ -ECONNREFUSED, CLI_UNAVAILABLE }, { -ENETUNREACH, CLI_UNAVAILABLE }, { -EHOSTUNREACH, CLI_UNAVAILABLE },
	{ ERR_TIMEOUT, CLI_TIMEOUT },     { ERR_AGAIN, CLI_AGAIN },         { ERR_LIMIT, CLI_AGAIN },
	{ ERR_CHANGED, CLI_AGAIN },       { ERR_CONFIG, CLI_CONFIG },
};

int cli_status_of(int err)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].err == err)
			return statuses[i].status;
	return err < 0 ? CLI_FAILED : CLI_OK;
}

static void say(const char *fmt, va_list ap)
{
	fputs("carrier: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int cli_fail(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return status;
}

void cli_note(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (cli_quiet(c))
		return;
	fflush(stdout);
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	if (c && c->command)
		fprintf(stderr, "usage: carrier %s%s%s\n", c->command->name, *c->command->args ? " " : "",
			c->command->args);
	return CLI_USAGE;
}

int cli_write_failed(int err)
{
	return err == -EPIPE ? CLI_PIPE : cli_fail(CLI_FAILED, "standard output: %s", err_text(err));
}

int cli_finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return status ?: cli_write_failed(-errno);
}

/* no-color.org: set and not empty. */
bool cli_colors(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && isatty(fileno(f)) && term && strcmp(term, "dumb");
}
