/* Does the loop run what is due, in order, and never what has been freed? */
#include "loop/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "test.h"

enum { SOURCES_MAX = 4096 };

static struct loop *loop;

/* The linker puts this in front of the real call: Linux before 5.11. */
static bool old_kernel;
static unsigned refused;

int __real_epoll_pwait2(int fd, struct epoll_event *ev, int n, const struct timespec *ts,
			const sigset_t *set);
int __wrap_epoll_pwait2(int fd, struct epoll_event *ev, int n, const struct timespec *ts,
			const sigset_t *set);

int __wrap_epoll_pwait2(int fd, struct epoll_event *ev, int n, const struct timespec *ts, const sigset_t *set)
{
	if (!old_kernel)
		return __real_epoll_pwait2(fd, ev, n, ts, set);
	refused++;
	errno = ENOSYS;
	return -1;
}

static int setup(void **)
{
	old_kernel = false;
	return loop_new(&loop);
}

static int setup_old_kernel(void **)
{
	old_kernel = true;
	refused = 0;
	return loop_new(&loop);
}

static int teardown_old_kernel(void **)
{
	loop_free(take(loop));
	return refused == 1 ? 0 : -1;           /* asked once, then never again */
}

static int teardown(void **)
{
	loop_free(take(loop));
	return 0;
}

static void turn(tstamp until)
{
	CHECK_ERR(loop_turn(loop, until), 0);
}

/* ---- timers ---- */

struct shot {
	struct source *s;
	tstamp at;
	unsigned fired, rearm;
};

static unsigned fired_total;
static tstamp fired_last;

static void on_shot(void *userdata, tstamp now)
{
	struct shot *t = userdata;

	CHECK(now >= t->at);
	CHECK(now == loop_now(loop));
	CHECK(t->at >= fired_last);
	fired_last = t->at;
	t->fired++;
	fired_total++;
	if (t->rearm) {
		t->rearm--;
		t->at += MICROS(300);
		CHECK_ERR(source_arm(t->s, t->at), 0);
	}
}

static void test_timers_fire_in_order_and_rearm(void **)
{
	static const unsigned order[] = { 3, 1, 4, 0, 2 };
	struct shot t[ARRAY_LEN(order)] = {};
	tstamp base = loop_now(loop) + MILLIS(2);

	fired_total = 0;
	fired_last = 0;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		t[i].at = base + MILLIS(2 * order[i]);
		t[i].rearm = order[i] == 4 ? 3 : 0;
		CHECK_ERR(loop_add_timer(loop, &t[i].s, on_shot, &t[i]), 0);
		CHECK_ERR(source_arm(t[i].s, t[i].at), 0);
	}
	while (fired_total < 8)
		turn(TSTAMP_NEVER);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		CHECK(t[i].fired == (order[i] == 4 ? 4u : 1u));
		source_free(t[i].s);
	}
}

static void test_disarmed_and_freed_timers_stay_silent(void **)
{
	struct shot t[3] = {};

	fired_total = 0;
	fired_last = 0;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		CHECK_ERR(loop_add_timer(loop, &t[i].s, on_shot, &t[i]), 0);
		CHECK_ERR(source_arm(t[i].s, loop_now(loop)), 0);
	}
	CHECK_ERR(source_arm(t[0].s, TSTAMP_NEVER), 0);
	source_free(t[1].s);
	turn(0);
	turn(0);
	CHECK(fired_total == 1 && t[2].fired == 1);
	source_free(t[0].s);
	source_free(t[2].s);
}

static uint64_t rng_state;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static struct shot many[SOURCES_MAX];

/* Each armed at random, some re-armed, disarmed or freed; the model is the at field. */
static void test_thousands_of_random_timers_fire_once_each(void **)
{
	tstamp base = loop_now(loop);
	unsigned want = 0;

	rng_state = 0x9e3779b97f4a7c15u;
	fired_total = 0;
	fired_last = 0;
	memset(many, 0, sizeof many);
	for (size_t i = 0; i < SOURCES_MAX; i++) {
		struct shot *t = &many[i];

		CHECK_ERR(loop_add_timer(loop, &t->s, on_shot, t), 0);
		for (uint64_t n = 1 + rng() % 3; n; n--) {
			t->at = base + MILLIS(20) + rng() % MILLIS(60);
			CHECK_ERR(source_arm(t->s, t->at), 0);
		}
		if (rng() % 5 == 0) {
			t->at = TSTAMP_NEVER;
			CHECK_ERR(source_arm(t->s, TSTAMP_NEVER), 0);
		} else if (rng() % 5 == 0) {
			t->at = TSTAMP_NEVER;
			source_free(take(t->s));
		} else {
			want++;
		}
	}
	while (loop_now(loop) < base + MILLIS(90))
		turn(base + MILLIS(90));
	CHECK(fired_total == want);
	for (size_t i = 0; i < SOURCES_MAX; i++) {
		CHECK(many[i].fired == (many[i].at != TSTAMP_NEVER));
		source_free(many[i].s);
	}
}

static void test_timer_precision_is_below_a_millisecond(void **)
{
	tstamp best = TSTAMP_NEVER;

	for (int i = 0; i < 20; i++) {
		struct shot t = { .at = loop_now(loop) + MICROS(200) };

		fired_last = 0;
		CHECK_ERR(loop_add_timer(loop, &t.s, on_shot, &t), 0);
		CHECK_ERR(source_arm(t.s, t.at), 0);
		while (!t.fired)
			turn(TSTAMP_NEVER);
		best = MIN(best, loop_now(loop) - t.at);
		source_free(t.s);
	}
	CHECK(best < MICROS(500));
}

static struct shot storm;
static unsigned storms;

static void on_storm(void *, tstamp now)
{
	storms++;
	CHECK_ERR(source_arm(storm.s, now), 0);
}

static void test_a_timer_armed_for_now_waits_for_the_next_turn(void **)
{
	CHECK_ERR(loop_add_timer(loop, &storm.s, on_storm, NULL), 0);
	CHECK_ERR(source_arm(storm.s, 0), 0);
	storms = 0;
	turn(TSTAMP_NEVER);
	CHECK(storms == 1);
	turn(TSTAMP_NEVER);
	CHECK(storms == 2);
	source_free(storm.s);
}

/* ---- freeing inside callbacks ---- */

static struct source *victim[8];
static unsigned ran[8];

static void free_all_but_count(size_t me)
{
	ran[me]++;
	for (size_t i = 0; i < ARRAY_LEN(victim); i++)
		source_free(take(victim[i]));
}

static void on_free_timer(void *userdata, tstamp) { free_all_but_count((size_t)userdata); }
static void on_free_defer(void *userdata) { free_all_but_count((size_t)userdata); }
static void on_free_io(void *userdata, unsigned) { free_all_but_count((size_t)userdata); }
static void on_free_signal(void *userdata, int) { free_all_but_count((size_t)userdata); }

static unsigned total_ran(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(ran); i++)
		n += ran[i];
	return n;
}

static void test_due_timers_freed_by_the_first_do_not_run(void **)
{
	memset(ran, 0, sizeof ran);
	for (size_t i = 0; i < ARRAY_LEN(victim); i++) {
		CHECK_ERR(loop_add_timer(loop, &victim[i], on_free_timer, (void *)i), 0);
		CHECK_ERR(source_arm(victim[i], 1), 0);
	}
	turn(0);
	turn(0);
	CHECK(total_ran() == 1);
}

static void test_triggered_defers_freed_by_the_first_do_not_run(void **)
{
	memset(ran, 0, sizeof ran);
	for (size_t i = 0; i < ARRAY_LEN(victim); i++) {
		CHECK_ERR(loop_add_defer(loop, &victim[i], on_free_defer, (void *)i), 0);
		source_trigger(victim[i]);
	}
	turn(TSTAMP_NEVER);
	turn(0);
	CHECK(total_ran() == 1);
}

static void test_fetched_events_of_freed_sources_do_not_run(void **)
{
	int fds[ARRAY_LEN(victim)][2];

	memset(ran, 0, sizeof ran);
	for (size_t i = 0; i < ARRAY_LEN(victim); i++) {
		CHECK(pipe(fds[i]) == 0);
		CHECK(write(fds[i][1], "x", 1) == 1);
		CHECK_ERR(loop_add_io(loop, &victim[i], fds[i][0], LOOP_IN, on_free_io, (void *)i), 0);
	}
	turn(TSTAMP_NEVER);
	turn(0);
	CHECK(total_ran() == 1);
	for (size_t i = 0; i < ARRAY_LEN(victim); i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static void test_files_freed_by_the_first_do_not_run(void **)
{
	FILE *f = tmpfile();

	CHECK(f != NULL);
	memset(ran, 0, sizeof ran);
	for (size_t i = 0; i < ARRAY_LEN(victim); i++)
		CHECK_ERR(loop_add_io(loop, &victim[i], fileno(f), LOOP_IN, on_free_io, (void *)i), 0);
	turn(TSTAMP_NEVER);
	turn(0);
	CHECK(total_ran() == 1);
	fclose(f);
}

static void test_signals_freed_by_the_first_do_not_run(void **)
{
	memset(ran, 0, sizeof ran);
	for (size_t i = 0; i < ARRAY_LEN(victim); i++)
		CHECK_ERR(loop_add_signal(loop, &victim[i], SIGUSR1, on_free_signal, (void *)i), 0);
	CHECK(raise(SIGUSR1) == 0);
	turn(TSTAMP_NEVER);
	turn(0);
	CHECK(total_ran() == 1);
}

/* Each kind frees the next kind's ready source: io, then timer, then defer. */
static void test_one_kind_frees_another_that_is_ready(void **)
{
	int fds[2];

	memset(ran, 0, sizeof ran);
	CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	CHECK_ERR(loop_add_io(loop, &victim[0], fds[0], LOOP_IN, on_free_io, (void *)0), 0);
	CHECK_ERR(loop_add_timer(loop, &victim[1], on_free_timer, (void *)1), 0);
	CHECK_ERR(source_arm(victim[1], 1), 0);
	CHECK_ERR(loop_add_defer(loop, &victim[2], on_free_defer, (void *)2), 0);
	source_trigger(victim[2]);
	turn(0);
	turn(0);
	CHECK(total_ran() == 1 && ran[0] == 1);
	close(fds[0]);
	close(fds[1]);
}

static void on_due_rearms_other(void *, tstamp now)
{
	ran[0]++;
	CHECK_ERR(source_arm(victim[0], TSTAMP_NEVER), 0);
	CHECK_ERR(source_arm(victim[1], now + MILLIS(5)), 0);
}

static void test_a_due_timer_that_another_moves_does_not_run_now(void **)
{
	memset(ran, 0, sizeof ran);
	for (size_t i = 0; i < 2; i++) {
		CHECK_ERR(loop_add_timer(loop, &victim[i], on_due_rearms_other, NULL), 0);
		CHECK_ERR(source_arm(victim[i], 1 + i), 0);
	}
	turn(0);
	CHECK(ran[0] == 1);
	turn(TSTAMP_NEVER);
	CHECK(ran[0] == 2);
	source_free(take(victim[0]));
	source_free(take(victim[1]));
}

/* ---- defers, stop, nesting ---- */

static struct source *chain[2];
static unsigned chained[2];

static void on_chain(void *userdata)
{
	size_t i = (size_t)userdata;

	chained[i]++;
	if (chained[0] + chained[1] < 10)
		source_trigger(chain[!i]);
}

static void test_a_defer_runs_once_a_turn(void **)
{
	memset(chained, 0, sizeof chained);
	for (size_t i = 0; i < 2; i++)
		CHECK_ERR(loop_add_defer(loop, &chain[i], on_chain, (void *)i), 0);
	source_trigger(chain[0]);
	source_trigger(chain[0]);
	turn(TSTAMP_NEVER);
	CHECK(chained[0] == 1 && chained[1] == 0);
	turn(TSTAMP_NEVER);
	CHECK(chained[0] == 1 && chained[1] == 1);
	for (int i = 0; i < 20; i++)
		turn(0);
	CHECK(chained[0] + chained[1] == 10);
	source_free(chain[0]);
	source_free(chain[1]);
}

static void on_stop(void *, tstamp)
{
	CHECK_ERR(loop_turn(loop, 0), ERR_STATE);
	loop_stop(loop, 42);
}

static void test_run_returns_what_stop_was_given(void **)
{
	struct source *s;

	CHECK_ERR(loop_add_timer(loop, &s, on_stop, NULL), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_ERR(source_arm(s, 0), 0);
		CHECK(loop_run(loop) == 42);
	}
	source_free(s);
}

static void test_sources_may_outlive_their_loop(void **)
{
	struct source *s[3];

	CHECK_ERR(loop_add_timer(loop, &s[0], on_stop, NULL), 0);
	CHECK_ERR(source_arm(s[0], SECONDS(1)), 0);
	CHECK_ERR(loop_add_defer(loop, &s[1], on_free_defer, NULL), 0);
	source_trigger(s[1]);
	CHECK_ERR(loop_add_signal(loop, &s[2], SIGUSR1, on_free_signal, NULL), 0);
	loop_free(take(loop));
	CHECK_ERR(source_arm(s[0], 0), ERR_STATE);
	source_trigger(s[1]);
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		source_free(s[i]);
}

/* ---- io ---- */

static unsigned io_events, io_calls;

static void on_io(void *, unsigned events)
{
	io_events = events;
	io_calls++;
}

static void test_interest_can_change(void **)
{
	struct source *s;
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK_ERR(loop_add_io(loop, &s, fds[1], 0, on_io, NULL), 0);
	io_calls = 0;
	turn(0);
	CHECK(io_calls == 0);
	CHECK_ERR(source_events(s, LOOP_OUT), 0);
	turn(TSTAMP_NEVER);
	CHECK(io_calls == 1 && io_events == LOOP_OUT);
	CHECK_ERR(source_events(s, 0), 0);
	turn(0);
	CHECK(io_calls == 1);

	/* Nobody waits: the hang-up is told once, and does not spin. */
	close(fds[0]);
	turn(TSTAMP_NEVER);
	CHECK(io_calls == 2 && (io_events & LOOP_HUP));
	turn(0);
	CHECK(io_calls == 2);
	CHECK_ERR(source_events(s, LOOP_OUT), 0);
	turn(TSTAMP_NEVER);
	CHECK(io_calls == 3 && (io_events & LOOP_HUP));
	source_free(s);
	close(fds[1]);
}

static void test_a_file_is_always_ready(void **)
{
	FILE *f = tmpfile();
	struct source *s;

	CHECK(f != NULL);
	io_calls = 0;
	CHECK_ERR(loop_add_io(loop, &s, fileno(f), LOOP_IN, on_io, NULL), 0);
	turn(TSTAMP_NEVER);
	turn(TSTAMP_NEVER);
	CHECK(io_calls == 2 && io_events == LOOP_IN);
	CHECK_ERR(source_events(s, 0), 0);
	turn(0);
	CHECK(io_calls == 2);
	CHECK_ERR(source_events(s, LOOP_IN), 0);
	turn(TSTAMP_NEVER);
	CHECK(io_calls == 3);
	source_free(s);
	fclose(f);
}

static void test_a_bad_descriptor_is_refused(void **)
{
	struct source *s = (struct source *)1;

	CHECK_ERR(loop_add_io(loop, &s, 1 << 20, LOOP_IN, on_io, NULL), -EBADF);
	CHECK(s == (struct source *)1);
}

static int outer_fd;

static bool readable(int timeout)
{
	struct pollfd p = { .fd = outer_fd, .events = POLLIN };

	return poll(&p, 1, timeout) == 1;
}

static void on_nothing(void *) {}

static void test_an_outer_poll_wakes_for_everything(void **)
{
	struct shot t = {};
	struct source *d;

	fired_last = 0;
	outer_fd = loop_fd(loop);
	CHECK(!readable(0));
	CHECK_ERR(loop_add_timer(loop, &t.s, on_shot, &t), 0);
	t.at = loop_now(loop) + MILLIS(5);
	CHECK_ERR(source_arm(t.s, t.at), 0);
	CHECK(!readable(0));
	CHECK(readable(1000));
	turn(0);
	CHECK(t.fired == 1);
	CHECK(!readable(0));

	CHECK_ERR(loop_add_defer(loop, &d, on_nothing, NULL), 0);
	source_trigger(d);
	CHECK(readable(0));
	turn(0);
	CHECK(!readable(0));

	/* Armed inside a callback, published when the turn ends. */
	fired_last = 0;
	t.rearm = 1;
	t.at = loop_now(loop);
	CHECK_ERR(source_arm(t.s, t.at), 0);
	turn(0);
	CHECK(t.fired == 2 && readable(1000));
	turn(0);
	CHECK(t.fired == 3);

	/* A timer that is moved away wakes nobody at its old time. */
	t.at = loop_now(loop) + SECONDS(100);
	CHECK_ERR(source_arm(t.s, 1), 0);
	CHECK(readable(0));
	CHECK_ERR(source_arm(t.s, t.at), 0);
	CHECK(!readable(0));
	source_free(t.s);
	source_free(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#define OLD(f) { #f " on an old kernel", f, setup_old_kernel, teardown_old_kernel, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_timers_fire_in_order_and_rearm),
		T(test_disarmed_and_freed_timers_stay_silent),
		T(test_thousands_of_random_timers_fire_once_each),
		T(test_timer_precision_is_below_a_millisecond),
		T(test_a_timer_armed_for_now_waits_for_the_next_turn),
		T(test_due_timers_freed_by_the_first_do_not_run),
		T(test_triggered_defers_freed_by_the_first_do_not_run),
		T(test_fetched_events_of_freed_sources_do_not_run),
		T(test_files_freed_by_the_first_do_not_run),
		T(test_signals_freed_by_the_first_do_not_run),
		T(test_one_kind_frees_another_that_is_ready),
		T(test_a_due_timer_that_another_moves_does_not_run_now),
		T(test_a_defer_runs_once_a_turn),
		T(test_run_returns_what_stop_was_given),
		T(test_sources_may_outlive_their_loop),
		T(test_interest_can_change),
		T(test_a_file_is_always_ready),
		T(test_a_bad_descriptor_is_refused),
		T(test_an_outer_poll_wakes_for_everything),
		OLD(test_timers_fire_in_order_and_rearm),
		OLD(test_thousands_of_random_timers_fire_once_each),
		OLD(test_timer_precision_is_below_a_millisecond),
		OLD(test_an_outer_poll_wakes_for_everything),
	};
	return RUN_TESTS(tests);
}
