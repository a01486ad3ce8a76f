/* Whose power a worker runs with. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/mem.h"

struct account {
	char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
};

/* user NULL: the agent's own, which need not be in passwd(5) (a bare chroot). Another
 * user takes root: -EPERM. ERR_UNKNOWN: no such user. */
int account_find(struct account *ret, const char *user) _must_check_;
void account_done(struct account *a);
/* In the child, for ever. */
int account_become(const struct account *a) _must_check_;
