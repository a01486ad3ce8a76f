/* Does each layer hold on its own, and does net still have what it lives on? */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "carrierd/landlock.h"
#include "carrierd/sandbox.h"
#include "loop/loop.h"
#include "loop/udp.h"
#include "test.h"

/* The number of the check that failed, 0 for none. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int landlock_only(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int abi = 0, parent = getppid();

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int err = landlock_deny_all(&abi);
	if (err == 1)
		return 77;
	if (err < 0)
		return 1;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return 2;
	if (execl("/bin/true", "true", (char *)NULL) < 0 && errno != EACCES)
		return 3;
	if (abi >= 4 && (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&sa, sizeof sa) == 0 || errno != EACCES))
		return 4;
	if (abi >= 6 && (kill(parent, 0) == 0 || errno != EPERM))
		return 5;
	return 0;
}

static void test_landlock_alone_denies_files_tcp_and_signals(void **state)
{
	(void)state;
	int failed = in_child(landlock_only);

	if (failed == 77)
		skip();
	CHECK(failed == 0);
}

static int keys_powers(void)
{
	struct sandbox_report report = {};
	char c;
	int p[2];

	if (pipe(p) < 0 || sandbox_keys(&report) < 0)
		return 1;
	if (write(p[1], "x", 1) != 1 || read(p[0], &c, 1) != 1)
		return 2;
	void *big = malloc(1 << 20);
	if (!big)
		return 3;
	free(big);
	if (epoll_create1(0) >= 0 || dup(0) >= 0 || open("/dev/null", O_RDONLY) >= 0)
		return 4;
	if (fork() >= 0 || pipe(p) >= 0)
		return 5;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) >= 0 ? 6 : 0;
}

static void test_keys_can_read_and_write_and_compute(void **state)
{
	(void)state;
	CHECK(in_child(keys_powers) == 0);
}

static unsigned received;
static void on_datagram(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	(void)userdata;
	(void)from;
	(void)seg_len;
	received += data.len == 5;
}

static void on_timer(void *userdata, tstamp now)
{
	(void)now;
	loop_stop(userdata, 0);
}

static int net_powers(void)
{
	struct sandbox_report report = {};
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct loop *l;
	struct udp *u;
	struct source *t;
	struct addr self;

	if (bind(fd, (struct sockaddr *)&sa, len) < 0 || getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return 1;
	if (sandbox_net(&report) < 0)
		return 2;
	if (loop_new(&l) < 0 || loop_add_timer(l, &t, on_timer, l) < 0)
		return 3;
	struct udp_config config = { .recv = on_datagram, .fd = fd };
	if (udp_open(&u, l, &config) < 0 || udp_local_addr(u, &self) < 0)
		return 4;
	if (udp_send(u, &self, SPAN_STR("hello"), 5) < 0 || source_arm(t, time_monotonic() + MILLIS(200)) < 0)
		return 5;
	if (loop_run(l) != 0 || received != 1)
		return 6;
	if (socket(AF_INET, SOCK_DGRAM, 0) >= 0 || open("/dev/null", O_RDONLY) >= 0 || fork() >= 0)
		return 7;
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) >= 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) >= 0)
		return 8;
	return 0;
}

static void test_net_has_a_loop_and_its_udp_socket(void **state)
{
	(void)state;
	CHECK(in_child(net_powers) == 0);
}

static int dropped(void)
{
	struct sandbox_report report = {};

	if (sandbox_drop_user(&report) < 0 || report.user != 0 || report.root != 0)
		return 1;
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || setuid(0) == 0)
		return 2;
	return access("/etc", F_OK) == 0 || access("/", W_OK) == 0 ? 3 : 0;
}

static void test_root_becomes_nobody_in_an_empty_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	CHECK(in_child(dropped) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landlock_alone_denies_files_tcp_and_signals),
		cmocka_unit_test(test_keys_can_read_and_write_and_compute),
		cmocka_unit_test(test_net_has_a_loop_and_its_udp_socket),
		cmocka_unit_test(test_root_becomes_nobody_in_an_empty_root),
	};
	return RUN_TESTS(tests);
}
