#include "party.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/err.h"
#include "bench.h"
#include "guest.h"

enum { ANSWER_TIME = 20 };      /* seconds */

/* ---- the device ---- */

static struct identity admitted;
static bool registered;

static bool on_admit(void *userdata, const struct identity *who)
{
	(void)userdata;
	return identity_equal(who, &admitted);
}

static void echo_message(void *userdata, struct stream *s, struct span m)
{
	static const uint8_t answer[ECHO_ANSWER];

	(void)userdata;
	(void)m;
	BENCH_CHECK(stream_send(s, SPAN_OF(answer)));
	stream_end(s);
}

static void on_stream(void *userdata, struct peer *p, struct stream *s, const struct headers *h, bool early)
{
	static const struct stream_handler echo = { .message = echo_message };
	_cleanup_buf_ struct buf b = {};

	(void)userdata;
	(void)p;
	(void)h;
	(void)early;
	stream_attach(s, &echo, NULL);
	headers_put_status(&b, 200, NULL);
	BENCH_CHECK(stream_send_headers(s, buf_span(&b)));
}

static void on_broker(void *userdata, const struct broker_line *b, enum endpoint_broker_state state, int err, const char *detail)
{
	(void)userdata;
	(void)b;
	(void)err;
	(void)detail;
	registered |= state == BROKER_REGISTERED;
}

_Noreturn static void run_device(int out, const struct device_config *config)
{
	struct device_process self = {};
	struct endpoint_config ec = { .fd = -1, .brokers = config->broker, .brokers_len = config->broker != NULL,
				      .keepalive = 25, .admit = on_admit, .stream = on_stream, .broker_state = on_broker };
	struct endpoint *e;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (config->core >= 0)
		bench_pin(config->core);
	admitted = config->admitted;
	bench_identity(&self.id, &ec.vault);
	BENCH_CHECK(loop_new(&ec.loop));
	BENCH_CHECK(endpoint_new(&e, &ec));
	BENCH_CHECK(endpoint_addr(e, &self.at));
	if (config->broker) {
		endpoint_publish(e);
		bench_until(ec.loop, &registered, 5, "registration of the device");
	}
	if (write(out, &self, sizeof self) != sizeof self)
		_exit(1);
	close(out);
	_exit(loop_run(ec.loop) < 0);
}

void device_process_start(struct device_process *ret, const struct device_config *config)
{
	int ends[2];

	BENCH_CHECK(pipe(ends));
	pid_t pid = fork();
	if (!pid) {
		close(ends[0]);
		run_device(ends[1], config);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], ret, sizeof *ret) != sizeof *ret)
		bench_die("the device does not start", ERR_STATE);
	close(ends[0]);
	ret->pid = pid;
}

void device_process_stop(struct device_process *d)
{
	kill(d->pid, SIGTERM);
	waitpid(d->pid, NULL, 0);
}

/* ---- the operator ---- */

static int ticket_load(void *userdata, const char *alpn, const struct identity *peer, struct buf *out)
{
	struct party *p = userdata;
	size_t i = strcmp(alpn, TRANSPORT_ALPN_BROKER) != 0;

	(void)peer;
	buf_add(out, p->tickets[i].data, p->tickets[i].len);
	return p->tickets[i].len ? 0 : -ENOENT;
}

static void ticket_save(void *userdata, const char *alpn, const struct identity *peer, struct span blob)
{
	struct party *p = userdata;
	size_t i = strcmp(alpn, TRANSPORT_ALPN_BROKER) != 0;

	(void)peer;
	if (blob.len > sizeof p->tickets[i].data)
		return;
	memcpy(p->tickets[i].data, blob.data, blob.len);
	p->tickets[i].len = blob.len;
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct party *p = userdata;

	(void)s;
	(void)m;
	p->answered = true;
	p->answered_at = time_monotonic();
}

static void ask(struct party *p)
{
	static const struct stream_handler handler = { .message = on_message };
	static const uint8_t question[ECHO_ASK];
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;
	struct stream *s;

	p->answered = false;
	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", "/echo");
	cbor_map_end(&m);
	BENCH_CHECK(peer_open_stream(p->peer, buf_span(&b), p->early, &handler, p, &s));
	BENCH_CHECK(stream_send(s, SPAN_OF(question)));
	stream_end(s);
}

static void on_up(void *userdata, struct peer *peer)
{
	struct party *p = userdata;

	p->peer = peer;
	p->up = true;
	ask(p);
}

static void on_ready(void *userdata, struct peer *peer)
{
	struct party *p = userdata;

	(void)peer;
	p->ready = true;
	p->ready_at = time_monotonic();
}

static void on_ended(void *userdata, struct peer *peer, int err, const char *detail)
{
	struct party *p = userdata;

	(void)peer;
	if (!p->answered)
		bench_die(detail[0] ? detail : "dialling", err);
	p->peer = NULL;
}

void party_new(struct party *p, struct loop *l)
{
	*p = (struct party){ .loop = l };
	bench_identity(&p->id, &p->vault);
}

void party_open(struct party *p, const struct broker_line *broker)
{
	struct endpoint_config ec = { .loop = p->loop, .vault = p->vault, .fd = -1, .brokers = broker,
				      .brokers_len = broker != NULL, .keepalive = 25, .userdata = p,
				      .ticket_load = ticket_load, .ticket_save = ticket_save };

	BENCH_CHECK(endpoint_new(&p->e, &ec));
}

void party_forget(struct party *p, bool broker, bool peer)
{
	if (broker)
		p->tickets[0].len = 0;
	if (peer)
		p->tickets[1].len = 0;
}

void party_close(struct party *p)
{
	endpoint_free(take(p->e));
}

void party_ask(struct party *p, const struct endpoint_target *t, bool early)
{
	static const struct peer_handler handler = { .up = on_up, .ready = on_ready, .ended = on_ended };

	p->up = p->ready = p->answered = false;
	p->early = early;
	p->dialled_at = time_monotonic();
	BENCH_CHECK(endpoint_dial(p->e, t, &handler, p, &p->peer));
	bench_until(p->loop, &p->answered, ANSWER_TIME, "answer");
	bench_until(p->loop, &p->ready, ANSWER_TIME, "handshake");
}

void party_hang_up(struct party *p, unsigned linger_ms)
{
	tstamp end = time_monotonic() + MILLIS(linger_ms);

	while (time_monotonic() < end)
		BENCH_CHECK(loop_turn(p->loop, end));   /* tickets come after the handshake */
	if (p->peer)
		peer_close(p->peer);
	p->peer = NULL;
	BENCH_CHECK(loop_turn(p->loop, time_monotonic()));
}

tstamp party_ask_again(struct party *p)
{
	tstamp start = time_monotonic();

	ask(p);
	bench_until(p->loop, &p->answered, ANSWER_TIME, "answer");
	return p->answered_at - start;
}
