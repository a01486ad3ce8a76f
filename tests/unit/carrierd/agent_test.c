/* Do the three processes start, have what they should have and nothing else, and end
 * together? Each agent runs in a child of the test, so that it can be killed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/time.h"
#include "carrierd/agent.h"
#include "test.h"

static char dir[64], config_path[96];

struct running {
	pid_t pid;
	int lines;              /* what it logs and calls back, one line each */
	char text[16384];
	size_t len;
};

static void say(void *userdata, const char *topic, const char *text)
{
	dprintf(*(int *)userdata, "%s: %s\n", topic, text);
}

static void on_log(void *userdata, enum log_level level, const char *topic, const char *text)
{
	(void)level;
	say(userdata, topic, text);
}

static void on_identity(void *userdata, const struct identity *self, bool claimed)
{
	char text[IDENTITY_STR_MAX];

	identity_format(text, self);
	say(userdata, claimed ? "identity, claimed" : "identity", text);
}

static void on_code(void *userdata, const char *code) { say(userdata, "code", code); }
static void on_serving(void *userdata) { say(userdata, "serving", ""); }

static struct running start(int claim, const struct addr *listen)
{
	static const struct addr any = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } };
	struct running r = {};
	int p[2];

	CHECK(pipe2(p, O_CLOEXEC) == 0);
	r.pid = fork();
	if (r.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);         /* a failed test leaves no agent behind */
		const struct log_sink sink = { .line = on_log, .userdata = &p[1], .max = LOG_DEBUG };
		const struct agent_options o = {
			.config_path = config_path, .listen = listen ?: &any, .claim = claim, .log = &sink, .daemon = true,
			.identity = on_identity, .claim_code = on_code, .serving = on_serving, .userdata = &p[1],
			.application = "test", .application_version = "1",
		};
		int err = agent_run(&o);
		_exit(err == 0 ? 0 : err == ERR_CONFIG ? 78 : 1);
	}
	close(p[1]);
	r.lines = p[0];
	return r;
}

/* Reads until the words appear; false at the end or after some seconds. */
static bool wait_for(struct running *r, const char *words)
{
	tstamp end = time_monotonic() + SECONDS(10);

	while (!strstr(r->text, words) && time_monotonic() < end) {
		struct pollfd p = { .fd = r->lines, .events = POLLIN };
		if (poll(&p, 1, 100) <= 0)
			continue;
		ssize_t n = read(r->lines, r->text + r->len, sizeof r->text - 1 - r->len);
		if (n <= 0)
			break;
		r->len += (size_t)n;
	}
	if (!strstr(r->text, words))
		fprintf(stderr, "no \"%s\" in:\n%s", words, r->text);
	return strstr(r->text, words);
}

static int end(struct running *r, int signo)
{
	int status;

	if (signo)
		kill(r->pid, signo);
	for (int i = 0; i < 500; i++) {
		if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
			close(r->lines);
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
		usleep(10000);
	}
	kill(r->pid, SIGKILL);
	waitpid(r->pid, &status, 0);
	close(r->lines);
	return -1000;
}

static void children_of(pid_t pid, int out[2])
{
	char path[64], text[64] = "";

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	FILE *f = fopen(path, "r");
	CHECK(f && fgets(text, sizeof text, f));
	fclose(f);
	CHECK(sscanf(text, "%d %d", &out[0], &out[1]) == 2);   /* net was first */
}

static void read_status(int pid, const char *what, char out[static 8192])
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
	FILE *f = fopen(path, "r");
	CHECK(f);
	size_t n = fread(out, 1, 8191, f);
	out[n] = 0;
	fclose(f);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/carrierd-agent-XXXXXX");
	CHECK(mkdtemp(dir));
	snprintf(config_path, sizeof config_path, "%s/carrier.toml", dir);
	return 0;
}

static int teardown(void **state)
{
	char cmd[96];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

static void test_the_first_start_makes_an_identity_and_serves(void **state)
{
	(void)state;
	struct running r = start(AGENT_CLAIM_AS_CONFIGURED, NULL);

	CHECK(wait_for(&r, "serving: \n"));
	CHECK(wait_for(&r, "sysinfo for a stranger: DENIED"));
	CHECK(strstr(r.text, "identity: c") && strstr(r.text, "signature good, proof OK, 0 rules"));
	CHECK(strstr(r.text, "seccomp on"));
	CHECK(end(&r, SIGTERM) == 0);

	struct running again = start(AGENT_CLAIM_AS_CONFIGURED, NULL);
	CHECK(wait_for(&again, "serving: \n"));
	CHECK(!strncmp(strstr(r.text, "identity: c"), strstr(again.text, "identity: c"), 66));
	CHECK(end(&again, SIGINT) == 0);
}

static void test_net_and_keys_have_no_powers(void **state)
{
	(void)state;
	struct running r = start(AGENT_CLAIM_AS_CONFIGURED, NULL);
	static char text[8192];
	int pids[2];

	CHECK(wait_for(&r, "serving: \n"));
	children_of(r.pid, pids);
	for (int i = 0; i < 2; i++) {
		read_status(pids[i], "status", text);
		CHECK(strstr(text, "NoNewPrivs:\t1") && strstr(text, "Seccomp:\t2"));
		if (geteuid() == 0) {
			CHECK(!strstr(text, "Uid:\t0") && !strstr(text, "Gid:\t0"));
			CHECK(strstr(text, "CapEff:\t0000000000000000") && strstr(text, "CapPrm:\t0000000000000000"));
		}
		read_status(pids[i], "limits", text);
		CHECK(strstr(text, "Max core file size        0"));
	}
	read_status(r.pid, "status", text);
	CHECK(strstr(text, "NoNewPrivs:\t0"));  /* sudo in a shell still works */
	CHECK(end(&r, SIGTERM) == 0);
}

static void test_the_death_of_one_is_the_end_of_all(void **state)
{
	(void)state;
	for (int victim = 0; victim < 3; victim++) {
		struct running r = start(AGENT_CLAIM_AS_CONFIGURED, NULL);
		int pids[2];

		CHECK(wait_for(&r, "serving: \n"));
		children_of(r.pid, pids);
		kill(victim < 2 ? pids[victim] : r.pid, SIGKILL);
		CHECK(victim == 2 || wait_for(&r, victim ? "keys died of signal 9" : "net died of signal 9"));
		CHECK(end(&r, 0) == (victim < 2 ? 1 : -SIGKILL));
		for (int i = 0; i < 200 && (kill(pids[0], 0) == 0 || kill(pids[1], 0) == 0); i++)
			usleep(10000);
		CHECK(kill(pids[0], 0) < 0 && kill(pids[1], 0) < 0);
	}
}

static void test_an_edit_reaches_net(void **state)
{
	(void)state;
	struct running r = start(AGENT_CLAIM_AS_CONFIGURED, NULL);
	_cleanup_buf_ struct buf text = {};

	CHECK(wait_for(&r, "serving: \n"));
	CHECK_ERR(file_read(config_path, 1 << 16, &text), 0);
	buf_add_str(&text, "[[authorize]]\nidentity = \"*\"\nresource = \"/v2/x\"\n");
	CHECK_ERR(file_write_atomic(config_path, 0600, buf_span(&text)), 0);
	CHECK(wait_for(&r, "reloaded, 1 rules"));
	CHECK(end(&r, SIGTERM) == 0);
}

static void test_a_claim_code_is_shown_once(void **state)
{
	(void)state;
	struct running r = start(CLAIM_CODE, NULL);
	CHECK(wait_for(&r, "serving: \n"));
	CHECK(strstr(r.text, "code: "));
	CHECK(end(&r, SIGTERM) == 0);

	struct running again = start(CLAIM_CODE, NULL);
	CHECK(wait_for(&again, "serving: \n"));
	CHECK(!strstr(again.text, "code: "));
	CHECK(end(&again, SIGTERM) == 0);
}

static void test_a_bad_configuration_is_said_with_its_line(void **state)
{
	(void)state;
	CHECK_ERR(file_write_atomic(config_path, 0600, SPAN_STR("\nkeepalive = \"often\"\n")), 0);
	struct running r = start(AGENT_CLAIM_AS_CONFIGURED, NULL);
	CHECK(wait_for(&r, "carrier.toml:2"));
	CHECK(end(&r, 0) == 78);
}

static void test_a_taken_port_is_an_error(void **state)
{
	(void)state;
	struct addr a = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } };
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, &a, AF_INET);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&ss, len) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	CHECK_ERR(addr_from_sockaddr(&a, (struct sockaddr *)&ss), 0);
	struct running r = start(AGENT_CLAIM_AS_CONFIGURED, &a);
	CHECK(wait_for(&r, "cannot bind 127.0.0.1:"));
	CHECK(end(&r, 0) == 1);
	close(fd);
}

static void test_the_secret_of_the_environment_is_used_and_reaches_no_shell(void **state)
{
	(void)state;
	uint8_t seed[32] = { 77 };
	char text[TEXT_STR_MAX], want[IDENTITY_STR_MAX];
	struct identity id;
	static char environ_text[8192];
	int pids[2];

	CHECK_ERR(crypto_init(), 0);
	text_format2(text, TEXT_SECRET, seed);
	identity_of_seed(&id, (struct sign_seed *)seed);
	identity_format(want, &id);
	setenv("CARRIER_SECRET", text, 1);
	struct running r = start(AGENT_CLAIM_AS_CONFIGURED, NULL);
	unsetenv("CARRIER_SECRET");
	CHECK(wait_for(&r, "serving: \n"));
	CHECK(strstr(r.text, want));
	children_of(r.pid, pids);
	if (geteuid() == 0)     /* to the same user the file is closed altogether */
		read_status(pids[0], "environ", environ_text);
	for (size_t i = 0; i + 8 < sizeof environ_text; i++)
		CHECK(memcmp(environ_text + i, text, 8) != 0);
	CHECK(end(&r, SIGTERM) == 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_first_start_makes_an_identity_and_serves),
		T(test_net_and_keys_have_no_powers),
		T(test_the_death_of_one_is_the_end_of_all),
		T(test_an_edit_reaches_net),
		T(test_a_claim_code_is_shown_once),
		T(test_a_bad_configuration_is_said_with_its_line),
		T(test_a_taken_port_is_an_error),
		T(test_the_secret_of_the_environment_is_used_and_reaches_no_shell),
	};
	return RUN_TESTS(tests);
}
