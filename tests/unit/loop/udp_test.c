/* Do datagrams arrive whole, in batches, whatever the kernel makes of GSO? */
#include "loop/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

enum { SEG = 1200, BATCH = 60, PATIENCE_MS = 2000 };

static struct loop *loop;

/* What a receiver has seen: the bytes in order, and the shapes they came in. */
struct sink {
	struct udp *u;
	struct addr addr, last_from;
	uint8_t data[4 << 20];
	size_t len, buffers, packets, biggest_buffer, turns, last_seg;
	bool echo, free_on_recv, free_on_turn;
};

static struct sink *rx, *tx;

static void on_recv(void *userdata, const struct addr *from, struct span data, size_t seg)
{
	struct sink *s = userdata;

	CHECK(seg > 0 && seg <= data.len);
	CHECK(s->len + data.len <= sizeof s->data);
	memcpy(s->data + s->len, data.data, data.len);
	s->len += data.len;
	s->buffers++;
	s->packets += (data.len + seg - 1) / seg;
	s->biggest_buffer = MAX(s->biggest_buffer, data.len);
	s->last_seg = seg;
	s->last_from = *from;
	if (s->echo)
		CHECK_ERR(udp_queue(s->u, from, data, seg), 0);
	if (s->free_on_recv)
		udp_free(take(s->u));
}

static void on_turn(void *userdata)
{
	struct sink *s = userdata;

	s->turns++;
	if (s->echo)
		udp_flush(s->u);
	if (s->free_on_turn)
		udp_free(take(s->u));
}

static void open_sink(struct sink *s, const char *bind_to, int fd)
{
	struct udp_config c = { .recv = on_recv, .turn = on_turn, .userdata = s, .fd = fd };

	memset(s, 0, sizeof *s);
	if (bind_to)
		CHECK_ERR(addr_parse(&c.bind, bind_to), 0);
	CHECK_ERR(udp_open(&s->u, loop, &c), 0);
	CHECK_ERR(udp_local_addr(s->u, &s->addr), 0);
	CHECK(s->addr.port != 0);
}

static int setup(void **)
{
	rx = malloc(sizeof *rx);
	tx = malloc(sizeof *tx);
	if (!rx || !tx)
		return -1;
	memset(rx, 0, sizeof *rx);
	memset(tx, 0, sizeof *tx);
	return loop_new(&loop);
}

static int teardown(void **)
{
	udp_free(rx->u);
	udp_free(tx->u);
	free(rx);
	free(tx);
	loop_free(take(loop));
	return 0;
}

static void run_until_len(const size_t *len, size_t want)
{
	tstamp end = loop_now(loop) + MILLIS(PATIENCE_MS);

	while (*len < want && loop_now(loop) < end)
		CHECK_ERR(loop_turn(loop, end), 0);
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 13);
}

static uint8_t out[4 << 20];

/* The linker puts this in front of the real call. */
static bool without_ipv6;

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

int __wrap_socket(int domain, int type, int protocol)
{
	if (without_ipv6 && domain == AF_INET6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(domain, type, protocol);
}

static void test_without_ipv6_there_is_still_ipv4(void **)
{
	struct udp_config c = { .recv = on_recv, .fd = -1 };
	struct addr to;

	without_ipv6 = true;
	open_sink(rx, NULL, -1);
	open_sink(tx, NULL, -1);
	CHECK_ERR(addr_parse(&c.bind, "[::1]:0"), 0);
	struct udp *u = NULL;
	CHECK_ERR(udp_open(&u, loop, &c), -EAFNOSUPPORT);
	CHECK(u == NULL);
	without_ipv6 = false;

	CHECK_ERR(addr_parse(&to, "127.0.0.1:0"), 0);
	to.port = rx->addr.port;
	fill(out, 3 * SEG);
	CHECK_ERR(udp_send(tx->u, &to, SPAN(out, 3 * SEG), SEG), 0);
	run_until_len(&rx->len, 3 * SEG);
	CHECK(rx->len == 3 * SEG && rx->buffers == 1 && addr_is_v4(&rx->last_from));
}

static void test_an_echo_comes_back_over_both_families(void **)
{
	static const struct {
		const char *name, *bind, *dial;
	} cases[] = {
		{ "IPv4 to an IPv4 socket", "127.0.0.1:0", "127.0.0.1:0" },
		{ "IPv6 to an IPv6 socket", "[::1]:0", "[::1]:0" },
		{ "IPv4 to the dual socket", NULL, "127.0.0.1:0" },
		{ "IPv6 to the dual socket", NULL, "[::1]:0" },
		{ "IPv4 to any IPv4", "0.0.0.0:0", "127.0.0.1:0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr to;

		print_message("  %s\n", cases[i].name);
		open_sink(rx, cases[i].bind, -1);
		open_sink(tx, NULL, -1);
		rx->echo = true;
		CHECK_ERR(addr_parse(&to, cases[i].dial), 0);
		to.port = rx->addr.port;
		fill(out, 700);
		CHECK_ERR(udp_send(tx->u, &to, SPAN(out, 700), 700), 0);
		run_until_len(&tx->len, 700);
		CHECK(tx->len == 700 && !memcmp(tx->data, out, 700));
		CHECK(addr_equal(&tx->last_from, &to));
		CHECK(tx->packets == 1 && tx->turns >= 1);
		udp_free(take(rx->u));
		udp_free(take(tx->u));
	}
}

static void test_a_batch_arrives_coalesced_with_its_segment_size(void **)
{
	static const struct {
		size_t len, seg, packets;
	} cases[] = {
		{ SEG, SEG, 1 },
		{ 2 * SEG, SEG, 2 },
		{ 2 * SEG + 1, SEG, 3 },
		{ BATCH * 1000, 1000, BATCH },
		{ 10 * SEG - 7, SEG, 10 },
		{ 61, 1, 61 },
		{ 53 * SEG, SEG, 53 },          /* just below the limits */
	};

	open_sink(rx, "[::1]:0", -1);
	open_sink(tx, NULL, -1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct udp_stats before, after;

		rx->len = rx->buffers = rx->packets = 0;
		fill(out, cases[i].len);
		udp_get_stats(rx->u, &before);
		CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, cases[i].len), cases[i].seg), 0);
		run_until_len(&rx->len, cases[i].len);
		udp_get_stats(rx->u, &after);
		CHECK(rx->len == cases[i].len && !memcmp(rx->data, out, rx->len));
		CHECK(rx->packets == cases[i].packets);
		CHECK(rx->buffers == 1 && rx->last_seg == cases[i].seg);
		CHECK(after.rx_packets - before.rx_packets == cases[i].packets);
		CHECK(after.rx_bytes - before.rx_bytes == cases[i].len);
	}
}

static void test_a_batch_above_the_limits_is_split(void **)
{
	enum { N = 300 };

	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, -1);
	fill(out, N * SEG);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, N * SEG), SEG), 0);
	run_until_len(&rx->len, N * SEG);
	CHECK(rx->len == N * SEG && !memcmp(rx->data, out, rx->len));
	CHECK(rx->packets == N && rx->last_seg == SEG);
	CHECK(rx->biggest_buffer > 20 * SEG);
}

/* A socket that sends no checksums cannot segment: the kernel says EINVAL. */
static int socket_without_gso(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int one = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&sin, sizeof sin) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one) == 0);
	return fd;
}

static void test_without_gso_single_packets_carry_the_batch(void **)
{
	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, socket_without_gso());
	fill(out, BATCH * 1000);
	for (int round = 0; round < 2; round++) {
		rx->len = rx->packets = rx->buffers = 0;
		CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, BATCH * 1000 - 1), 1000), 0);
		run_until_len(&rx->len, BATCH * 1000 - 1);
		CHECK(rx->len == BATCH * 1000 - 1 && !memcmp(rx->data, out, rx->len));
		CHECK(rx->packets == BATCH && rx->buffers == BATCH);
	}
	for (int round = 0; round < 2; round++) {
		rx->len = rx->packets = rx->buffers = 0;
		CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out, BATCH * 1000), 1000), 0);
		CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out, BATCH * 1000), 1000), 0);
		udp_flush(tx->u);
		run_until_len(&rx->len, 2 * BATCH * 1000);
		CHECK(rx->len == 2 * BATCH * 1000 && rx->buffers == 2 * BATCH);
	}
}

static void test_the_first_refusal_in_a_queue_loses_nothing(void **)
{
	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, socket_without_gso());
	fill(out, 5 * SEG);
	CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out, SEG), SEG), 0);
	CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out + SEG, 3 * SEG), SEG), 0);
	CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out + 4 * SEG, SEG), SEG), 0);
	udp_flush(tx->u);
	run_until_len(&rx->len, 5 * SEG);
	CHECK(rx->len == 5 * SEG && !memcmp(rx->data, out, rx->len));
}

static void test_a_relay_forwards_buffers_as_they_came(void **)
{
	enum { N = 40 };

	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, -1);
	rx->echo = true;
	fill(out, N * 10 * SEG);
	for (size_t i = 0; i < N; i++)
		CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out + i * 10 * SEG, 10 * SEG), SEG), 0);
	run_until_len(&tx->len, N * 10 * SEG);
	CHECK(tx->len == N * 10 * SEG && !memcmp(tx->data, out, tx->len));
	CHECK(tx->biggest_buffer >= 10 * SEG && tx->last_seg == SEG);
}

/* The kernel's send buffer does not fill on loopback, so the linker puts these in
 * front of the real calls: the next but `pass` sends fail with `fail`. */
static int fail_with, fail_pass, fail_times;

static bool failing(void)
{
	if (!fail_times)
		return false;
	if (fail_pass) {
		fail_pass--;
		return false;
	}
	fail_times--;
	errno = fail_with;
	return true;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return failing() ? -1 : __real_sendmsg(fd, m, flags);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	return failing() ? -1 : __real_sendmmsg(fd, m, n, flags);
}

static void fail_sends(int pass, int times, int with)
{
	fail_pass = pass;
	fail_times = times;
	fail_with = with;
}

static void test_a_full_socket_says_again_and_tells_when_it_is_writable(void **)
{
	size_t turns;

	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, -1);
	fill(out, 4 * SEG);
	fail_sends(0, 1, EAGAIN);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 4 * SEG), SEG), ERR_AGAIN);
	CHECK(tx->turns == 0);
	run_until_len(&tx->turns, 1);
	CHECK(tx->turns == 1);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 4 * SEG), SEG), 0);
	run_until_len(&rx->len, 4 * SEG);
	CHECK(rx->len == 4 * SEG && !memcmp(rx->data, out, rx->len));

	/* No interest is left behind: the socket is writable, yet nothing turns. */
	turns = tx->turns;
	CHECK_ERR(loop_turn(loop, 0), 0);
	CHECK(tx->turns == turns);

	/* And it works again. */
	fail_sends(0, 1, EAGAIN);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 4 * SEG), SEG), ERR_AGAIN);
	run_until_len(&tx->turns, turns + 1);
	CHECK(tx->turns == turns + 1);
}

static void test_an_interrupted_send_is_repeated(void **)
{
	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, -1);
	fill(out, 2 * SEG);
	fail_sends(0, 2, EINTR);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, SEG), SEG), 0);
	fail_sends(0, 2, EINTR);
	CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out + SEG, SEG), SEG), 0);
	udp_flush(tx->u);
	run_until_len(&rx->len, 2 * SEG);
	CHECK(rx->len == 2 * SEG && !memcmp(rx->data, out, rx->len));
}

/* GSO refused, seven singles taken, then the socket is full. */
static void test_a_batch_taken_in_part_is_finished_without_repeats(void **)
{
	struct udp_stats st;

	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, socket_without_gso());
	fill(out, (BATCH + 1) * 1000);
	fail_sends(8, 2, EAGAIN);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, BATCH * 1000), 1000), 0);
	udp_get_stats(tx->u, &st);
	CHECK(st.tx_packets == 7);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out + BATCH * 1000, 1000), 1000), ERR_AGAIN);
	run_until_len(&tx->turns, 1);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out + BATCH * 1000, 1000), 1000), 0);
	run_until_len(&rx->len, (BATCH + 1) * 1000);
	CHECK(rx->len == (BATCH + 1) * 1000 && !memcmp(rx->data, out, rx->len));
	udp_get_stats(tx->u, &st);
	CHECK(st.tx_packets == BATCH + 1 && st.tx_dropped == 0);
}

static void test_errors_that_switch_gso_off(void **)
{
	static const struct {
		const char *name;
		int err, times;
		bool arrives, off;
	} cases[] = {
		{ "no checksum offload",           EIO,      1, true,  true },
		{ "batch refused, packets taken",  EINVAL,   1, true,  true },
		{ "batch refused, packets taken",  EMSGSIZE, 1, true,  true },
		{ "packets too long for the path", EMSGSIZE, 5, false, false },
		{ "a firewall's refusal",          EPERM,    1, false, false },
		{ "no route",                      ENETUNREACH, 1, false, false },
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		const typeof(cases[0]) *c = &cases[i / 2];
		bool queued = i % 2;
		struct udp_stats st;

		print_message("  %s%s\n", c->name, queued ? ", queued" : "");
		open_sink(rx, "127.0.0.1:0", -1);
		open_sink(tx, NULL, -1);
		fill(out, 4 * SEG);
		fail_sends(0, c->times, c->err);
		if (queued) {
			CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out, 4 * SEG), SEG), 0);
			udp_flush(tx->u);
		} else {
			CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 4 * SEG), SEG), c->arrives ? 0 : -c->err);
		}
		udp_get_stats(tx->u, &st);
		CHECK(st.tx_dropped == (c->arrives ? 0u : 4u));
		if (c->arrives) {
			run_until_len(&rx->len, 4 * SEG);
			CHECK(rx->len == 4 * SEG && rx->buffers == 4 && !memcmp(rx->data, out, rx->len));
		}
		rx->len = rx->buffers = 0;
		CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 4 * SEG), SEG), 0);
		run_until_len(&rx->len, 4 * SEG);
		CHECK(rx->buffers == (c->off ? 4u : 1u));
		udp_free(take(rx->u));
		udp_free(take(tx->u));
	}
}

static void test_a_full_socket_drops_what_is_queued_and_counts_it(void **)
{
	struct udp_stats st;

	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, -1);
	for (int i = 0; i < 3; i++)
		CHECK_ERR(udp_queue(tx->u, &rx->addr, SPAN(out, 4 * SEG), SEG), 0);
	fail_sends(0, 1, EAGAIN);
	udp_flush(tx->u);
	udp_get_stats(tx->u, &st);
	CHECK(st.tx_dropped == 12 && st.tx_packets == 0);
}

static void test_what_cannot_be_sent_is_the_packets_fate(void **)
{
	struct addr to;
	struct udp_stats st;

	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, -1);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 0), 10), -EINVAL);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 10), 0), -EINVAL);
	CHECK_ERR(addr_parse(&to, "255.255.255.255:9"), 0);
	CHECK(udp_send(tx->u, &to, SPAN(out, 10), 10) < 0);     /* EACCES: no broadcasts */
	CHECK(udp_send(tx->u, &to, SPAN(out, 10), 5) < 0);
	udp_get_stats(tx->u, &st);
	CHECK(st.tx_dropped == 3 && st.tx_packets == 0);

	fill(out, 10);
	CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 10), 5), 0);
	run_until_len(&rx->len, 10);
	CHECK(rx->len == 10 && rx->buffers == 1);               /* GSO is still on */
}

static void test_an_ipv4_socket_refuses_ipv6_destinations(void **)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct addr to;

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof sin) == 0);
	open_sink(tx, NULL, fd);
	CHECK_ERR(addr_parse(&to, "[::1]:9"), 0);
	CHECK_ERR(udp_send(tx->u, &to, SPAN(out, 10), 10), -EAFNOSUPPORT);
	CHECK_ERR(udp_queue(tx->u, &to, SPAN(out, 10), 10), -EAFNOSUPPORT);
}

static void test_a_socket_freed_in_its_callback_is_not_touched_again(void **)
{
	for (int i = 0; i < 2; i++) {
		open_sink(rx, "127.0.0.1:0", -1);
		open_sink(tx, NULL, -1);
		rx->free_on_recv = i == 0;
		rx->free_on_turn = i == 1;
		for (int n = 0; n < 5; n++)
			CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 10), 10), 0);
		run_until_len(&rx->len, 10);
		CHECK(rx->u == NULL);
		CHECK(rx->buffers == (i == 0 ? 1u : 5u) && rx->turns == (i == 1));
		CHECK_ERR(loop_turn(loop, 0), 0);
		udp_free(take(tx->u));
	}
}

static void test_a_flood_leaves_timers_their_turn(void **)
{
	enum { N = 1500 };

	open_sink(rx, "127.0.0.1:0", -1);
	open_sink(tx, NULL, -1);
	for (size_t i = 0; i < N; i++)
		CHECK_ERR(udp_send(tx->u, &rx->addr, SPAN(out, 100), 100), 0);
	CHECK_ERR(loop_turn(loop, 0), 0);
	CHECK(rx->packets >= 400 && rx->packets <= 600);
	run_until_len(&rx->len, N * 100);
	CHECK(rx->packets == N);
}

static void test_an_empty_datagram_is_nobodys_business(void **)
{
	struct sockaddr_storage ss;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len;

	open_sink(rx, "127.0.0.1:0", -1);
	len = addr_to_sockaddr(&ss, &rx->addr, AF_INET);
	CHECK(sendto(fd, "", 0, 0, (struct sockaddr *)&ss, len) == 0);
	CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)&ss, len) == 1);
	run_until_len(&rx->len, 1);
	CHECK(rx->buffers == 1);
	close(fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_echo_comes_back_over_both_families),
		T(test_without_ipv6_there_is_still_ipv4),
		T(test_a_batch_arrives_coalesced_with_its_segment_size),
		T(test_a_batch_above_the_limits_is_split),
		T(test_without_gso_single_packets_carry_the_batch),
		T(test_the_first_refusal_in_a_queue_loses_nothing),
		T(test_a_relay_forwards_buffers_as_they_came),
		T(test_a_full_socket_says_again_and_tells_when_it_is_writable),
		T(test_an_interrupted_send_is_repeated),
		T(test_errors_that_switch_gso_off),
		T(test_a_full_socket_drops_what_is_queued_and_counts_it),
		T(test_a_batch_taken_in_part_is_finished_without_repeats),
		T(test_what_cannot_be_sent_is_the_packets_fate),
		T(test_an_ipv4_socket_refuses_ipv6_destinations),
		T(test_a_socket_freed_in_its_callback_is_not_touched_again),
		T(test_a_flood_leaves_timers_their_turn),
		T(test_an_empty_datagram_is_nobodys_business),
	};
	return RUN_TESTS(tests);
}
