/* The record of a login in utmp and wtmp (utmp(5)), best effort: who(1) and last(1)
 * should tell the device's owner that somebody is in. */
#pragma once

#include <stdbool.h>

#include "identity/identity.h"

struct login {
	bool active;
	int pid;
	char line[32];
};

/* tty: "/dev/pts/3". Does nothing for an agent that is not root. */
void login_begin(struct login *l, int pid, const char *tty, const char *user, const struct identity *caller);
void login_end(struct login *l);
