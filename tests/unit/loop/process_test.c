/* Do signals and children arrive, once, and leave the process as it was? */
#include "loop/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static struct loop *loop;

static int setup(void **) { return loop_new(&loop); }

static int teardown(void **)
{
	loop_free(take(loop));
	return 0;
}

static unsigned got[NSIG];

static void on_signal(void *, int signo) { got[signo]++; }

static void test_signals_reach_every_source_of_their_number(void **)
{
	struct source *a, *b, *c;

	memset(got, 0, sizeof got);
	CHECK_ERR(loop_add_signal(loop, &a, SIGUSR1, on_signal, NULL), 0);
	CHECK_ERR(loop_add_signal(loop, &b, SIGUSR1, on_signal, NULL), 0);
	CHECK_ERR(loop_add_signal(loop, &c, SIGUSR2, on_signal, NULL), 0);
	kill(getpid(), SIGUSR1);
	CHECK_ERR(loop_turn(loop, TSTAMP_NEVER), 0);
	CHECK(got[SIGUSR1] == 2 && got[SIGUSR2] == 0);
	kill(getpid(), SIGUSR2);
	CHECK_ERR(loop_turn(loop, TSTAMP_NEVER), 0);
	CHECK(got[SIGUSR1] == 2 && got[SIGUSR2] == 1);
	source_free(a);
	kill(getpid(), SIGUSR1);
	CHECK_ERR(loop_turn(loop, TSTAMP_NEVER), 0);
	CHECK(got[SIGUSR1] == 3);
	source_free(b);
	source_free(c);
}

static void test_a_blocked_signal_is_unblocked_and_the_disposition_restored(void **)
{
	struct sigaction sa;
	struct source *s;
	sigset_t set;

	memset(got, 0, sizeof got);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_ERR(loop_add_signal(loop, &s, SIGTERM, on_signal, NULL), 0);
	kill(getpid(), SIGTERM);
	CHECK_ERR(loop_turn(loop, TSTAMP_NEVER), 0);
	CHECK(got[SIGTERM] == 1);
	source_free(s);
	sigaction(SIGTERM, NULL, &sa);
	CHECK(sa.sa_handler == SIG_DFL);
}

static void test_a_signal_has_one_loop(void **)
{
	struct loop *other;
	struct source *s, *t = NULL;

	CHECK_ERR(loop_new(&other), 0);
	CHECK_ERR(loop_add_signal(loop, &s, SIGUSR1, on_signal, NULL), 0);
	CHECK_ERR(loop_add_signal(other, &t, SIGUSR1, on_signal, NULL), ERR_EXISTS);
	CHECK(t == NULL);
	source_free(s);
	CHECK_ERR(loop_add_signal(other, &t, SIGUSR1, on_signal, NULL), 0);
	source_free(t);
	CHECK_ERR(loop_add_signal(loop, &s, 0, on_signal, NULL), -EINVAL);
	CHECK_ERR(loop_add_signal(loop, &s, SIGKILL, on_signal, NULL), -EINVAL);
	CHECK_ERR(loop_add_signal(loop, &s, NSIG, on_signal, NULL), -EINVAL);
	loop_free(other);
}

/* Between fork and exec a child still has the handler. */
static void test_a_forked_childs_signal_is_not_ours(void **)
{
	struct source *s;
	int status;

	memset(got, 0, sizeof got);
	CHECK_ERR(loop_add_signal(loop, &s, SIGUSR1, on_signal, NULL), 0);
	pid_t pid = fork();
	if (!pid) {
		raise(SIGUSR1);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_ERR(loop_turn(loop, 0), 0);
	CHECK(got[SIGUSR1] == 0);
	source_free(s);
}

static int child_status;
static unsigned child_calls;
static struct source *child_source;

static void on_child(void *userdata, int status)
{
	child_status = status;
	child_calls++;
	if (userdata)
		source_free(take(child_source));
}

static pid_t spawn(int code, int signo)
{
	pid_t pid = fork();

	if (!pid) {
		if (signo)
			raise(signo);
		_exit(code);
	}
	return pid;
}

static void test_a_childs_end_is_told_once(void **)
{
	static const struct {
		const char *name;
		int code, signo;
		bool wait_first, free_inside;
	} cases[] = {
		{ "exit 0", 0, 0, false, false },
		{ "exit 7", 7, 0, false, true },
		{ "killed", 0, SIGKILL, false, false },
		{ "ended before it was added", 9, 0, true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pid_t pid = spawn(cases[i].code, cases[i].signo);
		siginfo_t si;

		print_message("  %s\n", cases[i].name);
		child_calls = 0;
		if (cases[i].wait_first)
			CHECK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) == 0);
		CHECK_ERR(loop_add_child(loop, &child_source, pid, on_child, cases[i].free_inside ? loop : NULL), 0);
		while (!child_calls)
			CHECK_ERR(loop_turn(loop, TSTAMP_NEVER), 0);
		CHECK_ERR(loop_turn(loop, 0), 0);
		CHECK(child_calls == 1);
		if (cases[i].signo)
			CHECK(WIFSIGNALED(child_status) && WTERMSIG(child_status) == cases[i].signo);
		else
			CHECK(WIFEXITED(child_status) && WEXITSTATUS(child_status) == cases[i].code);
		CHECK(waitpid(pid, NULL, WNOHANG) == -1 && errno == ECHILD);
		source_free(take(child_source));
	}
}

static void test_only_children_can_be_added(void **)
{
	struct source *s = NULL;

	CHECK_ERR(loop_add_child(loop, &s, getpid(), on_child, NULL), -ECHILD);
	CHECK_ERR(loop_add_child(loop, &s, 0, on_child, NULL), -EINVAL);
	CHECK(s == NULL);
}

static void test_a_child_reaped_by_somebody_else_is_told_as_an_error(void **)
{
	pid_t pid = spawn(3, 0);

	child_calls = 0;
	CHECK_ERR(loop_add_child(loop, &child_source, pid, on_child, NULL), 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK_ERR(loop_turn(loop, TSTAMP_NEVER), 0);
	CHECK(child_calls == 1 && child_status == -ECHILD);
	source_free(take(child_source));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_signals_reach_every_source_of_their_number),
		T(test_a_blocked_signal_is_unblocked_and_the_disposition_restored),
		T(test_a_signal_has_one_loop),
		T(test_a_forked_childs_signal_is_not_ours),
		T(test_a_childs_end_is_told_once),
		T(test_only_children_can_be_added),
		T(test_a_child_reaped_by_somebody_else_is_told_as_an_error),
	};
	return RUN_TESTS(tests);
}
