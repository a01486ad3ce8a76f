/* Files beneath a folder that nothing leads out of: neither ".." nor a symbolic link,
 * not even one that somebody changes meanwhile (openat2(2), RESOLVE_IN_ROOT). Links
 * inside are followed as if the folder were "/". Calls block.
 *
 * A path is absolute and lies beneath the root as it was configured (root "/": any), or
 * is relative to the root. ERR_DENIED: it lies elsewhere. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

enum {
	FILES_PATH_MAX = 4095,
	FILES_NAME_MAX = 255,
	FILES_DEPTH_MAX = 64,
	FILES_FOLDER_MAX = 65536,       /* entries of one folder */
	FILES_KEEP_MIN = 1 << 20,       /* a shorter beginning is not worth keeping: one block */
	FILES_MODE_MASK = 0777,         /* no set-user-id, set-group-id or sticky bit ever travels */
};

struct files;

enum files_type { FILES_FILE, FILES_FOLDER, FILES_LINK, FILES_OTHER };

struct files_stat {
	enum files_type type;
	uint64_t size;
	unsigned mode;                  /* permissions only */
	int64_t mtime;                  /* unix seconds */
};

/* Kernels before 5.6 have no openat2(): -ENOSYS then, unless root is "/". */
int files_open(struct files **ret, const char *root) _must_check_;
void files_free(struct files *f);
DEFINE_FREEP(struct files *, files_free)

int files_stat(const struct files *f, const char *path, struct files_stat *ret) _must_check_;
/* Regular files only: -EISDIR, ERR_TYPE. The file is not opened at all where it is none. */
int files_open_read(const struct files *f, const char *path, int *ret_fd, struct files_stat *ret) _must_check_;
/* There already: 0. parents: those that miss get mode 0777 less the umask. */
int files_make_folder(const struct files *f, const char *path, unsigned mode, bool parents) _must_check_;

/* ---- a file that comes into being under a hidden name beside its place ---- */
struct files_partial;

/* What an earlier attempt left is opened again. into: the name to take where path is a
 * folder (NULL: -EISDIR). size: what will be there, to refuse a full disk at once.
 * ERR_AGAIN: another transfer writes it. ERR_TYPE: a device, socket or pipe is there. */
int files_partial_open(struct files_partial **ret, const struct files *f, const char *path, const char *into,
		       uint64_t size, bool parents) _must_check_;
int files_partial_fd(const struct files_partial *p);            /* read and write; borrowed */
uint64_t files_partial_present(const struct files_partial *p);  /* bytes that were there */
/* Exactly size bytes, mode, mtime (NULL: now), onto the disk, then to its name: a crash
 * leaves the old file or the new one. p must still be freed. */
int files_partial_commit(struct files_partial *p, uint64_t size, unsigned mode, const int64_t *mtime) _must_check_;
/* Not committed: what is there stays for the next attempt, unless it is too short or discard. */
void files_partial_free(struct files_partial *p, bool discard);

/* ---- everything beneath a folder, in order ---- */
struct files_walk;

struct files_entry {
	char path[FILES_PATH_MAX + 1];  /* relative to where the walk began; "" for that itself */
	struct files_stat stat;         /* of a link itself: links are not followed, but for the first */
	int err;                        /* a folder that could not be read, and why */
};

/* Begins with path itself; depth 0 is that alone. Folders deeper than depth are listed
 * and not entered; ERR_LIMIT in an entry: too many are in it, or it lies too deep. */
int files_walk_open(struct files_walk **ret, const struct files *f, const char *path, unsigned depth) _must_check_;
void files_walk_free(struct files_walk *w);
DEFINE_FREEP(struct files_walk *, files_walk_free)
/* 1: an entry; 0: no more. */
int files_walk_next(struct files_walk *w, struct files_entry *ret) _must_check_;
