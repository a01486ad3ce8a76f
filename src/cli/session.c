#include "cli/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "endpoint/lookup.h"
#include "endpoint/tickets.h"
#include "service/ping.h"
#include "service/service.h"

/* ---- what the endpoint asks for ---- */

void session_resolve(struct session *s, const char *host, uint16_t port, endpoint_resolved_fn *done, void *userdata)
{
	endpoint_lookup(s, host, port, done, userdata);
}

static int load_ticket(void *userdata, const char *alpn, const struct identity *peer, struct buf *out)
{
	struct session *s = userdata;

	return tickets_load(&s->home, alpn, peer, out);
}

static void save_ticket(void *userdata, const char *alpn, const struct identity *peer, struct span blob)
{
	struct session *s = userdata;

	tickets_save(&s->home, alpn, peer, blob);
}

static int prove(void *userdata, size_t i, enum network_role role, const struct identity *broker,
		 const uint8_t nonce[static NETWORK_NONCE_LEN], struct network_address *ret_network,
		 uint8_t ret_proof[static NETWORK_PROOF_LEN])
{
	struct session *s = userdata;

	if (i || !s->has_network)
		return -ENOENT;
	network_address_of(ret_network, &s->network);
	return network_prove(ret_proof, &s->network, role, vault_identity(s->vault), broker, nonce);
}

/* ---- opening ---- */

static int load(struct session *s)
{
	struct home_error error = { "" };
	struct sign_seed seed;
	int status = cli_home(s->cli, &s->home), err;

	if (status)
		return status;
	s->settings = calloc(1, sizeof *s->settings);
	if (!s->settings)
		return cli_fail(CLI_FAILED, "%s", err_text(-ENOMEM));
	err = settings_load(s->settings, &s->home, &error);
	if (err < 0)
		return cli_home_failed(&error, err);
	status = cli_secret(s->cli, &s->home, &seed);
	if (status)
		return status;
	err = vault_new_local(&s->vault, &seed, 1u << VAULT_TLS);
	wipe(&seed, sizeof seed);
	return err < 0 ? cli_fail(CLI_FAILED, "%s", err_text(err)) : 0;
}

static void on_timeout(void *userdata, tstamp)
{
	struct session *s = userdata;

	session_stop(s, cli_fail(CLI_TIMEOUT, "%s: not done within %s s", s->called[0] ? s->called : "carrier",
				 cli_option(s->cli, "timeout")));
}

static void on_signal(void *userdata, int signo) { session_stop(userdata, 128 + signo); }

static int arm(struct session *s)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	unsigned long seconds;
	int err = 0;

	if (!cli_number(s->cli, "timeout", 1000000, 0, &seconds))
		return CLI_USAGE;
	for (size_t i = 0; err >= 0 && i < ARRAY_LEN(signals); i++)
		err = loop_add_signal(s->loop, &s->signals[i], signals[i], on_signal, s);
	if (err >= 0)
		err = loop_add_timer(s->loop, &s->timeout, on_timeout, s);
	if (err >= 0 && seconds)
		err = source_arm(s->timeout, loop_now(s->loop) + SECONDS(seconds));
	return err < 0 ? cli_fail(CLI_FAILED, "%s", err_text(err)) : 0;
}

int session_prepare(struct session *s, struct cli *c)
{
	s->cli = c;
	int err = s->loop ? 0 : loop_new(&s->loop);

	return err < 0 ? cli_fail(CLI_FAILED, "%s", err_text(err)) : 0;
}

int session_open(struct session *s, struct cli *c)
{
	static struct log_sink talk;
	int status, err;

	status = session_prepare(s, c) ?: load(s) ?: arm(s);
	if (status)
		return status;

	talk = log_stderr;
	talk.max = LOG_DEBUG;
	struct endpoint_config ec = {
		.loop = s->loop, .vault = s->vault, .fd = -1, .log = cli_flag(c, "verbose") ? &talk : NULL,
		.brokers = s->settings->brokers, .brokers_len = s->settings->brokers_len,
		.keepalive = s->settings->keepalive, .userdata = s,
		.resolve = endpoint_lookup, .ticket_load = load_ticket, .ticket_save = save_ticket, .prove = prove,
	};
	err = endpoint_new(&s->endpoint, &ec);
	return err < 0 ? cli_fail(cli_status_of(err), "no socket for the network: %s", err_text(err)) : 0;
}

void session_done(struct session *s)
{
	endpoint_free(s->endpoint);
	source_free(s->timeout);
	for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
		source_free(s->signals[i]);
	loop_free(s->loop);
	vault_free(s->vault);
	if (s->settings)
		settings_done(s->settings);
	free(s->settings);
	wipe(&s->network, sizeof s->network);
	home_done(&s->home);
}

/* ---- the peer ---- */

static int no_broker(const struct session *s, const char *detail)
{
	if (!s->settings->brokers_len)
		return cli_fail(CLI_CONFIG, "no broker is configured: put the line that 'carrier broker' printed into %s, "
				"or give --broker, or say where %s is: %s@HOST:PORT", s->home.config_path, s->called, s->called);
	return cli_fail(CLI_UNAVAILABLE, "no broker is reachable%s%s; 'carrier status' tries each", detail[0] ? ": " : "",
			detail);
}

static int refused(const struct session *s)
{
	char self[IDENTITY_STR_MAX];

	identity_format(self, vault_identity(s->vault));
	return cli_fail(CLI_DENIED, "%s refused us: ask its owner for 'carrier authorize %s %s'", s->called, s->called, self);
}

static int say_lost(const struct session *s, int err, const char *detail)
{
	const char *colon = detail[0] ? ": " : "";

	switch (err) {
	case ERR_NOBROKER:
		return no_broker(s, detail);
	case ERR_REFUSED:
		return refused(s);
	case ERR_OFFLINE:
		return cli_fail(CLI_UNAVAILABLE, "could not reach %s: %s: is 'carrier publish' running there?", s->name,
				detail[0] ? detail : err_text(err));
	case ERR_PEER:
		return cli_fail(CLI_UNAVAILABLE, "could not reach %s: somebody else answered%s%s", s->name, colon, detail);
	case ERR_DENIED:
		return cli_fail(CLI_DENIED, "could not reach %s: %s", s->name, detail[0] ? detail : err_text(err));
	default:
		return cli_fail(cli_status_of(err), s->ready ? "the connection to %s broke: %s%s%s" : "could not reach %s: %s%s%s",
				s->name, err_text(err), colon, detail);
	}
}

static void on_up(void *userdata, struct peer *p)
{
	struct session *s = userdata;

	s->peer = p;
	if (s->ops->up)
		s->ops->up(s->userdata, s);
}

static void on_ready(void *userdata, struct peer *)
{
	struct session *s = userdata;

	s->ready = true;
	if (s->ops->ready)
		s->ops->ready(s->userdata, s);
}

static void on_ended(void *userdata, struct peer *, int err, const char *detail)
{
	struct session *s = userdata;

	s->peer = NULL;
	if (s->ops->lost && s->ops->lost(s->userdata, s))
		return;
	int status = say_lost(s, err, detail);
	session_stop(s, s->ready && s->broken_status ? s->broken_status : status);
}

int session_dial(struct session *s, const char *target, const struct session_ops *ops, void *userdata)
{
	static const struct peer_handler handler = { .up = on_up, .ready = on_ready, .ended = on_ended };
	struct home_error error = { "" };
	char id[IDENTITY_STR_MAX];
	int err = target_parse(&s->target, &s->home, vault_identity(s->vault), target, &error);

	if (err < 0)
		return cli_fail(err == ERR_CONFIG ? CLI_CONFIG : CLI_USAGE, "%s", error.text[0] ? error.text : err_text(err));
	snprintf(s->called, sizeof s->called, "%.*s", (int)strcspn(target, "@"), target);
	identity_format(id, &s->target.id);
	if (strcmp(s->called, id))
		snprintf(s->name, sizeof s->name, "%.*s (%s)", (int)sizeof s->called, s->called, id);
	else
		snprintf(s->name, sizeof s->name, "%s", id);
	s->ops = ops;
	s->userdata = userdata;
	struct endpoint_target t = { .id = s->target.id, .host = s->target.has_addr ? s->target.host : NULL,
				     .port = s->target.port };
	err = endpoint_dial(s->endpoint, &t, &handler, s, &s->peer);
	return err < 0 ? say_lost(s, err, "") : 0;
}

void session_stop(struct session *s, int status) { loop_stop(s->loop, status); }

bool session_tells(const struct session *s, int err)
{
	return !s->peer || err == ERR_CLOSED || err == ERR_TIMEOUT;
}

int session_run(struct session *s)
{
	int status = loop_run(s->loop);

	return status < 0 ? cli_fail(CLI_FAILED, "%s", err_text(status)) : status;
}

bool session_early(const char *path)
{
	static const char *const safe[] = {
		"/v2/carrier.discovery.v1/discover", "/v3/carrier.discovery.v1/discover",
		"/v2/carrier.sysinfo.v1/sysinfo", "/v3/carrier.sysinfo.v1/sysinfo", PING_PATH,
	};

	for (size_t i = 0; i < ARRAY_LEN(safe); i++)
		if (!strcmp(path, safe[i]))
			return true;
	return false;
}
