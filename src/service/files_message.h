/* What a process with a loop and a files worker say to each other over ipc.h. Bodies
 * are CBOR arrays; a stat is [type, size, mode, mtime].
 *
 * request   body                               reply                        descriptors
 * STAT      [path]                             stat
 * READ      [path]                             stat                         the file, to read
 * PARTIAL   [path, into|null, size, parents]   [handle, present]            the file, to write
 * COMMIT    [handle, size, mode, mtime|null]   empty
 * ABORT     [handle, discard]                  empty
 * FOLDER    [path, mode, parents]              empty
 * WALK      [path, depth]                      [handle]
 * NEXT      [handle]                           [more, [[path bytes, stat, error]...]]
 * END       [handle]                           empty
 *
 * Paths are bytes: a file's name need not be UTF-8. Reading and writing go through the
 * descriptors, without the worker. */
#pragma once

#include "service/files.h"
#include "wire/cbor.h"

enum {
	FILES_MSG_STAT = 1, FILES_MSG_READ, FILES_MSG_PARTIAL, FILES_MSG_COMMIT, FILES_MSG_ABORT,
	FILES_MSG_FOLDER, FILES_MSG_WALK, FILES_MSG_NEXT, FILES_MSG_END,
	_FILES_MSG_MAX,
};

enum {
	FILES_HANDLES_MAX = 128,
	FILES_PAGE_ENTRIES = 256,
	FILES_PAGE_LEN = 32 << 10,      /* a page ends with the entry that reaches this */
};

void files_put_stat(struct buf *b, const struct files_stat *s);
void files_get_stat(struct files_stat *ret, struct cbor *c);
void files_put_entry(struct buf *b, const struct files_entry *e);
void files_get_entry(struct files_entry *ret, struct cbor *c);
/* Copies a path of bytes as a C string; fails the reader on NUL or excess. */
void files_get_path(char out[static FILES_PATH_MAX + 1], struct cbor *c);
/* May this relative path of a list be put under a folder? No "..", "." or empty component. */
bool files_path_is_plain(const char *path);
