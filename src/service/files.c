#include "service/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "base/err.h"
#include "service/files_internal.h"

enum { RACES_MAX = 16 };        /* EAGAIN: something was renamed while a ".." was resolved */

static int open_beneath(const struct files *f, const char *beneath, int flags)
{
	struct open_how how = {
		/* openat2() refuses what O_PATH would ignore */
		.flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY)),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	for (int i = 0;; i++) {
		long fd = syscall(SYS_openat2, f->root, beneath, &how, sizeof how);

		if (fd >= 0)
			return (int)fd;
		if (errno != EINTR && (errno != EAGAIN || i >= RACES_MAX))
			return -errno;
	}
}

int files_open_at(const struct files *f, const char *beneath, int flags)
{
	int fd = open_beneath(f, beneath, flags);

	if (fd != -ENOSYS || !f->whole)
		return fd;
	fd = openat(f->root, beneath, flags | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int files_open(struct files **ret, const char *root)
{
	_cleanup_(files_freep) struct files *f = calloc(1, sizeof *f);
	size_t n = strlen(root);

	if (!f)
		return -ENOMEM;
	f->root = -1;
	while (n && root[n - 1] == '/')
		n--;
	if (n >= sizeof f->prefix)
		return -ENAMETOOLONG;
	if (root[0] != '/')
		return -EINVAL;
	memcpy(f->prefix, root, n);
	f->whole = !n;

	f->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->root < 0)
		return -errno;
	int probe = files_open_at(f, ".", O_PATH | O_DIRECTORY);
	if (probe < 0)
		return probe;
	close(probe);
	*ret = take(f);
	return 0;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	closep(&f->root);
	free(f);
}

int files_beneath(char out[static FILES_PATH_MAX + 1], const struct files *f, const char *path)
{
	size_t n = strlen(f->prefix);

	if (!*path)
		return -ENOENT;
	if (strlen(path) > FILES_PATH_MAX)
		return -ENAMETOOLONG;
	if (*path == '/') {
		if (strncmp(path, f->prefix, n) || (path[n] && path[n] != '/'))
			return ERR_DENIED;
		path += n;
		path += strspn(path, "/");
	}
	strcpy(out, *path ? path : ".");
	return 0;
}

int files_place_of(struct files_place *ret, const struct files *f, const char *beneath)
{
	char folder[FILES_PATH_MAX + 1];
	const char *slash, *name;
	int fd;

	slash = strrchr(beneath, '/');
	name = slash ? slash + 1 : beneath;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	if (strlen(name) > FILES_NAME_MAX)
		return -ENAMETOOLONG;
	size_t n = slash ? (size_t)(slash - beneath) : 0;
	memcpy(folder, beneath, n);
	strcpy(folder + n, n ? "" : ".");

	fd = files_open_at(f, folder, O_RDONLY | O_DIRECTORY);
	if (fd == -EACCES)      /* may be passed through and written to all the same */
		fd = files_open_at(f, folder, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	ret->folder = fd;
	strcpy(ret->name, name);
	return 0;
}

void files_stat_from(struct files_stat *ret, const struct stat *st)
{
	*ret = (struct files_stat){
		.type = S_ISREG(st->st_mode) ? FILES_FILE : S_ISDIR(st->st_mode) ? FILES_FOLDER :
			S_ISLNK(st->st_mode) ? FILES_LINK : FILES_OTHER,
		.size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
		.mode = st->st_mode & FILES_MODE_MASK,
		.mtime = st->st_mtime,
	};
}

int files_stat(const struct files *f, const char *path, struct files_stat *ret)
{
	char beneath[FILES_PATH_MAX + 1];
	struct stat st;
	int err = files_beneath(beneath, f, path);

	if (err < 0)
		return err;
	_cleanup_close_ int fd = files_open_at(f, beneath, O_PATH);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	files_stat_from(ret, &st);
	return 0;
}

int files_open_read(const struct files *f, const char *path, int *ret_fd, struct files_stat *ret)
{
	char beneath[FILES_PATH_MAX + 1];
	struct files_stat s = {};
	struct stat st;
	int err = files_stat(f, path, &s);

	if (err < 0)
		return err;
	if (s.type != FILES_FILE)
		return s.type == FILES_FOLDER ? -EISDIR : ERR_TYPE;
	err = files_beneath(beneath, f, path);
	if (err < 0)
		return err;
	_cleanup_close_ int fd = files_open_at(f, beneath, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return ERR_TYPE;

	files_stat_from(ret, &st);
	*ret_fd = take_fd(fd);
	return 0;
}

static int make_one(const struct files *f, const char *beneath, unsigned mode)
{
	_cleanup_(files_place_done) struct files_place place = { .folder = -1 };
	_cleanup_close_ int fd = files_open_at(f, beneath, O_PATH);
	struct stat st;
	int err;

	if (fd >= 0)
		return fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	if (fd != -ENOENT)
		return fd;
	err = files_place_of(&place, f, beneath);
	if (err < 0)
		return err;
	if (mkdirat(place.folder, place.name, mode & FILES_MODE_MASK) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int files_make_folder(const struct files *f, const char *path, unsigned mode, bool parents)
{
	char part[FILES_PATH_MAX + 1];
	int err = files_beneath(part, f, path);

	if (err < 0)
		return err;
	for (size_t n = strlen(part); n > 1 && part[n - 1] == '/'; n--)
		part[n - 1] = 0;
	for (char *p = part + 1; parents && (p = strchr(p, '/')); p++) {
		*p = 0;
		err = make_one(f, part, 0777);
		*p = '/';
		if (err < 0)
			return err;
	}
	return make_one(f, part, mode);
}
