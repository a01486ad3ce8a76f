/* Time is an argument: CLOCK_MONOTONIC nanoseconds, or what a simulator says. */
#pragma once

#include <stdint.h>

typedef uint64_t tstamp;

#define TSTAMP_NEVER UINT64_MAX
#define MICROS(n) ((tstamp)(n) * 1000u)
#define MILLIS(n) ((tstamp)(n) * 1000000u)
#define SECONDS(n) ((tstamp)(n) * 1000000000u)

tstamp time_monotonic(void);
