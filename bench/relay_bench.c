/* Packets a second and core of our relay against coturn's, under the same load in the
 * same run: datagrams of 1200 bytes from one sender through the relay to one counting
 * sink, in bursts as our endpoints send them (UDP_SEGMENT) and one by one.
 *
 *   relay_bench [--quick | --smoke]
 *
 * The relay runs alone on core 0, sender and sink on core 1. CPU time of all threads of
 * the relay (schedstat) over packets that arrived; of the offered rates the one that the
 * relay takes best. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "bench.h"
#include "broker_process.h"
#include "guest.h"
#include "loop/udp.h"
#include "turn.h"

enum { RELAY_CORE = 0, LOAD_CORE = 1, PACKET = 1200, BURST_MIN = 16, BURST_MAX = 44, DRAIN_MS = 100 };

struct lane {                           /* one way through one relay */
	const char *name;
	pid_t relay;
	struct loop *loop;
	struct udp *sender;
	struct addr to;
	const uint64_t *arrived;
	size_t len;                     /* of one packet */
	uint8_t data[BURST_MAX * (PACKET + TURN_HEADER)];
};

struct result {
	double offered, arrived, ns;    /* packets a second; CPU ns a packet */
};

static uint64_t load(struct lane *l, double rate, bool bursts, tstamp end)
{
	tstamp start = time_monotonic(), now = start;
	uint64_t sent = 0;
	unsigned size = BURST_MIN;

	for (; now < end; now = time_monotonic()) {
		double due = rate * (double)(now - start) * 1e-9 - (double)sent;
		for (int i = 0; i < 8 && due >= 1; i++) {
			size_t n = bursts ? size : 1;
			size = size >= BURST_MAX ? BURST_MIN : size + 7;
			/* single ones by sendmmsg: the sender has one core, too */
			struct span data = SPAN(l->data, n * l->len);
			if ((bursts ? udp_send(l->sender, &l->to, data, l->len) : udp_queue(l->sender, &l->to, data, l->len)) >= 0)
				sent += n;
			due -= (double)n;
		}
		udp_flush(l->sender);
		BENCH_CHECK(loop_turn(l->loop, now));
	}
	return sent;
}

static struct result measure(struct lane *l, double rate, bool bursts, double seconds)
{
	uint64_t cpu = bench_cpu(l->relay), before = *l->arrived;
	tstamp end = time_monotonic() + (tstamp)(seconds * 1e9);
	uint64_t sent = load(l, rate, bursts, end);

	for (tstamp drained = end + MILLIS(DRAIN_MS); time_monotonic() < drained;)
		BENCH_CHECK(loop_turn(l->loop, drained));
	uint64_t got = *l->arrived - before;
	struct result r = { .offered = (double)sent / seconds, .arrived = (double)got / seconds,
			    .ns = got ? (double)(bench_cpu(l->relay) - cpu) / (double)got : 1e9 };
	fprintf(stderr, "%-8s %s offered %8.0f k/s, arrived %8.0f k/s, %7.0f CPU ns a packet\n", l->name,
		bursts ? "bursts" : "single", r.offered / 1e3, r.arrived / 1e3, r.ns);
	return r;
}

static struct result best(struct lane *l, const double *rates, size_t n, bool bursts, double seconds)
{
	struct result best = { .ns = 1e9 };

	for (size_t i = 0; i < n; i++) {
		struct result r = measure(l, rates[i], bursts, seconds);
		if (r.ns < best.ns)
			best = r;
	}
	return best;
}

/* ---- ours: a real registration, a real route ---- */

struct ours {
	struct broker_process broker;
	struct guest *device, *caller;
	bool answered;
};

static void on_done(void *userdata, struct guest *g, int err)
{
	struct ours *o = userdata;

	g->done = NULL;                 /* its connection may idle out, the route stays */
	BENCH_CHECK(err);
	o->answered = true;
}

static void quic_shape(struct lane *l, const struct token *token)
{
	l->len = PACKET;
	random_bytes(l->data, sizeof l->data);
	for (size_t i = 0; i < BURST_MAX; i++) {
		l->data[i * PACKET] = 0x40 | (l->data[i * PACKET] & 0x3f);      /* short header */
		memcpy(l->data + i * PACKET + 1, token->b, sizeof token->b);
	}
}

static void open_ours(struct ours *o, struct lane *l)
{
	struct token to_device, to_caller;
	bool heard = false;

	broker_process_start(&o->broker, RELAY_CORE, NULL);
	BENCH_CHECK(loop_new(&l->loop));
	struct guest_config gc = { .loop = l->loop, .broker = o->broker.at, .broker_id = o->broker.id, .fd = -1,
				   .done = on_done, .userdata = o };
	BENCH_CHECK(guest_new(&o->device, &gc));
	BENCH_CHECK(guest_publish(o->device));
	bench_until(l->loop, &o->answered, 5, "registration");
	o->answered = false;
	BENCH_CHECK(guest_new(&o->caller, &gc));
	token_new(&to_device, TOKEN_PEER);
	token_new(&to_caller, TOKEN_PEER);
	BENCH_CHECK(guest_connect(o->caller, &o->device->id, &to_device, &to_caller));
	bench_until(l->loop, &o->answered, 5, "route");

	/* the device's first packet opens the route */
	quic_shape(l, &to_caller);
	switchboard_send(o->device->sb, &o->broker.at, SPAN(l->data, PACKET));
	for (int i = 0; i < 100 && !heard; i++) {
		BENCH_CHECK(loop_turn(l->loop, time_monotonic() + MILLIS(20)));
		heard = o->caller->received;
	}
	if (!heard)
		bench_die("nothing comes through the route", ERR_TIMEOUT);
	quic_shape(l, &to_device);
	l->name = "carrier";
	l->relay = o->broker.pid;
	l->sender = switchboard_udp(o->caller->sb);
	l->to = o->broker.at;
	l->arrived = &o->device->received;
}

static void close_ours(struct ours *o, struct lane *l)
{
	guest_free(o->caller);
	guest_free(o->device);
	loop_free(l->loop);
	broker_process_stop(&o->broker);
}

/* ---- coturn ---- */

static uint64_t turn_arrived;

static void on_sink(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	(void)userdata;
	(void)from;
	turn_arrived += (data.len + seg_len - 1) / seg_len;
}

static void on_nothing(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	(void)userdata;
	(void)from;
	(void)data;
	(void)seg_len;
}

static int connected_socket(const struct addr *to)
{
	struct sockaddr_storage ss;
	int fd = BENCH_CHECK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	socklen_t len = addr_to_sockaddr(&ss, to, AF_INET);
	BENCH_CHECK(connect(fd, (struct sockaddr *)&ss, len));
	return fd;
}

static bool open_turn(struct lane *l, struct udp **ret_sink)
{
	struct udp_config sink = { .recv = on_sink, .fd = -1 }, out = { .recv = on_nothing };
	struct addr at;

	if (turn_server_start(&l->relay, &l->to, RELAY_CORE) < 0)
		return false;
	BENCH_CHECK(loop_new(&l->loop));
	BENCH_CHECK(addr_parse(&sink.bind, "127.0.0.1:0"));
	BENCH_CHECK(udp_open(ret_sink, l->loop, &sink));
	BENCH_CHECK(udp_local_addr(*ret_sink, &at));
	out.fd = connected_socket(&l->to);
	BENCH_CHECK(turn_open_channel(out.fd, &at));
	BENCH_CHECK(udp_open(&l->sender, l->loop, &out));
	l->name = "coturn";
	l->arrived = &turn_arrived;
	l->len = PACKET + TURN_HEADER;
	for (size_t i = 0; i < BURST_MAX; i++)
		memcpy(l->data + i * l->len, (uint8_t[]){ 0x40, 0, PACKET >> 8, PACKET & 0xff }, TURN_HEADER);
	return true;
}

/* ---- the comparison ---- */

static void compare(const char *id, const char *what, struct result ours, struct result theirs, bool rival, double goal)
{
	char note[160];

	snprintf(note, sizeof note, "CPU per packet %.0f ns against %.0f ns; arrived %.0f k/s of %.0f k/s offered, coturn %.0f of %.0f",
		 ours.ns, theirs.ns, ours.arrived / 1e3, ours.offered / 1e3, theirs.arrived / 1e3, theirs.offered / 1e3);
	bench_print(&(struct bench_row){
		.id = id, .what = what, .unit = "k packets/s per core", .ours = 1e6 / ours.ns,
		.rival = rival ? "coturn" : NULL, .theirs = rival ? 1e6 / theirs.ns : 0,
		.ratio = rival ? theirs.ns / ours.ns : 0, .goal = rival ? GOAL_RATIO_MIN : GOAL_NONE, .target = goal,
		.note = note,
	});
}

int main(int argc, char **argv)
{
	static const double slow[] = { 60e3, 110e3, 140e3, 170e3, 200e3, 250e3 }, fast[] = { 500e3, 1e6, 1.5e6, 2e6, 3e6 };
	double seconds = argc < 2 ? 3 : !strcmp(argv[1], "--smoke") ? 0.02 : 0.4;
	static struct lane mine, turn;
	struct ours o = {};
	struct udp *sink;

	BENCH_CHECK(crypto_init());
	bench_pin(LOAD_CORE);
	open_ours(&o, &mine);
	struct result burst = best(&mine, fast, ARRAY_LEN(fast), true, seconds);
	struct result single = best(&mine, slow, ARRAY_LEN(slow), false, seconds);
	close_ours(&o, &mine);

	struct result turn_burst = {}, turn_single = {};
	bool rival = open_turn(&turn, &sink);
	if (rival) {
		turn_burst = best(&turn, slow, ARRAY_LEN(slow), true, seconds);
		turn_single = best(&turn, slow, ARRAY_LEN(slow), false, seconds);
		turn_server_stop(turn.relay);
		udp_free(turn.sender);
		udp_free(sink);
		loop_free(turn.loop);
	}
	compare("relay.burst", "relay, bursts of 16 to 44 packets of 1200 bytes", burst, turn_burst, rival, 8);
	compare("relay.single", "relay, single packets of 1200 bytes", single, turn_single, rival, 1.2);
	return 0;
}
