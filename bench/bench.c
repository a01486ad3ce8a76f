#include "bench.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* ---- CPU time ---- */

static bool read_file(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(out, 1, size - 1, f);
	out[n] = 0;
	fclose(f);
	return n > 0;
}

uint64_t bench_cpu(pid_t pid)
{
	char path[64], text[128];
	uint64_t sum = 0;
	struct dirent *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	if (!dir)
		return 0;
	while ((d = readdir(dir))) {
		snprintf(path, sizeof path, "/proc/%d/task/%.12s/schedstat", (int)pid, d->d_name);
		if (d->d_name[0] != '.' && read_file(path, text, sizeof text))
			sum += strtoull(text, NULL, 10);
	}
	closedir(dir);
	return sum;
}

static uint64_t ticks_of(pid_t pid)
{
	char path[64], text[1024];
	unsigned long user, sys;
	long child_user, child_sys;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!read_file(path, text, sizeof text))
		return 0;
	const char *after = strrchr(text, ')');         /* the name may hold anything */
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &user, &sys,
			     &child_user, &child_sys) != 4)
		return 0;
	return user + sys + (unsigned long)child_user + (unsigned long)child_sys;
}

static pid_t parent_of(pid_t pid)
{
	char path[64], text[1024];
	int parent = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!read_file(path, text, sizeof text))
		return 0;
	const char *after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static bool descends(pid_t pid, pid_t from)
{
	for (int depth = 0; pid > 1 && depth < 64; depth++, pid = parent_of(pid))
		if (pid == from)
			return true;
	return false;
}

uint64_t bench_cpu_tree(pid_t pid)
{
	uint64_t ticks = 0;
	struct dirent *d;
	DIR *dir = opendir("/proc");

	if (!dir)
		return 0;
	while ((d = readdir(dir))) {
		pid_t p = atoi(d->d_name);
		if (p > 0 && descends(p, pid))
			ticks += ticks_of(p);
	}
	closedir(dir);
	return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* ---- memory ---- */

static uint64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) * 1024 : 0;
}

struct bench_memory bench_memory(pid_t pid)
{
	char path[64], text[4096] = "";

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	read_file(path, text, sizeof text);
	return (struct bench_memory){
		.rss = field(text, "\nRss:"), .pss = field(text, "\nPss:"),
		.private = field(text, "\nPrivate_Clean:") + field(text, "\nPrivate_Dirty:"),
	};
}

struct bench_memory bench_memory_tree(pid_t pid)
{
	struct bench_memory sum = {};
	struct dirent *d;
	DIR *dir = opendir("/proc");

	if (!dir)
		return sum;
	while ((d = readdir(dir))) {
		pid_t p = atoi(d->d_name);
		if (p <= 0 || !descends(p, pid))
			continue;
		struct bench_memory m = bench_memory(p);
		sum.rss += m.rss;
		sum.pss += m.pss;
		sum.private += m.private;
	}
	closedir(dir);
	return sum;
}

/* ---- small things ---- */

void bench_pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_percentile(double *values, size_t n, double p)
{
	if (!n)
		return 0;
	qsort(values, n, sizeof *values, compare);
	size_t at = (size_t)(p / 100 * (double)n);
	return values[MIN(at, n - 1)];
}

void bench_die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, err_text(err));
	exit(1);
}

/* ---- rows ---- */

static void put_text(const char *key, const char *text)
{
	printf(",\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar((unsigned char)*text < 0x20 ? ' ' : *text);
	}
	putchar('"');
}

static void put_goal(const struct bench_row *r)
{
	static const char *const signs[] = {
		[GOAL_RATIO_MIN] = ">=", [GOAL_RATIO_MAX] = "<=", [GOAL_OURS_MIN] = ">=", [GOAL_OURS_MAX] = "<=",
	};
	bool of_ratio = r->goal == GOAL_RATIO_MIN || r->goal == GOAL_RATIO_MAX;
	bool is_min = r->goal == GOAL_RATIO_MIN || r->goal == GOAL_OURS_MIN;
	double v = of_ratio ? r->ratio : r->ours;
	char text[64];

	if (r->goal == GOAL_NONE)
		return;
	snprintf(text, sizeof text, "%s %g%s", signs[r->goal], r->target, of_ratio ? "x" : "");
	put_text("target", text);
	printf(",\"met\":%s", (is_min ? v >= r->target : v <= r->target) ? "true" : "false");
}

void bench_print(const struct bench_row *r)
{
	printf("{\"id\":\"%s\"", r->id);
	put_text("what", r->what);
	put_text("unit", r->unit);
	printf(",\"ours\":%.6g", r->ours);
	if (r->rival) {
		put_text("rival", r->rival);
		printf(",\"theirs\":%.6g", r->theirs);
	}
	if (r->ratio > 0)
		printf(",\"ratio\":%.4g", r->ratio);
	put_goal(r);
	if (r->note)
		put_text("note", r->note);
	puts("}");
	fflush(stdout);
}
