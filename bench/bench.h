/* What the measuring programs share: CPU time of processes, pinning, percentiles, and
 * one line of JSON for each row of the table that bench/run puts together. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"

/* The kernel's run time of every live thread, in ns (schedstat). */
uint64_t bench_cpu(pid_t pid);
/* The same of a process and all its descendants, with what their dead children used; in
 * ticks of 10 ms, as /proc/PID/stat has it. */
uint64_t bench_cpu_tree(pid_t pid);
/* Memory of one process from smaps_rollup, in bytes. */
struct bench_memory {
	uint64_t rss, pss, private;
};
struct bench_memory bench_memory(pid_t pid);
struct bench_memory bench_memory_tree(pid_t pid);       /* and all its descendants */

void bench_pin(int core);               /* best effort: one core is enough to measure */
double bench_percentile(double *values, size_t n, double p);    /* sorts; p in 0..100 */
_Noreturn void bench_die(const char *what, int err);
#define BENCH_CHECK(call)                               \
	({                                              \
		int _e = (call);                        \
		if (_e < 0)                             \
			bench_die(#call, _e);           \
		_e;                                     \
	})

enum bench_goal {
	GOAL_NONE,
	GOAL_RATIO_MIN, GOAL_RATIO_MAX,         /* of the ratio */
	GOAL_OURS_MIN, GOAL_OURS_MAX,           /* of our own figure */
};

struct bench_row {
	const char *id, *what, *unit;           /* id: "relay.burst" */
	double ours;
	const char *rival;                      /* NULL: none */
	double theirs;
	double ratio;                           /* 0: none; the caller says which way it reads */
	enum bench_goal goal;
	double target;
	const char *note;                       /* may be NULL */
};
void bench_print(const struct bench_row *r);
