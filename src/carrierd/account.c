#include "carrierd/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/err.h"

void account_done(struct account *a)
{
	free(a->name);
	free(a->home);
	free(a->shell);
	*a = (struct account){};
}

static const char *or_else(const char *s, const char *fallback)
{
	return s && *s ? s : fallback;
}

int account_find(struct account *ret, const char *user)
{
	const struct passwd *pw = user ? getpwnam(user) : getpwuid(geteuid());
	_cleanup_(account_done) struct account a = {};

	if (user && !pw)
		return ERR_UNKNOWN;
	a.uid = pw ? pw->pw_uid : geteuid();
	a.gid = pw ? pw->pw_gid : getegid();
	if (geteuid() != 0 && a.uid != geteuid())
		return -EPERM;

	a.name = strdup(pw ? pw->pw_name : a.uid ? "user" : "root");
	a.home = strdup(or_else(pw ? pw->pw_dir : NULL, "/"));
	a.shell = strdup(or_else(pw ? pw->pw_shell : NULL, "/bin/sh"));
	if (!a.name || !a.home || !a.shell)
		return -ENOMEM;
	/* A shell that is not there (a chroot) is no reason for none at all; one that says
	 * nologin is. */
	if (access(a.shell, X_OK) < 0 && access("/bin/sh", X_OK) == 0 && !strstr(a.shell, "nologin")) {
		free(a.shell);
		a.shell = strdup("/bin/sh");
		if (!a.shell)
			return -ENOMEM;
	}
	*ret = a;
	a = (struct account){};
	return 0;
}

int account_become(const struct account *a)
{
	if (geteuid() != 0)
		return a->uid == geteuid() ? 0 : -EPERM;
	if (a->uid == 0)
		return 0;
	if (initgroups(a->name, a->gid) < 0 || setresgid(a->gid, a->gid, a->gid) < 0 ||
	    setresuid(a->uid, a->uid, a->uid) < 0)
		return -errno;
	/* Trust, but look: a way back would be worse than no worker. */
	return setuid(0) == 0 || geteuid() != a->uid ? -EPERM : 0;
}
