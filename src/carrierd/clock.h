#pragma once

#include <stdint.h>

/* Unix seconds, or AUTH_TIME_UNKNOWN where the device plainly has no clock yet: one
 * that boots in 1970 still connects, but rules with a time do not allow. */
int64_t clock_unix_time(void);
