/* The hidden file beside the final one. Who may meet whom there: other transfers (a
 * lock), and in a folder that others write to, a file that they have prepared (it must
 * be ours alone). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "service/files_internal.h"

#define SUFFIX ".carrier-part"
enum { SHORT_HASH_LEN = 8, TRIES_MAX = 8 };

struct files_partial {
	struct files_place place;
	char temp[FILES_NAME_MAX + 1];
	int fd;
	dev_t dev;
	ino_t ino;
	uint64_t present;
	bool committed;
};

/* A name too long to be lengthened is replaced by its hash. */
static void temp_name(char out[static FILES_NAME_MAX + 1], const char *name)
{
	uint8_t h[HASH_LEN];
	int n;

	if (snprintf(out, FILES_NAME_MAX + 1, ".%s" SUFFIX, name) <= FILES_NAME_MAX)
		return;
	hash(h, "carrier partial file name", SPAN_STR(name));
	n = snprintf(out, FILES_NAME_MAX + 1, ".");
	for (int i = 0; i < SHORT_HASH_LEN; i++)
		n += snprintf(out + n, FILES_NAME_MAX + 1 - (size_t)n, "%02x", h[i]);
	snprintf(out + n, FILES_NAME_MAX + 1 - (size_t)n, SUFFIX);
}

/* ---- where it goes ---- */

static bool is_name(const char *s)
{
	return *s && strlen(s) <= FILES_NAME_MAX && !strchr(s, '/') && strcmp(s, ".") && strcmp(s, "..");
}

/* Makes path the file's own: what names a folder gets the name added. */
static int enter_folder(char path[static FILES_PATH_MAX + 1], const struct files *f, const char *into, bool parents)
{
	bool slash = path[strlen(path) - 1] == '/';
	struct files_stat s = {};
	size_t n;
	int err = files_stat(f, path, &s);

	if (err == -ENOENT && slash && parents && into) {
		err = files_make_folder(f, path, 0777, true);
		s.type = FILES_FOLDER;
	}
	if (err == -ENOENT && !slash)
		return 0;
	if (err < 0)
		return err;
	if (s.type != FILES_FOLDER)
		return s.type == FILES_FILE ? 0 : ERR_TYPE;
	if (!into)
		return -EISDIR;
	if (!is_name(into))
		return -EINVAL;
	n = strlen(path);
	if (n + 1 + strlen(into) > FILES_PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(path + n, FILES_PATH_MAX + 1 - n, "%s%s", slash ? "" : "/", into);
	return 0;
}

static int make_parents(const struct files *f, const char *path)
{
	char folder[FILES_PATH_MAX + 1];
	char *slash;

	strcpy(folder, path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = 0;
	return files_make_folder(f, folder, 0777, true);
}

/* A link is replaced, whatever it points to; a file too; nothing else is. */
static int check_target(const struct files_place *at)
{
	struct stat st;

	if (fstatat(at->folder, at->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? 0 : ERR_TYPE;
}

static int find_place(struct files_place *ret, const struct files *f, const char *path, const char *into, bool parents)
{
	char full[FILES_PATH_MAX + 1], beneath[FILES_PATH_MAX + 1];
	int err;

	if (!*path)
		return -ENOENT;
	if (strlen(path) > FILES_PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(full, path);
	err = enter_folder(full, f, into, parents);
	if (err >= 0 && parents)
		err = make_parents(f, full);
	if (err >= 0)
		err = files_beneath(beneath, f, full);
	return err < 0 ? err : files_place_of(ret, f, beneath);
}

/* ---- the hidden file ---- */

static bool is_still_there(const struct files_partial *p)
{
	struct stat st;

	return fstatat(p->place.folder, p->temp, &st, AT_SYMLINK_NOFOLLOW) >= 0 && st.st_dev == p->dev &&
	       st.st_ino == p->ino;
}

/* 1: it is ours and locked; 0: it was somebody else's, or went away: again. */
static int open_temp(struct files_partial *p)
{
	struct stat st;

	closep(&p->fd);
	p->fd = openat(p->place.folder, p->temp, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		       0600);
	if (p->fd < 0 && errno != ELOOP && errno != ENXIO && errno != EACCES)
		return -errno;
	if (p->fd >= 0 && fstat(p->fd, &st) < 0)
		return -errno;
	if (p->fd < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IRWXG | S_IRWXO))) {
		int was = p->fd < 0 ? -errno : -EACCES;
		if (unlinkat(p->place.folder, p->temp, 0) < 0)
			return errno == ENOENT && was == -EACCES ? -EACCES : -errno;
		return 0;
	}
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	p->present = (uint64_t)st.st_size;
	if (flock(p->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? ERR_AGAIN : -errno;
	return is_still_there(p);
}

static int check_room(const struct files_partial *p, uint64_t size)
{
	struct statvfs v;

	if (size <= p->present)
		return 0;
	if (fstatvfs(p->fd, &v) < 0)
		return -errno;
	if (v.f_flag & ST_RDONLY)
		return -EROFS;
	return (size - p->present) / MAX(v.f_frsize, 1ul) > v.f_bavail ? -ENOSPC : 0;
}

static void partial_free(struct files_partial *p) { files_partial_free(p, false); }
DEFINE_FREEP(struct files_partial *, partial_free)

int files_partial_open(struct files_partial **ret, const struct files *f, const char *path, const char *into,
		       uint64_t size, bool parents)
{
	_cleanup_(partial_freep) struct files_partial *p = calloc(1, sizeof *p);
	int err;

	if (!p)
		return -ENOMEM;
	p->fd = p->place.folder = -1;
	err = find_place(&p->place, f, path, into, parents);
	if (err >= 0)
		err = check_target(&p->place);
	if (err < 0)
		return err;

	temp_name(p->temp, p->place.name);
	err = 0;
	for (int i = 0; !err && i < TRIES_MAX; i++)
		err = open_temp(p);
	if (err <= 0) {
		closep(&p->fd);
		p->fd = -1;
		return err ?: ERR_AGAIN;
	}
	err = check_room(p, size);
	if (err < 0)
		return err;
	*ret = take(p);
	return 0;
}

int files_partial_fd(const struct files_partial *p) { return p->fd; }
uint64_t files_partial_present(const struct files_partial *p) { return p->present; }

static int finish_content(struct files_partial *p, uint64_t size, unsigned mode, const int64_t *mtime)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = mtime ? (time_t)*mtime : 0 } };
	struct stat st;

	if (fstat(p->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < size)
		return ERR_STATE;
	if ((uint64_t)st.st_size > size && ftruncate(p->fd, (off_t)size) < 0)
		return -errno;
	if (mtime && futimens(p->fd, times) < 0)
		return -errno;
	if (fchmod(p->fd, mode & FILES_MODE_MASK) < 0)
		return -errno;
	return fsync(p->fd) < 0 ? -errno : 0;
}

int files_partial_commit(struct files_partial *p, uint64_t size, unsigned mode, const int64_t *mtime)
{
	int err;

	if (p->committed)
		return ERR_STATE;
	err = check_target(&p->place);
	if (err >= 0)
		err = finish_content(p, size, mode, mtime);
	if (err < 0)
		return err;
	if (!is_still_there(p))
		return ERR_CHANGED;
	if (renameat(p->place.folder, p->temp, p->place.folder, p->place.name) < 0)
		return -errno;

	p->committed = true;
	if (fsync(p->place.folder) >= 0)
		return 0;
	/* A folder that may not be read cannot be synced alone. */
	return errno == EBADF && syncfs(p->fd) >= 0 ? 0 : -errno;
}

void files_partial_free(struct files_partial *p, bool discard)
{
	struct stat st;

	if (!p)
		return;
	if (p->fd >= 0 && !p->committed && is_still_there(p)) {
		bool is_short = fstat(p->fd, &st) >= 0 && st.st_size < FILES_KEEP_MIN;

		/* A file that a failed commit has opened up would not be taken for ours again. */
		if (discard || is_short)
			(void)unlinkat(p->place.folder, p->temp, 0);
		else
			(void)fchmod(p->fd, 0600);
	}
	closep(&p->fd);
	files_place_done(&p->place);
	free(p);
}
