/* HOST_TCP: connections that are being made. */
#pragma once

#include "carrierd/monitor.h"

enum { CONNECT_SECONDS = 10 };

void connections_free(struct monitor *m);
