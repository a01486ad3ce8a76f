/* Whole files: bounded reads, crash-safe writes. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

/* Appends the file's bytes to out. -ENOENT and friends; ERR_LIMIT above max. */
int file_read(const char *path, size_t max, struct buf *out) _must_check_;

/* Writes to a temporary file beside path, fsyncs it, renames it over path and
 * fsyncs the folder: after a crash there is the old file or the new one.
 * Nothing is left behind on failure. */
int file_write_atomic(const char *path, mode_t mode, struct span content) _must_check_;

/* Creates the folder and its parents, mode 0700 for those that are missing. */
int file_make_dirs(const char *path) _must_check_;
