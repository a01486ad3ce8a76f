/* The answering half of /v0/sft, one struct a stream. The worker finds, makes and
 * renames files; what is in them goes between stream and descriptor here. */
#include <errno.h>

#include "base/err.h"
#include "service/internal.h"
#include "service/sft_internal.h"
#include "service/sft_workers.h"

enum { MODE_DEFAULT = 0644, FOLDER_MODE_DEFAULT = 0755 };

enum what { SERVE_PUT, SERVE_FOLDER, SERVE_GET, SERVE_LIST };

struct serve {
	struct services *ss;
	struct list link;               /* in ss->sft_serves */
	struct identity caller;
	struct stream *stream;          /* NULL once it is closed */
	struct files_client *client;
	struct files_call call;
	enum what what;
	char path[FILES_PATH_MAX + 1], into[FILES_NAME_MAX + 1];
	struct sft_spec spec;
	uint64_t depth;
	unsigned mode;
	bool has_mtime, parents, fast, answered;
	int64_t mtime;

	struct sft_source *source;
	struct sft_sink *sink;
	bool has_handle, has_walk, discard, more;
	unsigned handle;
	struct buf page;                /* of a list, not yet taken by the stream */
};

/* A call that waits keeps the struct. */
static void serve_settle(struct serve *sv)
{
	if (sv->stream || sv->call.done)
		return;
	list_del(&sv->link);
	sft_source_free(sv->source);
	sft_sink_free(sv->sink);
	if (sv->has_handle)
		files_tell_abort(sv->client, sv->handle, sv->discard);
	if (sv->has_walk)
		files_tell_end(sv->client, sv->handle);
	files_client_unref(sv->client);
	buf_done(&sv->page);
	wipe(sv->spec.key, sizeof sv->spec.key);
	free(sv);
}

static void serve_drop(void *userdata)
{
	struct serve *sv = userdata;

	sv->stream = NULL;
	serve_settle(sv);
}

/* ---- answers ---- */

static void send_answer(struct serve *sv, struct buf *block)
{
	int err = buf_err(block);

	if (err >= 0)
		err = stream_send_headers(sv->stream, buf_span(block));
	if (err < 0 && err != ERR_CLOSED)
		stream_reset(sv->stream, STREAM_CODE_INTERNAL);
	sv->answered = true;
}

/* As the headers, or where they are out already, as the last message. */
static void tell_end(struct serve *sv, int err)
{
	_cleanup_buf_ struct buf b = {};

	if (!sv->stream)
		return;
	if (sv->answered)
		buf_add_u8(&b, SFT_STATUS);
	sft_put_status(&b, err);
	if (!sv->answered) {
		send_answer(sv, &b);
		stream_end(sv->stream);
		return;
	}
	err = buf_err(&b);
	if (err >= 0)
		err = stream_send(sv->stream, buf_span(&b));
	if (err >= 0)
		stream_end(sv->stream);
	else if (err != ERR_CLOSED)
		stream_reset(sv->stream, STREAM_CODE_INTERNAL);
}

/* True, and all is settled, if the call failed or nobody is there any more. */
static bool is_over(struct serve *sv, int err)
{
	if (sv->stream && err >= 0)
		return false;
	if (sv->stream)
		tell_end(sv, err);
	serve_settle(sv);
	return true;
}

/* ---- the stream ---- */

static void list_next(struct serve *sv);

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct serve *sv = userdata;

	if (sv->sink)
		sft_sink_message(sv->sink, m);
	else if (sv->source && m.len && m.data[0] == SFT_TAGS)
		sft_source_tags(sv->source, span_from(m, 1));
	else
		stream_reset(s, STREAM_CODE_PROTOCOL);
}

static void on_writable(void *userdata, struct stream *)
{
	struct serve *sv = userdata;

	if (sv->sink)
		sft_sink_writable(sv->sink);
	else if (sv->source)
		sft_source_writable(sv->source);
	else if (sv->has_walk)
		list_next(sv);
}

static void on_closed(void *userdata, struct stream *, int) { serve_drop(userdata); }

static const struct stream_handler handler = {
	.message = on_message, .writable = on_writable, .closed = on_closed,
};

/* ---- to the device ---- */

static void on_committed(void *userdata, int err, struct files_reply *)
{
	struct serve *sv = userdata;

	if (!is_over(sv, err))
		tell_end(sv, 0);
}

static void on_received(void *userdata, int err)
{
	struct serve *sv = userdata;

	/* What is wrong, or fills the disk, is not kept; what was cut off is. */
	sv->discard = err == ERR_CHECKSUM || err == -ENOSPC || err == -EDQUOT;
	if (err >= 0)
		err = files_ask_commit(sv->client, &sv->call, on_committed, sv, sv->handle, sv->spec.size, sv->mode,
				       sv->has_mtime ? &sv->mtime : NULL);
	if (err >= 0)
		sv->has_handle = false;
	else
		tell_end(sv, err);
}

static int begin(struct serve *sv);

/* The same caller again, while his older transfer hangs on a connection that is dead and
 * does not know it yet: the newer one is the one that counts. */
static bool take_over(struct serve *sv)
{
	struct serve *old;

	list_for_each(old, &sv->ss->sft_serves, link)
		if (old != sv && old->stream && old->what == SERVE_PUT && old->has_handle &&
		    identity_equal(&old->caller, &sv->caller) && !strcmp(old->path, sv->path) &&
		    !strcmp(old->into, sv->into)) {
			stream_abandon(old->stream);
			serve_drop(old);
			return true;
		}
	return false;
}

static void choose_method(struct serve *sv)
{
	sv->spec.method = sv->fast && blockhash_gmac_is_fast() ? BLOCKHASH_GMAC : BLOCKHASH_POLY1305;
}

static void on_partial(void *userdata, int err, struct files_reply *r)
{
	_cleanup_buf_ struct buf b = {};
	struct serve *sv = userdata;
	struct cbor_map m;

	if (err >= 0) {
		sv->has_handle = true;
		sv->handle = r->handle;
	}
	if (err == ERR_AGAIN && sv->stream && take_over(sv) && begin(sv) >= 0)
		return;
	if (is_over(sv, err))
		return;
	choose_method(sv);
	random_bytes(sv->spec.key, sizeof sv->spec.key);
	sv->spec.present = sft_whole_blocks(MIN(r->present, sv->spec.size)) * BLOCKHASH_BLOCK;
	sv->spec.fd = r->fd;
	sv->spec.done = on_received;
	err = sft_sink_new(&sv->sink, &sv->spec);
	if (err < 0) {
		tell_end(sv, err);
		return;
	}
	take_fd(r->fd);
	cbor_map_begin(&m, &b);
	cbor_map_uint(&m, ":status", 100);
	cbor_map_str(&m, "hash", blockhash_method_name(sv->spec.method));
	cbor_map_bytes(&m, "key", SPAN_OF(sv->spec.key));
	cbor_map_uint(&m, "present", sv->spec.present);
	cbor_map_end(&m);
	send_answer(sv, &b);
	buf_wipe(&b);
}

static void on_folder(void *userdata, int err, struct files_reply *)
{
	struct serve *sv = userdata;

	if (!is_over(sv, err))
		tell_end(sv, 0);
}

/* ---- from the device ---- */

static void on_sent(void *userdata, int err)
{
	struct serve *sv = userdata;

	if (err >= 0 || err == ERR_CHANGED)
		stream_end(sv->stream);
	else
		stream_reset(sv->stream, err == ERR_PROTOCOL ? STREAM_CODE_PROTOCOL : STREAM_CODE_INTERNAL);
}

static void on_opened(void *userdata, int err, struct files_reply *r)
{
	_cleanup_buf_ struct buf b = {};
	struct serve *sv = userdata;
	struct cbor_map m;

	if (is_over(sv, err))
		return;
	choose_method(sv);
	sv->spec.fd = r->fd;
	sv->spec.size = r->stat.size;
	sv->spec.done = on_sent;
	err = sft_source_new(&sv->source, &sv->spec);
	if (err < 0) {
		tell_end(sv, err);
		return;
	}
	take_fd(r->fd);
	cbor_map_begin(&m, &b);
	cbor_map_uint(&m, ":status", 200);
	cbor_map_str(&m, "hash", blockhash_method_name(sv->spec.method));
	cbor_map_uint(&m, "size", r->stat.size);
	cbor_map_uint(&m, "mode", r->stat.mode);
	if (r->stat.mtime >= 0)
		cbor_map_uint(&m, "mtime", (uint64_t)r->stat.mtime);
	cbor_map_end(&m);
	send_answer(sv, &b);
}

/* ---- what is there ---- */

static void on_page(void *userdata, int err, struct files_reply *r)
{
	struct serve *sv = userdata;

	if (!sv->stream || err < 0) {
		if (sv->stream)
			stream_reset(sv->stream, STREAM_CODE_INTERNAL);
		serve_settle(sv);
		return;
	}
	sv->more = r->more;
	buf_add_span(&sv->page, r->page);
	list_next(sv);
}

/* One page at a time: the next is asked for when the stream has taken this one. */
static void list_next(struct serve *sv)
{
	int err = buf_err(&sv->page);

	if (sv->call.done)
		return;
	if (err >= 0 && sv->page.len)
		err = stream_send(sv->stream, buf_span(&sv->page));
	if (err == ERR_AGAIN)
		return;
	buf_done(&sv->page);
	if (err >= 0 && sv->more)
		err = files_ask_next(sv->client, &sv->call, on_page, sv, sv->handle);
	else if (err >= 0)
		stream_end(sv->stream);
	if (err < 0 && err != ERR_CLOSED)
		stream_reset(sv->stream, STREAM_CODE_INTERNAL);
}

static void on_walk(void *userdata, int err, struct files_reply *r)
{
	_cleanup_buf_ struct buf b = {};
	struct serve *sv = userdata;

	if (err >= 0) {
		sv->has_walk = true;
		sv->handle = r->handle;
	}
	if (is_over(sv, err))
		return;
	sft_put_status(&b, 0);
	send_answer(sv, &b);
	sv->more = true;
	list_next(sv);
}

/* ---- the beginning ---- */

static int begin(struct serve *sv)
{
	switch (sv->what) {
	case SERVE_PUT:
		return files_ask_partial(sv->client, &sv->call, on_partial, sv, sv->path,
					 *sv->into ? sv->into : NULL, sv->spec.size, sv->parents);
	case SERVE_FOLDER:
		return files_ask_folder(sv->client, &sv->call, on_folder, sv, sv->path, sv->mode, sv->parents);
	case SERVE_GET:
		return files_ask_read(sv->client, &sv->call, on_opened, sv, sv->path);
	case SERVE_LIST:
	default:
		return files_ask_walk(sv->client, &sv->call, on_walk, sv, sv->path, (unsigned)sv->depth);
	}
}

static void on_worker(void *userdata, int err, struct files_client *client)
{
	struct serve *sv = userdata;

	stream_attach(sv->stream, &handler, sv);
	if (err >= 0) {
		sv->client = files_client_ref(client);
		err = begin(sv);
	}
	if (err < 0)
		tell_end(sv, err);
}

static int parse_key(struct serve *sv, const struct headers *h)
{
	struct span key = headers_bytes(h, "key");

	if (key.len != sizeof sv->spec.key)
		return ERR_PARSE;
	memcpy(sv->spec.key, key.data, key.len);
	return 0;
}

static int parse(struct serve *sv, const struct headers *h, const char *method)
{
	struct span sha = headers_bytes(h, "sha256");
	uint64_t mode, mtime = headers_uint(h, "mtime", UINT64_MAX);
	bool folder = headers_bool(h, "folder", false);
	char into[FILES_PATH_MAX + 1] = "";
	int err = sft_header_path(into, h, "name");

	if (err >= 0 || err == ERR_UNKNOWN)
		err = sft_header_path(sv->path, h, "file");
	if (err < 0)
		return err == ERR_UNKNOWN ? ERR_PARSE : err;
	sv->what = !strcmp(method, "PUT") ? folder ? SERVE_FOLDER : SERVE_PUT :
		   !strcmp(method, "GET") ? SERVE_GET : SERVE_LIST;
	mode = headers_uint(h, "mode", folder ? FOLDER_MODE_DEFAULT : MODE_DEFAULT);
	sv->mode = (unsigned)(mode & FILES_MODE_MASK);
	sv->has_mtime = mtime <= INT64_MAX;
	sv->mtime = sv->has_mtime ? (int64_t)mtime : 0;
	sv->parents = headers_bool(h, "parents", false);
	sv->fast = headers_bool(h, "fast", false);
	sv->depth = MIN(headers_uint(h, "depth", 1), (uint64_t)FILES_DEPTH_MAX);
	sv->spec.size = headers_uint(h, "size", UINT64_MAX);
	sv->spec.present = headers_uint(h, "present", 0);
	sv->spec.has_sha256 = sha.len;
	if (strlen(into) > FILES_NAME_MAX || (sha.len && sha.len != sizeof sv->spec.sha256) ||
	    (sv->what == SERVE_PUT && sv->spec.size > SFT_SIZE_MAX) || sv->spec.present > SFT_SIZE_MAX)
		return ERR_PARSE;
	if (sha.len)
		memcpy(sv->spec.sha256, sha.data, sha.len);
	strcpy(sv->into, into);
	return sv->what == SERVE_GET ? parse_key(sv, h) : 0;
}

void sft_open(struct services *ss, const struct service_call *call)
{
	struct serve *sv = calloc(1, sizeof *sv);
	struct auth_decision d;
	int err = -ENOMEM;

	if (sv) {
		list_init(&sv->link);
		err = parse(sv, call->headers, call->method);
	}

	if (err < 0) {
		service_answer(call->stream, sft_status_of(err), "file, size, key or another header is not well formed");
		free(sv);
		return;
	}
	d = auth_decide(ss->config.auth, &(struct auth_request){
		.caller = call->caller, .path = call->path, .method = call->method, .file = sv->path,
		.now = ss->config.unix_time ? ss->config.unix_time() : AUTH_TIME_UNKNOWN,
	});
	if (!d.allow || !d.rule) {
		log_to(ss->config.log, LOG_WARN, "service", "%s %s: %s", call->path, call->method,
		       auth_reason_text(d.reason));
		free(sv);
		service_answer_unknown(call->stream);
		return;
	}
	sv->ss = ss;
	sv->caller = call->caller;
	sv->stream = call->stream;
	sv->spec.loop = ss->config.loop;
	sv->spec.stream = call->stream;
	sv->spec.userdata = sv;
	list_add_tail(&ss->sft_serves, &sv->link);
	sft_workers_get(ss, call, d.rule, sv->path, sv->what <= SERVE_FOLDER, on_worker, serve_drop, sv);
}

void sft_end_all(struct services *ss)
{
	struct serve *sv;

	while ((sv = list_first(&ss->sft_serves, struct serve, link))) {
		list_del(&sv->link);
		sv->stream = NULL;
		if (sv->call.done)
			files_client_hang_up(sv->client);       /* the answer is ERR_CLOSED, and settles it */
		else
			serve_settle(sv);
	}
}
