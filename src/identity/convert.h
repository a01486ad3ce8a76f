/* The conversions of `ik convert`, text to text. What comes out may be a secret:
 * the caller wipes it. */
#pragma once

#include "identity/text.h"

struct conversion {
	const char *name;       /* "id32to58" */
	const char *help;       /* "identity of generation 2 -> generation 1" */
	int (*run)(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail);
};

/* In the order to list them, ended by a NULL name. */
extern const struct conversion conversions[];
const struct conversion *conversion_find(const char *name);     /* NULL if unknown */
/* detail may be NULL; out is written on success only. ERR_UNKNOWN, or why the text was refused. */
int convert(char out[static TEXT_STR_MAX], const char *name, const char *in,
	    struct text_error *detail) _must_check_;
