/* What net may know of carrier.toml, written from what was parsed, key by key: rules,
 * brokers, settings, the paths of services. Whatever else stands in the file, secrets
 * above all, has no way into it. */
#pragma once

#include "auth/auth.h"
#include "vault/settings.h"

int reduce_config(struct buf *out, const struct settings *s, const struct auth *a) _must_check_;
