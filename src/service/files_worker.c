#include "service/files_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/err.h"
#include "ipc/ipc.h"
#include "service/files_message.h"

struct handle {
	struct files_partial *partial;
	struct files_walk *walk;
};

struct worker {
	struct loop *loop;
	struct files *files;
	struct ipc *ipc;
	bool writable;
	struct handle handle[FILES_HANDLES_MAX], none;
};

struct answer {
	struct buf body;
	int fd;                         /* sent along, -1: none */
	bool keep_fd;                   /* it is borrowed */
};

typedef int op_fn(struct worker *w, struct cbor *c, struct answer *a);

/* ---- handles ---- */

static int handle_free_slot(struct worker *w)
{
	for (int i = 0; i < FILES_HANDLES_MAX; i++)
		if (!w->handle[i].partial && !w->handle[i].walk)
			return i;
	return ERR_LIMIT;
}

/* Never NULL; an empty one where the number is wrong. */
static struct handle *handle_get(struct worker *w, struct cbor *c)
{
	size_t i = (size_t)cbor_uint_max(c, FILES_HANDLES_MAX - 1);

	return c->err ? &w->none : &w->handle[i];
}

/* ---- requests ---- */

static int op_stat(struct worker *w, struct cbor *c, struct answer *a)
{
	char path[FILES_PATH_MAX + 1];
	struct files_stat s;
	int err;

	files_get_path(path, c);
	err = cbor_end(c);
	if (err >= 0)
		err = files_stat(w->files, path, &s);
	if (err >= 0)
		files_put_stat(&a->body, &s);
	return err;
}

static int op_read(struct worker *w, struct cbor *c, struct answer *a)
{
	char path[FILES_PATH_MAX + 1];
	struct files_stat s;
	int err;

	files_get_path(path, c);
	err = cbor_end(c);
	if (err >= 0)
		err = files_open_read(w->files, path, &a->fd, &s);
	if (err < 0)
		return err;
	(void)posix_fadvise(a->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	files_put_stat(&a->body, &s);
	return 0;
}

static int op_partial(struct worker *w, struct cbor *c, struct answer *a)
{
	char path[FILES_PATH_MAX + 1], into[FILES_PATH_MAX + 1];
	int err, slot = handle_free_slot(w);
	struct files_partial *p;
	bool has_into;

	files_get_path(path, c);
	has_into = cbor_peek(c) != CBOR_NULL;
	if (has_into)
		files_get_path(into, c);
	else
		cbor_null(c);
	uint64_t size = cbor_uint_max(c, INT64_MAX);
	bool parents = cbor_bool(c);
	err = cbor_end(c);
	if (err < 0 || slot < 0)
		return err < 0 ? err : slot;

	err = files_partial_open(&p, w->files, path, has_into ? into : NULL, size, parents);
	if (err < 0)
		return err;
	w->handle[slot].partial = p;
	a->fd = files_partial_fd(p);
	a->keep_fd = true;
	cbor_put_array(&a->body, 2);
	cbor_put_uint(&a->body, (uint64_t)slot);
	cbor_put_uint(&a->body, files_partial_present(p));
	return 0;
}

/* Whatever comes of it, the handle is gone. */
static int op_commit(struct worker *w, struct cbor *c, struct answer *)
{
	struct handle *h = handle_get(w, c);
	uint64_t size = cbor_uint_max(c, INT64_MAX);
	unsigned mode = (unsigned)cbor_uint_max(c, FILES_MODE_MASK);
	bool has_mtime = cbor_peek(c) != CBOR_NULL;
	int64_t mtime = 0;
	int err;

	if (has_mtime)
		mtime = cbor_int(c);
	else
		cbor_null(c);
	err = cbor_end(c);
	if (err < 0)
		return err;
	if (!h->partial)
		return ERR_UNKNOWN;
	err = files_partial_commit(h->partial, size, mode, has_mtime ? &mtime : NULL);
	files_partial_free(take(h->partial), err == -ENOSPC || err == -EDQUOT);
	return err;
}

static int op_abort(struct worker *w, struct cbor *c, struct answer *)
{
	struct handle *h = handle_get(w, c);
	bool discard = cbor_bool(c);
	int err = cbor_end(c);

	if (err < 0)
		return err;
	if (!h->partial)
		return ERR_UNKNOWN;
	files_partial_free(take(h->partial), discard);
	return 0;
}

static int op_folder(struct worker *w, struct cbor *c, struct answer *)
{
	char path[FILES_PATH_MAX + 1];
	unsigned mode;
	bool parents;
	int err;

	files_get_path(path, c);
	mode = (unsigned)cbor_uint_max(c, FILES_MODE_MASK);
	parents = cbor_bool(c);
	err = cbor_end(c);
	return err < 0 ? err : files_make_folder(w->files, path, mode, parents);
}

static int op_walk(struct worker *w, struct cbor *c, struct answer *a)
{
	char path[FILES_PATH_MAX + 1];
	int err, slot = handle_free_slot(w);
	unsigned depth;

	files_get_path(path, c);
	depth = (unsigned)cbor_uint_max(c, FILES_DEPTH_MAX);
	err = cbor_end(c);
	if (err < 0 || slot < 0)
		return err < 0 ? err : slot;
	err = files_walk_open(&w->handle[slot].walk, w->files, path, depth);
	if (err < 0)
		return err;
	cbor_put_array(&a->body, 1);
	cbor_put_uint(&a->body, (uint64_t)slot);
	return 0;
}

static int op_next(struct worker *w, struct cbor *c, struct answer *a)
{
	_cleanup_buf_ struct buf page = {};
	struct handle *h = handle_get(w, c);
	struct files_entry e;
	size_t n = 0;
	int err = cbor_end(c), more = 1;

	if (err < 0)
		return err;
	if (!h->walk)
		return ERR_UNKNOWN;
	while (n < FILES_PAGE_ENTRIES && page.len < FILES_PAGE_LEN) {
		more = files_walk_next(h->walk, &e);
		if (more < 0)
			return more;
		if (!more)
			break;
		files_put_entry(&page, &e);
		n++;
	}
	cbor_put_array(&a->body, 2);
	cbor_put_bool(&a->body, more);
	cbor_put_array(&a->body, n);
	buf_add_span(&a->body, buf_span(&page));
	return buf_err(&page);
}

static int op_end(struct worker *w, struct cbor *c, struct answer *)
{
	struct handle *h = handle_get(w, c);
	int err = cbor_end(c);

	if (err < 0)
		return err;
	files_walk_free(take(h->walk));
	return 0;
}

static const struct {
	op_fn *fn;
	size_t items;
	bool writes;
} ops[_FILES_MSG_MAX] = {
	[FILES_MSG_STAT] = { op_stat, 1, false },
	[FILES_MSG_READ] = { op_read, 1, false },
	[FILES_MSG_PARTIAL] = { op_partial, 4, true },
	[FILES_MSG_COMMIT] = { op_commit, 4, true },
	[FILES_MSG_ABORT] = { op_abort, 2, true },
	[FILES_MSG_FOLDER] = { op_folder, 3, true },
	[FILES_MSG_WALK] = { op_walk, 2, false },
	[FILES_MSG_NEXT] = { op_next, 1, false },
	[FILES_MSG_END] = { op_end, 1, false },
};

static int answer_of(struct worker *w, const struct ipc_message *m, struct answer *a)
{
	struct cbor c = CBOR(m->body);
	int err;

	if (m->type >= _FILES_MSG_MAX || !ops[m->type].fn)
		return ERR_UNKNOWN;
	if (ops[m->type].writes && !w->writable)
		return ERR_DENIED;
	if (cbor_array(&c, ops[m->type].items) != ops[m->type].items)
		return ERR_PARSE;
	err = ops[m->type].fn(w, &c, a);
	return err < 0 ? err : buf_err(&a->body);
}

static void on_message(void *userdata, struct ipc *i, struct ipc_message *m)
{
	struct worker *w = userdata;
	struct answer a = { .fd = -1 };
	int err;

	if (!m->id)
		return;
	err = answer_of(w, m, &a);
	if (err < 0)
		err = ipc_reply(i, m->id, err, SPAN_NONE, NULL, 0);
	else
		err = ipc_reply(i, m->id, 0, buf_span(&a.body), &a.fd, a.fd >= 0);
	if (!a.keep_fd)
		closep(&a.fd);
	buf_done(&a.body);
	if (err < 0)
		loop_stop(w->loop, err);
}

static void on_gone(void *userdata, struct ipc *)
{
	struct worker *w = userdata;

	loop_stop(w->loop, 0);
}

static void worker_done(struct worker *w)
{
	for (size_t i = 0; i < FILES_HANDLES_MAX; i++) {
		files_partial_free(w->handle[i].partial, false);
		files_walk_free(w->handle[i].walk);
	}
	ipc_free(w->ipc);
	files_free(w->files);
	loop_free(w->loop);
}

int files_worker_main(int socket, const char *root, bool writable)
{
	_cleanup_(worker_done) struct worker w = { .writable = writable };
	const struct ipc_config config = { .handler = on_message, .gone = on_gone, .userdata = &w };
	_cleanup_close_ int fd = socket;
	int err = files_open(&w.files, root);

	if (err >= 0)
		err = loop_new(&w.loop);
	if (err >= 0)
		err = ipc_new(&w.ipc, w.loop, fd, &config);
	if (err < 0)
		return err;
	take_fd(fd);
	return loop_run(w.loop);
}

/* Standard descriptors stay: a sanitizer or a crash has something to say. */
static void run_alone(int socket, const char *root, bool writable)
{
	if (socket != 3 && dup3(socket, 3, O_CLOEXEC) < 0)
		_exit(1);
	(void)syscall(SYS_close_range, 4u, ~0u, 0u);
	_exit(files_worker_main(3, root, writable) < 0);
}

/* Forks twice, so that nobody has to reap the worker. */
int files_worker_spawn(int *ret_socket, const char *root, bool writable)
{
	int pair[2], status = 1, err = ipc_pair(pair);
	pid_t pid;

	if (err < 0)
		return err;
	_cleanup_close_ int ours = pair[0], theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		pid = fork();
		if (!pid)
			run_alone(theirs, root, writable);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (status)
		return -EAGAIN;
	*ret_socket = take_fd(ours);
	return 0;
}
