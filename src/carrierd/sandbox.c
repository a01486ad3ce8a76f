#include "carrierd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>

#include "base/err.h"
#include "carrierd/landlock.h"

void sandbox_guard_memory(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

static void to_null(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	(void)dup2(null, fd);
	if (null != fd)
		close(null);
}

void sandbox_forget_descriptors(const int *keep, size_t keep_len)
{
	unsigned next = 3;

	for (size_t i = 0; i < keep_len; i++) {
		if ((unsigned)keep[i] > next)
			(void)close_range(next, (unsigned)keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	(void)close_range(next, ~0u, 0);
	to_null(0);
	to_null(1);
	if (isatty(2))
		to_null(2);
}

/* ---- user and root ---- */

/* A folder that has no name any more: nothing can be put into it. */
static int enter_empty_root(void)
{
	char path[] = "/tmp/carrier-empty-XXXXXX";

	if (!mkdtemp(path))
		return -errno;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	(void)rmdir(path);
	if (err >= 0 && (fchdir(fd) < 0 || chroot(".") < 0 || chdir("/") < 0))
		err = -errno;
	return err;
}

static const struct passwd *unprivileged_user(void)
{
	return getpwnam("carrier") ?: getpwnam("nobody");
}

int sandbox_drop_user(struct sandbox_report *report)
{
	if (geteuid() != 0) {
		report->user = report->root = 1;
		return 0;
	}
	const struct passwd *pw = unprivileged_user();

	report->root = enter_empty_root();
	if (!pw) {
		report->user = ERR_UNKNOWN;
		return 0;
	}
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return report->user = -errno;
	return 0;
}

/* ---- system calls ---- */

static const int calls_keys[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex), SCMP_SYS(futex_time64),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mlock), SCMP_SYS(munlock),
	SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday),
	SCMP_SYS(close), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
	SCMP_SYS(sigaltstack),
};

static const int calls_net[] = {
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(lseek),
	SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64), SCMP_SYS(sendmmsg), SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_settime64), SCMP_SYS(eventfd2),
	SCMP_SYS(dup), SCMP_SYS(dup3), SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(sched_yield),
};

static int allow_all(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
		/* a call that this architecture does not have */
		if (err < 0 && err != -EDOM && err != -EINVAL)
			return err;
	}
	return 0;
}

/* Memory, but never memory that can be run. */
static int allow_memory(scmp_filter_ctx ctx)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
					   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (err < 0 && err != -EDOM && err != -EINVAL)
			return err;
	}
	return 0;
}

static int allow_for_loop(scmp_filter_ctx ctx)
{
	static const int fcntls[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC };
	static const unsigned long ioctls[] = { TIOCSWINSZ, FIONREAD };
	static const int fcntl_calls[] = { SCMP_SYS(fcntl), SCMP_SYS(fcntl64) };
	int err = allow_all(ctx, calls_net, ARRAY_LEN(calls_net));

	for (size_t i = 0; err >= 0 && i < ARRAY_LEN(ioctls); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, ioctls[i]));
	for (size_t c = 0; c < ARRAY_LEN(fcntl_calls); c++)
		for (size_t i = 0; err >= 0 && i < ARRAY_LEN(fcntls); i++) {
			err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, fcntl_calls[c], 1,
					       SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[i]));
			if (err == -EDOM || err == -EINVAL)
				err = 0;
		}
	if (err >= 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, PR_SET_TIMERSLACK));
	return err;
}

/* EPERM rather than death: the C library and GnuTLS look for optional files, and do
 * well without them. */
static int filter_calls(bool net)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = ctx ? 0 : -ENOMEM;

	if (err >= 0)
		err = allow_all(ctx, calls_keys, ARRAY_LEN(calls_keys));
	if (err >= 0)
		err = allow_memory(ctx);
	if (err >= 0 && net)
		err = allow_for_loop(ctx);
	if (err >= 0)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

static int enter(struct sandbox_report *report, bool net)
{
	sandbox_guard_memory();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	report->landlock = landlock_deny_all(&report->landlock_abi);
	report->seccomp = filter_calls(net);
	return report->seccomp;
}

int sandbox_keys(struct sandbox_report *report)
{
	return enter(report, false);
}

int sandbox_net(struct sandbox_report *report)
{
	return enter(report, true);
}

static const char *word(int state, const char *done, const char *absent, const char *failed)
{
	return state == 0 ? done : state > 0 ? absent : failed;
}

void sandbox_describe(char out[static 128], const struct sandbox_report *r)
{
	snprintf(out, 128, "%s, %s %d, %s, %s",
		 word(r->seccomp, "seccomp on", "no seccomp", "seccomp FAILED"),
		 word(r->landlock, "landlock", "no landlock", "landlock FAILED"), r->landlock_abi,
		 word(r->user, "user dropped", "user kept", "user NOT dropped"),
		 word(r->root, "root empty", "root kept", "root NOT empty"));
}
