#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"

int file_read(const char *path, size_t max, struct buf *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t total = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		uint8_t *p = buf_reserve(out, 4096);
		if (!p)
			return buf_err(out);

		ssize_t n = read(fd, p, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		total += (size_t)n;
		if (total > max)
			return ERR_LIMIT;
		buf_added(out, (size_t)n);
	}
}

static int write_all(int fd, struct span s)
{
	while (s.len) {
		ssize_t n = write(fd, s.data, s.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s = span_from(s, (size_t)n);
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n >= sizeof dir)
		return -ENAMETOOLONG;
	memcpy(dir, path, n);
	dir[n] = 0;

	_cleanup_close_ int fd = open(n ? dir : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int file_write_atomic(const char *path, mode_t mode, struct span content)
{
	char temp[4096];
	int err;

	if (snprintf(temp, sizeof temp, "%s.XXXXXX", path) >= (int)sizeof temp)
		return -ENAMETOOLONG;

	_cleanup_close_ int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;

	err = fchmod(fd, mode) < 0 ? -errno : write_all(fd, content);
	if (err >= 0 && fsync(fd) < 0)
		err = -errno;
	if (err >= 0 && rename(temp, path) < 0)
		err = -errno;
	if (err < 0) {
		unlink(temp);
		return err;
	}
	return sync_folder_of(path);
}

int file_make_dirs(const char *path)
{
	char part[4096];
	size_t n = strlen(path);

	if (!n || n >= sizeof part)
		return n ? -ENAMETOOLONG : -ENOENT;
	memcpy(part, path, n + 1);
	for (char *p = part + 1;; p++) {
		if (*p != '/' && *p)
			continue;
		char was = *p;
		*p = 0;
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
		if (!was) {
			struct stat st;
			return stat(path, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
		}
		*p = was;
	}
}
