/* The progress bar of the quickstart book. */
#pragma once

#include "base/buf.h"
#include "base/time.h"

struct progress {
	uint64_t done, total;
	uint64_t resumed_at;            /* was there before: does not count for the rate */
	tstamp rtt, elapsed;
};

enum { PROGRESS_BAR = 28 };     /* columns between the brackets */

/* "rtt 0ms | 14.06 KB / 49.14 KB [=======>--------------------] 28.62 % 6.22 MB/s 0s" */
void progress_format(struct buf *out, const struct progress *p, int bar);
