#include "service/fetch.h"

#include <errno.h>

#include "base/err.h"

struct fetch {
	struct stream *stream;
	const struct fetch_ops *ops;    /* NULL: cancelled */
	void *userdata;
	struct fetch_answer answer;
};

static void on_headers(void *userdata, struct stream *, const struct headers *h)
{
	struct fetch *f = userdata;
	struct span error = span_first(headers_text(h, ":error"), FETCH_ERROR_MAX - 1);

	f->answer.status = (unsigned)headers_uint(h, ":status", 0);
	if (error.len)
		memcpy(f->answer.error, error.data, error.len);
	f->answer.error[error.len] = 0;
	if (f->ops && f->ops->headers)
		f->ops->headers(f->userdata, h);
}

static void on_message(void *userdata, struct stream *, struct span m)
{
	struct fetch *f = userdata;

	if (f->ops && f->ops->message)
		f->ops->message(f->userdata, m);
}

static void on_closed(void *userdata, struct stream *, int err)
{
	struct fetch *f = userdata;

	f->answer.err = err || f->answer.status ? err : ERR_PROTOCOL;
	if (f->ops && f->ops->done)
		f->ops->done(f->userdata, &f->answer);
	free(f);
}

int fetch_start(struct fetch **ret, struct streams *ss, struct span header_block, struct span body, bool early,
		const struct fetch_ops *ops, void *userdata)
{
	static const struct stream_handler handler = {
		.headers = on_headers, .message = on_message, .closed = on_closed,
	};
	struct fetch *f = calloc(1, sizeof *f);
	int err;

	if (!f)
		return -ENOMEM;
	f->ops = ops;
	f->userdata = userdata;
	err = stream_open(ss, header_block, early, &handler, f, &f->stream);
	if (err < 0) {
		free(f);
		return err;
	}
	if (body.len && (err = stream_send(f->stream, body)) < 0) {
		fetch_cancel(f);        /* frees itself once the stream is closed */
		return err;
	}
	stream_end(f->stream);
	*ret = f;
	return 0;
}

void fetch_cancel(struct fetch *f)
{
	if (!f)
		return;
	f->ops = NULL;
	stream_reset(f->stream, STREAM_CODE_CANCEL);
}

struct stream *fetch_stream(struct fetch *f) { return f->stream; }
