/* Asking what is on the device. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "service/sft_internal.h"

struct sft_list {
	const struct sft_list_ops *ops;
	void *userdata;
	struct stream *stream;
	bool answered, complete;
	int err;
	char text[SFT_ERROR_MAX + 1];
};

static void fail(struct sft_list *l, int err)
{
	if (!l->err)
		l->err = err;
	stream_reset(l->stream, err == ERR_PROTOCOL ? STREAM_CODE_PROTOCOL : STREAM_CODE_CANCEL);
}

static void on_headers(void *userdata, struct stream *, const struct headers *h)
{
	struct sft_list *l = userdata;
	struct span text = headers_text(h, ":error");
	int err = sft_status_err(h);

	l->answered = true;
	snprintf(l->text, sizeof l->text, "%.*s", (int)MIN(text.len, (size_t)SFT_ERROR_MAX), (const char *)text.data);
	if (err < 0)
		fail(l, err);
}

static void on_message(void *userdata, struct stream *, struct span m)
{
	struct sft_list *l = userdata;
	struct cbor c = CBOR(m), check;
	struct files_entry e;
	size_t n;
	bool more;

	if (cbor_array(&c, 2) != 2)
		cbor_fail(&c, ERR_PARSE);
	more = cbor_bool(&c);
	n = cbor_array(&c, FILES_PAGE_ENTRIES);
	check = c;
	for (size_t i = 0; i < n && !check.err; i++)
		files_get_entry(&e, &check);
	if (l->complete || cbor_end(&check) < 0) {
		fail(l, ERR_PROTOCOL);
		return;
	}
	for (size_t i = 0; i < n && !l->err; i++) {
		files_get_entry(&e, &c);
		if (*e.path && !files_path_is_plain(e.path))
			fail(l, ERR_PROTOCOL);
		else
			l->ops->entry(l->userdata, &e);
	}
	l->complete = !more;
}

static void on_end(void *, struct stream *s) { stream_end(s); }

static void on_closed(void *userdata, struct stream *, int err)
{
	struct sft_list *l = userdata;

	if (l->err)
		err = l->err;
	else if (err >= 0 && !l->complete)
		err = ERR_PROTOCOL;
	l->ops->done(l->userdata, err, err < 0 && l->text[0] ? l->text : NULL);
	free(l);
}

int sft_list_open(struct sft_list **ret, struct streams *ss, const char *remote, unsigned depth,
		  const struct sft_list_ops *ops, void *userdata)
{
	static const struct stream_handler handler = {
		.headers = on_headers, .message = on_message, .end = on_end, .closed = on_closed,
	};
	_cleanup_buf_ struct buf b = {};
	_cleanup_free_ struct sft_list *l = calloc(1, sizeof *l);
	struct cbor_map m;
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct sft_list){ .ops = ops, .userdata = userdata };
	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", SFT_PATH);
	cbor_map_str(&m, ":method", "LIST");
	sft_put_path(&m, "file", remote);
	cbor_map_uint(&m, "depth", depth);
	cbor_map_end(&m);
	err = buf_err(&b);
	if (err >= 0)
		err = stream_open(ss, buf_span(&b), false, &handler, l, &l->stream);
	if (err >= 0)
		*ret = take(l);
	return err;
}

void sft_list_pause(struct sft_list *l, bool pause)
{
	if (pause)
		stream_pause(l->stream);
	else
		stream_resume(l->stream);
}

void sft_list_cancel(struct sft_list *l) { fail(l, -ECANCELED); }
