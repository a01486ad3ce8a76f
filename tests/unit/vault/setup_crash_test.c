/* Power goes at every single step that changes the disk: does the next setup
 * complete, and is a secret that was there never lost? */
#include <sys/wait.h>

#include "place.h"

static int steps_left = -1;     /* -1: never cut */

static void step(void)
{
	if (steps_left == 0)
		_exit(99);
	if (steps_left > 0)
		steps_left--;
}

#define WRAP(type, name, params, args)                  \
	type __real_##name params;                      \
	type __wrap_##name params;                      \
	type __wrap_##name params                       \
	{                                               \
		step();                                 \
		return __real_##name args;              \
	}
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, rename, (const char *from, const char *to), (from, to))
int __real_mkostemp64(char *path, int flags);
int __wrap_mkostemp64(char *path, int flags);
int __wrap_mkostemp64(char *path, int flags)
{
	step();
	return __real_mkostemp64(path, flags);
}

/* Setup in a process of its own that is gone after n steps. True: it got to its end. */
static bool setup_cut_after(const struct place *p, int n)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct home_error error;
		struct home h;

		steps_left = n;
		if (home_open(&h, p->config, &error) < 0 || home_setup(&h, &error) < 0)
			_exit(1);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 99));
	return WEXITSTATUS(status) == 0;
}

static void setup_completes(const struct place *p, struct sign_seed *ret_seed, struct network_secret *ret_network)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error;

	open_home(&h, p);
	if (home_setup(&h, &error) < 0)
		fail_msg("%s", error.text);
	CHECK_ERR(home_secret(&h, ret_seed, NULL, NULL, &error), 0);
	CHECK_ERR(home_network(&h, ret_network, &error), 0);
	assert_int_equal(home_setup(&h, &error), 0);
}

static void does_setup_complete_after_a_cut_at_any_step(void **state)
{
	int n = 0, cuts = 0;

	(void)state;
	for (bool done = false; !done; n++) {
		_cleanup_place_ struct place p = { 0 };
		struct sign_seed seed, again;
		struct network_secret network, network_again;
		char *before, *after;

		place_new(&p);
		done = setup_cut_after(&p, n);
		cuts += !done;
		before = get_file(p.secret);
		setup_completes(&p, &seed, &network);
		after = get_file(p.secret);
		/* whoever has printed the first identity still has it */
		if (before)
			assert_string_equal(before, after);
		free(before);
		free(after);
		setup_completes(&p, &again, &network_again);
		assert_memory_equal(&seed, &again, sizeof seed);
		assert_memory_equal(&network, &network_again, sizeof network);
	}
	/* two files of five steps each at least: the cuts were there */
	CHECK(cuts >= 10);
}

static void does_it_complete_when_cut_twice(void **state)
{
	(void)state;
	for (int first = 0; first < 16; first++)
		for (int second = 0; second < 16; second++) {
			_cleanup_place_ struct place p = { 0 };
			struct sign_seed seed;
			struct network_secret network;

			place_new(&p);
			setup_cut_after(&p, first);
			setup_cut_after(&p, second);
			setup_completes(&p, &seed, &network);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_setup_complete_after_a_cut_at_any_step),
		cmocka_unit_test(does_it_complete_when_cut_twice),
	};

	CHECK_ERR(crypto_init(), 0);
	return RUN_TESTS(tests);
}
