/* Landlock (landlock(7)) by raw system calls, for the C library has no names for them. */
#pragma once

#include "base/mem.h"

/* Every right that this kernel's ABI knows is handled and none is granted: no file, no
 * TCP, no abstract socket or signal out of this process. no_new_privs must be set.
 * 1: the kernel has none (*ret_abi 0). */
int landlock_deny_all(int *ret_abi) _must_check_;
