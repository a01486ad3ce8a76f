/* What a host does with HOST_SHELL and HOST_SERVICE, the short way. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "rig.h"
#include "wire/cbor.h"

int host_shell_pid;

static void apply_env(struct span args)
{
	struct cbor c = cbor_map_find(args, "env");
	struct span last = SPAN_NONE;

	for (size_t n = cbor_map(&c, 64); n && !c.err; n--) {
		_cleanup_free_ char *name = span_dup_str(cbor_key(&c, &last));
		_cleanup_free_ char *value = span_dup_str(cbor_text(&c));
		setenv(name, value, 1);
	}
}

static void become(struct span args)
{
	struct cbor c = cbor_map_find(args, "command");
	char *command = c.in.len ? span_dup_str(cbor_text(&c)) : NULL;

	apply_env(args);
	signal(SIGPIPE, SIG_DFL);
	if (command)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	else
		execl("/bin/sh", "sh", (char *)NULL);
	_exit(127);
}

/* Waits for the child and says how it ended; the other end's closing hangs it up. */
static void supervise(int child, int status)
{
	uint8_t b[4] = { 0 };
	int w;

	for (;;) {
		char c;
		if (waitpid(child, &w, WNOHANG) == child)
			break;
		if (recv(status, &c, 1, MSG_DONTWAIT) == 0)
			kill(-child, SIGHUP);
		usleep(2000);
	}
	b[3] = (uint8_t)(WIFSIGNALED(w) ? 128 + WTERMSIG(w) : WEXITSTATUS(w));
	if (write(status, b, sizeof b) < 0)
		_exit(1);
	_exit(0);
}

static int on_pty(struct span args, int *fds, size_t *len)
{
	struct cbor rows = cbor_map_find(args, "rows"), cols = cbor_map_find(args, "cols");
	struct winsize ws = { .ws_row = (unsigned short)cbor_uint(&rows), .ws_col = (unsigned short)cbor_uint(&cols) };
	int status[2], pid[2], master, helper, child = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, status) < 0 || pipe2(pid, O_CLOEXEC) < 0)
		return -errno;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return -errno;
	helper = fork();
	if (!helper) {
		int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
		ioctl(slave, TIOCSWINSZ, &ws);
		close(master);
		close(status[0]);
		child = fork();
		if (!child) {
			login_tty(slave);
			become(args);
		}
		if (write(pid[1], &child, sizeof child) < 0)
			_exit(1);
		close(slave);
		supervise(child, status[1]);
	}
	if (read(pid[0], &child, sizeof child) < 0)
		return -errno;
	host_shell_pid = child;
	close(pid[0]);
	close(pid[1]);
	close(status[1]);
	fds[0] = master;
	fds[1] = status[0];
	*len = 2;
	return 0;
}

static int on_pipes(struct span args, int *fds, size_t *len)
{
	int in[2], out[2], err[2], status[2], pid[2], helper, child = 0;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
	    pipe2(pid, O_CLOEXEC) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, status) < 0)
		return -errno;
	helper = fork();
	if (!helper) {
		child = fork();
		if (!child) {
			setsid();
			dup2(in[0], 0);
			dup2(out[1], 1);
			dup2(err[1], 2);
			become(args);
		}
		if (write(pid[1], &child, sizeof child) < 0)
			_exit(1);
		for (int fd = 3; fd < 64; fd++)
			if (fd != status[1])
				close(fd);
		supervise(child, status[1]);
	}
	if (read(pid[0], &child, sizeof child) < 0)
		return -errno;
	host_shell_pid = child;
	close(pid[0]);
	close(pid[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	close(status[1]);
	fds[0] = in[1];
	fds[1] = out[0];
	fds[2] = err[0];
	fds[3] = status[0];
	*len = 4;
	return 0;
}

int host_shell(struct rig_host *, struct span args, int *fds, size_t *len)
{
	struct cbor pty = cbor_map_find(args, "pty");

	return cbor_bool(&pty) ? on_pty(args, fds, len) : on_pipes(args, fds, len);
}

/* h->answer is the script. */
int host_program(struct rig_host *h, struct span, int *fds, size_t *len)
{
	_cleanup_free_ char *script = span_dup_str(h->answer);
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return -errno;
	if (!fork()) {
		dup2(s[1], 0);
		dup2(s[1], 1);
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(s[1]);
	fds[0] = s[0];
	*len = 1;
	return 0;
}
