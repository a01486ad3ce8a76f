#include "service/files_client.h"

#include <errno.h>

#include "base/err.h"
#include "service/files_worker.h"

struct files_client {
	unsigned refs;
	struct ipc *ipc;
	bool gone;
};

static void on_gone(void *userdata, struct ipc *)
{
	struct files_client *c = userdata;

	c->gone = true;
}

int files_client_new(struct files_client **ret, struct loop *loop, int socket)
{
	struct files_client *c = calloc(1, sizeof *c);
	int err;

	if (!c)
		return -ENOMEM;
	c->refs = 1;
	err = ipc_new(&c->ipc, loop, socket, &(struct ipc_config){ .gone = on_gone, .userdata = c });
	if (err < 0) {
		free(c);
		return err;
	}
	*ret = c;
	return 0;
}

int files_client_spawn(struct files_client **ret, struct loop *loop, const char *root, bool writable)
{
	_cleanup_close_ int fd = -1;
	int err = files_worker_spawn(&fd, root, writable);

	if (err >= 0)
		err = files_client_new(ret, loop, fd);
	if (err >= 0)
		take_fd(fd);
	return err;
}

struct files_client *files_client_ref(struct files_client *c)
{
	c->refs++;
	return c;
}

void files_client_unref(struct files_client *c)
{
	if (!c || --c->refs)
		return;
	ipc_free(c->ipc);
	free(c);
}

void files_client_hang_up(struct files_client *c)
{
	c->gone = true;
	ipc_free(take(c->ipc));
}

bool files_client_gone(const struct files_client *c) { return c->gone; }
bool files_client_is_shared(const struct files_client *c) { return c->refs > 1; }

/* ---- replies ---- */

static int parse(struct files_reply *r, int type, const struct ipc_message *m)
{
	struct cbor c = CBOR(m->body);
	size_t n;

	switch (type) {
	case FILES_MSG_STAT:
	case FILES_MSG_READ:
		files_get_stat(&r->stat, &c);
		break;
	case FILES_MSG_PARTIAL:
		if (cbor_array(&c, 2) != 2)
			cbor_fail(&c, ERR_PARSE);
		r->handle = (unsigned)cbor_uint_max(&c, FILES_HANDLES_MAX - 1);
		r->present = cbor_uint_max(&c, INT64_MAX);
		break;
	case FILES_MSG_WALK:
		if (cbor_array(&c, 1) != 1)
			cbor_fail(&c, ERR_PARSE);
		r->handle = (unsigned)cbor_uint_max(&c, FILES_HANDLES_MAX - 1);
		break;
	case FILES_MSG_NEXT:
		if (cbor_array(&c, 2) != 2)
			cbor_fail(&c, ERR_PARSE);
		r->page = m->body;
		r->more = cbor_bool(&c);
		r->entries_len = cbor_array(&c, FILES_PAGE_ENTRIES);
		r->entries = c;
		for (n = 0; n < r->entries_len && !c.err; n++)
			cbor_skip(&c);
		break;
	default:
		break;
	}
	return cbor_end(&c) < 0 ? ERR_PROTOCOL : 0;
}

static void on_reply(void *userdata, int err, struct ipc_message *m)
{
	struct files_call *call = userdata;
	files_done_fn *done = call->done;
	struct files_reply r = { .fd = -1 };
	bool wants_fd = call->type == FILES_MSG_READ || call->type == FILES_MSG_PARTIAL;

	if (err >= 0 && m)
		err = parse(&r, call->type, m);
	if (err >= 0 && wants_fd && !m->fds_len)
		err = ERR_PROTOCOL;
	if (err >= 0 && wants_fd)
		r.fd = take_fd(m->fds[0]);
	if (err < 0)
		r = (struct files_reply){ .fd = -1 };
	call->done = NULL;
	done(call->userdata, err, &r);
	closep(&r.fd);
}

/* ---- requests ---- */

static int ask(FILES_CALL_PARAMS, int type, struct buf *body)
{
	int err = buf_err(body);

	if (err >= 0)
		err = c->gone ? ERR_CLOSED : ipc_request(c->ipc, (uint16_t)type, buf_span(body), NULL, 0, on_reply, call);
	if (err >= 0)
		*call = (struct files_call){ .type = type, .done = done, .userdata = userdata };
	return err;
}

int files_ask_stat(FILES_CALL_PARAMS, const char *path)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 1);
	cbor_put_bytes(&b, SPAN_STR(path));
	return ask(c, call, done, userdata, FILES_MSG_STAT, &b);
}

int files_ask_read(FILES_CALL_PARAMS, const char *path)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 1);
	cbor_put_bytes(&b, SPAN_STR(path));
	return ask(c, call, done, userdata, FILES_MSG_READ, &b);
}

int files_ask_partial(FILES_CALL_PARAMS, const char *path, const char *into, uint64_t size, bool parents)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 4);
	cbor_put_bytes(&b, SPAN_STR(path));
	if (into)
		cbor_put_bytes(&b, SPAN_STR(into));
	else
		cbor_put_null(&b);
	cbor_put_uint(&b, size);
	cbor_put_bool(&b, parents);
	return ask(c, call, done, userdata, FILES_MSG_PARTIAL, &b);
}

int files_ask_commit(FILES_CALL_PARAMS, unsigned handle, uint64_t size, unsigned mode, const int64_t *mtime)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 4);
	cbor_put_uint(&b, handle);
	cbor_put_uint(&b, size);
	cbor_put_uint(&b, mode & FILES_MODE_MASK);
	if (mtime)
		cbor_put_int(&b, *mtime);
	else
		cbor_put_null(&b);
	return ask(c, call, done, userdata, FILES_MSG_COMMIT, &b);
}

int files_ask_folder(FILES_CALL_PARAMS, const char *path, unsigned mode, bool parents)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 3);
	cbor_put_bytes(&b, SPAN_STR(path));
	cbor_put_uint(&b, mode & FILES_MODE_MASK);
	cbor_put_bool(&b, parents);
	return ask(c, call, done, userdata, FILES_MSG_FOLDER, &b);
}

int files_ask_walk(FILES_CALL_PARAMS, const char *path, unsigned depth)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 2);
	cbor_put_bytes(&b, SPAN_STR(path));
	cbor_put_uint(&b, depth);
	return ask(c, call, done, userdata, FILES_MSG_WALK, &b);
}

int files_ask_next(FILES_CALL_PARAMS, unsigned handle)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 1);
	cbor_put_uint(&b, handle);
	return ask(c, call, done, userdata, FILES_MSG_NEXT, &b);
}

static void nobody(void *, int, struct ipc_message *) {}

void files_tell_abort(struct files_client *c, unsigned handle, bool discard)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 2);
	cbor_put_uint(&b, handle);
	cbor_put_bool(&b, discard);
	if (!c->gone && buf_err(&b) >= 0)
		(void)!ipc_request(c->ipc, FILES_MSG_ABORT, buf_span(&b), NULL, 0, nobody, c);
}

void files_tell_end(struct files_client *c, unsigned handle)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 1);
	cbor_put_uint(&b, handle);
	if (!c->gone && buf_err(&b) >= 0)
		(void)!ipc_request(c->ipc, FILES_MSG_END, buf_span(&b), NULL, 0, nobody, c);
}
