/* The terminal in raw mode, and back on every way out of the process. */
#pragma once

#include <stdbool.h>

#include "service/shell.h"

/* 0, or -errno: fd is no terminal. */
int tty_raw(int fd) _must_check_;
void tty_restore(void);         /* twice is fine */
bool tty_window(int fd, struct shell_window *ret);
