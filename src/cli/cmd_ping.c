/* ping: a message there and back over a stream of its own. */
#include <string.h>

#include "base/err.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "service/ping.h"
#include "service/service.h"

struct ping {
	struct cli *cli;
	struct session session;
	struct stream *stream;
	struct source *timer;
	unsigned long count, interval;
	unsigned long sent, received;
	tstamp sent_at, sum, least, most;
	unsigned status_code;
	char error[128];
};

static void send_one(struct ping *p)
{
	uint8_t m[8] = { 0 };

	p->sent_at = time_monotonic();
	p->sent++;
	memcpy(m, &p->sent, sizeof m);
	if (stream_send(p->stream, SPAN_OF(m)) < 0)
		session_stop(&p->session, cli_fail(CLI_UNAVAILABLE, "%s: the stream is stuck", p->session.called));
}

static void print_one(struct ping *p, tstamp rtt)
{
	char where[ADDR_STR_MAX];
	struct peer_info info;
	struct out_object o;

	peer_get_info(p->session.peer, &info);
	addr_format(where, &info.addr);
	bool direct = info.route == PEER_DIRECT;
	if (cli_json(p->cli)) {
		out_begin(&o);
		out_identity(&o, "identity", &p->session.target.id);
		out_uint(&o, "seq", p->received);
		out_uint(&o, "rtt_us", rtt / 1000);
		out_str(&o, "route", direct ? "direct" : "relayed");
		out_str(&o, "via", where);
		out_end(&o);
	} else {
		printf("%s: seq=%lu %.3f ms %s %s\n", p->session.called, p->received, (double)rtt / 1e6,
		       direct ? "direct" : "relayed by", where);
		fflush(stdout);
	}
}

static void on_headers(void *userdata, struct stream *, const struct headers *h)
{
	struct ping *p = userdata;
	struct span error = span_first(headers_text(h, ":error"), sizeof p->error - 1);

	p->status_code = (unsigned)headers_uint(h, ":status", 0);
	memcpy(p->error, error.data ?: (const uint8_t *)"", error.len);
}

static void on_message(void *userdata, struct stream *, struct span m)
{
	struct ping *p = userdata;
	tstamp rtt = time_monotonic() - p->sent_at;

	if (m.len != sizeof p->sent || !p->session.peer)
		return;
	p->received++;
	p->sum += rtt;
	p->least = p->received == 1 ? rtt : MIN(p->least, rtt);
	p->most = MAX(p->most, rtt);
	print_one(p, rtt);
	if (p->count && p->received >= p->count)
		session_stop(&p->session, CLI_OK);
	else if (source_arm(p->timer, loop_now(p->session.loop) + MILLIS(p->interval)) < 0)
		session_stop(&p->session, CLI_FAILED);
}

static void on_closed(void *userdata, struct stream *, int err)
{
	struct ping *p = userdata;

	p->stream = NULL;
	if (p->status_code >= 300)
		session_stop(&p->session, ask_refusal(&p->session, PING_PATH, p->status_code, p->error));
	else if (!session_tells(&p->session, err))
		session_stop(&p->session, cli_fail(CLI_UNAVAILABLE, "%s ended the stream", p->session.called));
}

static void on_timer(void *userdata, tstamp)
{
	struct ping *p = userdata;

	if (p->stream)
		send_one(p);
}

static void up(void *userdata, struct session *s)
{
	static const struct stream_handler handler = { .headers = on_headers, .message = on_message, .closed = on_closed };
	struct ping *p = userdata;
	_cleanup_buf_ struct buf b = {};

	service_put_request(&b, PING_PATH, NULL);
	int err = buf_err(&b);
	if (err >= 0)
		err = stream_open(peer_streams(s->peer), buf_span(&b), true, &handler, p, &p->stream);
	if (err < 0)
		session_stop(s, cli_fail(CLI_FAILED, "%s", err_text(err)));
}

/* The first one only now: its time is to be a round trip's, not the handshake's. */
static void ready(void *userdata, struct session *)
{
	struct ping *p = userdata;

	if (p->stream)
		send_one(p);
}

static void summary(const struct ping *p)
{
	if (p->received > 1 && !cli_json(p->cli))
		cli_note(p->cli, "%lu answers: %.3f/%.3f/%.3f ms least/mean/most", p->received, (double)p->least / 1e6,
			 (double)p->sum / (double)p->received / 1e6, (double)p->most / 1e6);
}

int cmd_ping(struct cli *c)
{
	static const struct session_ops ops = { .up = up, .ready = ready };
	struct ping p = { .cli = c };
	int status;

	if (!cli_number(c, "count", 1000000000, 5, &p.count) || !cli_number(c, "interval", 3600000, 1000, &p.interval))
		return CLI_USAGE;
	status = session_open(&p.session, c);
	if (!status && loop_add_timer(p.session.loop, &p.timer, on_timer, &p) < 0)
		status = CLI_FAILED;
	if (!status)
		status = session_dial(&p.session, c->argv[0], &ops, &p);
	if (!status)
		status = session_run(&p.session);
	summary(&p);
	if (p.stream)
		stream_abandon(p.stream);
	source_free(p.timer);
	session_done(&p.session);
	return status;
}
