#include "carrierd/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/err.h"

struct worker {
	struct list link;
	struct monitor *monitor;
	int pid, status_fd;
	struct source *child, *hang_up, *timer;
	struct login login;
};

int worker_fork(struct monitor *m)
{
	if (m->workers_len >= WORKERS_MAX)
		return ERR_LIMIT;
	fflush(NULL);
	int pid = fork();
	if (pid < 0)
		return -errno;
	if (pid)
		return pid;

	sigset_t none;
	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	return 0;
}

/* ---- parent ---- */

static void worker_free(struct worker *w)
{
	list_del(&w->link);
	w->monitor->workers_len--;
	source_free(w->child);
	source_free(w->hang_up);
	source_free(w->timer);
	if (w->status_fd >= 0)
		close(w->status_fd);
	login_end(&w->login);
	free(w);
}
DEFINE_FREEP(struct worker *, worker_free)

static uint32_t exit_status(int wait_status)
{
	if (wait_status < 0)
		return 255;
	return WIFSIGNALED(wait_status) ? 128u + (uint32_t)WTERMSIG(wait_status) : (uint32_t)WEXITSTATUS(wait_status);
}

static void on_exit_(void *userdata, int wait_status)
{
	struct worker *w = userdata;
	uint32_t v = exit_status(wait_status);
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	if (w->status_fd >= 0)
		(void)!send(w->status_fd, b, sizeof b, MSG_NOSIGNAL | MSG_DONTWAIT);
	worker_free(w);
}

static void signal_family(const struct worker *w, int signo)
{
	if (kill(-w->pid, signo) < 0)
		(void)kill(w->pid, signo);
}

static void on_hang_up(void *userdata, unsigned events)
{
	struct worker *w = userdata;

	(void)events;
	source_free(take(w->hang_up));
	close(take_fd(w->status_fd));
	signal_family(w, SIGHUP);
	signal_family(w, SIGCONT);
	if (source_arm(w->timer, loop_now(w->monitor->loop) + SECONDS(WORKER_GRACE_S)) < 0)
		signal_family(w, SIGKILL);
}

static void on_grace_over(void *userdata, tstamp now)
{
	(void)now;
	signal_family(userdata, SIGKILL);
}

int worker_watch(struct monitor *m, int pid, int status_fd, const struct login *login)
{
	_cleanup_(worker_freep) struct worker *w = calloc(1, sizeof *w);
	int err;

	if (!w) {
		(void)kill(pid, SIGKILL);
		return -ENOMEM;
	}
	w->monitor = m;
	w->pid = pid;
	w->status_fd = -1;
	list_add_tail(&m->workers, &w->link);
	m->workers_len++;
	if ((err = loop_add_child(m->loop, &w->child, pid, on_exit_, w)) < 0 ||
	    (err = loop_add_timer(m->loop, &w->timer, on_grace_over, w)) < 0 ||
	    (status_fd >= 0 && (err = loop_add_io(m->loop, &w->hang_up, status_fd, LOOP_IN, on_hang_up, w)) < 0)) {
		(void)kill(pid, SIGKILL);
		return err;
	}
	w->status_fd = status_fd;
	if (login)
		w->login = *login;
	take(w);
	return 0;
}

void workers_free(struct monitor *m)
{
	struct worker *w;

	while ((w = list_first(&m->workers, struct worker, link))) {
		signal_family(w, SIGHUP);
		signal_family(w, SIGCONT);
		worker_free(w);
	}
}

/* ---- child ---- */

void worker_set_stdio(const int fds[static 3])
{
	int high[3];

	/* Out of the way first: one of them may be 0, 1 or 2 itself. */
	for (int i = 0; i < 3; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 10);
	for (int i = 0; i < 3; i++)
		(void)dup2(high[i], i);
	(void)close_range(3, ~0u, 0);
}

void worker_fail(const char *what, int err)
{
	dprintf(2, "carrier: %s: %s\n", what, err_text(err));
	_exit(err == -ENOENT ? 127 : 126);
}

int worker_become(const struct account *a, const struct identity *caller)
{
	static const char path_root[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static const char path_user[] = "/usr/local/bin:/usr/bin:/bin";
	char text[IDENTITY_STR_MAX];
	int err = account_become(a);

	if (err < 0)
		return err;
	identity_format(text, caller);
	clearenv();
	if (setenv("HOME", a->home, 1) < 0 || setenv("USER", a->name, 1) < 0 || setenv("LOGNAME", a->name, 1) < 0 ||
	    setenv("SHELL", a->shell, 1) < 0 || setenv("PATH", a->uid ? path_user : path_root, 1) < 0 ||
	    setenv("CARRIER_IDENTITY", text, 1) < 0)
		return -errno;
	if (chdir(a->home) < 0 && chdir("/") < 0)
		return -errno;
	return 0;
}
