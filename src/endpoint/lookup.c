#include "endpoint/lookup.h"

#include <netdb.h>

#include "base/err.h"

enum { FOUND_MAX = 8 };

void endpoint_lookup(void *userdata, const char *host, uint16_t port, endpoint_resolved_fn *done, void *done_userdata)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
	struct addr found[FOUND_MAX];
	size_t n = 0;

	(void)userdata;
	if (getaddrinfo(host, NULL, &hints, &list) != 0) {
		done(done_userdata, ERR_UNKNOWN, NULL, 0);
		return;
	}
	for (struct addrinfo *ai = list; ai && n < FOUND_MAX; ai = ai->ai_next)
		if (addr_from_sockaddr(&found[n], ai->ai_addr) >= 0)
			found[n++].port = port;
	freeaddrinfo(list);
	done(done_userdata, n ? 0 : ERR_UNKNOWN, found, n);
}
