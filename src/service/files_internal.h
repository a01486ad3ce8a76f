/* How the engine finds things beneath its root. */
#pragma once

#include <sys/stat.h>

#include "service/files.h"

struct files {
	int root;
	bool whole;                     /* the root is "/" */
	char prefix[FILES_PATH_MAX + 1];        /* the root as configured, without a '/' at its end */
};

struct files_place {
	int folder;                     /* the parent, or -1 */
	char name[FILES_NAME_MAX + 1];
};

/* O_CLOEXEC | O_NOCTTY are added. beneath: from files_beneath(). */
int files_open_at(const struct files *f, const char *beneath, int flags) _must_check_;
/* The same path relative to the root; "." for the root itself. */
int files_beneath(char out[static FILES_PATH_MAX + 1], const struct files *f, const char *path) _must_check_;
/* Opens the parent. -EINVAL where the last component is none that can be made. */
int files_place_of(struct files_place *ret, const struct files *f, const char *beneath) _must_check_;
void files_stat_from(struct files_stat *ret, const struct stat *st);

static inline void files_place_done(struct files_place *p) { closep(&p->folder); }
