/* What a question costs: a new stream in an open connection, a whole handshake, and what
 * somebody whom nobody has let in can make a device spend.
 *
 *   stream_bench [--quick | --smoke]
 *
 * Device, broker and caller are processes of their own over loopback. CPU is the
 * device's alone (schedstat). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/err.h"
#include "bench.h"
#include "guest.h"
#include "party.h"
#include "path/knock.h"

enum {
	INITIAL = 1200,
	KNOCKS_AT_ONCE = 80,            /* a device looks at 100 in a second */
	KNOCK_HZ = 2000,                /* one after another, like the handshakes they are compared with */
	FLOOD_HZ = 20000, FLOOD_KNOCKS = 1000,
};

static unsigned scale = 1;      /* --quick divides by it */
static double handshake_ns;     /* the device's CPU for a whole one, one after another */

static void spin(struct loop *l, unsigned ms)
{
	tstamp end = time_monotonic() + MILLIS(ms);

	while (time_monotonic() < end)
		BENCH_CHECK(loop_turn(l, end));
}

/* ---- a new stream ---- */

static void measure_streams(void)
{
	static double us[20000];
	struct device_process device;
	struct party op;
	struct loop *loop;
	char host[ADDR_STR_MAX], note[120];
	size_t n = ARRAY_LEN(us) / scale;

	BENCH_CHECK(loop_new(&loop));
	party_new(&op, loop);
	device_process_start(&device, &(struct device_config){ .admitted = op.id, .core = 0 });
	snprintf(host, sizeof host, "127.0.0.1");
	party_open(&op, NULL);
	party_ask(&op, &(struct endpoint_target){ .id = device.id, .host = host, .port = device.at.port }, false);
	spin(loop, 50);
	for (size_t i = 0; i < n / 10; i++)
		party_ask_again(&op);
	tstamp start = time_monotonic();
	for (size_t i = 0; i < n; i++)
		us[i] = (double)party_ask_again(&op) / 1e3;
	double seconds = (double)(time_monotonic() - start) * 1e-9;
	double p50 = bench_percentile(us, n, 50), p99 = bench_percentile(us, n, 99);
	snprintf(note, sizeof note, "%zu streams one after another, %.0f a second; p99.9 %.0f us", n, (double)n / seconds,
		 bench_percentile(us, n, 99.9));
	bench_print(&(struct bench_row){ .id = "stream.p50", .what = "new stream in an open connection, 64 B to 100 B, p50",
					 .unit = "us", .ours = p50, .goal = GOAL_OURS_MAX, .target = 100, .note = note });
	bench_print(&(struct bench_row){ .id = "stream.p99", .what = "the same, p99", .unit = "us", .ours = p99 });
	party_hang_up(&op, 0);
	party_close(&op);
	device_process_stop(&device);
	loop_free(loop);
}

/* ---- a whole handshake ---- */

static bool accept_all(void *userdata, const struct identity *who)
{
	(void)userdata;
	(void)who;
	return true;
}

static int on_accept(void *userdata, const struct addr *from, const struct token *token, struct conn_accept *ret)
{
	static const struct conn_ops ops = { .admit = accept_all };

	(void)userdata;
	(void)from;
	(void)token;
	*ret = (struct conn_accept){ .alpn = TRANSPORT_ALPN_PEER, .ops = &ops };
	return 0;
}

_Noreturn static void run_listener(int out)
{
	struct switchboard_config sc = { .fd = -1, .accept = on_accept };
	struct device_process self = {};
	struct switchboard *sb;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_pin(0);
	bench_identity(&self.id, &sc.vault);
	BENCH_CHECK(addr_parse(&sc.bind, "127.0.0.1:0"));
	BENCH_CHECK(loop_new(&sc.loop));
	BENCH_CHECK(switchboard_new(&sb, &sc));
	BENCH_CHECK(switchboard_addr(sb, &self.at));
	if (write(out, &self, sizeof self) != sizeof self)
		_exit(1);
	_exit(loop_run(sc.loop) < 0);
}

static void start_listener(struct device_process *ret)
{
	int ends[2];

	BENCH_CHECK(pipe(ends));
	pid_t pid = fork();
	if (!pid)
		run_listener(ends[1]);
	close(ends[1]);
	if (pid < 0 || read(ends[0], ret, sizeof *ret) != sizeof *ret)
		bench_die("listener", ERR_STATE);
	close(ends[0]);
	ret->pid = pid;
}

static void set_flag(void *userdata, struct conn *c)
{
	(void)c;
	*(bool *)userdata = true;
}

static double one_handshake(struct switchboard *sb, const struct device_process *to)
{
	static const struct conn_ops ops = { .confirmed = set_flag };
	bool confirmed = false;
	struct conn_dial d = { .to = to->at, .alpn = TRANSPORT_ALPN_PEER, .peer = to->id, .ops = &ops, .userdata = &confirmed };
	struct conn *c;
	tstamp start = time_monotonic();

	token_new(&d.token, TOKEN_PEER);
	token_new(&d.peer_token, TOKEN_PEER);
	BENCH_CHECK(conn_dial(sb, &d, &c));
	bench_until(switchboard_loop(sb), &confirmed, 5, "handshake");
	double us = (double)(time_monotonic() - start) / 1e3;
	conn_forget(c);
	return us;
}

static void measure_handshakes(void)
{
	static double us[2000];
	size_t n = ARRAY_LEN(us) / scale;
	struct switchboard_config sc = { .fd = -1 };
	struct device_process listener;
	struct switchboard *sb;
	struct identity id;
	char note[120];

	start_listener(&listener);
	bench_identity(&id, &sc.vault);
	BENCH_CHECK(loop_new(&sc.loop));
	BENCH_CHECK(switchboard_new(&sb, &sc));
	one_handshake(sb, &listener);
	uint64_t cpu = bench_cpu(listener.pid), own = bench_cpu(getpid());
	tstamp start = time_monotonic();
	for (size_t i = 0; i < n; i++)
		us[i] = one_handshake(sb, &listener);
	double seconds = (double)(time_monotonic() - start) * 1e-9;
	handshake_ns = (double)(bench_cpu(listener.pid) - cpu) / (double)n;
	double own_ns = (double)(bench_cpu(getpid()) - own) / (double)n;
	double p50 = bench_percentile(us, n, 50);
	snprintf(note, sizeof note, "p50 %.0f us, p99 %.0f us; CPU %.0f us of the device, %.0f us of the caller", p50,
		 bench_percentile(us, n, 99), handshake_ns / 1e3, own_ns / 1e3);
	bench_print(&(struct bench_row){ .id = "handshake.rate", .what = "full mutual handshakes, one after another",
					 .unit = "per second", .ours = (double)n / seconds, .note = note });
	switchboard_free(sb);
	vault_free(sc.vault);
	loop_free(sc.loop);
	device_process_stop(&listener);
}

/* ---- strangers ---- */

static void print_stranger(const char *id, const char *what, double ns, size_t n)
{
	char note[120];

	snprintf(note, sizeof note, "%zu of them", n);
	bench_print(&(struct bench_row){ .id = id, .what = what, .unit = "us of the device's CPU", .ours = ns / 1e3,
					 .rival = "full handshake", .theirs = handshake_ns / 1e3, .ratio = ns / handshake_ns,
					 .goal = GOAL_RATIO_MAX, .target = 0.1, .note = note });
}

/* A client's first packet as far as anybody can see who does not open it. */
static void initial_shape(uint8_t out[static INITIAL], const struct token *token)
{
	random_bytes(out, INITIAL);
	memcpy(out, "\xc3\0\0\0\1\x0c", 6);
	memcpy(out + 6, token->b, sizeof token->b);
}

struct stranger {
	struct guest *g;
	bool routed, refused;
};

static void on_routed(void *userdata, struct guest *g, int err)
{
	(void)g;
	BENCH_CHECK(err);
	((struct stranger *)userdata)->routed = true;
}

static void on_refused(void *userdata, struct guest *g)
{
	(void)g;
	((struct stranger *)userdata)->refused = true;
}

static void knock_through(struct stranger *s, struct loop *l, const struct device_process *device)
{
	struct token to_device, to_stranger;
	uint8_t initial[INITIAL];

	token_new(&to_device, TOKEN_PEER);
	token_new(&to_stranger, TOKEN_PEER);
	initial_shape(initial, &to_device);
	s->routed = s->refused = false;
	BENCH_CHECK(guest_connect(s->g, &device->id, &to_device, &to_stranger));
	bench_until(l, &s->routed, 5, "route");
	switchboard_send(s->g->sb, &s->g->broker, SPAN_OF(initial));
	bench_until(l, &s->refused, 5, "refusal");
}

static void measure_relay_knocks(void)
{
	struct stranger s = {};
	struct broker_process broker;
	struct device_process device;
	struct loop *loop;
	size_t n = 4000 / scale;

	broker_process_start(&broker, -1, NULL);
	struct broker_line line = { .id = broker.id, .host = "127.0.0.1", .port = broker.at.port };
	device_process_start(&device, &(struct device_config){ .broker = &line, .core = 0 });
	BENCH_CHECK(loop_new(&loop));
	struct guest_config gc = { .loop = loop, .broker = broker.at, .broker_id = broker.id, .fd = -1,
				   .done = on_routed, .userdata = &s };
	BENCH_CHECK(guest_new(&s.g, &gc));
	s.g->verdict = on_refused;
	knock_through(&s, loop, &device);
	uint64_t cpu = bench_cpu(device.pid);
	for (size_t i = 0; i < n; i++)
		knock_through(&s, loop, &device);
	print_stranger("stranger.relay", "a stranger refused through the relay",
		       (double)(bench_cpu(device.pid) - cpu) / (double)n, n);
	guest_free(s.g);
	loop_free(loop);
	device_process_stop(&device);
	broker_process_stop(&broker);
}

static int socket_to(const struct device_process *device)
{
	struct sockaddr_storage ss;
	struct addr to;
	int fd = BENCH_CHECK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	BENCH_CHECK(addr_parse(&to, "127.0.0.1:0"));
	to.port = device->at.port;
	socklen_t len = addr_to_sockaddr(&ss, &to, AF_INET);
	BENCH_CHECK(connect(fd, (struct sockaddr *)&ss, len));
	return fd;
}

static uint8_t knocks[FLOOD_KNOCKS][KNOCK_LEN];

static void send_knocks(int fd, size_t first, size_t n, unsigned hz)
{
	static const struct token none;
	uint8_t initial[INITIAL];
	tstamp start = time_monotonic();

	initial_shape(initial, &none);
	for (size_t i = 0; i < n; i++) {
		tstamp due = start + SECONDS(1) / hz * i;
		while (time_monotonic() < due)
			;
		(void)send(fd, knocks[(first + i) % FLOOD_KNOCKS], KNOCK_LEN, 0);
		(void)send(fd, initial, sizeof initial, 0);
	}
}

static void measure_direct_knocks(void)
{
	struct device_process device;
	struct identity id;
	struct vault *vault;
	size_t n = scale > 1 ? KNOCKS_AT_ONCE : 10 * KNOCKS_AT_ONCE, flood = FLOOD_HZ * 2 / scale;

	device_process_start(&device, &(struct device_config){ .core = 0 });
	bench_identity(&id, &vault);
	for (size_t i = 0; i < FLOOD_KNOCKS; i++) {
		struct token t;
		token_new(&t, TOKEN_PEER);
		BENCH_CHECK(knock_seal(knocks[i], vault, &device.id, &t));
	}
	int fd = socket_to(&device);
	uint64_t cpu = bench_cpu(device.pid);
	for (size_t i = 0; i < n; i += KNOCKS_AT_ONCE) {
		send_knocks(fd, i, KNOCKS_AT_ONCE, KNOCK_HZ);
		usleep(1100000);
	}
	print_stranger("stranger.direct", "a stranger refused at a known address",
		       (double)(bench_cpu(device.pid) - cpu) / (double)n, n);
	cpu = bench_cpu(device.pid);
	send_knocks(fd, 0, flood, FLOOD_HZ);
	usleep(50000);
	print_stranger("stranger.flood", "the same, each of 20,000 a second",
		       (double)(bench_cpu(device.pid) - cpu) / (double)flood, flood);
	close(fd);
	vault_free(vault);
	device_process_stop(&device);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		scale = !strcmp(argv[1], "--smoke") ? 100 : 10;
	BENCH_CHECK(crypto_init());
	bench_pin(1);
	measure_streams();
	measure_handshakes();
	measure_relay_knocks();
	measure_direct_knocks();
	return 0;
}
