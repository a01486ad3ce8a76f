/* What `authorize`, `deauthorize` and `config TARGET auth` change, here or on a device. */
#pragma once

#include "cli/cli.h"

struct grant {
	const char *target;             /* "self" or NULL: this machine's configuration */
	const char *subject;            /* as typed */
	const char *path;               /* NULL: all of the subject's rules (del) */
	bool generation1;               /* which of the two paths of the device is asked */
};

int grant_add(struct cli *c, const struct grant *g) _must_check_;
int grant_del(struct cli *c, const struct grant *g) _must_check_;
int grant_list(struct cli *c, const struct grant *g) _must_check_;

/* "2026-01-31", "2026-01-31T12:00:00Z", from now "30m", "12h", "7d". ERR_PARSE. */
int grant_time(int64_t *ret, const char *text, int64_t now) _must_check_;
