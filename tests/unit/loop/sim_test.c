/* Is the simulated world repeatable, and does it do to packets what it says? */
#include "loop/sim.h"

#include <errno.h>

#include "test.h"

enum { SEG = 1000 };

/* A socket on a host that remembers what it saw. */
struct node {
	struct sim_host *host;
	struct loop *loop;
	struct udp *u;
	struct source *timer;
	struct addr last_from;
	tstamp last_at;
	uint64_t packets, bytes, buffers, turns, order_breaks;
	uint32_t last_number;
	bool echo, free_on_recv, crash_on_recv, marked;
	size_t biggest_seg_count;
};

static struct sim *sim;
static struct node a, b, c;

static struct addr at(const char *text)
{
	struct addr r;

	CHECK_ERR(addr_parse(&r, text), 0);
	return r;
}

static void on_recv(void *userdata, const struct addr *from, struct span data, size_t seg)
{
	struct node *n = userdata;
	size_t count = 0;

	CHECK(seg > 0 && seg <= data.len);
	for (struct span rest = data; rest.len; rest = span_from(rest, seg), count++) {
		uint32_t number = 0;

		memcpy(&number, rest.data, MIN(rest.len, sizeof number));
		CHECK(!n->marked || rest.data[0] == 0x55);
		n->order_breaks += number < n->last_number;
		n->last_number = number;
	}
	n->packets += count;
	n->biggest_seg_count = MAX(n->biggest_seg_count, count);
	n->bytes += data.len;
	n->buffers++;
	n->last_from = *from;
	n->last_at = loop_now(n->loop);
	if (n->echo)
		CHECK_ERR(udp_queue(n->u, from, data, seg), 0);
	if (n->free_on_recv)
		udp_free(take(n->u));
	if (n->crash_on_recv)
		sim_crash(n->host);
}

static void on_turn(void *userdata)
{
	struct node *n = userdata;

	n->turns++;
	if (n->echo)
		udp_flush(n->u);
}

static void start_node(struct node *n, struct sim_host *h)
{
	struct udp_config cfg = { .recv = on_recv, .turn = on_turn, .userdata = n, .fd = -1 };

	*n = (struct node){ .host = h };
	cfg.bind.port = 7;
	sim_enter(h);
	CHECK_ERR(loop_new(&n->loop), 0);
	CHECK_ERR(udp_open(&n->u, n->loop, &cfg), 0);
	sim_enter(NULL);
}

static void stop_node(struct node *n)
{
	source_free(n->timer);
	udp_free(n->u);
	loop_free(n->loop);
	*n = (struct node){};
}

static void start(uint64_t seed)
{
	struct sim_host *h;

	CHECK_ERR(sim_new(&sim, seed), 0);
	CHECK_ERR(sim_host(sim, &h, "a", "192.0.2.1 2001:db8::1"), 0);
	start_node(&a, h);
	CHECK_ERR(sim_host(sim, &h, "b", "192.0.2.2 2001:db8::2"), 0);
	start_node(&b, h);
	CHECK_ERR(sim_host(sim, &h, "c", "192.0.2.3"), 0);
	start_node(&c, h);
}

static void stop(void)
{
	stop_node(&a);
	stop_node(&b);
	stop_node(&c);
	sim_free(take(sim));
}

static int setup(void **) { start(1); return 0; }
static int teardown(void **) { stop(); return 0; }

static void run_for(tstamp t)
{
	CHECK_ERR(sim_run_until(sim, sim_now(sim) + t), 0);
}

/* count numbered datagrams, one a millisecond. */
static void send_numbered(struct node *from, const char *to_text, uint32_t count)
{
	uint8_t packet[SEG] = {};
	struct addr to = at(to_text);

	for (uint32_t i = 1; i <= count; i++) {
		memcpy(packet, &i, sizeof i);
		CHECK_ERR(udp_send(from->u, &to, SPAN_OF(packet), SEG), 0);
		run_for(MILLIS(1));
	}
	run_for(SECONDS(2));
}

/* ---- time ---- */

static unsigned fired;

static void on_rearm(void *userdata, tstamp now)
{
	struct node *n = userdata;

	CHECK(now == loop_now(n->loop));
	if (++fired < 10)
		CHECK_ERR(source_arm(n->timer, now + SECONDS(3600)), 0);
	else
		loop_stop(n->loop, 5);
}

static void test_hours_pass_in_no_time(void **)
{
	tstamp t = sim_now(sim);

	fired = 0;
	CHECK_ERR(loop_add_timer(a.loop, &a.timer, on_rearm, &a), 0);
	CHECK_ERR(source_arm(a.timer, t + SECONDS(3600)), 0);
	CHECK(loop_run(a.loop) == 5);
	CHECK(fired == 10 && sim_now(sim) == t + SECONDS(36000));
}

static void on_livelock(void *userdata, tstamp)
{
	struct node *n = userdata;

	CHECK_ERR(source_arm(n->timer, 0), 0);
}

static void test_a_livelock_is_an_error(void **)
{
	CHECK_ERR(loop_add_timer(a.loop, &a.timer, on_livelock, &a), 0);
	CHECK_ERR(source_arm(a.timer, 0), 0);
	CHECK_ERR(sim_run_until(sim, sim_now(sim) + 1), ERR_LIMIT);
}

static struct source *victims[6];
static unsigned ran;

static void free_all(void)
{
	ran++;
	for (size_t i = 0; i < ARRAY_LEN(victims); i++)
		source_free(take(victims[i]));
}

static void on_timer_free(void *, tstamp) { free_all(); }
static void on_defer_free(void *) { free_all(); }

static void test_sources_freed_by_the_first_do_not_run(void **)
{
	for (int kind = 0; kind < 2; kind++) {
		ran = 0;
		for (size_t i = 0; i < ARRAY_LEN(victims); i++) {
			if (kind) {
				CHECK_ERR(loop_add_timer(a.loop, &victims[i], on_timer_free, NULL), 0);
				CHECK_ERR(source_arm(victims[i], 0), 0);
			} else {
				CHECK_ERR(loop_add_defer(a.loop, &victims[i], on_defer_free, NULL), 0);
				source_trigger(victims[i]);
			}
		}
		run_for(1);
		CHECK(ran == 1);
	}
}

static void test_a_loop_that_waits_for_nothing_says_so(void **)
{
	CHECK_ERR(loop_run(a.loop), -EDEADLK);
	CHECK_ERR(loop_turn(a.loop, sim_now(sim) + 5), 0);
}

static void test_what_is_absent_says_so(void **)
{
	struct source *s = NULL;

	CHECK_ERR(loop_add_io(a.loop, &s, 0, LOOP_IN, NULL, NULL), -ENOSYS);
	CHECK_ERR(loop_add_signal(a.loop, &s, 1, NULL, NULL), -ENOSYS);
	CHECK_ERR(loop_add_child(a.loop, &s, 1, NULL, NULL), -ENOSYS);
	CHECK(loop_fd(a.loop) == -1 && s == NULL);
	struct loop *l;
	CHECK_ERR(loop_new(&l), ERR_STATE);     /* nowhere */
}

/* ---- determinism ---- */

static uint64_t busy_run(uint64_t seed)
{
	static const struct sim_link bad = {
		.latency = MILLIS(20), .jitter = MILLIS(5), .loss = 50000, .duplicate = 20000,
		.reorder = 50000, .rate = 2000000,
	};
	static uint8_t batch[20 * SEG];
	const struct addr to = at("192.0.2.2:7");

	start(seed);
	sim_link_default(sim, &bad);
	sim_set_again(a.host, 100000);
	b.echo = true;
	for (int i = 0; i < 200; i++) {
		int err = udp_send(a.u, &to, SPAN(batch, SEG * (size_t)(1 + i % 20)), SEG);

		CHECK(err == 0 || err == ERR_AGAIN);
		run_for(MILLIS(3));
	}
	run_for(SECONDS(1));
	CHECK(a.packets > 500);
	uint64_t trace = sim_trace(sim);
	stop();
	return trace;
}

static void test_the_seed_decides_everything(void **)
{
	uint64_t first = busy_run(7);

	CHECK(busy_run(7) == first);
	CHECK(busy_run(8) != first);
	CHECK(busy_run(7) == first);
}

/* ---- links ---- */

static void test_both_families_and_loopback_arrive_after_the_latency(void **)
{
	static const struct {
		const char *to, *from;
		tstamp latency;
	} cases[] = {
		{ "192.0.2.2:7", "192.0.2.1:7", MILLIS(10) },
		{ "[2001:db8::2]:7", "[2001:db8::1]:7", MILLIS(10) },
		{ "127.0.0.1:7", "127.0.0.1:7", MICROS(10) },
		{ "192.0.2.1:7", "192.0.2.1:7", MICROS(10) },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr to = at(cases[i].to), from = at(cases[i].from);
		struct node *n = i < 2 ? &b : &a;
		tstamp t = sim_now(sim);

		n->packets = 0;
		CHECK_ERR(udp_send(a.u, &to, SPAN("hello", 5), 5), 0);
		run_for(SECONDS(1));
		CHECK(n->packets == 1 && n->bytes >= 5 && addr_equal(&n->last_from, &from));
		CHECK(n->last_at - t >= cases[i].latency && n->last_at - t <= cases[i].latency + MICROS(100));
	}
	struct addr v6 = at("[2001:db8::2]:7");
	CHECK_ERR(udp_send(c.u, &v6, SPAN("x", 1), 1), -ENETUNREACH);
}

static void test_chances_are_about_right(void **)
{
	enum { N = 20000 };
	static const struct {
		const char *name;
		struct sim_link link;
		unsigned min, max;
		bool ordered;
	} cases[] = {
		{ "clean",         { .latency = MILLIS(5) }, N, N, true },
		{ "10 % loss",     { .loss = 100000 }, N * 89 / 100, N * 91 / 100, true },
		{ "5 % twice",     { .duplicate = 50000 }, N * 104 / 100, N * 106 / 100, true },
		{ "jitter alone keeps order", { .latency = MILLIS(5), .jitter = MILLIS(20) }, N, N, true },
		{ "reordered",     { .latency = MILLIS(5), .reorder = 50000 }, N, N, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sim_counters tx;

		print_message("  %s\n", cases[i].name);
		stop();
		start(3);
		CHECK_ERR(sim_link_both(a.host, b.host, &cases[i].link), 0);
		send_numbered(&a, "192.0.2.2:7", N);
		CHECK(b.packets >= cases[i].min && b.packets <= cases[i].max);
		CHECK((b.order_breaks == 0) == cases[i].ordered || cases[i].link.duplicate);
		sim_host_counters(a.host, &tx);
		CHECK(tx.tx_packets == N && (cases[i].link.duplicate || tx.lost == N - b.packets));
	}
}

static void test_a_partition_stops_packets_and_heals(void **)
{
	struct sim_counters n;

	CHECK_ERR(sim_partition(a.host, b.host, true), 0);
	send_numbered(&a, "192.0.2.2:7", 10);
	send_numbered(&b, "192.0.2.1:7", 10);
	CHECK(a.packets == 0 && b.packets == 0);
	sim_host_counters(a.host, &n);
	CHECK(n.lost == 10);
	send_numbered(&a, "192.0.2.3:7", 10);
	CHECK(c.packets == 10);
	CHECK_ERR(sim_partition(a.host, b.host, false), 0);
	send_numbered(&a, "192.0.2.2:7", 10);
	CHECK(b.packets == 10);
}

static void test_a_rate_spaces_packets_and_drops_the_excess(void **)
{
	const struct sim_link slow = { .latency = MILLIS(1), .rate = 1028 * 100, .queue = SECONDS(1) };
	static uint8_t data[50 * SEG];
	const struct addr to = at("192.0.2.2:7");
	tstamp t = sim_now(sim);

	CHECK_ERR(sim_link(a.host, b.host, &slow), 0);
	CHECK_ERR(udp_send(a.u, &to, SPAN_OF(data), SEG), 0);
	run_for(SECONDS(10));
	CHECK(b.packets == 50);
	CHECK(b.last_at - t >= MILLIS(500) && b.last_at - t < MILLIS(510));

	b.packets = 0;
	for (int i = 0; i < 10; i++)
		CHECK_ERR(udp_send(a.u, &to, SPAN_OF(data), SEG), 0);
	run_for(SECONDS(10));
	CHECK(b.packets >= 99 && b.packets <= 102);
}

static void test_batches_arrive_coalesced_now_and_then(void **)
{
	static uint8_t data[40 * SEG + 10];
	const struct addr to = at("192.0.2.2:7");

	b.marked = true;
	for (size_t i = 0; i < sizeof data; i += SEG)
		data[i] = 0x55;
	for (int i = 0; i < 50; i++) {
		CHECK_ERR(udp_send(a.u, &to, SPAN_OF(data), SEG), 0);
		if (i % 2)
			run_for(MILLIS(1));
	}
	run_for(SECONDS(1));
	CHECK(b.packets == 50 * 41 && b.bytes == 50 * sizeof data);
	CHECK(b.buffers < b.packets / 2 && b.buffers > 50);
	CHECK(b.biggest_seg_count > 4);
}

static void test_packets_above_the_mtu_vanish(void **)
{
	static uint8_t data[3000];
	const struct addr v4 = at("192.0.2.2:7"), v6 = at("[2001:db8::2]:7");
	struct { const struct addr *to; size_t len; bool arrives; } cases[] = {
		{ &v4, 1472, true }, { &v4, 1473, false }, { &v6, 1452, true }, { &v6, 1453, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		b.packets = 0;
		CHECK_ERR(udp_send(a.u, cases[i].to, SPAN(data, cases[i].len), cases[i].len), 0);
		run_for(SECONDS(1));
		CHECK(b.packets == cases[i].arrives);
	}
}

/* ---- sockets and hosts ---- */

static void test_a_full_socket_says_again_and_tells_when_it_is_writable(void **)
{
	const struct addr to = at("192.0.2.2:7");

	sim_set_again(a.host, SIM_MILLION);
	CHECK_ERR(udp_send(a.u, &to, SPAN("x", 1), 1), ERR_AGAIN);
	sim_set_again(a.host, 0);
	CHECK_ERR(udp_send(a.u, &to, SPAN("x", 1), 1), ERR_AGAIN);
	run_for(MILLIS(2));
	CHECK(a.turns == 1);
	CHECK_ERR(udp_send(a.u, &to, SPAN("x", 1), 1), 0);
	run_for(MILLIS(20));
	CHECK(b.packets == 1 && a.turns == 1);
}

static void test_a_socket_freed_in_its_callback_is_not_touched_again(void **)
{
	const struct addr to = at("192.0.2.2:7");
	static uint8_t data[20 * SEG];

	b.free_on_recv = true;
	CHECK_ERR(udp_send(a.u, &to, SPAN_OF(data), SEG), 0);
	run_for(SECONDS(1));
	CHECK(b.buffers == 1 && b.turns == 0 && b.u == NULL);
}

static void test_a_crashed_host_is_silent_until_it_restarts(void **)
{
	struct sim_host *h = b.host;
	struct loop *l;

	b.crash_on_recv = true;
	send_numbered(&a, "192.0.2.2:7", 5);
	CHECK(b.buffers == 1 && b.turns == 0);
	fired = 0;
	CHECK_ERR(loop_add_timer(b.loop, &b.timer, on_rearm, &b), 0);
	CHECK_ERR(source_arm(b.timer, 0), 0);
	run_for(SECONDS(1));
	CHECK(fired == 0);
	CHECK_ERR(udp_send(b.u, &(struct addr){}, SPAN("x", 1), 1), -ENETDOWN);
	sim_enter(h);
	CHECK_ERR(loop_new(&l), ERR_STATE);
	stop_node(&b);

	sim_restart(h);
	start_node(&b, h);
	send_numbered(&a, "192.0.2.2:7", 5);
	CHECK(b.packets == 5);
}

static void test_a_roaming_host_goes_on_from_its_new_address(void **)
{
	const struct addr moved = at("198.51.100.9:7");

	b.echo = true;
	CHECK_ERR(sim_readdress(a.host, "198.51.100.9"), 0);
	send_numbered(&a, "192.0.2.2:7", 3);
	CHECK(addr_equal(&b.last_from, &moved) && a.packets == 3);
	send_numbered(&c, "192.0.2.1:7", 3);
	CHECK(a.packets == 3);
	CHECK_ERR(sim_readdress(a.host, "not an address"), ERR_PARSE);
}

static void test_what_is_left_over_outlives_the_simulation(void **)
{
	CHECK_ERR(loop_add_timer(a.loop, &a.timer, on_rearm, &a), 0);
	CHECK_ERR(source_arm(a.timer, sim_now(sim) + 1), 0);
	CHECK_ERR(udp_send(a.u, &(struct addr){ .ip = { [15] = 1 }, .port = 7 }, SPAN("x", 1), 1), 0);
	sim_free(take(sim));
	CHECK(loop_now(a.loop) == 0);
	CHECK_ERR(source_arm(a.timer, 5), 0);
}

/* ---- NAT ---- */

static struct sim_nat *nat;

static void start_nat(bool symmetric, bool hairpin)
{
	CHECK_ERR(sim_nat(sim, &nat, &(struct sim_nat_config){ .ip = "203.0.113.1", .timeout = SECONDS(30),
							       .symmetric = symmetric, .hairpin = hairpin }), 0);
	CHECK_ERR(sim_readdress(a.host, "192.168.1.2"), 0);
	sim_attach(a.host, nat);
}

/* Sends one datagram and says whether the receiver got it. */
static bool passes(struct node *from, const struct addr *to, struct node *rx)
{
	uint64_t before = rx->packets;

	CHECK(udp_send(from->u, to, SPAN("x", 1), 1) <= 0);
	run_for(MILLIS(100));
	return rx->packets > before;
}

static void test_a_cone_nat_maps_once_and_lets_only_the_addressed_answer(void **)
{
	const struct addr to_b = at("192.0.2.2:7"), to_c = at("192.0.2.3:7"), inner = at("192.168.1.2:7");
	struct addr outer;

	start_nat(false, false);
	CHECK(passes(&a, &to_b, &b));
	outer = b.last_from;
	CHECK(!memcmp(outer.ip, at("203.0.113.1:0").ip, 16) && outer.port != 7);
	CHECK(passes(&b, &outer, &a));
	CHECK(addr_equal(&a.last_from, &to_b));
	CHECK(!passes(&c, &outer, &a));
	CHECK(!passes(&b, &inner, &a));
	CHECK(passes(&a, &to_c, &c));
	CHECK(addr_equal(&c.last_from, &outer));
	CHECK(passes(&c, &outer, &a));
}

static void test_a_symmetric_nat_maps_every_destination_anew(void **)
{
	const struct addr to_b = at("192.0.2.2:7"), to_c = at("192.0.2.3:7");

	start_nat(true, false);
	CHECK(passes(&a, &to_b, &b) && passes(&a, &to_c, &c));
	CHECK(!addr_equal(&b.last_from, &c.last_from));
	CHECK(passes(&b, &b.last_from, &a) && passes(&c, &c.last_from, &a));
	CHECK(!passes(&c, &b.last_from, &a));
}

static void test_mappings_die_of_silence_and_of_a_reset(void **)
{
	const struct addr to_b = at("192.0.2.2:7");
	struct addr outer;

	start_nat(false, false);
	CHECK(passes(&a, &to_b, &b));
	outer = b.last_from;
	for (int i = 0; i < 3; i++) {           /* refreshed from inside */
		run_for(SECONDS(20));
		CHECK(passes(&a, &to_b, &b) && addr_equal(&b.last_from, &outer));
	}
	run_for(SECONDS(20));
	CHECK(passes(&b, &outer, &a));          /* inbound does not refresh */
	run_for(SECONDS(20));
	CHECK(!passes(&b, &outer, &a));
	CHECK(passes(&a, &to_b, &b) && !addr_equal(&b.last_from, &outer));

	outer = b.last_from;
	CHECK_ERR(sim_nat_reset(nat, "203.0.113.77"), 0);
	CHECK(!passes(&b, &outer, &a));
	CHECK(passes(&a, &to_b, &b));
	CHECK(!memcmp(b.last_from.ip, at("203.0.113.77:0").ip, 16));
}

static void test_hosts_behind_one_nat_meet_inside_and_by_hairpin_only_if_it_can(void **)
{
	const struct addr inner_a = at("192.168.1.2:7"), inner_b = at("192.168.1.3:7"), to_c = at("192.0.2.3:7");
	struct addr outer_a, outer_b;

	for (int hairpin = 0; hairpin < 2; hairpin++) {
		stop();
		start(1);
		start_nat(false, hairpin);
		CHECK_ERR(sim_readdress(b.host, "192.168.1.3"), 0);
		sim_attach(b.host, nat);
		CHECK(passes(&a, &inner_b, &b) && addr_equal(&b.last_from, &inner_a));

		CHECK(passes(&a, &to_c, &c));
		outer_a = c.last_from;
		CHECK(passes(&b, &to_c, &c));
		outer_b = c.last_from;
		CHECK(!passes(&a, &outer_b, &b));       /* opens the filter, if it can */
		CHECK(passes(&b, &outer_a, &a) == hairpin);
		CHECK(passes(&a, &outer_b, &b) == hairpin);
	}
}

/* Both punch: the first packet dies at the other NAT, the second passes. */
static void test_hole_punching_works_between_two_cones(void **)
{
	const struct addr to_c = at("192.0.2.3:7");
	struct addr outer_a, outer_b;
	struct sim_nat *other;

	start_nat(false, false);
	CHECK_ERR(sim_nat(sim, &other, &(struct sim_nat_config){ .ip = "203.0.113.2" }), 0);
	CHECK_ERR(sim_readdress(b.host, "192.168.1.2"), 0);     /* the same inner address */
	sim_attach(b.host, other);
	CHECK(passes(&a, &to_c, &c));
	outer_a = c.last_from;
	CHECK(passes(&b, &to_c, &c));
	outer_b = c.last_from;
	CHECK(!passes(&a, &outer_b, &b));
	CHECK(passes(&b, &outer_a, &a));
	CHECK(passes(&a, &outer_b, &b) && addr_equal(&b.last_from, &outer_a));
}

/* ---- the hostile network ---- */

static unsigned tapped;

static bool on_tap(void *, struct sim_packet *p)
{
	tapped++;
	if (p->data[0] == 'd')
		return false;
	if (p->data[0] == 'g') {
		memset(p->data, 'G', 100);
		p->len = 100;
	}
	if (p->data[0] == 'r')
		p->to = at("192.0.2.3:7");
	return true;
}

static void test_a_tap_may_drop_alter_and_redirect(void **)
{
	const struct addr to = at("192.0.2.2:7");

	tapped = 0;
	sim_set_tap(sim, on_tap, NULL);
	CHECK_ERR(udp_send(a.u, &to, SPAN("pdgr", 4), 1), 0);
	run_for(SECONDS(1));
	CHECK(tapped == 4);
	CHECK(b.packets == 2 && b.bytes == 101 && c.packets == 1);
}

static void test_anyone_can_forge_a_source(void **)
{
	const struct addr from = at("198.51.100.66:666"), to = at("192.0.2.2:7");

	CHECK_ERR(sim_inject(sim, &from, &to, SPAN("evil", 4)), 0);
	run_for(SECONDS(1));
	CHECK(b.packets == 1 && addr_equal(&b.last_from, &from));
}

static bool waiting(void *) { return b.packets < 3; }

static void test_run_while_ends_with_its_predicate_or_its_deadline(void **)
{
	const struct addr to = at("192.0.2.2:7");
	tstamp t = sim_now(sim);

	CHECK_ERR(udp_send(a.u, &to, SPAN("123", 3), 1), 0);
	CHECK_ERR(sim_run_while(sim, waiting, NULL, t + SECONDS(9)), 0);
	CHECK(sim_now(sim) < t + MILLIS(11));
	b.packets = 0;
	CHECK_ERR(sim_run_while(sim, waiting, NULL, t + SECONDS(9)), ERR_TIMEOUT);
	CHECK(sim_now(sim) == t + SECONDS(9));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hours_pass_in_no_time),
		T(test_a_livelock_is_an_error),
		T(test_sources_freed_by_the_first_do_not_run),
		T(test_a_loop_that_waits_for_nothing_says_so),
		T(test_what_is_absent_says_so),
		cmocka_unit_test(test_the_seed_decides_everything),
		T(test_both_families_and_loopback_arrive_after_the_latency),
		T(test_chances_are_about_right),
		T(test_a_partition_stops_packets_and_heals),
		T(test_a_rate_spaces_packets_and_drops_the_excess),
		T(test_batches_arrive_coalesced_now_and_then),
		T(test_packets_above_the_mtu_vanish),
		T(test_a_full_socket_says_again_and_tells_when_it_is_writable),
		T(test_a_socket_freed_in_its_callback_is_not_touched_again),
		T(test_a_crashed_host_is_silent_until_it_restarts),
		T(test_a_roaming_host_goes_on_from_its_new_address),
		T(test_what_is_left_over_outlives_the_simulation),
		T(test_a_cone_nat_maps_once_and_lets_only_the_addressed_answer),
		T(test_a_symmetric_nat_maps_every_destination_anew),
		T(test_mappings_die_of_silence_and_of_a_reset),
		T(test_hosts_behind_one_nat_meet_inside_and_by_hairpin_only_if_it_can),
		T(test_hole_punching_works_between_two_cones),
		T(test_a_tap_may_drop_alter_and_redirect),
		T(test_anyone_can_forge_a_source),
		T(test_run_while_ends_with_its_predicate_or_its_deadline),
	};
	return RUN_TESTS(tests);
}
