/* The ping service: opens with a plain request, then every message comes back. */
#pragma once

#define PING_PATH "/v2/carrier.trace.v1/ping"

enum { PING_MESSAGE_MAX = 1024 };
