#include <errno.h>

#include "base/err.h"
#include "service/sft_internal.h"

enum state {
	SINK_START,     /* tags go out until the source says where it begins */
	SINK_DATA,
	SINK_HASH,
	SINK_CHECK,     /* SHA-256 of what stands in the file */
	SINK_OVER,
};

struct sft_sink {
	struct sft_spec spec;
	enum state state;
	struct blockhash *hash;
	struct filehash file;
	struct source *turn;
	struct buf tags;                /* ours, of the blocks so far */
	size_t tags_sent;               /* bytes of them */
	uint64_t block, blocks;
	uint64_t at, resumed_at;
	bool block_open, told;
	struct sha256 *sha256;
	uint64_t checked;
	uint8_t *buffer;                /* SFT_CHUNK bytes, while a file is read */
	int result;
};

/* done() is called from the loop, so that nobody is freed under his own feet. */
static void finish(struct sft_sink *s, int err)
{
	if (s->state == SINK_OVER)
		return;
	s->state = SINK_OVER;
	s->result = err;
	source_trigger(s->turn);
}

/* ---- tags ---- */

/* False: the stream takes no more for now, or it is over. */
static bool send_tags(struct sft_sink *s)
{
	uint8_t m[1 + SFT_TAGS_MESSAGE_MAX * BLOCKHASH_TAG_LEN] = { SFT_TAGS };

	while (s->tags_sent < s->tags.len) {
		size_t n = MIN(s->tags.len - s->tags_sent, sizeof m - 1);
		int err;

		memcpy(m + 1, s->tags.data + s->tags_sent, n);
		err = stream_send(s->spec.stream, SPAN(m, 1 + n));
		if (err < 0 && err != ERR_AGAIN)
			finish(s, err);
		if (err < 0)
			return false;
		s->tags_sent += n;
	}
	return true;
}

static void make_tags(struct sft_sink *s)
{
	if (!send_tags(s))
		return;
	for (int i = 0; i < SFT_STEP_BLOCKS && s->block < s->blocks; i++) {
		uint8_t tag[BLOCKHASH_TAG_LEN];
		int err = sft_block_tag(s->hash, s->spec.fd, s->block, s->buffer, tag);

		if (err >= 0) {
			buf_add(&s->tags, tag, sizeof tag);
			err = buf_err(&s->tags);
		}
		if (err < 0) {
			finish(s, err);
			return;
		}
		s->block++;
	}
	if (send_tags(s) && s->block < s->blocks)
		source_trigger(s->turn);
}

/* ---- data ---- */

static void on_start(struct sft_sink *s, struct span m)
{
	uint64_t at = 0;

	for (size_t i = 0; i < m.len && i < 8; i++)
		at = at << 8 | m.data[i];
	if (m.len != 8 || at % BLOCKHASH_BLOCK || at > s->spec.size ||
	    at / BLOCKHASH_BLOCK > s->tags_sent / BLOCKHASH_TAG_LEN) {
		finish(s, ERR_PROTOCOL);
		return;
	}
	for (size_t i = 0; i < at / BLOCKHASH_BLOCK; i++)
		filehash_add(&s->file, s->tags.data + i * BLOCKHASH_TAG_LEN);
	buf_done(&s->tags);
	s->tags_sent = 0;
	s->at = s->resumed_at = at;
	s->state = at < s->spec.size ? SINK_DATA : SINK_HASH;
	if (s->spec.progress)
		s->spec.progress(s->spec.userdata, s->at, s->resumed_at);
}

static int write_at(int fd, struct span data, uint64_t offset)
{
	while (data.len) {
		ssize_t n = pwrite(fd, data.data, data.len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENOSPC;
		data = span_from(data, (size_t)n);
		offset += (size_t)n;
	}
	return 0;
}

static int hash_data(struct sft_sink *s, struct span data)
{
	while (data.len) {
		uint64_t at = s->at % BLOCKHASH_BLOCK;
		size_t n = (size_t)MIN((uint64_t)data.len, BLOCKHASH_BLOCK - at);
		uint8_t tag[BLOCKHASH_TAG_LEN];
		int err;

		if (!s->block_open)
			blockhash_begin(s->hash, s->at / BLOCKHASH_BLOCK);
		s->block_open = true;
		blockhash_update(s->hash, SPAN(data.data, n));
		data = span_from(data, n);
		s->at += n;
		if (s->at % BLOCKHASH_BLOCK && s->at < s->spec.size)
			continue;
		s->block_open = false;
		err = blockhash_end(s->hash, tag);
		if (err < 0)
			return err;
		filehash_add(&s->file, tag);
	}
	return 0;
}

static void on_data(struct sft_sink *s, struct span m)
{
	int err;

	if (m.len > s->spec.size - s->at) {
		finish(s, ERR_PROTOCOL);
		return;
	}
	err = write_at(s->spec.fd, m, s->at);
	if (err >= 0)
		err = hash_data(s, m);
	if (err < 0) {
		finish(s, err);
		return;
	}
	if (s->at == s->spec.size)
		s->state = SINK_HASH;
	if (s->spec.progress)
		s->spec.progress(s->spec.userdata, s->at, s->resumed_at);
}

/* ---- the end ---- */

static void on_hash(struct sft_sink *s, struct span m)
{
	uint8_t h[HASH_LEN];
	int err;

	if (m.len != sizeof h) {
		finish(s, ERR_PROTOCOL);
		return;
	}
	filehash_end(h, &s->file, s->spec.size);
	if (!equal_ct(h, m.data, sizeof h)) {
		finish(s, ERR_CHECKSUM);
		return;
	}
	if (!s->spec.has_sha256) {
		finish(s, 0);
		return;
	}
	err = sha256_new(&s->sha256);
	if (err < 0) {
		finish(s, err);
		return;
	}
	s->state = SINK_CHECK;
	source_trigger(s->turn);
}

static void check(struct sft_sink *s)
{
	uint8_t h[32];

	for (int i = 0; i < SFT_STEP_BLOCKS && s->checked < s->spec.size; i++) {
		size_t n = (size_t)MIN(s->spec.size - s->checked, (uint64_t)SFT_CHUNK);
		int err = sft_read_at(s->spec.fd, s->buffer, n, s->checked);

		if (err >= 0)
			err = sha256_update(s->sha256, SPAN(s->buffer, n));
		if (err < 0) {
			finish(s, err);
			return;
		}
		s->checked += n;
	}
	if (s->checked < s->spec.size) {
		source_trigger(s->turn);
		return;
	}
	sha256_end(s->sha256, h);
	finish(s, equal_ct(h, s->spec.sha256, sizeof h) ? 0 : ERR_CHECKSUM);
}

void sft_sink_message(struct sft_sink *s, struct span m)
{
	if (s->state == SINK_OVER)
		return;
	if (s->state == SINK_CHECK)
		finish(s, ERR_PROTOCOL);
	else if (!m.len)
		finish(s, ERR_CHANGED);
	else if (s->state == SINK_START)
		on_start(s, m);
	else if (s->state == SINK_DATA)
		on_data(s, m);
	else
		on_hash(s, m);
}

void sft_sink_writable(struct sft_sink *s)
{
	if (s->state == SINK_START)
		source_trigger(s->turn);
}

bool sft_sink_is_over(const struct sft_sink *s) { return s->state == SINK_OVER || s->state == SINK_CHECK; }

/* ---- life ---- */

static void on_turn(void *userdata)
{
	struct sft_sink *s = userdata;

	if (s->state == SINK_START) {
		make_tags(s);
	} else if (s->state == SINK_CHECK) {
		check(s);
	} else if (s->state == SINK_OVER && !s->told) {
		s->told = true;
		s->spec.done(s->spec.userdata, s->result);
	}
}

DEFINE_FREEP(struct sft_sink *, sft_sink_free)

int sft_sink_new(struct sft_sink **ret, const struct sft_spec *spec)
{
	_cleanup_(sft_sink_freep) struct sft_sink *s = calloc(1, sizeof *s);
	int err;

	if (!s)
		return -ENOMEM;
	s->spec = *spec;
	s->spec.fd = -1;
	filehash_init(&s->file);
	s->blocks = sft_whole_blocks(spec->present);
	if (s->blocks || spec->has_sha256) {
		s->buffer = malloc(SFT_CHUNK);
		if (!s->buffer)
			return -ENOMEM;
	}
	err = blockhash_new(&s->hash, spec->method, spec->key);
	if (err >= 0)
		err = loop_add_defer(spec->loop, &s->turn, on_turn, s);
	if (err < 0)
		return err;
	s->spec.fd = spec->fd;
	if (s->blocks)
		source_trigger(s->turn);
	*ret = take(s);
	return 0;
}

void sft_sink_free(struct sft_sink *s)
{
	if (!s)
		return;
	blockhash_free(s->hash);
	sha256_free(s->sha256);
	source_free(s->turn);
	buf_done(&s->tags);
	free(s->buffer);
	closep(&s->spec.fd);
	wipe(&s->spec.key, sizeof s->spec.key);
	free(s);
}
