/* Round trips until the first answer when each costs 100 ms: delay_proxy stands between
 * caller and broker (and, in the second half, half of it between broker and device).
 *
 *   rtt_bench DELAY_PROXY [--quick | --smoke]
 *
 * Times are from endpoint_dial() to the answer on a stream opened at the first moment,
 * over the round-trip time between the ends that the proxies impose. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/err.h"
#include "bench.h"
#include "guest.h"
#include "party.h"

enum { RTT_MS = 100, RUNS = 10, LINGER_MS = 400 };

static const char *proxy_path;
static size_t runs = RUNS;

static pid_t start_proxy(const struct addr *target, double delay_ms, struct addr *ret_at)
{
	char text[ADDR_STR_MAX], delay[32], line[128] = "";
	int ends[2];

	addr_format(text, target);
	snprintf(delay, sizeof delay, "%g", delay_ms);
	BENCH_CHECK(pipe(ends));
	pid_t pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 1);
		execl(proxy_path, "delay_proxy", "127.0.0.1:0", text, "--delay-ms", delay, NULL);
		_exit(127);
	}
	close(ends[1]);
	FILE *f = fdopen(ends[0], "r");
	if (pid < 0 || !f || !fgets(line, sizeof line, f) || strncmp(line, "listening ", 10))
		bench_die(proxy_path, ERR_STATE);
	line[strcspn(line, "\n")] = 0;
	BENCH_CHECK(addr_parse(ret_at, line + 10));
	fclose(f);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

static double rounds(tstamp from, tstamp to)
{
	return (double)(to - from) / 1e6 / RTT_MS;
}

struct figure {
	const char *id, *what;
	bool broker_ticket, peer_ticket, early;
	double target;
};

static const struct figure relayed[] = {
	{ "rtt.relay_cold",    "first answer through the relay, broker never seen before", false, false, false, 0 },
	{ "rtt.relay_ticket",  "first answer through the relay, broker known (ticket)",    true,  false, false, 2.2 },
	{ "rtt.relay_resumed", "first answer through the relay, both known (0-RTT)",       true,  true,  true,  1.2 },
};
static const struct figure direct[] = {
	{ "rtt.direct",         "first answer at a known address",        false, false, false, 2.2 },
	{ "rtt.direct_resumed", "first answer at a known address, 0-RTT", false, true,  true,  1.2 },
};

static void measure(struct party *op, const struct endpoint_target *target, const struct broker_line *broker,
		    const struct figure *f, const char *suffix, const char *where)
{
	double times[RUNS], first[RUNS];
	char id[64], what[128], note[160];

	/* one dialling before, for the tickets */
	for (size_t i = 0; i <= runs; i++) {
		party_open(op, broker);
		party_forget(op, !f->broker_ticket, !f->peer_ticket);
		party_ask(op, target, f->early && i > 0);
		if (i > 0) {
			times[i - 1] = rounds(op->dialled_at, op->answered_at);
			first[i - 1] = rounds(op->dialled_at, op->ready_at);
		}
		party_hang_up(op, LINGER_MS);
		party_close(op);
	}
	snprintf(id, sizeof id, "%s%s", f->id, suffix);
	snprintf(what, sizeof what, "%s%s", f->what, where);
	snprintf(note, sizeof note, "p50 of %zu; confirmed by the peer after %.2f", runs, bench_percentile(first, runs, 50));
	bench_print(&(struct bench_row){ .id = id, .what = what, .unit = "round trips of 100 ms",
					 .ours = bench_percentile(times, runs, 50),
					 .goal = f->target > 0 ? GOAL_OURS_MAX : GOAL_NONE, .target = f->target, .note = note });
}

/* near: the device is next to the broker; else half of the way lies behind the broker. */
static void measure_relayed(bool near)
{
	struct device_process device;
	struct broker_process broker;
	struct addr to_broker, behind;
	struct loop *loop;
	struct party op;
	pid_t proxy, second = 0;

	broker_process_start(&broker, -1, NULL);
	proxy = start_proxy(&broker.at, near ? RTT_MS / 2.0 : RTT_MS / 4.0, &to_broker);
	struct broker_line ours = { .id = broker.id, .host = "127.0.0.1", .port = to_broker.port };
	struct broker_line devices = { .id = broker.id, .host = "127.0.0.1", .port = broker.at.port };
	if (!near) {
		second = start_proxy(&broker.at, RTT_MS / 4.0, &behind);
		devices.port = behind.port;
	}
	BENCH_CHECK(loop_new(&loop));
	party_new(&op, loop);
	device_process_start(&device, &(struct device_config){ .broker = &devices, .admitted = op.id, .core = -1 });
	struct endpoint_target target = { .id = device.id };
	for (size_t i = 0; i < ARRAY_LEN(relayed); i++)
		measure(&op, &target, &ours, &relayed[i], near ? "" : "_middle", near ? "" : ", broker half-way");
	device_process_stop(&device);
	stop(proxy);
	if (second)
		stop(second);
	broker_process_stop(&broker);
	loop_free(loop);
}

static void measure_direct(void)
{
	struct device_process device;
	struct addr at, through;
	struct loop *loop;
	struct party op;

	BENCH_CHECK(loop_new(&loop));
	party_new(&op, loop);
	device_process_start(&device, &(struct device_config){ .admitted = op.id, .core = -1 });
	BENCH_CHECK(addr_parse(&at, "127.0.0.1:0"));
	at.port = device.at.port;
	pid_t proxy = start_proxy(&at, RTT_MS / 2.0, &through);
	struct endpoint_target target = { .id = device.id, .host = "127.0.0.1", .port = through.port };
	for (size_t i = 0; i < ARRAY_LEN(direct); i++)
		measure(&op, &target, NULL, &direct[i], "", "");
	device_process_stop(&device);
	stop(proxy);
	loop_free(loop);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		bench_die("usage: rtt_bench DELAY_PROXY [--quick | --smoke]", -EINVAL);
	proxy_path = argv[1];
	bool smoke = argc > 2 && !strcmp(argv[2], "--smoke");
	if (argc > 2)
		runs = smoke ? 1 : 2;
	BENCH_CHECK(crypto_init());
	measure_relayed(true);
	if (!smoke) {
		measure_relayed(false);
		measure_direct();
	}
	return 0;
}
