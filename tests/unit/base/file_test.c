#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "test.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/file_test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[2][256];
	static int turn;

	snprintf(path[turn ^= 1], sizeof path[0], "%s/%s", dir, name);
	return path[turn];
}

static size_t entries(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void check_content(const char *path, const char *want)
{
	_cleanup_buf_ struct buf b = {};

	CHECK_ERR(file_read(path, 1 << 20, &b), 0);
	assert_string_equal(buf_str(&b), want);
}

static void test_writes_and_replaces_with_the_mode(void **state)
{
	struct stat st;

	(void)state;
	CHECK_ERR(file_write_atomic(in_dir("a"), 0600, SPAN_STR("first")), 0);
	check_content(in_dir("a"), "first");
	CHECK_ERR(file_write_atomic(in_dir("a"), 0644, SPAN_STR("second, longer")), 0);
	check_content(in_dir("a"), "second, longer");
	assert_int_equal(stat(in_dir("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	CHECK_ERR(file_write_atomic(in_dir("a"), 0600, SPAN_NONE), 0);
	check_content(in_dir("a"), "");
	assert_int_equal(entries(), 1);
}

static void test_a_relative_name_lands_in_the_working_folder(void **state)
{
	char was[4096];

	(void)state;
	assert_non_null(getcwd(was, sizeof was));
	assert_int_equal(chdir(dir), 0);
	CHECK_ERR(file_write_atomic("plain", 0600, SPAN_STR("x")), 0);
	assert_int_equal(chdir(was), 0);
	check_content(in_dir("plain"), "x");
}

/* The file size limit stands for a full disk: the write stops in the middle. */
static void test_a_full_disk_keeps_the_old_file_and_leaves_no_temp(void **state)
{
	static uint8_t big[100000];
	struct rlimit was, low;

	(void)state;
	CHECK_ERR(file_write_atomic(in_dir("a"), 0600, SPAN_STR("old")), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	low = (struct rlimit){ 4096, was.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	int err = file_write_atomic(in_dir("a"), 0600, SPAN_OF(big));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_DFL);
	CHECK_ERR(err, -EFBIG);
	check_content(in_dir("a"), "old");
	assert_int_equal(entries(), 1);
}

static void test_a_read_only_folder_keeps_the_old_file(void **state)
{
	bool root = geteuid() == 0;

	(void)state;
	CHECK_ERR(file_write_atomic(in_dir("a"), 0644, SPAN_STR("old")), 0);
	assert_int_equal(chmod(dir, 0555), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);    /* root may write everywhere */
	int err = file_write_atomic(in_dir("a"), 0600, SPAN_STR("new"));
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	CHECK_ERR(err, -EACCES);
	check_content(in_dir("a"), "old");
	assert_int_equal(entries(), 1);
}

static void test_a_failing_rename_leaves_no_temp(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
	CHECK_ERR(file_write_atomic(in_dir("folder"), 0600, SPAN_STR("x")), -EISDIR);
	assert_int_equal(entries(), 1);
	CHECK_ERR(file_write_atomic(in_dir("missing/a"), 0600, SPAN_STR("x")), -ENOENT);
}

static void test_a_path_that_is_too_long_is_an_error(void **state)
{
	static char path[5000];

	(void)state;
	memset(path, 'a', sizeof path - 1);
	CHECK_ERR(file_write_atomic(path, 0600, SPAN_STR("x")), -ENAMETOOLONG);
	CHECK_ERR(file_make_dirs(path), -ENAMETOOLONG);
}

static void test_reading_is_bounded(void **state)
{
	static uint8_t big[10000];
	_cleanup_buf_ struct buf b = {}, c = {}, d = { .max = 5000 }, e = {};

	(void)state;
	CHECK_ERR(file_write_atomic(in_dir("a"), 0600, SPAN_OF(big)), 0);
	CHECK_ERR(file_read(in_dir("a"), 10000, &b), 0);
	assert_int_equal(b.len, 10000);
	CHECK_ERR(file_read(in_dir("a"), 9999, &c), ERR_LIMIT);
	CHECK_ERR(file_read(in_dir("a"), 10000, &d), ERR_LIMIT);
	CHECK_ERR(file_read("/dev/zero", 100000, &e), ERR_LIMIT);
	CHECK_ERR(file_read(in_dir("none"), 1, &e), -ENOENT);
	CHECK_ERR(file_read(dir, 1, &e), -EISDIR);
}

static void test_makes_missing_folders(void **state)
{
	struct stat st;

	(void)state;
	CHECK_ERR(file_make_dirs(in_dir("x/y/z")), 0);
	CHECK_ERR(file_make_dirs(in_dir("x/y/z")), 0);
	CHECK_ERR(file_make_dirs(in_dir("x//y/w/")), 0);
	assert_int_equal(stat(in_dir("x/y/w"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	CHECK_ERR(file_write_atomic(in_dir("file"), 0600, SPAN_STR("x")), 0);
	CHECK_ERR(file_make_dirs(in_dir("file/sub")), -ENOTDIR);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		IN_DIR(test_writes_and_replaces_with_the_mode),
		IN_DIR(test_a_relative_name_lands_in_the_working_folder),
		IN_DIR(test_a_full_disk_keeps_the_old_file_and_leaves_no_temp),
		IN_DIR(test_a_read_only_folder_keeps_the_old_file),
		IN_DIR(test_a_failing_rename_leaves_no_temp),
		IN_DIR(test_a_path_that_is_too_long_is_an_error),
		IN_DIR(test_reading_is_bounded),
		IN_DIR(test_makes_missing_folders),
	};

	return RUN_TESTS(tests);
}
