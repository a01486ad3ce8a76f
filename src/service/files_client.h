/* Asking a files worker from a process with a loop. */
#pragma once

#include "ipc/ipc.h"
#include "service/files_message.h"

struct files_client;

struct files_reply {
	struct files_stat stat;         /* STAT, READ */
	unsigned handle;                /* PARTIAL, WALK */
	uint64_t present;               /* PARTIAL */
	bool more;                      /* NEXT */
	size_t entries_len;
	struct cbor entries;            /* NEXT: read them with files_get_entry(); valid for the call */
	struct span page;               /* NEXT: the whole body, valid for the call */
	int fd;                         /* READ, PARTIAL: set it to -1 to keep it */
};

/* err < 0: reply is zeroed. Runs exactly once for every call that succeeded. */
typedef void files_done_fn(void *userdata, int err, struct files_reply *reply);

/* Takes the socket on success. Counted: the first reference is the caller's. */
int files_client_new(struct files_client **ret, struct loop *loop, int socket) _must_check_;
/* A worker of our own, with our own rights. */
int files_client_spawn(struct files_client **ret, struct loop *loop, const char *root, bool writable) _must_check_;
struct files_client *files_client_ref(struct files_client *c);
/* At the last one, calls that wait end with ERR_CLOSED. */
void files_client_unref(struct files_client *c);
DEFINE_FREEP(struct files_client *, files_client_unref)
/* Calls that wait end with ERR_CLOSED now; later ones at once. */
void files_client_hang_up(struct files_client *c);
bool files_client_gone(const struct files_client *c);   /* the worker hung up */
bool files_client_is_shared(const struct files_client *c);      /* more than one reference */

/* Storage of one waiting call, the caller's; it lives until done has run. */
struct files_call {
	int type;
	files_done_fn *done;            /* NULL: nothing waits */
	void *userdata;
};
#define FILES_CALL_PARAMS struct files_client *c, struct files_call *call, files_done_fn *done, void *userdata

int files_ask_stat(FILES_CALL_PARAMS, const char *path) _must_check_;
int files_ask_read(FILES_CALL_PARAMS, const char *path) _must_check_;
int files_ask_partial(FILES_CALL_PARAMS, const char *path, const char *into, uint64_t size, bool parents) _must_check_;
int files_ask_commit(FILES_CALL_PARAMS, unsigned handle, uint64_t size, unsigned mode, const int64_t *mtime)
	_must_check_;
int files_ask_folder(FILES_CALL_PARAMS, const char *path, unsigned mode, bool parents) _must_check_;
int files_ask_walk(FILES_CALL_PARAMS, const char *path, unsigned depth) _must_check_;
int files_ask_next(FILES_CALL_PARAMS, unsigned handle) _must_check_;
/* Nobody waits for these. */
void files_tell_abort(struct files_client *c, unsigned handle, bool discard);
void files_tell_end(struct files_client *c, unsigned handle);
