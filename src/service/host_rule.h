/* A rule as the arguments of HOST_RULES_ADD, written by the service and read by the
 * privileged half, and as a line of auth_list. */
#pragma once

#include "auth/auth.h"
#include "base/buf.h"

enum { HOST_CODE_MAX = 64 };

/* Appends the map. path_key: "path" or "resource"; code may be NULL. */
void host_rule_put(struct buf *out, const struct auth_rule *r, const char *path_key, const char *code);

/* The same from HOST_RULES_ADD's arguments; auth_rule_fault() has been asked. Release
 * with auth_rule_done(). code: "" if there was none. ERR_PARSE and what CBOR says. */
int host_rule_parse(struct auth_rule *ret, char ret_code[static HOST_CODE_MAX + 1], struct span args) _must_check_;
