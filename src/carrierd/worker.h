/* Children that do something for a caller: a shell, a program, a files worker. Each is
 * the leader of its own session, so that its whole family can be reached by a signal. */
#pragma once

#include "carrierd/account.h"
#include "carrierd/login.h"
#include "carrierd/monitor.h"

enum { WORKER_GRACE_S = 5 };    /* from SIGHUP to SIGKILL */

/* Like fork(2): 0 in the child, which has default signals and is the leader of a new
 * session; the parent's result is a pid. ERR_LIMIT: too many workers. */
int worker_fork(struct monitor *m) _must_check_;
/* Parent: keeps an eye on the child. status_fd -1, or where to say how it ended (taken
 * over): 4 bytes, and the other side's closing it hangs the worker up. */
int worker_watch(struct monitor *m, int pid, int status_fd, const struct login *login) _must_check_;
void workers_free(struct monitor *m);   /* hangs everybody up */

/* Child: only fds[0..2] stay, as 0, 1 and 2. */
void worker_set_stdio(const int fds[static 3]);
/* Child: drops to the account, sets a fresh environment for it. */
int worker_become(const struct account *a, const struct identity *caller) _must_check_;
/* Child: says why on standard error and ends; 126 and 127 as shells do. */
_Noreturn void worker_fail(const char *what, int err);
