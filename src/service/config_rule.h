/* Private to the config service: a rule out of a request's headers. */
#pragma once

#include "auth/auth.h"
#include "stream/headers.h"

enum { CONFIG_LIST_MAX = 4096, CONFIG_WHY_MAX = 256 };

/* "self" is the caller. ERR_PARSE with why, a sentence for the caller. Release with
 * auth_rule_done(). */
int config_rule_of_headers(struct auth_rule *ret, const struct headers *h, const struct identity *caller,
			   bool need_path, char why[static CONFIG_WHY_MAX]) _must_check_;
