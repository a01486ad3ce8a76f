/* HOST_SHELL: the account's login shell on a terminal or on pipes. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/err.h"
#include "carrierd/worker.h"
#include "service/shell.h"
#include "wire/cbor.h"

struct wish {
	char *command, *term;
	bool pty;
	struct winsize size;
	char *env[2 * SHELL_ENV_MAX];   /* name, value, name, ... */
	size_t env_len;
};

static void wish_done(struct wish *w)
{
	free(w->command);
	free(w->term);
	for (size_t i = 0; i < w->env_len; i++)
		free(w->env[i]);
}

/* ---- arguments ---- */

/* A terminal's name: it is looked up as a file. */
static bool is_word(struct span s, size_t max)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] > '~' || s.data[i] == '/')
			return false;
	return s.len <= max;
}

static bool is_plain(struct span s, size_t max)
{
	return s.len <= max && (!s.len || !memchr(s.data, 0, s.len));
}

/* These name files to the C library, before the caller's own shell is asked. */
static bool names_no_file(struct span name, struct span value)
{
	bool special = span_starts(name, "LC_") || span_starts(name, "LANG") || span_is(name, "TZ");

	return !special || !value.len ||
	       (value.data[0] != '/' && value.data[0] != ':' && !memmem(value.data, value.len, "..", 2));
}

static int read_env(struct wish *w, struct cbor *c)
{
	struct span last = {};
	size_t n = cbor_map(c, SHELL_ENV_MAX);

	for (size_t i = 0; i < n && !c->err; i++) {
		struct span name = cbor_key(c, &last), value = cbor_text(c);

		if (c->err || !shell_env_allowed(name) || !is_plain(value, SHELL_ENV_VALUE_MAX) ||
		    !names_no_file(name, value))
			continue;
		w->env[w->env_len++] = span_dup_str(name);
		w->env[w->env_len++] = span_dup_str(value);
		if (!w->env[w->env_len - 1] || !w->env[w->env_len - 2])
			return -ENOMEM;
	}
	return c->err;
}

static int read_text(struct span args, const char *key, size_t max, char **ret)
{
	struct cbor c = cbor_map_find(args, key);

	if (c.err || !c.in.len)
		return c.err;
	struct span s = cbor_text(&c);
	if (c.err || !s.len || s.len > max || memchr(s.data, 0, s.len))
		return ERR_PARSE;
	*ret = span_dup_str(s);
	return *ret ? 0 : -ENOMEM;
}

static int read_size(struct span args, const char *key, unsigned short *out)
{
	struct cbor c = cbor_map_find(args, key);

	if (!c.err && c.in.len)
		*out = (unsigned short)cbor_uint_max(&c, UINT16_MAX);
	return c.err;
}

static int read_wish(struct wish *w, struct span args)
{
	struct cbor pty = cbor_map_find(args, "pty"), env = cbor_map_find(args, "env");
	int err;

	w->pty = pty.in.len && cbor_bool(&pty);
	if (pty.err)
		return ERR_PARSE;
	if ((err = read_text(args, "command", SHELL_COMMAND_MAX, &w->command)) < 0 ||
	    (err = read_text(args, "term", SHELL_TERM_MAX, &w->term)) < 0 ||
	    (err = read_size(args, "rows", &w->size.ws_row)) < 0 ||
	    (err = read_size(args, "cols", &w->size.ws_col)) < 0 ||
	    (err = read_size(args, "xpixel", &w->size.ws_xpixel)) < 0 ||
	    (err = read_size(args, "ypixel", &w->size.ws_ypixel)) < 0)
		return err;
	if (w->term && !is_word(SPAN_STR(w->term), SHELL_TERM_MAX))
		return ERR_PARSE;
	return env.in.len ? read_env(w, &env) : env.err;
}

/* ---- child ---- */

static int set_env(const struct wish *w)
{
	for (size_t i = 0; i + 1 < w->env_len; i += 2)
		if (setenv(w->env[i], w->env[i + 1], 1) < 0)
			return -errno;
	if (w->pty && setenv("TERM", w->term ?: "xterm", 1) < 0)
		return -errno;
	return 0;
}

_Noreturn static void run_shell(const struct wish *w, const struct account *a, const struct identity *caller,
				const int fds[static 3])
{
	const char *slash = strrchr(a->shell, '/'), *base = slash ? slash + 1 : a->shell;
	char login_name[256];
	int err;

	if (w->pty)
		(void)ioctl(fds[0], TIOCSCTTY, 0);
	worker_set_stdio(fds);
	err = worker_become(a, caller);
	if (err >= 0)
		err = set_env(w);
	if (err < 0)
		worker_fail(a->name, err);

	/* A login shell reads the profile; one command runs through the same shell. */
	snprintf(login_name, sizeof login_name, "-%s", base);
	if (w->command)
		execl(a->shell, base, "-c", w->command, (char *)NULL);
	else
		execl(a->shell, login_name, (char *)NULL);
	worker_fail(a->shell, -errno);
}

/* ---- parent ---- */

struct ends {
	int child[3];           /* with a terminal three times the same */
	int status;             /* the monitor's */
	char tty[64];
};

static void ends_done(struct ends *e)
{
	for (int i = 0; i < 3; i++)
		if (e->child[i] >= 0 && (i == 0 || e->child[i] != e->child[0]))
			close(e->child[i]);
	closep(&e->status);
}

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* The terminal belongs to whoever works on it, as login(1) makes it. */
static int open_terminal(const struct wish *w, const struct account *a, struct ends *e, struct reply *out)
{
	int master, slave;

	if (openpty(&master, &slave, e->tty, NULL, w->size.ws_row ? &w->size : NULL) < 0)
		return -errno;
	out->fds[out->fds_len++] = master;
	e->child[0] = e->child[1] = e->child[2] = slave;
	if (fcntl(master, F_SETFD, FD_CLOEXEC) < 0 || fcntl(slave, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	if (geteuid() == 0 && (fchown(slave, a->uid, (gid_t)-1) < 0 || fchmod(slave, 0620) < 0))
		return -errno;
	return set_nonblocking(master);
}

static int open_pipes(struct ends *e, struct reply *out)
{
	for (int i = 0; i < 3; i++) {
		int p[2];

		if (pipe2(p, O_CLOEXEC) < 0)
			return -errno;
		e->child[i] = i == 0 ? p[0] : p[1];
		out->fds[out->fds_len] = i == 0 ? p[1] : p[0];
		int err = set_nonblocking(out->fds[out->fds_len++]);
		if (err < 0)
			return err;
	}
	return 0;
}

static int open_status(struct ends *e, struct reply *out)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s) < 0)
		return -errno;
	e->status = s[0];
	out->fds[out->fds_len++] = s[1];
	return 0;
}

int answer_shell(struct monitor *m, const struct request *rq, struct reply *out)
{
	_cleanup_(account_done) struct account account = {};
	_cleanup_(ends_done) struct ends ends = { .child = { -1, -1, -1 }, .status = -1 };
	_cleanup_(wish_done) struct wish wish = {};
	struct login login = {};
	int err, pid;

	if ((err = read_wish(&wish, rq->args)) < 0 ||
	    (err = account_find(&account, rq->rule->user)) < 0 ||
	    (err = wish.pty ? open_terminal(&wish, &account, &ends, out) : open_pipes(&ends, out)) < 0 ||
	    (err = open_status(&ends, out)) < 0)
		return err;

	pid = worker_fork(m);
	if (pid < 0)
		return pid;
	if (pid == 0)
		run_shell(&wish, &account, &rq->caller, ends.child);

	if (wish.pty)
		login_begin(&login, pid, ends.tty, account.name, &rq->caller);
	err = worker_watch(m, pid, ends.status, &login);
	if (err < 0)
		return err;
	take_fd(ends.status);
	log_to(m->log, LOG_INFO, "monitor", "shell as %s, process %d", account.name, pid);
	return 0;
}
