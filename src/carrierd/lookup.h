/* A host name to addresses in a short-lived child, so that nobody waits for DNS. */
#pragma once

#include "carrierd/monitor.h"

enum { LOOKUP_SECONDS = 10 };

struct lookup;
typedef void lookup_done_fn(void *userdata, int err, const struct addr *addrs, size_t len);

/* done runs once, never before this returns, and the handle is gone after it. ERR_LIMIT:
 * too many at once. */
int lookup_start(struct monitor *m, struct lookup **ret, const char *host, lookup_done_fn *done,
		 void *userdata) _must_check_;
void lookup_free(struct lookup *l);     /* NULL is fine; done does not run */
void lookups_free(struct monitor *m);
