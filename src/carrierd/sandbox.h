/* Taking powers away from this process, for ever. Each step is tried; what the kernel
 * did not know or refused is reported, so that it can be logged. seccomp is the one
 * that must not fail. */
#pragma once

#include <stdbool.h>

#include "base/mem.h"

struct sandbox_report {
	int seccomp, landlock, user, root;      /* 0 done; 1 not applicable; else the error */
	int landlock_abi;
};

/* Before anything else, while the process may still look things up: the empty folder
 * and the user that a process started by root changes to (the first of carrier,
 * nobody that exists). Ordinary users stay who they are. */
int sandbox_drop_user(struct sandbox_report *report) _must_check_;

/* keys: descriptors it holds, memory, its end. No file, no socket, no child. */
int sandbox_keys(struct sandbox_report *report) _must_check_;
/* net: the same, and an event loop over descriptors that it was given. */
int sandbox_net(struct sandbox_report *report) _must_check_;

/* "seccomp on, landlock 7, user dropped, root empty" */
void sandbox_describe(char out[static 128], const struct sandbox_report *report);

/* In a fresh child: default signals, nothing inherited but the descriptors of keep
 * (ascending) and 0-2; 0 and 1 become /dev/null, and so does 2 where it is a terminal. */
void sandbox_forget_descriptors(const int *keep, size_t keep_len);
/* No core files, no ptrace by the same user, no more threads of ours to read. */
void sandbox_guard_memory(void);
