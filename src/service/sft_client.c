/* One file, asked for: push, pull, or a folder to be made. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "service/sft_internal.h"

enum kind { PUSH, PULL, FOLDER };

struct sft_transfer {
	enum kind kind;
	const struct sft_ops *ops;
	void *userdata;
	struct streams *streams;
	struct files_client *files;
	struct files_call call;
	struct stream *stream;
	char *local, *remote;
	bool parents;
	struct sft_spec spec;
	struct sft_source *source;
	struct sft_sink *sink;
	unsigned mode;
	int64_t mtime;
	bool has_mtime, has_handle;
	bool sent;                      /* the source has handed over everything */
	unsigned handle;

	struct source *turn;            /* the end comes from the loop */
	bool over;                      /* the result is known; the rest is tidying up */
	int result;
	char text[SFT_ERROR_MAX + 1];
};

static void transfer_free(struct sft_transfer *t)
{
	if (!t)
		return;
	sft_source_free(t->source);
	sft_sink_free(t->sink);
	source_free(t->turn);
	if (t->has_handle)
		files_tell_abort(t->files, t->handle,
				 t->result == ERR_CHECKSUM || t->result == -ENOSPC || t->result == -EDQUOT);
	files_client_unref(t->files);
	free(t->local);
	free(t->remote);
	wipe(t->spec.key, sizeof t->spec.key);
	free(t);
}
DEFINE_FREEP(struct sft_transfer *, transfer_free)

static void settle(struct sft_transfer *t)
{
	if (t->over && !t->stream && !t->call.done)
		source_trigger(t->turn);
}

static void finish(struct sft_transfer *t, int err)
{
	if (t->over)
		return;
	t->over = true;
	t->result = err;
	if (t->stream && err < 0)
		stream_reset(t->stream, err == ERR_PROTOCOL ? STREAM_CODE_PROTOCOL : STREAM_CODE_CANCEL);
	settle(t);
}

/* ---- halves ---- */

static void on_progress(void *userdata, uint64_t at, uint64_t resumed_at)
{
	struct sft_transfer *t = userdata;

	if (t->ops->progress && !t->over)
		t->ops->progress(t->userdata, &(struct sft_progress){ at, t->spec.size, resumed_at });
}

/* The device has the last word. */
static void on_sent(void *userdata, int err)
{
	struct sft_transfer *t = userdata;

	t->sent = err >= 0;
	if (err < 0 && err != ERR_CHANGED)
		finish(t, err);
	else if (t->stream)
		stream_end(t->stream);
}

static void on_committed(void *userdata, int err, struct files_reply *)
{
	struct sft_transfer *t = userdata;

	finish(t, err);
	settle(t);
}

static void on_received(void *userdata, int err)
{
	struct sft_transfer *t = userdata;

	if (t->over)
		return;
	if (err >= 0)
		err = files_ask_commit(t->files, &t->call, on_committed, t, t->handle, t->spec.size, t->mode,
				       t->has_mtime ? &t->mtime : NULL);
	if (err < 0) {
		finish(t, err);
		return;
	}
	t->has_handle = false;
	if (t->stream)
		stream_end(t->stream);
}

/* ---- what the device says ---- */

static int take_status(struct sft_transfer *t, const struct headers *h)
{
	struct span text = headers_text(h, ":error");

	snprintf(t->text, sizeof t->text, "%.*s", (int)MIN(text.len, (size_t)SFT_ERROR_MAX), (const char *)text.data);
	return sft_status_err(h);
}

static int start_push(struct sft_transfer *t, const struct headers *h)
{
	struct span key = headers_bytes(h, "key");
	int err = blockhash_method_parse(&t->spec.method, headers_text(h, "hash"));

	if (err < 0 || key.len != sizeof t->spec.key)
		return ERR_PROTOCOL;
	memcpy(t->spec.key, key.data, key.len);
	t->spec.present = headers_uint(h, "present", 0);
	t->spec.done = on_sent;
	err = sft_source_new(&t->source, &t->spec);
	if (err >= 0)
		t->spec.fd = -1;
	return err;
}

static int start_pull(struct sft_transfer *t, const struct headers *h)
{
	uint64_t mtime = headers_uint(h, "mtime", UINT64_MAX);
	int err = blockhash_method_parse(&t->spec.method, headers_text(h, "hash"));

	t->spec.size = headers_uint(h, "size", UINT64_MAX);
	if (err < 0 || t->spec.size > SFT_SIZE_MAX)
		return ERR_PROTOCOL;
	t->mode = (unsigned)(headers_uint(h, "mode", 0644) & FILES_MODE_MASK);
	t->has_mtime = mtime <= INT64_MAX;
	t->mtime = t->has_mtime ? (int64_t)mtime : 0;
	t->spec.present = MIN(t->spec.present, sft_whole_blocks(t->spec.size) * BLOCKHASH_BLOCK);
	t->spec.done = on_received;
	err = sft_sink_new(&t->sink, &t->spec);
	if (err >= 0)
		t->spec.fd = -1;
	return err;
}

static void on_headers(void *userdata, struct stream *s, const struct headers *h)
{
	struct sft_transfer *t = userdata;
	uint64_t status = headers_uint(h, ":status", 0);
	int err = take_status(t, h);

	if (err >= 0 && t->kind == FOLDER) {
		finish(t, 0);
		stream_end(s);
		return;
	}
	if (err >= 0)
		err = status != (t->kind == PUSH ? 100u : 200u) ? ERR_PROTOCOL :
		      t->kind == PUSH ? start_push(t, h) : start_pull(t, h);
	if (err < 0)
		finish(t, err);
}

static void on_status(struct sft_transfer *t, struct stream *s, struct span block)
{
	struct headers h;
	int err = headers_parse(&h, block);

	err = err < 0 ? ERR_PROTOCOL : take_status(t, &h);
	finish(t, err >= 0 && !t->sent ? ERR_PROTOCOL : err);
	stream_end(s);
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct sft_transfer *t = userdata;

	if (t->over)
		return;
	if (t->sink)
		sft_sink_message(t->sink, m);
	else if (t->source && m.len && m.data[0] == SFT_TAGS)
		sft_source_tags(t->source, span_from(m, 1));
	else if (t->source && m.len && m.data[0] == SFT_STATUS)
		on_status(t, s, span_from(m, 1));
	else
		finish(t, ERR_PROTOCOL);
}

static void on_writable(void *userdata, struct stream *)
{
	struct sft_transfer *t = userdata;

	if (t->over)
		return;
	if (t->source)
		sft_source_writable(t->source);
	else if (t->sink)
		sft_sink_writable(t->sink);
}

static void on_end(void *, struct stream *s) { stream_end(s); }

static void on_closed(void *userdata, struct stream *, int err)
{
	struct sft_transfer *t = userdata;

	t->stream = NULL;
	sft_source_free(take(t->source));
	/* A sink that has everything may still read the file once more, and says then. */
	if (!(t->sink && sft_sink_is_over(t->sink))) {
		sft_sink_free(take(t->sink));
		finish(t, err < 0 ? err : ERR_PROTOCOL);
	}
	settle(t);
}

static int open_stream(struct sft_transfer *t, struct buf *block)
{
	static const struct stream_handler handler = {
		.headers = on_headers, .message = on_message, .end = on_end,
		.writable = on_writable, .closed = on_closed,
	};
	int err = buf_err(block);

	if (err >= 0)
		err = stream_open(t->streams, buf_span(block), false, &handler, t, &t->stream);
	t->spec.stream = t->stream;
	return err;
}

/* ---- what we have ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void put_request(struct cbor_map *m, struct buf *b, const struct sft_transfer *t, const char *method)
{
	cbor_map_begin(m, b);
	cbor_map_str(m, ":path", SFT_PATH);
	cbor_map_str(m, ":method", method);
	sft_put_path(m, "file", t->remote);
	if (t->kind != FOLDER)
		cbor_map_bool(m, "fast", blockhash_gmac_is_fast());
	if (t->kind != PULL)
		cbor_map_bool(m, "parents", t->parents);
}

/* True: there is nothing to go on with. */
static bool is_over(struct sft_transfer *t, int err)
{
	if (err < 0)
		finish(t, err);
	settle(t);
	return t->over;
}

static void on_local_file(void *userdata, int err, struct files_reply *r)
{
	_cleanup_buf_ struct buf b = {};
	struct sft_transfer *t = userdata;
	struct cbor_map m;

	if (is_over(t, err))
		return;
	t->spec.size = r->stat.size;
	put_request(&m, &b, t, "PUT");
	cbor_map_uint(&m, "size", r->stat.size);
	cbor_map_uint(&m, "mode", r->stat.mode);
	if (r->stat.mtime >= 0)
		cbor_map_uint(&m, "mtime", (uint64_t)r->stat.mtime);
	if (*base_name(t->local) && strlen(base_name(t->local)) <= FILES_NAME_MAX)
		sft_put_path(&m, "name", base_name(t->local));
	if (t->spec.has_sha256)
		cbor_map_bytes(&m, "sha256", SPAN_OF(t->spec.sha256));
	cbor_map_end(&m);
	err = open_stream(t, &b);
	if (err < 0) {
		is_over(t, err);
		return;
	}
	t->spec.fd = take_fd(r->fd);
}

static void on_local_partial(void *userdata, int err, struct files_reply *r)
{
	_cleanup_buf_ struct buf b = {};
	struct sft_transfer *t = userdata;
	struct cbor_map m;

	if (err >= 0) {
		t->has_handle = true;
		t->handle = r->handle;
	}
	if (is_over(t, err))
		return;
	t->spec.present = sft_whole_blocks(r->present) * BLOCKHASH_BLOCK;
	random_bytes(t->spec.key, sizeof t->spec.key);
	put_request(&m, &b, t, "GET");
	cbor_map_bytes(&m, "key", SPAN_OF(t->spec.key));
	cbor_map_uint(&m, "present", t->spec.present);
	cbor_map_end(&m);
	err = open_stream(t, &b);
	buf_wipe(&b);
	if (err < 0) {
		is_over(t, err);
		return;
	}
	t->spec.fd = take_fd(r->fd);
}

/* ---- life ---- */

static void on_turn(void *userdata)
{
	_cleanup_(transfer_freep) struct sft_transfer *t = userdata;

	closep(&t->spec.fd);
	t->ops->done(t->userdata, t->result, t->text[0] && t->result < 0 ? t->text : NULL);
}

static int transfer_new(struct sft_transfer **ret, enum kind kind, const struct sft_request *rq,
			const struct sft_ops *ops, void *userdata)
{
	_cleanup_(transfer_freep) struct sft_transfer *t = calloc(1, sizeof *t);

	if (!t)
		return -ENOMEM;
	t->kind = kind;
	t->ops = ops;
	t->userdata = userdata;
	t->streams = rq->streams;
	t->files = rq->files ? files_client_ref(rq->files) : NULL;
	t->local = strdup(rq->local ?: "");
	t->remote = strdup(rq->remote);
	t->parents = rq->parents;
	t->spec = (struct sft_spec){
		.loop = rq->loop, .fd = -1, .has_sha256 = rq->sha256, .progress = on_progress, .userdata = t,
	};
	if (rq->sha256)
		memcpy(t->spec.sha256, rq->sha256, sizeof t->spec.sha256);
	if (!t->local || !t->remote)
		return -ENOMEM;
	if (!*t->remote || strlen(t->remote) > FILES_PATH_MAX)
		return -ENAMETOOLONG;
	int err = loop_add_defer(rq->loop, &t->turn, on_turn, t);
	if (err < 0)
		return err;
	*ret = take(t);
	return 0;
}

int sft_push(struct sft_transfer **ret, const struct sft_request *rq, const struct sft_ops *ops, void *userdata)
{
	_cleanup_(transfer_freep) struct sft_transfer *t = NULL;
	int err = transfer_new(&t, PUSH, rq, ops, userdata);

	if (err >= 0)
		err = files_ask_read(t->files, &t->call, on_local_file, t, t->local);
	if (err >= 0)
		*ret = take(t);
	return err;
}

int sft_pull(struct sft_transfer **ret, const struct sft_request *rq, const struct sft_ops *ops, void *userdata)
{
	_cleanup_(transfer_freep) struct sft_transfer *t = NULL;
	int err = transfer_new(&t, PULL, rq, ops, userdata);
	const char *name;

	if (err < 0)
		return err;
	name = base_name(t->remote);
	err = files_ask_partial(t->files, &t->call, on_local_partial, t, t->local, *name ? name : NULL, 0, t->parents);
	if (err >= 0)
		*ret = take(t);
	return err;
}

int sft_make_folder(struct sft_transfer **ret, const struct sft_request *rq, unsigned mode,
		    const struct sft_ops *ops, void *userdata)
{
	_cleanup_(transfer_freep) struct sft_transfer *t = NULL;
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;
	int err = transfer_new(&t, FOLDER, rq, ops, userdata);

	if (err < 0)
		return err;
	put_request(&m, &b, t, "PUT");
	cbor_map_bool(&m, "folder", true);
	cbor_map_uint(&m, "mode", mode & FILES_MODE_MASK);
	cbor_map_end(&m);
	err = open_stream(t, &b);
	if (err >= 0)
		*ret = take(t);
	return err;
}

void sft_cancel(struct sft_transfer *t) { finish(t, -ECANCELED); }
