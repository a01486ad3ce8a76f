/* The process that touches files: it runs as the user whom the rule names, inside the
 * rule's folder, and answers over a socket. Whoever asks may be in a stranger's hands,
 * so it checks everything again, and where it may only read it only reads. */
#pragma once

#include <stdbool.h>

#include "loop/loop.h"

/* In a process of its own, after fork, as the right user. Takes the socket (ipc_pair());
 * returns when the other side has hung up. root: absolute. */
int files_worker_main(int socket, const char *root, bool writable) _must_check_;

/* Such a process for ourselves, with our own rights; ret_socket is the other end. */
int files_worker_spawn(int *ret_socket, const char *root, bool writable) _must_check_;
