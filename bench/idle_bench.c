/* What an idle device costs its broker: memory of a registration that stands, CPU of a
 * registration and of a keep-alive.
 *
 *   idle_bench [--count N] [--close] | --smoke
 *
 * Every device is real to the broker: an identity and a UDP socket of its own, a QUIC
 * handshake, the publish request, then keep-alives (path/registration.h) from the same
 * socket every 25 s. Many live in one process, 14,000 each, as a process may hold 20,000
 * descriptors. Like the endpoint's, their connections to the broker are not closed but
 * idle out after 16 s; --close closes them at once. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/err.h"
#include "bench.h"
#include "broker_process.h"
#include "guest.h"

enum { DEVICES_PER_LOADER = 14000, AT_ONCE = 8, LOADERS_MAX = 64, INTERVAL = 25, PROGRESS = 600 };

struct device {
	int fd;
	struct registration registration;
};

/* Seen by all processes. */
static struct shared {
	_Atomic uint64_t registered, failed, beats, answers, forgotten, open;
} *shared;

static struct loader {
	struct loop *loop;
	struct broker_process broker;
	struct sockaddr_storage to;
	socklen_t to_len;
	struct addr bind;
	bool close;
	size_t want, started, pending;
	struct device *devices;
	size_t len, cursor;
	struct source *reap;
	struct guest *dead[64];
	size_t dead_len;
} loader;

/* ---- registering ---- */

struct attempt {
	int fd;                         /* the device's own; the guest has a duplicate */
	bool answered;
};

static void on_reap(void *userdata)
{
	(void)userdata;
	while (loader.dead_len)
		guest_free(loader.dead[--loader.dead_len]);
}

static void bury(struct guest *g)
{
	free(g->userdata);
	g->done = NULL;
	shared->open--;
	if (loader.dead_len < ARRAY_LEN(loader.dead))
		loader.dead[loader.dead_len++] = g;
	source_trigger(loader.reap);
}

/* Twice for each: with the answer, and when the connection has idled out. */
static void on_done(void *userdata, struct guest *g, int err)
{
	struct attempt *a = userdata;
	struct addr unknown = {};

	if (!a->answered) {
		a->answered = true;
		loader.pending--;
		if (err < 0) {
			shared->failed++;
			close(a->fd);
		} else {
			struct device *d = &loader.devices[loader.len++];
			d->fd = a->fd;
			registration_start(&d->registration, &g->record_id, &g->key, g->interval, &g->seen, &unknown,
					   loop_now(loader.loop));
			shared->registered++;
		}
		if (loader.close && g->conn)
			conn_close(g->conn, 0, "");
	}
	if (!g->conn)
		bury(g);
}

static void begin(void)
{
	struct sockaddr_storage ss;
	struct attempt *a = calloc(1, sizeof *a);
	struct guest *g;

	if (!a)
		bench_die("loader", -ENOMEM);
	a->fd = BENCH_CHECK(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	socklen_t n = addr_to_sockaddr(&ss, &loader.bind, AF_INET);
	if (bind(a->fd, (struct sockaddr *)&ss, n) < 0)
		bench_die("bind", -errno);
	struct guest_config gc = { .loop = loader.loop, .broker = loader.broker.at, .broker_id = loader.broker.id,
				   .fd = BENCH_CHECK(dup(a->fd)), .done = on_done, .userdata = a };
	BENCH_CHECK(guest_new(&g, &gc));
	BENCH_CHECK(guest_publish(g));
	loader.started++;
	loader.pending++;
	shared->open++;
}

/* ---- keep-alives ---- */

static void read_answers(struct device *d, tstamp now)
{
	uint8_t in[256];
	struct control c;
	ssize_t n;

	while ((n = recv(d->fd, in, sizeof in, MSG_DONTWAIT)) > 0) {
		if (control_decode(&c, SPAN(in, n)) < 0)
			continue;
		if (c.type == CONTROL_KEEPALIVE_ACK)
			shared->answers++;
		if (c.type == CONTROL_FORGOTTEN)
			shared->forgotten++;
		registration_read(&d->registration, SPAN(in, n), &c, now);
	}
}

static void beat(tstamp now)
{
	for (size_t i = 0; i < loader.len && loader.devices[loader.cursor % loader.len].registration.expiry <= now; i++) {
		struct device *d = &loader.devices[loader.cursor++ % loader.len];
		enum registration_event event;
		uint8_t out[CONTROL_MAX];
		read_answers(d, now);
		size_t n = registration_expire(&d->registration, out, &event, now);
		if (n && sendto(d->fd, out, n, MSG_DONTWAIT, (struct sockaddr *)&loader.to, loader.to_len) > 0)
			shared->beats++;
	}
}

_Noreturn static void run_loader(unsigned number, size_t count, bool close, const struct broker_process *broker)
{
	char text[32];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	loader = (struct loader){ .broker = *broker, .close = close, .want = count };
	loader.to_len = addr_to_sockaddr(&loader.to, &broker->at, AF_INET);
	snprintf(text, sizeof text, "127.0.0.%u:0", 2 + number);
	BENCH_CHECK(addr_parse(&loader.bind, text));
	BENCH_CHECK(loop_new(&loader.loop));
	BENCH_CHECK(loop_add_defer(loader.loop, &loader.reap, on_reap, NULL));
	loader.devices = calloc(count, sizeof *loader.devices);
	if (!loader.devices)
		bench_die("loader", -ENOMEM);
	for (;;) {
		while (loader.started < loader.want && loader.pending < AT_ONCE)
			begin();
		tstamp now = time_monotonic();
		beat(now);
		BENCH_CHECK(loop_turn(loader.loop, now + MILLIS(10)));
	}
}

/* ---- the measurement ---- */

static void wait_for(const _Atomic uint64_t *counter, uint64_t value, bool below, const char *what)
{
	tstamp end = time_monotonic() + SECONDS(PROGRESS);

	while (below ? *counter > value : *counter < value) {
		if (time_monotonic() > end)
			bench_die(what, ERR_TIMEOUT);
		usleep(20000);
	}
}

static void report(size_t count, struct bench_memory before, struct bench_memory after, struct bench_memory peak,
		   double registrations, double per_registration, double per_beat)
{
	char note[240];

	snprintf(note, sizeof note, "%zu registered; broker PSS %.1f MB empty, %.1f MB with them, %.1f MB with the last connections open; "
		 "RSS %.1f to %.1f MB; %lu forgotten, %lu failed", count, (double)before.pss / 1e6, (double)after.pss / 1e6,
		 (double)peak.pss / 1e6, (double)before.rss / 1e6, (double)after.rss / 1e6, (unsigned long)shared->forgotten,
		 (unsigned long)shared->failed);
	bench_print(&(struct bench_row){
		.id = "idle.memory", .what = "broker memory per registered idle device", .unit = "bytes",
		.ours = (double)(after.rss - before.rss) / (double)count, .goal = GOAL_OURS_MAX, .target = 1024, .note = note });
	bench_print(&(struct bench_row){ .id = "idle.registrations", .what = "registrations, devices on the same machine",
					 .unit = "per second", .ours = registrations });
	bench_print(&(struct bench_row){ .id = "idle.registration_cpu", .what = "broker CPU of a registration",
					 .unit = "us", .ours = per_registration / 1e3 });
	bench_print(&(struct bench_row){ .id = "idle.keepalive_cpu", .what = "broker CPU of a keep-alive", .unit = "us",
					 .ours = per_beat / 1e3 });
}

static void run(size_t count, bool close, unsigned watch)
{
	struct broker_process broker;
	pid_t loaders[LOADERS_MAX];
	size_t n = 0;

	broker_process_start(&broker, -1, NULL);
	usleep(200000);
	struct bench_memory before = bench_memory(broker.pid);
	uint64_t cpu = bench_cpu(broker.pid);
	tstamp start = time_monotonic();
	for (size_t left = count; left; n++) {
		size_t some = MIN(left, (size_t)DEVICES_PER_LOADER);
		left -= some;
		loaders[n] = fork();
		if (!loaders[n])
			run_loader((unsigned)n, some, close, &broker);
	}
	wait_for(&shared->registered, count, false, "registrations");
	double seconds = (double)(time_monotonic() - start) * 1e-9;
	double per_registration = (double)(bench_cpu(broker.pid) - cpu) / (double)count;
	struct bench_memory peak = bench_memory(broker.pid);
	wait_for(&shared->open, 0, true, "connections that should idle out");
	sleep(close ? 1 : 3);
	struct bench_memory after = bench_memory(broker.pid);

	cpu = bench_cpu(broker.pid);
	uint64_t beats = shared->beats;
	sleep(watch);
	double per_beat = (double)(bench_cpu(broker.pid) - cpu) / (double)MAX(shared->beats - beats, (uint64_t)1);
	report(count, before, after, peak, (double)count / seconds, per_registration, per_beat);
	for (size_t i = 0; i < n; i++) {
		kill(loaders[i], SIGKILL);
		waitpid(loaders[i], NULL, 0);
	}
	broker_process_stop(&broker);
}

int main(int argc, char **argv)
{
	struct rlimit files = {};
	size_t count = 100000;
	unsigned watch = INTERVAL + 1;  /* every device beats once */
	bool close = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--close"))
			close = true;
		else if (!strcmp(argv[i], "--smoke"))
			count = 50, close = true, watch = 1;
		else if (!strcmp(argv[i], "--count") && i + 1 < argc)
			count = strtoul(argv[++i], NULL, 10);
		else
			bench_die("usage: idle_bench [--count N] [--close] | --smoke", -EINVAL);
	}
	if (!count || count > (size_t)DEVICES_PER_LOADER * LOADERS_MAX)
		bench_die("--count", ERR_LIMIT);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	BENCH_CHECK(crypto_init());
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		bench_die("mmap", -errno);
	run(count, close, watch);
	return 0;
}
