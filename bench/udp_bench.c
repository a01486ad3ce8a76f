/* One-way UDP over loopback, sender and receiver in two processes:
 *   udp_bench [SECONDS] [SEGMENTS] [SEGMENT_LENGTH] */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "loop/udp.h"

enum { IDLE_MS = 300 };

struct receiver {
	struct loop *loop;
	struct udp *u;
	struct source *idle;
	tstamp first, last;
	uint64_t buffers;
};

static double cpu_ns(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return 1e9 * (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       1e3 * (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

static void on_recv(void *userdata, const struct addr *, struct span, size_t)
{
	struct receiver *r = userdata;

	r->buffers++;
}

static void on_turn(void *userdata)
{
	struct receiver *r = userdata;

	r->last = loop_now(r->loop);
	if (!r->first)
		r->first = r->last;
	if (source_arm(r->idle, r->last + MILLIS(IDLE_MS)) < 0)
		loop_stop(r->loop, -1);
}

static void on_idle(void *userdata, tstamp)
{
	struct receiver *r = userdata;

	loop_stop(r->loop, 0);
}

static void on_nothing(void *, const struct addr *, struct span, size_t) {}

static int receive(struct receiver *r)
{
	struct udp_stats st;
	double start = cpu_ns();

	if (loop_run(r->loop) < 0)
		return 1;
	udp_get_stats(r->u, &st);
	double secs = (double)(r->last - r->first) / 1e9;
	printf("receiver: %.0f MB/s, %.0f k packets/s, %.1f packets a buffer, %.0f CPU ns a packet\n",
	       (double)st.rx_bytes / secs / 1e6, (double)st.rx_packets / secs / 1e3,
	       (double)st.rx_packets / (double)r->buffers, (cpu_ns() - start) / (double)st.rx_packets);
	return 0;
}

static int run_sender(const struct addr *to, unsigned seconds, size_t segments, size_t seg)
{
	static uint8_t data[UDP_BATCH_BYTES];
	struct udp_config c = { .recv = on_nothing, .fd = -1 };
	struct loop *l;
	struct udp *u;
	struct udp_stats st;
	tstamp start, now;

	if (segments * seg > sizeof data || loop_new(&l) < 0 || udp_open(&u, l, &c) < 0)
		return 1;
	start = now = time_monotonic();
	double cpu = cpu_ns();
	while (now < start + SECONDS(seconds)) {
		if (udp_send(u, to, SPAN(data, segments * seg), seg) == ERR_AGAIN &&
		    loop_turn(l, now + MILLIS(1)) < 0)
			return 1;
		now = time_monotonic();
	}
	udp_get_stats(u, &st);
	printf("sender:   %.0f MB/s, %.0f CPU ns a packet\n",
	       (double)st.tx_bytes / (double)(now - start) * 1e3, (cpu_ns() - cpu) / (double)st.tx_packets);
	udp_free(u);
	loop_free(l);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	size_t segments = argc > 2 ? (size_t)atoi(argv[2]) : 53;
	size_t seg = argc > 3 ? (size_t)atoi(argv[3]) : 1200;
	struct receiver r = {};
	struct udp_config c = { .recv = on_recv, .turn = on_turn, .userdata = &r, .fd = -1 };
	struct addr to;

	if (addr_parse(&c.bind, "127.0.0.1:0") < 0 || loop_new(&r.loop) < 0 ||
	    udp_open(&r.u, r.loop, &c) < 0 || loop_add_timer(r.loop, &r.idle, on_idle, &r) < 0 ||
	    udp_local_addr(r.u, &to) < 0)
		return 1;

	pid_t pid = fork();
	if (!pid)
		_exit(run_sender(&to, seconds, segments, seg) | fflush(stdout));
	int status = 1, err = receive(&r);
	waitpid(pid, &status, 0);
	source_free(r.idle);
	udp_free(r.u);
	loop_free(r.loop);
	return err || status;
}
