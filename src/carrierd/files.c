/* HOST_FILES: a process of its own that touches files as the rule's user, beneath the
 * rule's root. */
#include <errno.h>
#include <sys/socket.h>

#include "base/err.h"
#include "carrierd/worker.h"
#include "wire/cbor.h"

/* int files_worker_main(int socket, const char *root): serves until the socket's end. */
typedef int files_main_fn(int socket, const char *root);
static files_main_fn *const files_main = NULL;

_Noreturn static void run_files(const struct account *a, const struct identity *caller, const char *root, int fd)
{
	const int fds[3] = { fd, fd, 2 };

	worker_set_stdio(fds);
	int err = worker_become(a, caller);
	if (err < 0)
		worker_fail(a->name, err);
	_exit(files_main(0, root) < 0);
}

int answer_files(struct monitor *m, const struct request *rq, struct reply *out)
{
	const char *root = auth_rule_root(rq->rule);
	_cleanup_(account_done) struct account account = {};
	_cleanup_close_ int theirs = -1;
	int s[2], pid, err;

	if (!root)
		return ERR_DENIED;
	if (!files_main)
		return ERR_STATE;
	err = account_find(&account, rq->rule->user);
	if (err < 0)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return -errno;
	out->fds[out->fds_len++] = s[0];
	theirs = s[1];
	pid = worker_fork(m);
	if (pid < 0)
		return pid;
	if (pid == 0)
		run_files(&account, &rq->caller, root, theirs);
	return worker_watch(m, pid, -1, NULL);
}
