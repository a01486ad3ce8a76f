#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "lib/internal.h"

/* Two spellings of one table, for the header must stand alone. */
#define X(n, name, text) _Static_assert((int)CARRIER_E_##name == (int)ERR_##name, #name);
ERR_MAP(X)
#undef X

const char *carrier_strerror(int err) { return err_text(err); }
const char *carrier_error_name(int err) { return err_name(err); }
const char *carrier_detail(const carrier *c) { return c->detail; }

int lib_fail(struct carrier *c, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof c->detail, fmt, ap);
	va_end(ap);
	return err;
}
