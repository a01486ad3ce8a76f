/* Signals and children. A handler rather than a signalfd(2): a blocked signal
 * would stay blocked in every program that is started from here. */
#include "loop/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

/* Dispositions belong to the process, so this table does too. One loop owns a
 * signal; the handler touches nothing but the atomics. */
static struct signal_slot {
	struct loop *_Atomic owner;
	atomic_int wake_fd, pending;
	size_t sources;                 /* of the owner, which alone reads and writes it */
	struct sigaction before;
} slots[NSIG];

static void on_signal(int signo)
{
	struct signal_slot *slot = &slots[signo];
	const uint64_t one = 1;
	int saved = errno;

	/* A forked child still has the handler and the eventfd, but its own table:
	 * until it execs it can wake its parent for nothing, no more. */
	atomic_store(&slot->pending, 1);
	if (write(atomic_load(&slot->wake_fd), &one, sizeof one) < 0) {
		/* Only when the counter is full: then it is readable already. */
	}
	errno = saved;
}

static int open_wake_fd(struct loop *l)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &l->wake_fd };

	if (l->wake_fd >= 0)
		return 0;
	_cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	l->wake_fd = take_fd(fd);
	return 0;
}

static int signal_claim(struct loop *l, int signo)
{
	struct signal_slot *slot = &slots[signo];
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct loop *nobody = NULL;
	sigset_t set;

	if (atomic_load(&slot->owner) == l) {
		slot->sources++;
		return 0;
	}
	if (!atomic_compare_exchange_strong(&slot->owner, &nobody, l))
		return ERR_EXISTS;

	atomic_store(&slot->pending, 0);
	atomic_store(&slot->wake_fd, l->wake_fd);
	sigfillset(&sa.sa_mask);
	if (sigaction(signo, &sa, &slot->before) < 0) {
		int err = -errno;

		atomic_store(&slot->owner, NULL);
		return err;
	}
	slot->sources = 1;

	/* Whoever started us may have left it blocked. */
	sigemptyset(&set);
	sigaddset(&set, signo);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

void signal_release(struct source *s)
{
	struct signal_slot *slot = &slots[s->number];

	if (!s->number || --slot->sources)
		return;
	(void)sigaction(s->number, &slot->before, NULL);
	atomic_store(&slot->owner, NULL);
}

int loop_add_signal(struct loop *l, struct source **ret, int signo, signal_fn *fn, void *userdata)
{
	_cleanup_(source_freep) struct source *s = NULL;
	int err;

	if (signo <= 0 || signo >= NSIG)
		return -EINVAL;
	err = open_wake_fd(l);
	if (err < 0)
		return err;
	err = source_new(&s, l, SOURCE_SIGNAL, userdata);
	if (err < 0)
		return err;
	s->fn.signal = fn;

	err = signal_claim(l, signo);
	if (err < 0)
		return err;
	s->number = signo;
	*ret = take(s);
	return 0;
}

size_t loop_dispatch_signals(struct loop *l)
{
	bool raised[NSIG] = {};
	struct list ready;
	struct source *s;
	uint64_t count;
	size_t ran = 0;

	/* Drained first: what is raised from here on wakes the next turn. */
	if (read(l->wake_fd, &count, sizeof count) < 0)
		return 0;
	for (int i = 1; i < NSIG; i++)
		if (atomic_load(&slots[i].owner) == l)
			raised[i] = atomic_exchange(&slots[i].pending, 0);

	list_init(&ready);
	list_for_each(s, &l->sources, all)
		if (s->kind == SOURCE_SIGNAL && raised[s->number])
			list_add_tail(&ready, &s->ready);
	while ((s = list_first(&ready, struct source, ready))) {
		list_del(&s->ready);
		loop_refresh(l);
		s->fn.signal(s->userdata, s->number);
		ran++;
	}
	return ran;
}

int loop_add_child(struct loop *l, struct source **ret, int pid, child_fn *fn, void *userdata)
{
	_cleanup_(source_freep) struct source *s = NULL;
	siginfo_t si;
	int err;

	if (pid <= 0)
		return -EINVAL;
	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -errno;          /* -ECHILD: not ours */
	err = source_new(&s, l, SOURCE_CHILD, userdata);
	if (err < 0)
		return err;
	s->fn.child = fn;
	s->number = pid;
	s->fd = pidfd_open(pid, 0);
	if (s->fd < 0)
		return -errno;

	err = source_watch(s, LOOP_IN);
	if (err < 0)
		return err;
	*ret = take(s);
	return 0;
}

size_t child_dispatch(struct source *s)
{
	int status = 0;
	pid_t got = waitpid(s->number, &status, WNOHANG);

	if (got == 0)
		return 0;
	if (got < 0)
		status = -errno;        /* somebody else has reaped it */

	(void)epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	s->watched = false;
	close(take_fd(s->fd));
	loop_refresh(s->loop);
	s->fn.child(s->userdata, status);
	return 1;
}
