#include "base/time.h"

#include <time.h>

tstamp time_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return SECONDS(ts.tv_sec) + (tstamp)ts.tv_nsec;
}
