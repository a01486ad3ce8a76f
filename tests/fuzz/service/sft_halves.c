/* Everything that one end of a file transfer may say to the other: the input's first
 * byte chooses which half hears it, then pieces become messages. */
#include <sys/mman.h>

#include "service/sft_internal.h"
#include "wire.h"

#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TURNS_MAX = 40 };

static struct {
	struct loop *loop;
	struct sft_source *source;
	struct sft_sink *sink;
	struct sft_spec spec;
	bool sinks, told;
} half;

static void on_done(void *, int)
{
	if (half.told)
		abort();
	half.told = true;
}

static void on_message(void *, struct stream *, struct span m)
{
	if (half.sink)
		sft_sink_message(half.sink, m);
	else if (half.source && m.len)
		sft_source_tags(half.source, span_from(m, 1));
}

static void on_writable(void *, struct stream *)
{
	if (half.sink)
		sft_sink_writable(half.sink);
	else if (half.source)
		sft_source_writable(half.source);
}

static void on_closed(void *, struct stream *, int)
{
	sft_sink_free(half.sink);
	sft_source_free(half.source);
	half.sink = NULL;
	half.source = NULL;
}

static void on_accept(void *, struct stream *s, const struct headers *, bool)
{
	static const struct stream_handler handler = {
		.message = on_message, .writable = on_writable, .closed = on_closed,
	};
	_cleanup_buf_ struct buf b = {};
	int err;

	stream_attach(s, &handler, NULL);
	headers_put_status(&b, 200, NULL);
	if (stream_send_headers(s, buf_span(&b)) < 0)
		abort();
	half.spec.stream = s;
	err = half.sinks ? sft_sink_new(&half.sink, &half.spec) : sft_source_new(&half.source, &half.spec);
	if (err < 0)
		abort();
}

static void turn(struct wire *w)
{
	wire_turn(w);
	if (loop_turn(half.loop, 0) < 0)
		abort();
}

/* Two bytes: how many the next message has. */
static void say_all(struct wire *w, struct stream *s, struct span in)
{
	static uint8_t zeros[STREAM_MESSAGE_MAX];

	while (in.len >= 2) {
		size_t n = (size_t)in.data[0] << 8 | in.data[1];
		struct span m = span_first(span_from(in, 2), n);

		in = span_from(in, 2 + m.len);
		if (n == 0xffff)
			m = SPAN_OF(zeros);
		if (stream_send(s, m) == ERR_CLOSED)
			return;
		turn(w);
	}
	stream_end(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct streams_ops ops = { .accept = on_accept };
	static const struct stream_handler ignore;
	static const struct wire_config config = { .window = 1 << 20, .piece = 256 << 10 };
	_cleanup_buf_ struct buf b = {};
	struct stream *s;
	struct wire *w;

	if (size < 3 || size > 4096 || crypto_init() < 0)
		return 0;
	if (!half.loop && loop_new(&half.loop) < 0)
		abort();
	half.sinks = data[0] & 1;
	half.told = false;
	half.spec = (struct sft_spec){
		.loop = half.loop, .fd = memfd_create("fuzz", MFD_CLOEXEC), .size = (uint64_t)data[1] << 16 | data[2],
		.present = data[0] & 2 ? 1 << 20 : 0, .method = data[0] & 4 ? BLOCKHASH_GMAC : BLOCKHASH_POLY1305,
		.has_sha256 = data[0] & 8, .done = on_done,
	};
	if (ftruncate(half.spec.fd, (off_t)MAX(half.spec.size, half.spec.present)) < 0)
		abort();
	w = wire_new(&config, &ops, NULL);
	headers_put_status(&b, 200, NULL);
	if (stream_open(wire_client(w), buf_span(&b), false, &ignore, NULL, &s) < 0)
		abort();
	turn(w);
	say_all(w, s, SPAN(data + 3, size - 3));
	for (int i = 0; i < TURNS_MAX && !half.told; i++)
		turn(w);
	wire_free(w);
	return 0;
}
