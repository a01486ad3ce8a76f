/* cmocka with what the tests here say most often. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/span.h"

/* Compares error numbers and says their names. */
#define CHECK_ERR(got, want)                                                              \
	do {                                                                              \
		int _g = (got), _w = (want);                                              \
		if (_g != _w && !(_w == 0 && _g > 0))                                     \
			fail_msg("%s: got %s, want %s", #got, err_name(_g), err_name(_w)); \
	} while (0)
#define CHECK(cond)                                        \
	do {                                               \
		if (!(cond))                               \
			fail_msg("not so: %s", #cond);     \
	} while (0)

#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)

/* "9d61b1" -> bytes; returns the length. */
static inline size_t unhex(uint8_t *out, size_t max, const char *hex)
{
	size_t n = 0;
	unsigned v;

	for (; hex[0] && hex[1] && n < max; hex += 2, n++) {
		if (sscanf(hex, "%2x", &v) != 1)
			break;
		out[n] = (uint8_t)v;
	}
	return n;
}
