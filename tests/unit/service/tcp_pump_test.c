#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "rig.h"
#include "service/tcp.h"

#include "test.h"

/* The device's end is a socket pair; so is the caller's, or a real TCP connection. */
static int device_end = -1;

static int host_tcp(struct rig_host *h, struct span args, int *fds, size_t *len)
{
	int s[2];

	(void)args;
	CHECK(h->what == HOST_TCP);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s) < 0)
		return -errno;
	closep(&device_end);
	device_end = s[1];
	fds[0] = s[0];
	*len = 1;
	return 0;
}

/* 127.0.0.1, both ends. */
static void tcp_pair(int ret[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(l, (struct sockaddr *)&a, n) == 0 && listen(l, 1) == 0);
	CHECK(getsockname(l, (struct sockaddr *)&a, &n) == 0);
	ret[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(ret[0], (struct sockaddr *)&a, n) == 0);
	ret[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(ret[1] >= 0);
	close(l);
	for (int i = 0; i < 2; i++)
		CHECK(fcntl(ret[i], F_SETFL, O_NONBLOCK) == 0);
}

static int host_real_tcp(struct rig_host *h, struct span args, int *fds, size_t *len)
{
	int s[2];

	(void)h;
	(void)args;
	tcp_pair(s);
	closep(&device_end);
	device_end = s[1];
	fds[0] = s[0];
	*len = 1;
	return 0;
}

struct conn {
	struct tcp_client *c;
	int app;                        /* the caller's program */
	bool opened, done;
	int err;
	char text[200];
};

static void on_opened(void *userdata) { ((struct conn *)userdata)->opened = true; }

static void on_done(void *userdata, int err, const char *text)
{
	struct conn *c = userdata;

	CHECK(!c->done);
	c->done = true;
	c->err = err;
	snprintf(c->text, sizeof c->text, "%s", text ?: "");
}

static bool conn_is_done(void *c) { return ((struct conn *)c)->done; }
static bool conn_is_open(void *c) { return ((struct conn *)c)->opened; }

static void conn_open(struct rig *r, struct conn *c, const char *host, uint16_t port)
{
	static const struct tcp_ops ops = { .opened = on_opened, .done = on_done };
	int s[2], copy;

	*c = (struct conn){ 0 };
	tcp_pair(s);
	copy = pump_dup(s[1]);
	CHECK_ERR(tcp_client_open(&c->c, wire_client(r->wire), r->loop, host, port, s[1], copy, &ops, c), 0);
	c->app = s[0];
}

static int setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	rig_setup(state);
	struct rig *r = *state;
	rig_allow(r, &r->caller, TCP_PATH, NULL);
	r->host.carry_out = host_tcp;
	return 0;
}

static int teardown(void **state)
{
	closep(&device_end);
	device_end = -1;
	return rig_teardown(state);
}

/* One direction by hand: what was written comes out the same. */
struct flow {
	int from, to;
	size_t sent, got, len;
	uint64_t seed;
	bool end_sent, end_got;
};

static uint8_t byte_at(size_t i) { return (uint8_t)(i * 2654435761u >> 11); }

static void flow_turn(struct flow *f)
{
	uint8_t b[70000];
	ssize_t n;

	f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
	size_t want = MIN((size_t)(f->seed >> 33) % sizeof b + 1, f->len - f->sent);
	for (size_t i = 0; i < want; i++)
		b[i] = byte_at(f->sent + i);
	n = want ? write(f->from, b, want) : 0;
	if (n > 0)
		f->sent += (size_t)n;
	if (f->sent == f->len && !f->end_sent) {
		f->end_sent = true;
		CHECK(shutdown(f->from, SHUT_WR) == 0);
	}
	while ((n = read(f->to, b, sizeof b)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			CHECK(b[i] == byte_at(f->got + (size_t)i));
		f->got += (size_t)n;
	}
	f->end_got |= n == 0;
}

static bool flow_is_over(void *userdata)
{
	struct flow *f = userdata;

	flow_turn(f);
	if (f[1].len)
		flow_turn(&f[1]);
	return f->end_got && (!f[1].len || f[1].end_got);
}

static void test_ten_megabytes_both_ways_at_once(void **state)
{
	struct rig *r = *state;
	struct conn c;

	conn_open(r, &c, NULL, 80);
	CHECK(rig_until(r, conn_is_open, &c));
	struct flow f[2] = {
		{ .from = c.app, .to = device_end, .len = 10 << 20, .seed = 1 },
		{ .from = device_end, .to = c.app, .len = 10 << 20, .seed = 2 },
	};
	CHECK(rig_until(r, flow_is_over, f));
	CHECK(f[0].got == 10 << 20 && f[1].got == 10 << 20);
	CHECK(rig_until(r, conn_is_done, &c));
	CHECK_ERR(c.err, 0);
	close(c.app);
}

static void test_one_half_ends_the_other_goes_on(void **state)
{
	for (int way = 0; way < 2; way++) {
		struct rig *r = *state;
		struct conn c;

		conn_open(r, &c, NULL, 80);
		CHECK(rig_until(r, conn_is_open, &c));
		int a = way ? device_end : c.app, b = way ? c.app : device_end;
		struct flow there[2] = { { .from = a, .to = b, .len = 1000 } };
		CHECK(rig_until(r, flow_is_over, there));
		CHECK(!c.done && there->got == 1000);
		struct flow back[2] = { { .from = b, .to = a, .len = 3 << 20 } };
		CHECK(rig_until(r, flow_is_over, back));
		CHECK(back->got == 3 << 20);
		CHECK(rig_until(r, conn_is_done, &c));
		CHECK_ERR(c.err, 0);
		close(c.app);
	}
}

static void test_what_was_sent_early_arrives(void **state)
{
	struct rig *r = *state;
	struct conn c;
	char b[16] = "";

	r->host.later = true;
	conn_open(r, &c, NULL, 80);
	CHECK(write(c.app, "early", 5) == 5);
	for (int i = 0; i < 5; i++) {
		CHECK(loop_turn(r->loop, time_monotonic() + MILLIS(2)) >= 0);
		rig_settle(r);
	}
	CHECK(!c.opened);
	rig_host_answer(r);
	CHECK(rig_until(r, conn_is_open, &c));
	CHECK(read(device_end, b, sizeof b) == 5 && !strcmp(b, "early"));
	close(c.app);
	tcp_client_cancel(c.c);
	CHECK(rig_until(r, conn_is_done, &c));
	CHECK_ERR(c.err, -ECANCELED);
}

static bool is_reset(void *fd)
{
	char b[64];

	return read(*(int *)fd, b, sizeof b) < 0 && errno == ECONNRESET;
}

static void test_a_reset_goes_through(void **state)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct rig *r = *state;
	struct conn c;

	r->host.carry_out = host_real_tcp;
	/* from the caller's program to the device's */
	conn_open(r, &c, NULL, 80);
	CHECK(rig_until(r, conn_is_open, &c));
	CHECK(setsockopt(c.app, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	close(c.app);
	CHECK(rig_until(r, is_reset, &device_end));
	CHECK(rig_until(r, conn_is_done, &c));
	CHECK(c.err < 0);
	/* and back */
	conn_open(r, &c, NULL, 80);
	CHECK(rig_until(r, conn_is_open, &c));
	CHECK(setsockopt(device_end, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	close(take_fd(device_end));
	CHECK(rig_until(r, is_reset, &c.app));
	CHECK(rig_until(r, conn_is_done, &c));
	CHECK(c.err < 0);
	close(c.app);
}

/* Who only writes must hear as well that nobody reads. */
static bool write_fails(void *fd)
{
	static const char zeros[4096];

	return write(*(int *)fd, zeros, sizeof zeros) < 0 && errno != EAGAIN;
}

static void test_a_reader_that_goes_away_is_noticed(void **state)
{
	struct rig *r = *state;
	struct conn c;

	conn_open(r, &c, NULL, 80);
	CHECK(rig_until(r, conn_is_open, &c));
	CHECK(shutdown(device_end, SHUT_WR) == 0);
	rig_settle(r);
	close(take_fd(device_end));
	CHECK(rig_until(r, write_fails, &c.app));
	CHECK(rig_until(r, conn_is_done, &c));
	close(c.app);
}

static void test_a_slow_reader_stops_the_writer(void **state)
{
	static uint8_t zeros[65536];
	struct rig *r = *state;
	size_t sent = 0;
	struct conn c;

	conn_open(r, &c, NULL, 80);
	CHECK(rig_until(r, conn_is_open, &c));
	for (int idle = 0; idle < 20;) {
		ssize_t n = write(c.app, zeros, sizeof zeros);

		idle = n > 0 ? 0 : idle + 1;
		sent += n > 0 ? (size_t)n : 0;
		CHECK(sent < 64 << 20);
		rig_settle(r);
		CHECK(loop_turn(r->loop, time_monotonic() + MILLIS(1)) >= 0);
	}
	/* What the kernel's buffers, the window and one high water hold. */
	CHECK(sent < 16 << 20);
	size_t got = 0;
	uint8_t b[65536];
	for (tstamp end = time_monotonic() + SECONDS(20); got < sent && time_monotonic() < end;) {
		ssize_t n = read(device_end, b, sizeof b);

		got += n > 0 ? (size_t)n : 0;
		rig_settle(r);
		CHECK(loop_turn(r->loop, 0) >= 0);
	}
	CHECK(got == sent);
	close(c.app);
	close(take_fd(device_end));
	CHECK(rig_until(r, conn_is_done, &c));
}

static void test_refusals(void **state)
{
	static const struct { const char *host; int port, host_err, err; } rows[] = {
		{ NULL, 80, -ECONNREFUSED, -ECONNREFUSED }, { "127.0.0.1", 80, -EHOSTUNREACH, -ECONNREFUSED },
		{ "localhost", 80, ERR_DENIED, ERR_UNKNOWN }, { "10.0.0.1", 80, 0, ERR_UNKNOWN },
		{ "example.org", 80, 0, ERR_UNKNOWN }, { NULL, 0, 0, ERR_PARSE },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned calls = r->host.calls;
		struct conn c;

		r->host.err = rows[i].host_err;
		conn_open(r, &c, rows[i].host, (uint16_t)rows[i].port);
		CHECK(rig_until(r, conn_is_done, &c));
		CHECK_ERR(c.err, rows[i].err);
		CHECK(!c.opened && c.text[0]);
		if (i < 2)
			assert_string_equal(c.text, err_text(rows[i].host_err));
		CHECK((r->host.calls > calls) == (rows[i].host_err < 0));
		close(c.app);
	}
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_ten_megabytes_both_ways_at_once),
		T(test_one_half_ends_the_other_goes_on),
		T(test_what_was_sent_early_arrives),
		T(test_a_reset_goes_through),
		T(test_a_reader_that_goes_away_is_noticed),
		T(test_a_slow_reader_stops_the_writer),
		T(test_refusals),
	};

	return RUN_TESTS(tests);
}
