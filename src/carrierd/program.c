/* HOST_SERVICE: the user's own programs of carrier.toml. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"
#include "carrierd/worker.h"

static const struct service_entry *find_entry(const struct monitor *m, const char *path)
{
	for (size_t i = 0; i < m->settings.services_len; i++)
		if (!strcmp(m->settings.services[i].path, path))
			return &m->settings.services[i];
	return NULL;
}

_Noreturn static void run_program(const struct service_entry *e, const struct account *a,
				  const struct request *rq, int fd)
{
	const int fds[3] = { fd, fd, 2 };
	int err;

	worker_set_stdio(fds);
	err = worker_become(a, &rq->caller);
	if (err >= 0 && setenv("CARRIER_PATH", rq->path, 1) < 0)
		err = -errno;
	if (err < 0)
		worker_fail(a->name, err);
	execvp(e->exec[0], e->exec);
	worker_fail(e->exec[0], -errno);
}

static int start_program(struct monitor *m, const struct service_entry *e, const struct request *rq,
			 struct reply *out)
{
	_cleanup_(account_done) struct account account = {};
	_cleanup_close_ int theirs = -1;
	int s[2], pid, err = account_find(&account, e->user);

	if (err < 0)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return -errno;
	out->fds[out->fds_len++] = s[0];
	theirs = s[1];

	pid = worker_fork(m);
	if (pid < 0)
		return pid;
	if (pid == 0)
		run_program(e, &account, rq, theirs);
	return worker_watch(m, pid, -1, NULL);
}

/* A program that listens: what it is told of the caller, net tells it. */
static int connect_program(const struct service_entry *e, struct reply *out)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (strlen(e->socket) >= sizeof sa.sun_path)
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, e->socket, strlen(e->socket));
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
		return -errno;
	out->fds[out->fds_len++] = take_fd(fd);
	return 0;
}

int answer_service(struct monitor *m, const struct request *rq, struct reply *out)
{
	const struct service_entry *e = find_entry(m, rq->path);

	if (!e)
		return ERR_DENIED;
	return e->socket ? connect_program(e, out) : start_program(m, e, rq, out);
}
