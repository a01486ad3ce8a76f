/* A bad network on demand, for machines without sch_netem: a UDP proxy with delay,
 * jitter, loss, reordering, duplication and a rate, in each direction by itself.
 *
 *   delay_proxy LISTEN TARGET [OPTION VALUE]...
 *     --delay-ms N      each datagram waits that long           --jitter-ms N    up to that much more
 *     --loss P%         so many are lost                        --duplicate P%   come twice
 *     --reorder P%      are overtaken: they wait --gap-ms (10) longer
 *     --rate-kbit N     of the link; what would queue longer than --queue-ms (200) is lost
 *     --seed N          the same choices again
 *   A value "A:B" is A towards the target and B back; alone it is both.
 *
 * Prints "listening ADDR:PORT" once it does, and on SIGTERM what it has done. Each client
 * address has an upstream socket of its own, so the target sees as many peers as there
 * are. No GRO on any socket: each datagram meets its own fate. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/span.h"
#include "loop/loop.h"

enum {
	CLIENTS_MAX = 4096, DATAGRAM_MAX = 65535, WAITING_MAX = 1 << 18, READS_PER_TURN = 256,
	SOCKET_BUFFER = 4 << 20,
};
enum direction { UP, DOWN };

struct fate {
	double delay_ms, jitter_ms, loss, duplicate, reorder, gap_ms, rate_kbit, queue_ms;
};

struct link {
	struct fate fate;
	tstamp free_at, last_due;       /* when the wire is free again; no overtaking unless asked for */
	uint64_t passed, lost, full;
};

struct client {
	struct addr addr;               /* key of proxy.clients */
	struct source *io;
	int fd;
};

struct waiting {
	struct heap_node timer;
	struct client *client;
	enum direction direction;
	size_t len;
	uint8_t data[];
};

static struct proxy {
	struct loop *loop;
	struct source *listening, *timer, *sigterm, *sigint;
	int fd;
	struct addr target;
	struct link links[2];
	struct map clients;
	struct heap queue;
	uint64_t random;
} proxy;

/* ---- chance ---- */

static double chance(void)
{
	proxy.random += 0x9e3779b97f4a7c15u;    /* splitmix64 */
	uint64_t z = proxy.random;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static bool happens(double percent)
{
	return percent > 0 && chance() * 100 < percent;
}

static tstamp millis(double ms)
{
	return (tstamp)(ms * 1e6);
}

/* ---- datagrams ---- */

static void deliver(const struct waiting *w)
{
	struct sockaddr_storage to;

	/* what the socket does not take is lost, as on a wire */
	if (w->direction == UP) {
		if (send(w->client->fd, w->data, w->len, MSG_DONTWAIT) < 0)
			return;
	} else {
		socklen_t n = addr_to_sockaddr(&to, &w->client->addr, addr_is_v4(&w->client->addr) ? AF_INET : AF_INET6);
		if (sendto(proxy.fd, w->data, w->len, MSG_DONTWAIT, (struct sockaddr *)&to, n) < 0)
			return;
	}
	proxy.links[w->direction].passed++;
}

static void arm(void)
{
	struct heap_node *n = heap_min(&proxy.queue);

	if (source_arm(proxy.timer, n ? n->at : TSTAMP_NEVER) < 0)
		loop_stop(proxy.loop, -ENOMEM);
}

static void on_timer(void *userdata, tstamp now)
{
	struct heap_node *n;

	(void)userdata;
	while ((n = heap_min(&proxy.queue)) && n->at <= now) {
		struct waiting *w = container_of(n, struct waiting, timer);
		heap_del(&proxy.queue, n);
		deliver(w);
		free(w);
	}
	arm();
}

/* When a datagram of that length that comes now gets out at the other end; false: the
 * queue of the link is full. */
static bool due_time(struct link *l, size_t len, tstamp now, tstamp *ret)
{
	tstamp start = now, due;

	if (l->fate.rate_kbit > 0) {
		start = MAX(now, l->free_at);
		if (start - now > millis(l->fate.queue_ms))
			return false;
		l->free_at = start += (tstamp)((double)len * 8e6 / l->fate.rate_kbit);
	}
	due = start + millis(l->fate.delay_ms) + millis(l->fate.jitter_ms * chance());
	if (happens(l->fate.reorder))
		due += millis(l->fate.gap_ms);
	else
		l->last_due = due = MAX(due, l->last_due + 1);
	*ret = due;
	return true;
}

static void enqueue(struct client *c, enum direction d, struct span data, tstamp due)
{
	struct waiting *w = proxy.queue.len < WAITING_MAX ? malloc(sizeof *w + data.len) : NULL;

	if (!w) {
		proxy.links[d].full++;
		return;
	}
	*w = (struct waiting){ .client = c, .direction = d, .len = data.len };
	memcpy(w->data, data.data, data.len);
	if (heap_set(&proxy.queue, &w->timer, due) < 0) {
		free(w);
		proxy.links[d].full++;
	}
}

static void carry(struct client *c, enum direction d, struct span data)
{
	struct link *l = &proxy.links[d];
	tstamp now = time_monotonic(), due;

	if (happens(l->fate.loss)) {
		l->lost++;
		return;
	}
	for (int copies = happens(l->fate.duplicate) ? 2 : 1; copies--;) {
		if (!due_time(l, data.len, now, &due))
			l->full++;
		else
			enqueue(c, d, data, due);
	}
}

/* ---- sockets ---- */

static int socket_for(const struct addr *a, const struct addr *bind_to, const struct addr *connect_to)
{
	int family = addr_is_v4(a) ? AF_INET : AF_INET6, size = SOCKET_BUFFER;
	struct sockaddr_storage ss;
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* best effort: a burst should fit */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (bind_to && bind(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&ss, bind_to, family)) < 0)
		return -errno;
	if (connect_to && connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&ss, connect_to, family)) < 0)
		return -errno;
	return take_fd(fd);
}

static void on_upstream(void *userdata, unsigned events)
{
	static uint8_t data[DATAGRAM_MAX];
	struct client *c = userdata;

	(void)events;
	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t n = recv(c->fd, data, sizeof data, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n > 0)
			carry(c, DOWN, SPAN(data, n));
	}
	arm();
}

static struct client *client_for(const struct addr *from)
{
	struct client *c = map_get(&proxy.clients, from);

	if (c || proxy.clients.len >= CLIENTS_MAX)
		return c;
	c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->addr = *from;
	c->fd = socket_for(&proxy.target, NULL, &proxy.target);
	if (c->fd < 0 || loop_add_io(proxy.loop, &c->io, c->fd, LOOP_IN, on_upstream, c) < 0 ||
	    map_put(&proxy.clients, c) < 0) {
		source_free(c->io);
		closep(&c->fd);
		free(c);
		return NULL;
	}
	return c;
}

static void on_listening(void *userdata, unsigned events)
{
	static uint8_t data[DATAGRAM_MAX];

	(void)userdata;
	(void)events;
	for (int i = 0; i < READS_PER_TURN; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof ss;
		struct addr from = {};          /* a key: no padding with old bytes */
		ssize_t n = recvfrom(proxy.fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&ss, &len);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0 || addr_from_sockaddr(&from, (struct sockaddr *)&ss) < 0)
			continue;
		struct client *c = client_for(&from);
		if (c)
			carry(c, UP, SPAN(data, n));
	}
	arm();
}

static void on_signal(void *userdata, int signo)
{
	(void)userdata;
	(void)signo;
	loop_stop(proxy.loop, 0);
}

/* ---- arguments ---- */

static const struct {
	const char *name;
	size_t off;
	double max;
} options[] = {
	{ "--delay-ms",  offsetof(struct fate, delay_ms),  60000 },
	{ "--jitter-ms", offsetof(struct fate, jitter_ms), 60000 },
	{ "--loss",      offsetof(struct fate, loss),      100 },
	{ "--duplicate", offsetof(struct fate, duplicate), 100 },
	{ "--reorder",   offsetof(struct fate, reorder),   100 },
	{ "--gap-ms",    offsetof(struct fate, gap_ms),    60000 },
	{ "--rate-kbit", offsetof(struct fate, rate_kbit), 1e8 },
	{ "--queue-ms",  offsetof(struct fate, queue_ms),  60000 },
};

static bool one_number(const char **at, double max, double *ret)
{
	char *end;
	double v = strtod(*at, &end);

	if (end == *at || !(v >= 0 && v <= max))
		return false;
	*at = end + (*end == '%');
	*ret = v;
	return true;
}

static bool read_option(const char *name, const char *value)
{
	double v[2];

	if (!strcmp(name, "--seed")) {
		proxy.random = strtoull(value, NULL, 10);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(name, options[i].name))
			continue;
		if (!one_number(&value, options[i].max, &v[UP]))
			return false;
		v[DOWN] = v[UP];
		if (*value == ':' && (value++, !one_number(&value, options[i].max, &v[DOWN])))
			return false;
		for (int d = UP; d <= DOWN; d++)
			memcpy((char *)&proxy.links[d].fate + options[i].off, &v[d], sizeof v[d]);
		return !*value;
	}
	return false;
}

static int start(const struct addr *listen_at)
{
	static const uint64_t seed[2] = { 1, 2 };       /* clients are ours: nobody chooses collisions */
	int err = loop_new(&proxy.loop);

	map_init(&proxy.clients, offsetof(struct client, addr), sizeof(struct addr), seed);
	if (err < 0)
		return err;
	proxy.fd = socket_for(listen_at, listen_at, NULL);
	if (proxy.fd < 0)
		return proxy.fd;
	err = loop_add_io(proxy.loop, &proxy.listening, proxy.fd, LOOP_IN, on_listening, NULL);
	if (err >= 0)
		err = loop_add_timer(proxy.loop, &proxy.timer, on_timer, NULL);
	if (err >= 0)
		err = loop_add_signal(proxy.loop, &proxy.sigterm, SIGTERM, on_signal, NULL);
	if (err >= 0)
		err = loop_add_signal(proxy.loop, &proxy.sigint, SIGINT, on_signal, NULL);
	return err;
}

static void stop(void)
{
	struct heap_node *n;
	struct client *c;

	while ((n = heap_min(&proxy.queue))) {
		heap_del(&proxy.queue, n);
		free(container_of(n, struct waiting, timer));
	}
	for (size_t at = 0; (c = map_next(&proxy.clients, &at));) {
		source_free(c->io);
		close(c->fd);
		free(c);
	}
	map_done(&proxy.clients);
	heap_done(&proxy.queue);
	source_free(proxy.listening);
	source_free(proxy.timer);
	source_free(proxy.sigterm);
	source_free(proxy.sigint);
	closep(&proxy.fd);
	loop_free(proxy.loop);
}

int main(int argc, char **argv)
{
	struct addr listen_at, real;
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	char text[ADDR_STR_MAX];

	for (int d = UP; d <= DOWN; d++)
		proxy.links[d].fate = (struct fate){ .gap_ms = 10, .queue_ms = 200 };
	bool ok = argc >= 3 && argc % 2 && addr_parse(&listen_at, argv[1]) >= 0 && addr_parse(&proxy.target, argv[2]) >= 0;
	for (int i = 3; ok && i < argc; i += 2)
		ok = read_option(argv[i], argv[i + 1]);
	if (!ok) {
		fputs("usage: delay_proxy LISTEN TARGET [--delay-ms N[:N]] [--jitter-ms N[:N]] [--loss P[:P]] "
		      "[--duplicate P[:P]] [--reorder P[:P]] [--gap-ms N[:N]] [--rate-kbit N[:N]] [--queue-ms N[:N]] "
		      "[--seed N]\n", stderr);
		return 2;
	}

	int err = start(&listen_at);
	if (err < 0 || getsockname(proxy.fd, (struct sockaddr *)&ss, &len) < 0 ||
	    addr_from_sockaddr(&real, (struct sockaddr *)&ss) < 0) {
		fprintf(stderr, "delay_proxy: %s: %s\n", argv[1], err_text(err));
		return 1;
	}
	addr_format(text, &real);
	printf("listening %s\n", text);
	fflush(stdout);
	err = loop_run(proxy.loop);
	for (int d = UP; d <= DOWN; d++)
		printf("%s: %" PRIu64 " passed, %" PRIu64 " lost, %" PRIu64 " over the queue\n", d == UP ? "up" : "down",
		       proxy.links[d].passed, proxy.links[d].lost, proxy.links[d].full);
	stop();
	return err < 0;
}
