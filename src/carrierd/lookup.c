#include "carrierd/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/err.h"
#include "carrierd/messages.h"
#include "carrierd/sandbox.h"

struct lookup {
	struct list link;
	struct monitor *monitor;
	int pid, fd;
	struct source *child, *timer;
	lookup_done_fn *done;
	void *userdata;
	bool late;
};
DEFINE_FREEP(struct lookup *, lookup_free)

/* ---- child ---- */

_Noreturn static void resolve(const char *host, int fd)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *all = NULL;
	unsigned n = 0;

	sandbox_forget_descriptors(&fd, 1);
	if (getaddrinfo(host, NULL, &hints, &all) != 0)
		_exit(1);
	for (struct addrinfo *ai = all; ai && n < RESOLVE_ADDRESSES_MAX; ai = ai->ai_next) {
		struct addr a;

		if (addr_from_sockaddr(&a, ai->ai_addr) < 0)
			continue;
		if (write(fd, a.ip, sizeof a.ip) != sizeof a.ip)
			_exit(1);
		n++;
	}
	_exit(n ? 0 : 1);
}

static int spawn(const char *host, int *ret_fd)
{
	int p[2], pid;

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		for (int i = 1; i < NSIG; i++)
			(void)signal(i, SIG_DFL);
		resolve(host, p[1]);
	}
	int err = pid < 0 ? -errno : pid;
	close(p[1]);
	if (pid < 0) {
		close(p[0]);
		return err;
	}
	*ret_fd = p[0];
	return pid;
}

/* ---- parent ---- */

/* What the child wrote fits the pipe, so it is all there when the child has ended. */
static void on_exited(void *userdata, int wait_status)
{
	_cleanup_(lookup_freep) struct lookup *l = userdata;
	struct addr addrs[RESOLVE_ADDRESSES_MAX] = {};
	size_t n = 0;

	l->pid = -1;
	while (n < RESOLVE_ADDRESSES_MAX && read(l->fd, addrs[n].ip, sizeof addrs[n].ip) == sizeof addrs[n].ip)
		n++;
	bool ok = wait_status >= 0 && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 && n;
	l->done(l->userdata, ok ? 0 : l->late ? ERR_TIMEOUT : ERR_UNKNOWN, addrs, ok ? n : 0);
}

static void on_late(void *userdata, tstamp now)
{
	struct lookup *l = userdata;

	(void)now;
	l->late = true;
	(void)kill(l->pid, SIGKILL);
}

int lookup_start(struct monitor *m, struct lookup **ret, const char *host, lookup_done_fn *done, void *userdata)
{
	_cleanup_(lookup_freep) struct lookup *l = NULL;
	int err;

	if (m->lookups_len >= LOOKUPS_MAX)
		return ERR_LIMIT;
	l = calloc(1, sizeof *l);
	if (!l)
		return -ENOMEM;
	l->monitor = m;
	l->fd = -1;
	l->done = done;
	l->userdata = userdata;
	list_add_tail(&m->lookups, &l->link);
	m->lookups_len++;

	l->pid = spawn(host, &l->fd);
	if (l->pid < 0)
		return l->pid;
	if ((err = loop_add_child(m->loop, &l->child, l->pid, on_exited, l)) < 0 ||
	    (err = loop_add_timer(m->loop, &l->timer, on_late, l)) < 0 ||
	    (err = source_arm(l->timer, loop_now(m->loop) + SECONDS(LOOKUP_SECONDS))) < 0)
		return err;
	*ret = take(l);
	return 0;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	list_del(&l->link);
	l->monitor->lookups_len--;
	source_free(l->child);
	source_free(l->timer);
	if (l->fd >= 0)
		close(l->fd);
	if (l->pid > 0) {
		(void)kill(l->pid, SIGKILL);
		(void)waitpid(l->pid, NULL, 0);
	}
	free(l);
}

void lookups_free(struct monitor *m)
{
	struct lookup *l;

	while ((l = list_first(&m->lookups, struct lookup, link)))
		lookup_free(l);
}
