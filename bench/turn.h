/* The little of TURN (RFC 8656) that puts load on a coturn: one allocation over UDP, one
 * channel, ChannelData. */
#pragma once

#include <sys/types.h>

#include "base/addr.h"

enum { TURN_CHANNEL = 0x4000, TURN_HEADER = 4 };

/* turnserver on loopback with one relay thread, pinned. -ENOENT: not installed. */
int turn_server_start(pid_t *ret, struct addr *ret_at, int core) _must_check_;
void turn_server_stop(pid_t pid);
/* On a connected, blocking socket: allocates and binds TURN_CHANNEL to peer. */
int turn_open_channel(int fd, const struct addr *peer) _must_check_;
