/* The broker in a process of its own, as carrier-broker runs it, so that its CPU time
 * and its memory can be read from outside. */
#pragma once

#include <sys/types.h>

#include "base/addr.h"
#include "identity/identity.h"

struct broker_process {
	pid_t pid;
	struct identity id;
	struct addr at;
};

/* core < 0: anywhere. listen_at NULL: loopback, any port. Dies on failure. */
void broker_process_start(struct broker_process *ret, int core, const struct addr *listen_at);
void broker_process_stop(struct broker_process *b);
