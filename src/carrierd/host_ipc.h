/* service/host.h by requests to the monitor. */
#pragma once

#include "ipc/ipc.h"
#include "service/host.h"

/* monitor is borrowed. done never runs before call() returns, unless the request could
 * not even be sent. */
struct service_host host_over_ipc(struct ipc *monitor);
