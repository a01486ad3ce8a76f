/* Somebody's code runs inside the net process: what can it do? The same probes run once
 * in the sandbox and once without it, which shows that each of them can succeed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/file.h"
#include "carrierd/agent.h"
#include "carrierd/agent_test.h"
#include "carrierd/messages.h"
#include "carrierd/net.h"
#include "test.h"
#include "wire/cbor.h"

static char dir[64], config_path[96], secret_path[96];
static struct identity owner, stranger;
static pid_t monitor_pid;
static int in_monitor = 42;     /* at the same address in every process of the fork */

/* ---- probes: 0 or more, it could be done ---- */

static int probe_open(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int probe_secret(struct net *n) { (void)n; return probe_open(secret_path, O_RDONLY); }
static int probe_file(struct net *n) { (void)n; return probe_open("/etc/passwd", O_RDONLY); }
static int probe_write(struct net *n) { (void)n; return probe_open("/tmp/carrierd-probe", O_RDWR | O_CREAT); }
static int probe_folder(struct net *n) { (void)n; return probe_open("/", O_RDONLY | O_DIRECTORY); }
static int probe_mkdir(struct net *n) { (void)n; return mkdir("/tmp/carrierd-probe-dir", 0700) < 0 ? -1 : rmdir("/tmp/carrierd-probe-dir"); }

static int probe_exec(struct net *n)
{
	(void)n;
	/* ENOENT is the answer of a kernel that looked. */
	return execl("/no/such/program", "x", (char *)NULL) < 0 && errno == ENOENT ? 0 : -1;
}

static int probe_fork(struct net *n)
{
	(void)n;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static int probe_socket(struct net *n)
{
	(void)n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int probe_socketpair(struct net *n)
{
	(void)n;
	int s[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		return -1;
	close(s[0]);
	return close(s[1]);
}

static int probe_kill(struct net *n) { (void)n; return kill(monitor_pid, 0); }

static int probe_ptrace(struct net *n)
{
	(void)n;
	/* Detached when this process ends. */
	return ptrace(PTRACE_SEIZE, monitor_pid, NULL, NULL) < 0 ? -1 : 0;
}

static int probe_read_monitor(struct net *n)
{
	int value = 0;
	struct iovec here = { &value, sizeof value }, there = { &in_monitor, sizeof in_monitor };

	(void)n;
	return process_vm_readv(monitor_pid, &here, 1, &there, 1, 0) == sizeof value && value == 42 ? 0 : -1;
}

static int probe_code(struct net *n)
{
	(void)n;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : munmap(p, 4096);
}

static int probe_make_code(struct net *n)
{
	(void)n;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err = p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
	(void)munmap(p, 4096);
	return err;
}

static int sign(struct net *n, unsigned purpose, struct span message)
{
	_cleanup_buf_ struct buf rq = {}, answer = {};

	cbor_put_array(&rq, 2);
	cbor_put_uint(&rq, purpose);
	cbor_put_bytes(&rq, message);
	return ipc_call(n->keys.fd, KEYS_SIGN, buf_span(&rq), &answer);
}

static struct span certificate_verify(const char *context)
{
	static uint8_t cv[64 + 34 + 32];

	memset(cv, ' ', 64);
	memset(cv + 64, 7, sizeof cv - 64);
	memcpy(cv + 64, context, 34);
	return SPAN_OF(cv);
}

static int probe_statement(struct net *n) { return sign(n, VAULT_STATEMENT, SPAN_STR("I owe you everything")); }
static int probe_restore(struct net *n) { return sign(n, VAULT_RESTORE, SPAN_STR("moved to another machine")); }
static int probe_bytes(struct net *n) { return sign(n, VAULT_TLS, SPAN_STR("any bytes at all")); }
static int probe_lookalike(struct net *n) { return sign(n, VAULT_TLS, certificate_verify("TLS 1.3, server CertificateVerifx")); }
static int probe_tls(struct net *n) { return sign(n, VAULT_TLS, certificate_verify("TLS 1.3, server CertificateVerify")); }

static int probe_network_secret(struct net *n)
{
	_cleanup_buf_ struct buf rq = {};

	cbor_put_array(&rq, 1);
	cbor_put_null(&rq);
	return ipc_call(n->keys.fd, KEYS_NETWORK, buf_span(&rq), NULL);
}

static int probe_agree(struct net *n)
{
	_cleanup_buf_ struct buf rq = {};
	struct agree_secret sk = { { 1 } };
	struct agree_public pk;

	agree_public_of(&pk, &sk);
	cbor_put_array(&rq, 1);
	cbor_put_bytes(&rq, SPAN_OF(pk.b));
	return ipc_call(n->keys.fd, KEYS_AGREE, buf_span(&rq), NULL);
}

static void on_answer(void *userdata, int err, struct ipc_message *reply)
{
	(void)reply;
	*(int *)userdata = err;
}

static int ask(struct net *n, enum host_call what, const struct identity *who, const char *path)
{
	_cleanup_buf_ struct buf rq = {};
	int result = 1;

	cbor_put_array(&rq, 3);
	cbor_put_bytes(&rq, SPAN_OF(who->key));
	cbor_put_str(&rq, path);
	cbor_put_bytes(&rq, SPAN("\xa0", 1));
	if (ipc_request(n->monitor, (uint16_t)what, buf_span(&rq), NULL, 0, on_answer, &result) < 0)
		return -1;
	while (result > 0)
		if (loop_turn(n->loop, time_monotonic() + SECONDS(1)) < 0)
			return -1;
	return result;
}

static int probe_stranger(struct net *n) { return ask(n, HOST_SHELL, &stranger, "/v0/shell"); }
static int probe_wrong_path(struct net *n) { return ask(n, HOST_SHELL, &owner, "/v2/carrier.sysinfo.v1/sysinfo"); }
static int probe_other_rule(struct net *n) { return ask(n, HOST_SHELL, &owner, "/v0/shell"); }
static int probe_sysinfo(struct net *n) { return ask(n, HOST_SYSINFO, &owner, "/v2/carrier.sysinfo.v1/sysinfo"); }

static const struct {
	const char *name;
	int (*run)(struct net *n);
	bool inside, without;   /* possible in the sandbox, without it */
} probes[] = {
	{ "reading the secret", probe_secret, false, true },
	{ "reading a file", probe_file, false, true },
	{ "writing a file", probe_write, false, true },
	{ "opening a folder", probe_folder, false, true },
	{ "making a folder", probe_mkdir, false, true },
	{ "executing", probe_exec, false, true },
	{ "forking", probe_fork, false, true },
	{ "a socket", probe_socket, false, true },
	{ "a pair of sockets", probe_socketpair, false, true },
	{ "a signal to the monitor", probe_kill, false, true },
	{ "reading the monitor's memory", probe_read_monitor, false, true },
	{ "executable memory", probe_code, false, true },
	{ "making memory executable", probe_make_code, false, true },
	{ "a statement signed", probe_statement, false, true },
	{ "a restore signed", probe_restore, false, true },
	{ "any bytes signed", probe_bytes, false, false },
	{ "a look-alike signed", probe_lookalike, false, false },
	{ "the network's secret replaced", probe_network_secret, false, false },
	{ "a shell for a stranger", probe_stranger, false, false },
	{ "a shell on behalf of sysinfo", probe_wrong_path, false, false },
	{ "a shell for who may only sysinfo", probe_other_rule, false, false },
	/* and what net is there for */
	{ "a TLS signature", probe_tls, true, true },
	{ "a shared secret", probe_agree, true, true },
	{ "sysinfo for who may", probe_sysinfo, true, true },
	/* last: a tracer is in everybody's way */
	{ "tracing the monitor", probe_ptrace, false, true },
};

static int attack(struct net *n)
{
	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		log_to(&n->log, LOG_INFO, "probe", "%zu %s", i, probes[i].run(n) >= 0 ? "yes" : "no");
	/* Answered after everything above has been read. */
	(void)ask(n, HOST_SYSINFO, &stranger, "/v0/shell");
	return 0;
}

/* ---- the test ---- */

static int possible[ARRAY_LEN(probes)];

static void on_log(void *userdata, enum log_level level, const char *topic, const char *text)
{
	unsigned i;
	char word[8];

	(void)userdata;
	(void)level;
	if (!strcmp(topic, "probe") && sscanf(text, "%u %7s", &i, word) == 2 && i < ARRAY_LEN(probes))
		possible[i] = !strcmp(word, "yes");
}

static void run_agent(void)
{
	const struct log_sink sink = { .line = on_log, .max = LOG_DEBUG };
	const struct addr listen = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } };
	const struct agent_options options = {
		.config_path = config_path, .claim = AGENT_CLAIM_AS_CONFIGURED, .listen = &listen, .log = &sink,
		.application = "test", .application_version = "1",
	};

	for (size_t i = 0; i < ARRAY_LEN(possible); i++)
		possible[i] = -1;
	monitor_pid = getpid();
	CHECK_ERR(agent_run(&options), ERR_CLOSED);     /* net ends after its probes */
}

/* In a child, so that this process, and what it forks, has never seen the secret. */
static void make_secret(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct home h;
		struct home_error he;
		_exit(home_open(&h, config_path, &he) < 0 || home_setup(&h, &he) < 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(access(secret_path, R_OK) == 0);
}

static int setup(void **state)
{
	char text[512], id[IDENTITY_STR_MAX];
	struct sign_seed seed = { { 1 } };

	(void)state;
	CHECK_ERR(crypto_init(), 0);
	identity_of_seed(&owner, &seed);
	seed.b[0] = 2;
	identity_of_seed(&stranger, &seed);
	strcpy(dir, "/tmp/carrierd-injected-XXXXXX");
	CHECK(mkdtemp(dir));
	snprintf(config_path, sizeof config_path, "%s/carrier.toml", dir);
	snprintf(secret_path, sizeof secret_path, "%s/carrier.secret", dir);
	identity_format(id, &owner);
	snprintf(text, sizeof text, "[[authorize]]\nidentity = \"%s\"\nresource = \"/v2/carrier.sysinfo.v1/sysinfo\"\n", id);
	CHECK_ERR(file_write_atomic(config_path, 0600, SPAN_STR(text)), 0);
	make_secret();
	return 0;
}

static int teardown(void **state)
{
	char cmd[96];

	(void)state;
	agent_test = (struct agent_test){};
	unlink("/tmp/carrierd-probe");
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

static void test_injected_code_can_do_only_what_net_is_for(void **state)
{
	(void)state;
	agent_test = (struct agent_test){ .in_net = attack };
	run_agent();
	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		if (possible[i] != probes[i].inside)
			fail_msg("in the sandbox: %s: %d", probes[i].name, possible[i]);
}

static void test_without_the_sandbox_the_same_code_can(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();         /* an ordinary user's processes may trace each other only where yama lets them */
	agent_test = (struct agent_test){
		.in_net = attack, .no_sandbox = true, .keys_permit = 1u << VAULT_STATEMENT | 1u << VAULT_RESTORE,
	};
	run_agent();
	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		if (possible[i] != probes[i].without)
			fail_msg("without the sandbox: %s: %d", probes[i].name, possible[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_injected_code_can_do_only_what_net_is_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_the_sandbox_the_same_code_can, setup, teardown),
	};
	return RUN_TESTS(tests);
}
