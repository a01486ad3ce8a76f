#include <errno.h>
#include <sys/stat.h>

#include "base/err.h"
#include "service/sft_internal.h"

struct sft_source {
	struct sft_spec spec;
	struct blockhash *hash;
	struct filehash file;
	struct sft_pool *pool;
	struct source *turn;
	struct timespec mtime, ctime;   /* as it was when we began */
	struct buf tags;                /* of the sink, not yet compared */
	uint64_t block, blocks;         /* compared; to compare at most */
	uint64_t at, resumed_at;
	bool comparing, block_open, over, told;
	bool tail;                      /* the data is out, the hash or the empty message is not */
	struct buf last;
	int result;
};

/* done() is called from the loop, so that nobody is freed under his own feet. */
static void finish(struct sft_source *s, int err)
{
	if (s->over)
		return;
	s->over = true;
	s->result = err;
	source_trigger(s->turn);
}

int sft_read_at(int fd, uint8_t *out, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pread(fd, out, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return ERR_CHANGED;
		out += n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return 0;
}

int sft_block_tag(struct blockhash *h, int fd, uint64_t number, uint8_t *buf, uint8_t *ret_tag)
{
	blockhash_begin(h, number);
	for (uint64_t i = 0; i < BLOCKHASH_BLOCK / SFT_CHUNK; i++) {
		int err = sft_read_at(fd, buf, SFT_CHUNK, number * BLOCKHASH_BLOCK + i * SFT_CHUNK);

		if (err < 0)
			return err;
		blockhash_update(h, SPAN(buf, SFT_CHUNK));
	}
	return blockhash_end(h, ret_tag);
}

/* Only what is still as it was when we began may be called complete. */
static bool is_unchanged(const struct sft_source *s)
{
	struct stat st;

	return fstat(s->spec.fd, &st) >= 0 && (uint64_t)st.st_size == s->spec.size &&
	       st.st_mtim.tv_sec == s->mtime.tv_sec && st.st_mtim.tv_nsec == s->mtime.tv_nsec &&
	       st.st_ctim.tv_sec == s->ctime.tv_sec && st.st_ctim.tv_nsec == s->ctime.tv_nsec;
}

/* ---- the end ---- */

static void send_tail(struct sft_source *s)
{
	int err = stream_send(s->spec.stream, buf_span(&s->last));

	if (err == ERR_AGAIN)
		return;
	s->tail = false;
	finish(s, err < 0 ? err : s->result);
}

static void end_with(struct sft_source *s, int err)
{
	uint8_t h[HASH_LEN];

	s->result = err;
	s->tail = true;
	if (!err) {
		filehash_end(h, &s->file, s->spec.size);
		buf_add(&s->last, h, sizeof h);
	}
	if (buf_err(&s->last) < 0)
		finish(s, buf_err(&s->last));
	else
		send_tail(s);
}

/* ---- data ---- */

static int hash_chunk(struct sft_source *s, struct span data)
{
	uint8_t tag[BLOCKHASH_TAG_LEN];
	int err;

	if (!s->block_open)
		blockhash_begin(s->hash, s->at / BLOCKHASH_BLOCK);
	s->block_open = true;
	blockhash_update(s->hash, data);
	s->at += data.len;
	if (s->at % BLOCKHASH_BLOCK && s->at < s->spec.size)
		return 0;
	s->block_open = false;
	err = blockhash_end(s->hash, tag);
	if (err >= 0)
		filehash_add(&s->file, tag);
	return err;
}

/* 1: there is more to send. */
static int send_chunk(struct sft_source *s)
{
	size_t n = (size_t)MIN(s->spec.size - s->at, (uint64_t)SFT_CHUNK);
	int err;
	uint8_t *data;

	if (!n)
		return 0;
	data = sft_pool_get(s->pool, &err);
	if (!data)
		return err;
	err = sft_read_at(s->spec.fd, data, n, s->at);
	if (err >= 0)
		err = hash_chunk(s, SPAN(data, n));
	if (err >= 0)
		return sft_pool_send(s->pool, data, n, s->spec.stream) ?: 1;
	(void)!sft_pool_send(s->pool, data, SIZE_MAX, s->spec.stream);  /* only gives it back */
	return err;
}

static void send_data(struct sft_source *s)
{
	int err = 1;

	while (err > 0 && stream_can_send(s->spec.stream))
		err = send_chunk(s);
	if (s->spec.progress)
		s->spec.progress(s->spec.userdata, s->at, s->resumed_at);
	if (err == 1 || err == ERR_AGAIN)
		/* The stream says writable only to who was refused. */
		(void)!stream_send_chunk(s->spec.stream, SPAN_NONE, &(struct chunk){ .len = 0 });
	else if (!err)
		end_with(s, is_unchanged(s) ? 0 : ERR_CHANGED);
	else if (err == ERR_CHANGED)
		end_with(s, err);
	else
		finish(s, err);
}
