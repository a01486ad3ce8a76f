/* status: the configuration in short, and whether each broker serves us. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "auth/auth.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/session.h"
#include "endpoint/broker_api.h"
#include "path/token.h"

enum { PATIENCE = 5 };  /* seconds for all brokers together */

struct probe {
	struct status *status;
	const struct broker_line *broker;
	struct conn *conn;
	struct stream *stream;
	tstamp started, rtt;
	bool done;
	int err;                /* 0: it serves us */
	const char *detail;
};

struct status {
	struct cli *cli;
	struct session session;
	struct probe probes[BROKER_LINES_MAX];
	size_t left;
	struct source *timer;
};

static void finish(struct probe *p, int err, const char *detail)
{
	if (p->done)
		return;
	p->done = true;
	p->err = err;
	p->detail = detail;
	if (--p->status->left == 0)
		session_stop(&p->status->session, 0);
}

/* ---- one broker ---- */

static void on_headers(void *userdata, struct stream *, const struct headers *h)
{
	struct probe *p = userdata;
	uint64_t status = headers_uint(h, ":status", 0);

	finish(p, status == 200 ? 0 : ERR_DENIED, status == 200 ? "" : "it does not serve this identity: the line lacks the right #TOKEN");
}

static void on_closed(void *userdata, struct stream *, int)
{
	struct probe *p = userdata;

	p->stream = NULL;
	finish(p, ERR_CLOSED, "");
}

/* A subscription without a proof changes nothing at the broker, and needs the token. */
static void on_ready(void *userdata, struct conn *c)
{
	static const struct stream_handler handler = { .headers = on_headers, .closed = on_closed };
	struct probe *p = userdata;
	_cleanup_buf_ struct buf b = {};
	struct transport_info info;
	struct cbor_map m;

	transport_get_info(conn_transport(c), &info);
	p->rtt = info.min_rtt ?: info.rtt;
	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", BROKER_PATH_SUBSCRIBE);
	if (p->broker->token[0])
		cbor_map_str(&m, "token", p->broker->token);
	cbor_map_bytes(&m, "network", SPAN_OF(p->broker->id.key));
	cbor_map_end(&m);
	if (stream_open(conn_streams(c), buf_span(&b), false, &handler, p, &p->stream) < 0)
		finish(p, -ENOMEM, "");
}

static void on_ended(void *userdata, struct conn *, const struct transport_end *end)
{
	struct probe *p = userdata;

	p->conn = NULL;
	finish(p, end->err, end->err == ERR_PEER ? "somebody with another identity answers there" : "");
}

static void on_resolved(void *userdata, int err, const struct addr *addrs, size_t n)
{
	static const struct conn_ops ops = { .ready = on_ready, .ended = on_ended };
	struct probe *p = userdata;

	if (err < 0 || !n) {
		finish(p, ERR_UNKNOWN, "its name does not resolve");
		return;
	}
	struct conn_dial d = { .to = addrs[0], .alpn = TRANSPORT_ALPN_BROKER, .peer = p->broker->id, .ops = &ops,
			       .userdata = p };
	token_new(&d.token, TOKEN_BROKER);
	token_new(&d.peer_token, TOKEN_BROKER);
	err = conn_dial(endpoint_switchboard(p->status->session.endpoint), &d, &p->conn);
	if (err < 0)
		finish(p, err, "");
}

static void on_timer(void *userdata, tstamp)
{
	struct status *st = userdata;

	for (size_t i = 0; i < st->session.settings->brokers_len; i++)
		finish(&st->probes[i], ERR_TIMEOUT, "");
}

static int probe_all(struct status *st)
{
	const struct settings *set = st->session.settings;
	int err = loop_add_timer(st->session.loop, &st->timer, on_timer, st);

	if (err >= 0)
		err = source_arm(st->timer, loop_now(st->session.loop) + SECONDS(PATIENCE));
	if (err < 0)
		return err;
	st->left = set->brokers_len;
	for (size_t i = 0; i < set->brokers_len; i++) {
		st->probes[i] = (struct probe){ .status = st, .broker = &set->brokers[i] };
		session_resolve(&st->session, set->brokers[i].host, set->brokers[i].port, on_resolved, &st->probes[i]);
	}
	return set->brokers_len ? session_run(&st->session) : 0;
}

/* ---- printing ---- */

static void print_broker(const struct status *st, const struct probe *p)
{
	bool ip6 = strchr(p->broker->host, ':');
	char id[IDENTITY_STR_MAX], where[sizeof p->broker->host + 16];
	struct out_object o;

	identity_format(id, &p->broker->id);
	snprintf(where, sizeof where, "%s%s%s:%u", ip6 ? "[" : "", p->broker->host, ip6 ? "]" : "", p->broker->port);
	if (cli_json(st->cli)) {
		out_begin(&o);
		out_str(&o, "broker", id);
		out_str(&o, "host", p->broker->host);
		out_uint(&o, "port", p->broker->port);
		out_bool(&o, "serves_us", !p->err);
		if (p->err)
			out_str(&o, "error", p->detail[0] ? p->detail : err_text(p->err));
		else
			out_uint(&o, "rtt_us", p->rtt / 1000);
		out_end(&o);
	} else if (p->err) {
		printf("broker: %s@%s %s: %s\n", id, where, p->err == ERR_DENIED ? "refused" : "not reachable",
		       p->detail[0] ? p->detail : err_text(p->err));
	} else {
		printf("broker: %s@%s reachable, rtt %.1f ms\n", id, where, (double)p->rtt / 1e6);
	}
}

static void print_home(const struct status *st)
{
	const struct session *s = &st->session;
	size_t rules = toml_table_array_len(toml_root(s->home.config), "authorize");
	char id[IDENTITY_STR_MAX], address[IDENTITY_STR_MAX] = "";
	struct network_secret secret;
	struct network_address a;
	struct home_error error;
	struct out_object o;

	identity_format(id, vault_identity(s->vault));
	if (home_network(&s->home, &secret, &error) >= 0) {
		network_address_of(&a, &secret);
		network_address_format(address, &a);
		wipe(&secret, sizeof secret);
	}
	if (cli_json(st->cli)) {
		out_begin(&o);
		out_str(&o, "identity", id);
		out_str(&o, "network", address[0] ? address : NULL);
		out_str(&o, "config", s->home.config_path);
		out_uint(&o, "rules", rules);
		out_bool(&o, "claimed", rules > 0);
		out_end(&o);
		return;
	}
	printf("identity: %s\nnetwork: %s\nconfig: %s\nrules: %zu%s\n", id, address[0] ? address : "none", s->home.config_path,
	       rules, rules ? "" : " (unclaimed: the first who comes may authorize himself)");
}

int cmd_status(struct cli *c)
{
	struct status st = { .cli = c };
	int status = session_open(&st.session, c), served = 0;

	if (!status) {
		print_home(&st);
		fflush(stdout);
		int err = probe_all(&st);
		status = err < 0 ? cli_fail(CLI_FAILED, "%s", err_text(err)) : err;
	}
	if (!status) {
		size_t n = st.session.settings->brokers_len;

		for (size_t i = 0; i < n; i++) {
			print_broker(&st, &st.probes[i]);
			served += !st.probes[i].err;
		}
		if (!n)
			cli_note(c, "no broker is configured: only ID@HOST:PORT can be dialled");
		else if (!served)
			status = CLI_UNAVAILABLE;
	}
	for (size_t i = 0; i < BROKER_LINES_MAX; i++) {
		if (st.probes[i].stream)
			stream_abandon(st.probes[i].stream);
		if (st.probes[i].conn)
			conn_forget(st.probes[i].conn);
	}
	source_free(st.timer);
	session_done(&st.session);
	return status;
}
