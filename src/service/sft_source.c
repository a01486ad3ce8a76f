#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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
	uint8_t *ready;                 /* a chunk that the stream did not take yet */
	size_t ready_len;
	bool comparing, started, block_open, over, told;
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

/* fstat() of today's C library is a system call that takes a path too, and so one that
 * the agent's net process does not have. */
static int stat_fd(int fd, struct stat *ret)
{
#ifdef SYS_fstat64
	return (int)syscall(SYS_fstat64, fd, ret);
#else
	return (int)syscall(SYS_fstat, fd, ret);
#endif
}

/* Only what is still as it was when we began may be called complete. */
static bool is_unchanged(const struct sft_source *s)
{
	struct stat st;

	return stat_fd(s->spec.fd, &st) >= 0 && (uint64_t)st.st_size == s->spec.size &&
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

static int prepare_chunk(struct sft_source *s)
{
	size_t n = (size_t)MIN(s->spec.size - s->at, (uint64_t)SFT_CHUNK);
	int err;

	s->ready = sft_pool_get(s->pool);
	if (!s->ready)
		return -ENOMEM;
	err = sft_read_at(s->spec.fd, s->ready, n, s->at);
	if (err >= 0)
		err = hash_chunk(s, SPAN(s->ready, n));
	s->ready_len = n;
	return err;
}

/* 1: sent, go on; 0: there is no more. */
static int send_chunk(struct sft_source *s)
{
	int err;

	if (!s->ready && s->at == s->spec.size)
		return 0;
	if (!s->ready) {
		err = prepare_chunk(s);
		if (err < 0)
			return err;
	}
	err = sft_pool_send(s->ready, s->ready_len, s->spec.stream);
	if (err < 0)
		return err;
	s->ready = NULL;
	return 1;
}

static void send_data(struct sft_source *s)
{
	int err;

	do
		err = send_chunk(s);
	while (err > 0);
	if (s->spec.progress)
		s->spec.progress(s->spec.userdata, s->at, s->resumed_at);
	if (!err)
		end_with(s, is_unchanged(s) ? 0 : ERR_CHANGED);
	else if (err == ERR_CHANGED)
		end_with(s, err);
	else if (err != ERR_AGAIN)
		finish(s, err);
}

static void send_start(struct sft_source *s)
{
	uint8_t m[8];
	int err;

	for (int i = 0; i < 8; i++)
		m[i] = (uint8_t)(s->at >> (56 - 8 * i));
	err = stream_send(s->spec.stream, SPAN_OF(m));
	if (err == ERR_AGAIN)
		return;
	if (err < 0) {
		finish(s, err);
		return;
	}
	s->started = true;
	send_data(s);
}

static void go_on(struct sft_source *s)
{
	if (s->over || s->comparing)
		return;
	if (s->tail)
		send_tail(s);
	else if (s->started)
		send_data(s);
	else
		send_start(s);
}

/* ---- what the sink has already ---- */

static void stop_comparing(struct sft_source *s)
{
	s->comparing = false;
	s->at = s->resumed_at = s->block * BLOCKHASH_BLOCK;
	buf_done(&s->tags);
	go_on(s);
	stream_resume(s->spec.stream);  /* last: it may end the stream, and with it s */
}

/* 1: the same; 0: this block differs. */
static int compare_block(struct sft_source *s)
{
	uint8_t tag[BLOCKHASH_TAG_LEN], *data = sft_pool_get(s->pool);
	int err = data ? sft_block_tag(s->hash, s->spec.fd, s->block, data, tag) : -ENOMEM;

	sft_pool_put(data);
	if (err < 0)
		return err;
	if (!equal_ct(tag, s->tags.data, sizeof tag))
		return 0;
	buf_consume(&s->tags, sizeof tag);
	filehash_add(&s->file, tag);
	s->block++;
	return 1;
}

static void compare(struct sft_source *s)
{
	int err = 1;

	for (int i = 0; i < SFT_STEP_BLOCKS && err > 0; i++) {
		if (s->block == s->blocks) {
			stop_comparing(s);
			return;
		}
		if (s->tags.len < BLOCKHASH_TAG_LEN)
			return;
		err = compare_block(s);
	}
	if (!err || err == ERR_CHANGED) {
		stop_comparing(s);      /* a file that has shrunk: sending finds that out as well */
	} else if (err < 0) {
		finish(s, err);
	} else {
		source_trigger(s->turn);
		if (s->tags.len < SFT_TAGS_QUEUE)
			stream_resume(s->spec.stream);
	}
}

void sft_source_tags(struct sft_source *s, struct span tags)
{
	if (!s->comparing || s->over)
		return;
	buf_add_span(&s->tags, tags);
	if (buf_err(&s->tags) < 0 || tags.len % BLOCKHASH_TAG_LEN) {
		finish(s, buf_err(&s->tags) < 0 ? -ENOMEM : ERR_PROTOCOL);
		return;
	}
	if (s->tags.len >= SFT_TAGS_QUEUE)
		stream_pause(s->spec.stream);
	source_trigger(s->turn);
}

void sft_source_writable(struct sft_source *s) { go_on(s); }

/* ---- life ---- */

static void on_turn(void *userdata)
{
	struct sft_source *s = userdata;

	if (s->over && !s->told) {
		s->told = true;
		s->spec.done(s->spec.userdata, s->result);
	} else if (s->comparing) {
		compare(s);
	} else {
		go_on(s);
	}
}

DEFINE_FREEP(struct sft_source *, sft_source_free)

int sft_source_new(struct sft_source **ret, const struct sft_spec *spec)
{
	_cleanup_(sft_source_freep) struct sft_source *s = calloc(1, sizeof *s);
	struct stat st;
	int err;

	if (!s)
		return -ENOMEM;
	s->spec = *spec;
	s->spec.fd = -1;
	filehash_init(&s->file);
	if (stat_fd(spec->fd, &st) < 0)
		return -errno;
	s->mtime = st.st_mtim;
	s->ctime = st.st_ctim;
	s->blocks = sft_whole_blocks(MIN(spec->size, spec->present));
	s->comparing = s->blocks > 0;
	err = blockhash_new(&s->hash, spec->method, spec->key);
	if (err >= 0)
		err = sft_pool_new(&s->pool, (size_t)MIN(spec->size, (uint64_t)SFT_CHUNK));
	if (err >= 0)
		err = loop_add_defer(spec->loop, &s->turn, on_turn, s);
	if (err < 0)
		return err;
	s->spec.fd = spec->fd;
	source_trigger(s->turn);
	*ret = take(s);
	return 0;
}

void sft_source_free(struct sft_source *s)
{
	if (!s)
		return;
	sft_pool_put(s->ready);
	sft_pool_free(s->pool);
	blockhash_free(s->hash);
	source_free(s->turn);
	buf_done(&s->tags);
	buf_done(&s->last);
	closep(&s->spec.fd);
	wipe(&s->spec.key, sizeof s->spec.key);
	free(s);
}
