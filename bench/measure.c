/* What the measuring scripts cannot do themselves:
 *
 *   measure run [--tree PID]... -- COMMAND...   wall ns, CPU ns of the command, CPU ns of those process trees,
 *                                               ns until its first output (0: none)
 *   measure memory PID                          RSS and PSS of a process and its descendants, in bytes
 *   measure row ID WHAT UNIT OURS RIVAL THEIRS RATIO GOAL TARGET NOTE
 *                                               a line of the results; "-" where there is none;
 *                                               GOAL: ratio-min, ratio-max, ours-min, ours-max
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/time.h"
#include "bench.h"

enum { TREES_MAX = 8, SETTLE_MS = 300 };        /* a server's session ends after its client */

static uint64_t cpu_of_children(void)
{
	struct rusage ru;

	getrusage(RUSAGE_CHILDREN, &ru);
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000u;
}

static uint64_t cpu_of_trees(const pid_t *trees, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += bench_cpu_tree(trees[i]);
	return sum;
}

/* Reads all of it; when the first byte came, or 0. */
static tstamp drain(int fd)
{
	tstamp first = 0;
	char data[65536];

	while (read(fd, data, sizeof data) > 0)
		first = first ?: time_monotonic();
	return first;
}

static int run(int argc, char **argv)
{
	pid_t trees[TREES_MAX];
	size_t n = 0;
	int at = 0, status, ends[2];

	for (; at + 1 < argc && !strcmp(argv[at], "--tree") && n < TREES_MAX; at += 2)
		trees[n++] = atoi(argv[at + 1]);
	if (at + 1 >= argc || strcmp(argv[at], "--"))
		return 2;
	uint64_t before = cpu_of_trees(trees, n);
	tstamp start = time_monotonic();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return 1;
	pid_t pid = fork();
	if (!pid) {
		dup2(ends[1], 1);
		execvp(argv[at + 1], argv + at + 1);
		_exit(127);
	}
	close(ends[1]);
	tstamp first = drain(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 1;
	tstamp wall = time_monotonic() - start;
	uint64_t own = cpu_of_children();
	if (n)
		usleep(SETTLE_MS * 1000);
	printf("%llu %llu %llu %llu\n", (unsigned long long)wall, (unsigned long long)own,
	       (unsigned long long)(cpu_of_trees(trees, n) - before), (unsigned long long)(first ? first - start : 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int memory(pid_t root)
{
	struct bench_memory m = bench_memory_tree(root);

	printf("%llu %llu\n", (unsigned long long)m.rss, (unsigned long long)m.pss);
	return m.rss ? 0 : 1;
}

static int row(char **argv)
{
	static const char *const goals[] = {
		[GOAL_NONE] = "-", [GOAL_RATIO_MIN] = "ratio-min", [GOAL_RATIO_MAX] = "ratio-max",
		[GOAL_OURS_MIN] = "ours-min", [GOAL_OURS_MAX] = "ours-max",
	};
	struct bench_row r = { .id = argv[0], .what = argv[1], .unit = argv[2], .ours = atof(argv[3]),
			       .theirs = atof(argv[5]), .ratio = atof(argv[6]), .target = atof(argv[8]) };

	r.rival = strcmp(argv[4], "-") ? argv[4] : NULL;
	r.note = strcmp(argv[9], "-") ? argv[9] : NULL;
	for (size_t i = 0; i < ARRAY_LEN(goals); i++)
		if (!strcmp(argv[7], goals[i])) {
			r.goal = (enum bench_goal)i;
			bench_print(&r);
			return 0;
		}
	return 2;
}

int main(int argc, char **argv)
{
	int err = 2;

	if (argc >= 4 && !strcmp(argv[1], "run"))
		err = run(argc - 2, argv + 2);
	else if (argc == 3 && !strcmp(argv[1], "memory"))
		err = memory(atoi(argv[2]));
	else if (argc == 12 && !strcmp(argv[1], "row"))
		err = row(argv + 2);
	if (err == 2)
		fputs("usage: measure run [--tree PID]... -- COMMAND | memory PID | row ...\n", stderr);
	return err;
}
