/* The agent: what `carrierd` runs in the background and `carrier publish` in the
 * foreground. Three processes (docs/protocol/processes.md): the caller's becomes the
 * monitor and has keys and net for children. */
#pragma once

#include "base/addr.h"
#include "base/log.h"
#include "vault/settings.h"

enum { AGENT_CLAIM_AS_CONFIGURED = -1 };

struct agent_options {
	const char *config_path;        /* NULL: the usual one */
	const struct addr *listen;      /* NULL: as configured */
	int claim;                      /* an enum claim_mode for this run, or AGENT_CLAIM_AS_CONFIGURED */
	bool daemon;                    /* SIGHUP reloads; else it ends the agent, as a terminal expects */
	const char *application, *application_version;  /* disco shows them */
	const struct log_sink *log;
	home_ask_fn *ask;               /* for the passphrase; runs in the keys process */
	void *ask_userdata;

	/* Any may be NULL. */
	void (*identity)(void *userdata, const struct identity *self, bool claimed);
	/* A new one-time code; shown once, kept as a hash. */
	void (*claim_code)(void *userdata, const char *code);
	void (*serving)(void *userdata);        /* net is up */
	void *userdata;
};

/* Until SIGTERM or SIGINT (0), or something essential ended (negative; the log says
 * what). To be called before the process has read a secret or started a thread: its
 * children are forks. */
int agent_run(const struct agent_options *options) _must_check_;

/* The whole program. */
int carrierd_main(int argc, char **argv);
