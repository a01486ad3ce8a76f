/* Host names by getaddrinfo(): blocks, so it is for programs that may wait. What
 * endpoint_config.resolve wants, whatever its userdata. */
#pragma once

#include "endpoint/endpoint.h"

void endpoint_lookup(void *userdata, const char *host, uint16_t port, endpoint_resolved_fn *done, void *done_userdata);
