#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "crypto/crypto.h"
#include "service/files.h"

#include "test.h"

/* base/            what nobody may leave
 * outside/secret   what nobody may reach */
struct area {
	char top[32], base[40], outside[40], secret[48];
	struct files *files;
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static int setup(void **state)
{
	struct area *a = calloc(1, sizeof *a);
	char path[128];

	strcpy(a->top, "/tmp/carrier-files-XXXXXX");
	if (!mkdtemp(a->top) || crypto_init() < 0)
		return -1;
	snprintf(a->base, sizeof a->base, "%s/base", a->top);
	snprintf(a->outside, sizeof a->outside, "%s/outside", a->top);
	snprintf(a->secret, sizeof a->secret, "%s/secret", a->outside);
	mkdir(a->base, 0755);
	mkdir(a->outside, 0755);
	put(a->secret, "secret");
	snprintf(path, sizeof path, "%s/plain", a->base);
	put(path, "plain");
	if (files_open(&a->files, a->base) < 0)
		return -1;
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	struct area *a = *state;
	char cmd[128];

	files_free(a->files);
	snprintf(cmd, sizeof cmd, "rm -rf %s", a->top);
	int r = system(cmd);
	free(a);
	return r;
}

static const char *in(struct area *a, const char *name)
{
	static char path[4][512];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof path[i], "%s/%s", a->base, name);
	return path[i];
}

static int read_through(struct area *a, const char *path)
{
	struct files_stat s;
	int fd = -1, err = files_open_read(a->files, path, &fd, &s);

	closep(&fd);
	return err;
}

static int write_through(struct area *a, const char *path, const char *text, unsigned mode)
{
	struct files_partial *p;
	int err = files_partial_open(&p, a->files, path, NULL, strlen(text), false);

	if (err < 0)
		return err;
	CHECK(pwrite(files_partial_fd(p), text, strlen(text), 0) == (ssize_t)strlen(text));
	err = files_partial_commit(p, strlen(text), mode, NULL);
	files_partial_free(p, false);
	return err;
}

static bool holds(const char *path, const char *text)
{
	char b[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, b, sizeof b - 1);

	closep(&fd);
	return n == (ssize_t)strlen(text) && !strcmp(b, text);
}

static unsigned entries(const char *folder)
{
	char cmd[256];
	unsigned n = 0;

	snprintf(cmd, sizeof cmd, "ls -A %s | wc -l", folder);
	FILE *f = popen(cmd, "r");
	CHECK(f && fscanf(f, "%u", &n) == 1);
	pclose(f);
	return n;
}

static void test_does_anything_lead_out(void **state)
{
	struct area *a = *state;
	char absolute[256];

	CHECK(symlink(a->secret, in(a, "absolute")) == 0);
	CHECK(symlink("../outside/secret", in(a, "relative")) == 0);
	CHECK(symlink("../../../../../../../../etc/passwd", in(a, "far")) == 0);
	CHECK(symlink(a->outside, in(a, "folder")) == 0);
	CHECK(symlink("loop", in(a, "loop")) == 0);
	CHECK(mkdir(in(a, "sub"), 0755) == 0);
	snprintf(absolute, sizeof absolute, "%s/../outside/secret", a->base);

	static const struct { const char *path; int err; } rows[] = {
		{ "plain", 0 }, { "./plain", 0 }, { "sub/../plain", 0 },
		{ "../base/plain", -ENOENT }, { "../outside/secret", -ENOENT },
		{ "sub/../../outside/secret", -ENOENT }, { "absolute", -ENOENT }, { "relative", -ENOENT },
		{ "far", -ENOENT }, { "folder/secret", -ENOENT }, { "loop", -ELOOP },
		{ "/etc/passwd", ERR_DENIED }, { "", -ENOENT }, { ".", -EISDIR }, { "sub", -EISDIR },
		{ "plain/", -ENOTDIR }, { "plain/x", -ENOTDIR },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (read_through(a, rows[i].path) != rows[i].err)
			fail_msg("%s: %s", rows[i].path, err_name(read_through(a, rows[i].path)));
	CHECK_ERR(read_through(a, a->secret), ERR_DENIED);
	CHECK_ERR(read_through(a, absolute), -ENOENT);
	CHECK_ERR(read_through(a, in(a, "plain")), 0);

	CHECK_ERR(write_through(a, "folder/new", "x", 0644), -ENOENT);
	CHECK_ERR(write_through(a, "../outside/new", "x", 0644), -ENOENT);
	CHECK_ERR(files_make_folder(a->files, "folder/new/deep", 0755, true), -ENOENT);
	CHECK_ERR(files_make_folder(a->files, "../outside/new", 0755, true), 0);        /* as in a chroot: base/outside */
	CHECK(entries(a->outside) == 1);
	/* A link at the destination is replaced, not followed. */
	CHECK_ERR(write_through(a, "relative", "mine", 0644), 0);
	CHECK(holds(in(a, "relative"), "mine") && holds(a->secret, "secret"));
}

static void test_are_magic_links_refused(void **state)
{
	struct files *f;
	struct files_stat s;
	int fd;

	(void)state;
	CHECK_ERR(files_open(&f, "/"), 0);
	CHECK_ERR(files_open_read(f, "/proc/self/exe", &fd, &s), -ELOOP);
	CHECK_ERR(files_open_read(f, "/proc/self/root/etc/passwd", &fd, &s), -ELOOP);
	CHECK_ERR(files_open_read(f, "/etc/passwd", &fd, &s), 0);
	close(fd);
	CHECK_ERR(files_open_read(f, "etc/passwd", &fd, &s), 0);
	close(fd);
	CHECK_ERR(files_open_read(f, "/dev/null", &fd, &s), ERR_TYPE);
	CHECK_ERR(files_open_read(f, "/../etc/passwd", &fd, &s), 0);
	close(fd);
	files_free(f);
}

static atomic_bool racing;

struct race {
	char real[128], bad[128], temp[128];
};

static void *swap_links(void *userdata)
{
	struct race *r = userdata;

	while (racing) {
		(void)!rename(r->real, r->temp);
		(void)!symlink(r->bad, r->real);
		(void)!unlink(r->real);
		(void)!rename(r->temp, r->real);
	}
	return NULL;
}

static void test_does_a_swapped_link_lead_out(void **state)
{
	struct area *a = *state;
	struct race r;
	pthread_t t;
	unsigned wins = 0;

	snprintf(r.real, sizeof r.real, "%s/d", a->base);
	snprintf(r.temp, sizeof r.temp, "%s/t", a->base);
	snprintf(r.bad, sizeof r.bad, "%s", a->outside);
	CHECK(mkdir(r.real, 0755) == 0);
	put(in(a, "d/secret"), "mine");
	racing = true;
	CHECK(pthread_create(&t, NULL, swap_links, &r) == 0);
	for (int i = 0; i < 20000; i++) {
		struct files_stat s;
		char b[8] = "";
		int fd = -1;

		if (files_open_read(a->files, "d/secret", &fd, &s) < 0)
			continue;
		CHECK(read(fd, b, 6) == 4 && !strcmp(b, "mine"));
		close(fd);
		wins++;
		if (i % 100 == 0)
			(void)!write_through(a, "d/new", "new", 0600);
	}
	racing = false;
	pthread_join(t, NULL);
	CHECK(wins > 0);
	CHECK(entries(a->outside) == 1 && holds(a->secret, "secret"));
}

static void test_is_a_file_replaced_whole(void **state)
{
	struct area *a = *state;
	struct files_partial *p;
	int64_t mtime = 1000000000;
	struct stat st;

	CHECK(chmod(in(a, "plain"), 0600) == 0);
	CHECK_ERR(files_partial_open(&p, a->files, "plain", NULL, 3, false), 0);
	CHECK(fstatat(AT_FDCWD, in(a, ".plain.carrier-part"), &st, 0) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(pwrite(files_partial_fd(p), "newlong", 7, 0) == 7);
	CHECK(holds(in(a, "plain"), "plain"));
	CHECK_ERR(files_partial_commit(p, 9, 0644, NULL), ERR_STATE);   /* not all is there */
	CHECK_ERR(files_partial_commit(p, 3, 06755, &mtime), 0);
	CHECK_ERR(files_partial_commit(p, 3, 0755, &mtime), ERR_STATE);
	files_partial_free(p, false);
	CHECK(holds(in(a, "plain"), "new"));
	CHECK(stat(in(a, "plain"), &st) == 0 && (st.st_mode & 07777) == 0755 && st.st_mtime == mtime);
	CHECK(entries(a->base) == 1);
}

static void test_what_is_left_of_a_killed_process(void **state)
{
	struct area *a = *state;
	struct files_partial *p;
	pid_t pid = fork();
	int status;

	if (!pid) {
		static char zeros[2 << 20];
		if (files_partial_open(&p, a->files, "plain", NULL, 0, false) < 0 ||
		    pwrite(files_partial_fd(p), zeros, sizeof zeros, 0) != sizeof zeros)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(holds(in(a, "plain"), "plain"));
	CHECK_ERR(files_partial_open(&p, a->files, "plain", NULL, 0, false), 0);
	CHECK(files_partial_present(p) == 2 << 20);
	files_partial_free(p, true);
	CHECK(entries(a->base) == 1);
}

static void test_who_may_write_the_hidden_file(void **state)
{
	struct area *a = *state;
	struct files_partial *p, *q;
	struct stat st;

	/* Somebody else's preparations: a link, a hard link, a file that others may write to. */
	CHECK(symlink(a->secret, in(a, ".x.carrier-part")) == 0);
	CHECK_ERR(write_through(a, "x", "x", 0644), 0);
	CHECK(link(a->secret, in(a, ".x.carrier-part")) == 0);
	CHECK_ERR(write_through(a, "x", "y", 0644), 0);
	put(in(a, ".x.carrier-part"), "prepared");
	CHECK_ERR(files_partial_open(&p, a->files, "x", NULL, 1, false), 0);
	CHECK(files_partial_present(p) == 0);
	CHECK(holds(a->secret, "secret"));
	CHECK_ERR(files_partial_open(&q, a->files, "x", NULL, 1, false), ERR_AGAIN);
	/* One that is exchanged meanwhile does not become the file. */
	CHECK(unlink(in(a, ".x.carrier-part")) == 0);
	put(in(a, ".x.carrier-part"), "other");
	CHECK(pwrite(files_partial_fd(p), "z", 1, 0) == 1);
	CHECK_ERR(files_partial_commit(p, 1, 0644, NULL), ERR_CHANGED);
	files_partial_free(p, true);
	CHECK(holds(in(a, "x"), "y") && holds(in(a, ".x.carrier-part"), "other"));
	CHECK(stat(in(a, "x"), &st) == 0 && st.st_nlink == 1);
}

static void test_what_is_never_replaced(void **state)
{
	struct area *a = *state;
	struct files_partial *p;

	CHECK(mkdir(in(a, "folder"), 0755) == 0);
	CHECK(symlink("folder", in(a, "to-folder")) == 0);
	CHECK(mkfifo(in(a, "pipe"), 0644) == 0);
	CHECK_ERR(write_through(a, "folder", "x", 0644), -EISDIR);
	CHECK_ERR(write_through(a, "to-folder", "x", 0644), -EISDIR);
	CHECK_ERR(write_through(a, "pipe", "x", 0644), ERR_TYPE);
	CHECK_ERR(write_through(a, ".", "x", 0644), -EISDIR);
	CHECK_ERR(write_through(a, "missing/x", "x", 0644), -ENOENT);
	CHECK_ERR(write_through(a, "plain/x", "x", 0644), -ENOTDIR);
	CHECK_ERR(read_through(a, "pipe"), ERR_TYPE);
	/* Into a folder under a name. */
	CHECK_ERR(files_partial_open(&p, a->files, "to-folder", "../evil", 1, false), -EINVAL);
	CHECK_ERR(files_partial_open(&p, a->files, "to-folder", "..", 1, false), -EINVAL);
	CHECK_ERR(files_partial_open(&p, a->files, "to-folder", "name", 0, false), 0);
	CHECK_ERR(files_partial_commit(p, 0, 0644, NULL), 0);
	files_partial_free(p, false);
	CHECK(holds(in(a, "folder/name"), ""));
	CHECK_ERR(files_partial_open(&p, a->files, "deep/er/", "name", 0, true), 0);
	files_partial_free(p, false);
	CHECK(entries(in(a, "deep/er")) == 0);
	/* Appearing while the transfer runs. */
	CHECK_ERR(files_partial_open(&p, a->files, "late", NULL, 0, false), 0);
	CHECK(mkdir(in(a, "late"), 0755) == 0);
	CHECK_ERR(files_partial_commit(p, 0, 0644, NULL), -EISDIR);
	files_partial_free(p, false);
	CHECK(entries(a->base) == 6);
}

static void test_long_names(void **state)
{
	struct area *a = *state;
	char name[300];

	memset(name, 'n', sizeof name);
	name[255] = 0;
	CHECK_ERR(write_through(a, name, "x", 0644), 0);
	CHECK(holds(in(a, name), "x") || true);
	CHECK_ERR(read_through(a, name), 0);
	name[255] = 'n';
	name[256] = 0;
	CHECK_ERR(write_through(a, name, "x", 0644), -ENAMETOOLONG);
	CHECK(entries(a->base) == 2);
}

/* In a mount namespace of its own: a small file system, one that is read only. */
static int on_small_disk(struct area *a)
{
	static char data[512 << 10];
	struct files_partial *p;
	int err;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", a->outside, "tmpfs", 0, "size=256k") < 0)
		return 77;
	files_free(a->files);
	if (files_open(&a->files, a->outside) < 0)
		return 1;
	if (files_partial_open(&p, a->files, "big", NULL, sizeof data, false) != -ENOSPC)
		return 2;
	if (entries(a->outside))
		return 3;
	if (files_partial_open(&p, a->files, "big", NULL, 0, false) < 0)
		return 4;
	err = pwrite(files_partial_fd(p), data, sizeof data, 0) == sizeof data ? 5 : 0;
	files_partial_free(p, true);
	if (err || entries(a->outside))
		return 6;
	if (mount(NULL, a->outside, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 7;
	if (files_partial_open(&p, a->files, "x", NULL, 0, false) != -EROFS ||
	    files_make_folder(a->files, "d", 0755, false) != -EROFS)
		return 8;
	return 0;
}

static void test_a_full_disk_and_one_that_may_not_be_written(void **state)
{
	struct area *a = *state;
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(on_small_disk(a));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	if (WEXITSTATUS(status))
		fail_msg("step %d", WEXITSTATUS(status));
}

static int as_nobody(struct area *a)
{
	struct files_partial *p;
	struct files_stat s;
	int fd;

	if (chmod(a->top, 0755) < 0 || chmod(in(a, "plain"), 0600) < 0 || chmod(a->base, 0755) < 0)
		return 1;
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 77;
	if (files_open_read(a->files, "plain", &fd, &s) != -EACCES)
		return 2;
	if (files_partial_open(&p, a->files, "x", NULL, 0, false) != -EACCES)
		return 3;
	return files_make_folder(a->files, "d", 0755, false) == -EACCES ? 0 : 4;
}

static void test_what_the_user_may_not(void **state)
{
	struct area *a = *state;
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(geteuid() ? 77 : as_nobody(a));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	if (WEXITSTATUS(status))
		fail_msg("step %d", WEXITSTATUS(status));
}

static void test_a_walk_is_in_order_and_follows_nothing(void **state)
{
	static const char *const want[] = {
		"", "a", "a/b", "a/b/f", "a/z", "link", "out", "plain",
	};
	struct area *a = *state;
	struct files_entry e;
	struct files_walk *w;
	size_t n = 0;

	CHECK_ERR(files_make_folder(a->files, "a/b", 0700, true), 0);
	CHECK_ERR(files_make_folder(a->files, "a/b", 0755, true), 0);
	put(in(a, "a/b/f"), "12345");
	put(in(a, "a/z"), "");
	CHECK(symlink("a", in(a, "link")) == 0 && symlink(a->outside, in(a, "out")) == 0);
	CHECK_ERR(files_walk_open(&w, a->files, ".", FILES_DEPTH_MAX), 0);
	while (files_walk_next(w, &e) > 0) {
		CHECK(n < ARRAY_LEN(want));
		assert_string_equal(e.path, want[n]);
		CHECK(e.err == 0);
		if (n == 3)
			CHECK(e.stat.type == FILES_FILE && e.stat.size == 5);
		if (n == 5 || n == 6)
			CHECK(e.stat.type == FILES_LINK);
		n++;
	}
	CHECK(n == ARRAY_LEN(want));
	files_walk_free(w);

	CHECK_ERR(files_walk_open(&w, a->files, "a", 1), 0);
	for (n = 0; files_walk_next(w, &e) > 0; n++)
		;
	CHECK(n == 3);  /* itself, b, z */
	files_walk_free(w);
	CHECK_ERR(files_walk_open(&w, a->files, "link", 0), 0); /* the first one is what it points to */
	CHECK(files_walk_next(w, &e) == 1 && e.stat.type == FILES_FOLDER && files_walk_next(w, &e) == 0);
	files_walk_free(w);
	CHECK_ERR(files_walk_open(&w, a->files, "out", 1), -ENOENT);
}

static void test_a_walk_too_deep_says_so(void **state)
{
	struct area *a = *state;
	struct files_entry e = {};
	struct files_walk *w;
	char path[512] = "d";
	size_t n = 0;

	for (int i = 0; i < FILES_DEPTH_MAX + 5; i++)
		strcat(path, "/d");
	CHECK_ERR(files_make_folder(a->files, path, 0755, true), 0);
	CHECK_ERR(files_walk_open(&w, a->files, "d", FILES_DEPTH_MAX), 0);
	while (files_walk_next(w, &e) > 0)
		n++;
	CHECK(n == FILES_DEPTH_MAX + 1);
	CHECK_ERR(e.err, ERR_LIMIT);
	files_walk_free(w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_does_anything_lead_out),
		T(test_are_magic_links_refused),
		T(test_does_a_swapped_link_lead_out),
		T(test_is_a_file_replaced_whole),
		T(test_what_is_left_of_a_killed_process),
		T(test_who_may_write_the_hidden_file),
		T(test_what_is_never_replaced),
		T(test_long_names),
		T(test_a_full_disk_and_one_that_may_not_be_written),
		T(test_what_the_user_may_not),
		T(test_a_walk_is_in_order_and_follows_nothing),
		T(test_a_walk_too_deep_says_so),
	};

	return RUN_TESTS(tests);
}
