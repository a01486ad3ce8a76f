/* For the agent's own tests, which link this object: all zero in every program. */
#pragma once

#include <stdbool.h>

struct net;

struct agent_test {
	/* Runs in the net process, after its sandbox is closed and before it serves. Its
	 * result is the process's exit status. */
	int (*in_net)(struct net *net);
	bool no_sandbox;        /* of net: shows that the probes would succeed without one */
	unsigned keys_permit;   /* purposes that keys signs besides TLS: the same */
};
extern struct agent_test agent_test;
