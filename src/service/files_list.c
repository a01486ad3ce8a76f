/* A walk without recursion: a stack of folders, each with its names in order. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "service/files_internal.h"

struct level {
	int fd;
	char **names;
	size_t len, at, path_len;       /* path_len: of the folder's own path in the walk */
};

struct files_walk {
	struct level level[FILES_DEPTH_MAX];
	unsigned depth, max;
	bool begun;
	int first;                      /* where the walk began, to be opened */
	struct stat first_stat;
	char path[FILES_PATH_MAX + 1];
};

static void level_done(struct level *l)
{
	for (size_t i = 0; i < l->len; i++)
		free(l->names[i]);
	free(l->names);
	closep(&l->fd);
	*l = (struct level){ .fd = -1 };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct level *l, size_t *cap, const char *name)
{
	if (l->len == *cap) {
		size_t want = *cap ? 2 * *cap : 32;
		char **names = reallocarray(l->names, want, sizeof *names);

		if (!names)
			return -ENOMEM;
		l->names = names;
		*cap = want;
	}
	l->names[l->len] = strdup(name);
	return l->names[l->len] ? (l->len++, 0) : -ENOMEM;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int read_names(struct level *l)
{
	int copy = openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(close_dir) DIR *d = copy < 0 ? NULL : fdopendir(copy);
	size_t cap = 0;

	if (!d) {
		int err = -errno;
		closep(&copy);
		return err;
	}
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(d);
		int err;

		if (!e)
			break;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		err = l->len < FILES_FOLDER_MAX ? add_name(l, &cap, e->d_name) : ERR_LIMIT;
		if (err < 0)
			return err;
	}
	if (errno)
		return -errno;
	if (l->len)
		qsort(l->names, l->len, sizeof *l->names, by_name);
	return 0;
}

/* Takes fd. */
static int enter(struct files_walk *w, int fd)
{
	struct level *l = &w->level[w->depth];
	int err;

	*l = (struct level){ .fd = fd, .path_len = strlen(w->path) };
	err = read_names(l);
	if (err < 0) {
		level_done(l);
		return err;
	}
	w->depth++;
	return 0;
}

int files_walk_open(struct files_walk **ret, const struct files *f, const char *path, unsigned depth)
{
	_cleanup_(files_walk_freep) struct files_walk *w = calloc(1, sizeof *w);
	char beneath[FILES_PATH_MAX + 1];
	int err = files_beneath(beneath, f, path);

	if (!w)
		return -ENOMEM;
	w->first = -1;
	if (err < 0)
		return err;
	w->max = MIN(depth, (unsigned)FILES_DEPTH_MAX);
	w->first = files_open_at(f, beneath, O_PATH);
	if (w->first < 0)
		return w->first;
	if (fstat(w->first, &w->first_stat) < 0)
		return -errno;
	*ret = take(w);
	return 0;
}

void files_walk_free(struct files_walk *w)
{
	if (!w)
		return;
	while (w->depth)
		level_done(&w->level[--w->depth]);
	closep(&w->first);
	free(w);
}

static void begin(struct files_walk *w, struct files_entry *ret)
{
	int fd;

	w->begun = true;
	ret->err = 0;
	files_stat_from(&ret->stat, &w->first_stat);
	ret->path[0] = 0;
	if (!S_ISDIR(w->first_stat.st_mode) || !w->max)
		return;
	fd = openat(w->first, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret->err = fd < 0 ? -errno : enter(w, fd);
}

/* Names that were there a moment ago may be gone: -ENOENT. */
static int visit(struct files_walk *w, struct level *l, const char *name, struct files_entry *ret)
{
	size_t n = l->path_len;
	struct stat st;
	int fd;

	if (fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	ret->err = 0;
	files_stat_from(&ret->stat, &st);
	if (n + 1 + strlen(name) > FILES_PATH_MAX)
		return -ENAMETOOLONG;
	w->path[n] = '/';
	strcpy(w->path + n + (n > 0), name);
	strcpy(ret->path, w->path);
	if (ret->stat.type != FILES_FOLDER)
		return 0;
	if (w->depth >= w->max) {
		ret->err = w->max == FILES_DEPTH_MAX ? ERR_LIMIT : 0;
		return 0;
	}

	fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	ret->err = fd < 0 ? -errno : enter(w, fd);
	return 0;
}

int files_walk_next(struct files_walk *w, struct files_entry *ret)
{
	if (!w->begun) {
		begin(w, ret);
		return 1;
	}
	while (w->depth) {
		struct level *l = &w->level[w->depth - 1];
		int err;

		if (l->at == l->len) {
			level_done(l);
			w->depth--;
			continue;
		}
		err = visit(w, l, l->names[l->at++], ret);
		if (err == -ENOENT || err == -ENAMETOOLONG)
			continue;
		return err < 0 ? err : 1;
	}
	return 0;
}
