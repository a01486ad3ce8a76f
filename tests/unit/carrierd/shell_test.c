/* Is it the shell that was asked for, as whom, and how does it end? */
#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "carrierd/account.h"
#include "fixture.h"

static const char rules[] = "[[authorize]]\nidentity = \"@A\"\nresource = \"*\"\n"
			    "[[authorize]]\nidentity = \"@B\"\nresource = \"/v0/shell\"\nuser = \"nobody\"\n";

struct shell {
	struct fixture *f;
	int in, out, err, status;
	struct buf text;
};

static struct span args(struct buf *b, const char *command, bool pty)
{
	struct cbor_map m, env;

	cbor_map_begin(&m, b);
	if (command)
		cbor_map_str(&m, "command", command);
	cbor_map_bool(&m, "pty", pty);
	cbor_map_str(&m, "term", "vt100");
	cbor_map_uint(&m, "rows", 31);
	cbor_map_uint(&m, "cols", 97);
	cbor_map_begin(&env, cbor_map_key(&m, "env"));
	cbor_map_str(&env, "LANG", "de_DE.UTF-8");
	cbor_map_str(&env, "LC_TIME", "C");
	cbor_map_str(&env, "LD_PRELOAD", "/tmp/evil.so");
	cbor_map_str(&env, "PATH", "/tmp/evil");
	cbor_map_str(&env, "IFS", "x");
	cbor_map_str(&env, "LC_ALL", "../../tmp/evil");
	cbor_map_str(&env, "CARRIER_IDENTITY", "somebody");
	cbor_map_end(&env);
	cbor_map_end(&m);
	CHECK_ERR(buf_err(b), 0);
	return buf_span(b);
}

static struct shell open_shell(struct fixture *f, const struct identity *who, const char *command, bool pty)
{
	_cleanup_buf_ struct buf b = {};
	struct shell s = { .f = f, .in = -1, .out = -1, .err = -1 };

	CHECK_ERR(fixture_ask(f, HOST_SHELL, who, "/v0/shell", args(&b, command, pty)), 0);
	CHECK(f->fds_len == (pty ? 2 : 4));
	s.in = take_fd(f->fds[0]);
	if (!pty) {
		s.out = take_fd(f->fds[1]);
		s.err = take_fd(f->fds[2]);
	} else {
		s.out = s.in;
		s.in = -1;
	}
	s.status = take_fd(f->fds[pty ? 1 : 3]);
	f->fds_len = 0;
	return s;
}

/* Reads until the status is there; the exit status, -1 if none came in time. */
static int finish(struct shell *s, int from)
{
	tstamp end = time_monotonic() + SECONDS(10);
	uint8_t b[4], more;
	int status = -1;

	while (time_monotonic() < end && status < 0) {
		uint8_t *p = buf_reserve(&s->text, 4096);
		ssize_t n = from >= 0 ? read(from, p, 4096) : 0;
		if (n > 0)
			buf_added(&s->text, (size_t)n);
		if (n <= 0 && read(s->status, b, 4) == 4)
			status = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
		fixture_turn(s->f, 1);
	}
	if (status >= 0)
		CHECK(read(s->status, &more, 1) == 0);
	return status;
}

static void shell_done(struct shell *s)
{
	closep(&s->in);
	closep(&s->out);
	closep(&s->err);
	closep(&s->status);
	buf_done(&s->text);
}

static int run(struct fixture *f, const struct identity *who, const char *command, bool pty, char out[static 4096])
{
	struct shell s = open_shell(f, who, command, pty);
	int status = finish(&s, s.out);

	snprintf(out, 4096, "%s", buf_str(&s.text));
	shell_done(&s);
	return status;
}

static void test_exit_statuses(void **state)
{
	(void)state;
	static const struct { const char *command; int status; } table[] = {
		{ "true", 0 }, { "exit 7", 7 }, { "exit 255", 255 }, { "kill -TERM $$", 128 + SIGTERM },
		{ "kill -KILL $$", 128 + SIGKILL }, { "no-such-program-at-all 2>/dev/null", 127 },
	};
	struct fixture *f = fixture_new(rules);
	char out[4096];

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (int pty = 0; pty < 2; pty++) {
			int got = run(f, &f->alice, table[i].command, pty, out);
			if (got != table[i].status)
				fail_msg("%s: %d", table[i].command, got);
		}
	CHECK(list_empty(&f->m.workers));
	fixture_free(f);
}

static void test_pipes_keep_output_and_errors_apart(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	struct shell s = open_shell(f, &f->alice, "cat; echo oops >&2", false);
	char err[64] = "";

	CHECK(write(s.in, "through", 7) == 7);
	closep(&s.in);
	s.in = -1;
	CHECK(finish(&s, s.out) == 0);
	assert_string_equal(buf_str(&s.text), "through");
	CHECK(read(s.err, err, sizeof err - 1) == 5 && !strcmp(err, "oops\n"));
	shell_done(&s);
	fixture_free(f);
}

static void test_the_terminal_has_the_size_and_is_one(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	char out[4096];

	CHECK(run(f, &f->alice, "stty size; tty; echo $TERM", true, out) == 0);
	CHECK(strstr(out, "31 97") && strstr(out, "/dev/pts/") && strstr(out, "vt100"));

	struct shell s = open_shell(f, &f->alice, "trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done", true);
	struct winsize w = { .ws_row = 11, .ws_col = 22 };
	while (!strstr(buf_str(&s.text), "ready")) {
		uint8_t *p = buf_reserve(&s.text, 64);
		ssize_t n = read(s.out, p, 64);
		if (n > 0)
			buf_added(&s.text, (size_t)n);
		fixture_turn(f, 1);
	}
	CHECK(ioctl(s.out, TIOCSWINSZ, &w) == 0);
	CHECK(finish(&s, s.out) == 3);
	CHECK(strstr(buf_str(&s.text), "11 22"));
	shell_done(&s);
	fixture_free(f);
}

static void test_the_environment_is_ours_and_what_is_harmless(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	char out[4096], id[IDENTITY_STR_MAX];
	static const char *const absent[] = { "LD_PRELOAD", "evil", "IFS=x", "SECRET_OF_THE_AGENT", "CARRIER_IDENTITY=somebody" };

	setenv("SECRET_OF_THE_AGENT", "1", 1);
	CHECK(run(f, &f->alice, "env", false, out) == 0);
	identity_format(id, &f->alice);
	CHECK(strstr(out, id) && strstr(out, "LANG=de_DE.UTF-8") && strstr(out, "LC_TIME=C"));
	CHECK(strstr(out, "HOME=") && strstr(out, "USER=") && strstr(out, "LOGNAME=") && strstr(out, "SHELL=") && strstr(out, "PATH=/usr"));
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		if (strstr(out, absent[i]))
			fail_msg("%s in %s", absent[i], out);
	fixture_free(f);
}

static void test_no_descriptor_and_no_signal_state_is_inherited(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	char out[4096];
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(run(f, &f->alice, "ls /proc/self/fd | tr '\\n' ' '; grep -E 'SigIgn|SigBlk' /proc/self/status", false, out) == 0);
	CHECK(strstr(out, "0 1 2 3 ") == out && !strstr(out, " 4 "));  /* 3 is ls's own */
	CHECK(strstr(out, "SigBlk:\t0000000000000000") && strstr(out, "SigIgn:\t0000000000000000"));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	fixture_free(f);
}

static bool is_alive(int pid)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *s = fopen(path, "r");

	if (!s)
		return false;
	size_t n = fread(text, 1, sizeof text - 1, s);
	fclose(s);
	return n && !strstr(text, ") Z ");
}

static void test_a_hang_up_ends_the_whole_family(void **state)
{
	(void)state;
	for (int pty = 0; pty < 2; pty++) {
		struct fixture *f = fixture_new(rules);
		struct shell s = open_shell(f, &f->alice, "sleep 1000 & echo $! $$; wait", pty);
		int child = 0, leader = 0;

		while (sscanf(buf_str(&s.text), "%d %d", &child, &leader) != 2) {
			uint8_t *p = buf_reserve(&s.text, 64);
			ssize_t n = read(s.out, p, 64);
			if (n > 0)
				buf_added(&s.text, (size_t)n);
			fixture_turn(f, 1);
		}
		CHECK(is_alive(child) && is_alive(leader));
		closep(&s.status);
		s.status = -1;
		for (int i = 0; i < 100 && (is_alive(child) || is_alive(leader) || !list_empty(&f->m.workers)); i++)
			fixture_turn(f, 1);
		CHECK(!is_alive(child) && !is_alive(leader));
		CHECK(list_empty(&f->m.workers));
		shell_done(&s);
		fixture_free(f);
	}
}

static void test_who_ignores_the_hang_up_is_killed(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	struct shell s = open_shell(f, &f->alice, "trap '' HUP; echo go; while :; do sleep 0.2; done", false);

	while (read(s.out, &(char){ 0 }, 1) != 1)
		fixture_turn(f, 1);
	closep(&s.status);
	s.status = -1;
	fixture_turn(f, 10);
	CHECK(!list_empty(&f->m.workers));
	tstamp end = time_monotonic() + SECONDS(8);
	while (!list_empty(&f->m.workers) && time_monotonic() < end)
		fixture_turn(f, 1);
	CHECK(list_empty(&f->m.workers));
	shell_done(&s);
	fixture_free(f);
}

static void test_a_rule_says_as_whom(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	_cleanup_buf_ struct buf b = {};
	char out[4096];

	if (geteuid() != 0) {
		CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->bob, "/v0/shell", args(&b, "id", false)), -EPERM);
		fixture_free(f);
		skip();
	}
	/* nobody's login shell refuses; that is nobody's to decide. */
	struct passwd *pw = getpwnam("nobody");
	struct shell s = open_shell(f, &f->bob, "id -u", false);
	int status = finish(&s, s.out);
	snprintf(out, sizeof out, "%s", buf_str(&s.text));
	shell_done(&s);
	CHECK(pw);
	if (strstr(pw->pw_shell, "nologin"))
		CHECK(status == 1 && strstr(out, "not available"));
	else
		CHECK(atoi(out) == (int)pw->pw_uid);
	fixture_free(f);
}

static void test_an_account_is_entered_for_ever(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	int p[2];
	CHECK(pipe(p) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct account a;
		int bad = account_find(&a, "nobody") < 0 || account_become(&a) < 0 || getuid() == 0 || geteuid() == 0 ||
			  getegid() == 0 || setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0;
		_exit(bad);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_ERR(account_find(&(struct account){}, "no-such-user-here"), ERR_UNKNOWN);
	close(p[0]);
	close(p[1]);
}

static void test_as_an_ordinary_user_it_is_that_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	pid_t pid = fork();
	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(9);
		struct fixture *f = fixture_new(rules);
		char out[4096];
		struct account a;
		/* nobody's shell is nologin; the account is found all the same, others are not ours */
		int bad = account_find(&a, NULL) < 0 || a.uid != 65534 || account_find(&a, "root") != -EPERM;
		bad |= run(f, &f->alice, "id -u", true, out) < 0;
		fixture_free(f);
		_exit(bad);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_a_login_shell_is_one(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	struct shell s = open_shell(f, &f->alice, NULL, false);
	static const char ask[] = "echo \"name $0\"; exit 5\n";

	CHECK(write(s.in, ask, sizeof ask - 1) == sizeof ask - 1);
	CHECK(finish(&s, s.out) == 5);
	CHECK(strstr(buf_str(&s.text), "name -"));
	shell_done(&s);
	fixture_free(f);
}

static void test_bad_arguments_start_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"a163707479 01",                        /* pty: 1 */
		"a1647465726d 6b2f6574632f706173737764",        /* term: /etc/passwd */
		"a164726f7773 1a00010000",              /* rows: 65536 */
		"a167636f6d6d616e64 60",                /* command: "" */
		"a167636f6d6d616e64 626100",            /* command: "a\0" */
		"a163656e76 01",                        /* env: 1 */
	};
	struct fixture *f = fixture_new(rules);
	uint8_t b[64];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char hex[128], *o = hex;
		for (const char *p = bad[i]; *p; p++)
			if (*p != ' ')
				*o++ = *p;
		*o = 0;
		int err = fixture_ask(f, HOST_SHELL, &f->alice, "/v0/shell", SPAN(b, unhex(b, sizeof b, hex)));
		if (err >= 0 || f->fds_len || !list_empty(&f->m.workers))
			fail_msg("row %zu", i);
	}
	fixture_free(f);
}

int main(void)
{
	const struct passwd *self = getpwuid(geteuid());

	if (self && strstr(self->pw_shell, "nologin"))
		return 77;      /* meson's skip: this account has no shell to test */

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_statuses),
		cmocka_unit_test(test_pipes_keep_output_and_errors_apart),
		cmocka_unit_test(test_the_terminal_has_the_size_and_is_one),
		cmocka_unit_test(test_the_environment_is_ours_and_what_is_harmless),
		cmocka_unit_test(test_no_descriptor_and_no_signal_state_is_inherited),
		cmocka_unit_test(test_a_hang_up_ends_the_whole_family),
		cmocka_unit_test(test_who_ignores_the_hang_up_is_killed),
		cmocka_unit_test(test_a_rule_says_as_whom),
		cmocka_unit_test(test_an_account_is_entered_for_ever),
		cmocka_unit_test(test_as_an_ordinary_user_it_is_that_user),
		cmocka_unit_test(test_a_login_shell_is_one),
		cmocka_unit_test(test_bad_arguments_start_nothing),
	};
	return RUN_TESTS(tests);
}
