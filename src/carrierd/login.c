#include "carrierd/login.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <utmpx.h>

static void put_field(char *out, size_t size, const char *text)
{
	size_t n = strnlen(text, size);

	memset(out, 0, size);
	memcpy(out, text, n);   /* full fields have no zero byte at the end */
}

static void record(const struct login *l, short type, const char *user, const char *host)
{
	struct utmpx u = { .ut_type = type, .ut_pid = l->pid };
	struct timespec now;
	size_t n = strlen(l->line);

	clock_gettime(CLOCK_REALTIME, &now);
	u.ut_tv.tv_sec = (typeof(u.ut_tv.tv_sec))now.tv_sec;
	u.ut_tv.tv_usec = (typeof(u.ut_tv.tv_usec))(now.tv_nsec / 1000);
	put_field(u.ut_line, sizeof u.ut_line, l->line);
	put_field(u.ut_id, sizeof u.ut_id, n > sizeof u.ut_id ? l->line + n - sizeof u.ut_id : l->line);
	put_field(u.ut_user, sizeof u.ut_user, user);
	put_field(u.ut_host, sizeof u.ut_host, host);

	setutxent();
	(void)pututxline(&u);
	endutxent();
	updwtmpx("/var/log/wtmp", &u);
}

void login_begin(struct login *l, int pid, const char *tty, const char *user, const struct identity *caller)
{
	char host[IDENTITY_STR_MAX];

	if (geteuid() != 0 || strncmp(tty, "/dev/", 5) != 0)
		return;
	identity_format(host, caller);
	l->pid = pid;
	l->active = true;
	snprintf(l->line, sizeof l->line, "%s", tty + 5);
	record(l, USER_PROCESS, user, host);
}

void login_end(struct login *l)
{
	if (!l->active)
		return;
	l->active = false;
	record(l, DEAD_PROCESS, "", "");
}
