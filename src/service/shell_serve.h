/* Private to the shell's files. */
#pragma once

#include "service/shell.h"

/* HOST_SHELL's arguments for a request. ERR_PARSE, ERR_LIMIT: the request is to blame. */
int shell_host_args(struct buf *out, const struct headers *h, bool *ret_pty) _must_check_;
