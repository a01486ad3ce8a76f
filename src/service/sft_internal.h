/* The two halves of a file transfer, whichever end asked for it: a source that has the
 * file and a sink that wants it (docs/protocol/push.md).
 *
 *   sink -> source   tags of the whole blocks it has:  01, 16 bytes each
 *   source -> sink   where it begins: offset, 8 bytes; the data from there; 32 bytes of hash.
 *                    An empty message instead: the file has changed meanwhile */
#pragma once

#include <assert.h>

#include "service/blockhash.h"
#include "service/sft.h"

enum {
	SFT_CHUNK = 256 << 10,          /* one message of data */
	SFT_STEP_BLOCKS = 4,            /* hashed before others have their turn */
	SFT_TAGS_MAX = 256 << 10,       /* blocks of an earlier attempt that count: 256 GiB */
	SFT_TAGS_MESSAGE_MAX = 1024,
	SFT_TAGS_QUEUE = 64 << 10,      /* unread tags before the sink has to wait */
	SFT_SIZE_MAX_BITS = 62,
};
#define SFT_SIZE_MAX ((uint64_t)1 << SFT_SIZE_MAX_BITS)

/* First byte of what a sink, and a device that has been pushed to, sends. */
enum sft_kind { SFT_TAGS = 1, SFT_STATUS = 2 };

static_assert((int)FILES_KEEP_MIN == (int)BLOCKHASH_BLOCK, "what is kept is what can be resumed");
static_assert(BLOCKHASH_BLOCK % SFT_CHUNK == 0, "no chunk spans two blocks");
static_assert((int)SFT_CHUNK <= (int)STREAM_MESSAGE_MAX, "a chunk is a message");

struct sft_spec {
	struct loop *loop;
	struct stream *stream;
	int fd;                         /* taken on success */
	uint64_t size;                  /* of the whole file */
	uint64_t present;               /* what the sink has, in whole blocks */
	enum blockhash_method method;
	uint8_t key[BLOCKHASH_KEY_LEN];
	bool has_sha256;                /* the sink checks it, too */
	uint8_t sha256[32];
	/* Once, last, never out of _new(); the half may be freed in it. Source, 0: all has
	 * been handed to the stream. Sink, 0: complete and verified. */
	void (*done)(void *userdata, int err);
	void (*progress)(void *userdata, uint64_t at, uint64_t resumed_at);     /* or NULL */
	void *userdata;
};

static inline uint64_t sft_whole_blocks(uint64_t bytes)
{
	return MIN(bytes / BLOCKHASH_BLOCK, (uint64_t)SFT_TAGS_MAX);
}

/* All of len at the offset; ERR_CHANGED: the file ends before. */
int sft_read_at(int fd, uint8_t *out, size_t len, uint64_t offset) _must_check_;
/* The tag of one block of the file; buf has SFT_CHUNK bytes. */
int sft_block_tag(struct blockhash *h, int fd, uint64_t number, uint8_t *buf, uint8_t *ret_tag) _must_check_;

/* ---- chunks on their way ---- */
struct sft_pool;
int sft_pool_new(struct sft_pool **ret, size_t chunk_len) _must_check_;
void sft_pool_free(struct sft_pool *p); /* those in flight free it when they are back */
/* How many there are the stream bounds: it takes none above its high water. */
uint8_t *sft_pool_get(struct sft_pool *p);      /* NULL: no memory */
void sft_pool_put(uint8_t *data);               /* NULL is fine */
/* The stream gives it back; on an error it stays the caller's. */
int sft_pool_send(uint8_t *data, size_t len, struct stream *s) _must_check_;

/* ---- source ---- */
struct sft_source;
int sft_source_new(struct sft_source **ret, const struct sft_spec *spec) _must_check_;
void sft_source_free(struct sft_source *s);
void sft_source_tags(struct sft_source *s, struct span tags);   /* without the kind byte */
void sft_source_writable(struct sft_source *s);

/* ---- sink ---- */
struct sft_sink;
int sft_sink_new(struct sft_sink **ret, const struct sft_spec *spec) _must_check_;
void sft_sink_free(struct sft_sink *s);
void sft_sink_message(struct sft_sink *s, struct span m);
void sft_sink_writable(struct sft_sink *s);
bool sft_sink_is_over(const struct sft_sink *s);        /* done() has come or is about to */

/* ---- statuses ---- */
/* Header block ":status", ":error", "code" (the error's name). */
void sft_put_status(struct buf *out, int err);
/* What such a block says: 0, or the error; *ret_text may be NULL. */
int sft_status_err(const struct headers *h);
unsigned sft_status_of(int err);
/* The file of a header block: text, or bytes where it is not UTF-8. */
int sft_header_path(char out[static FILES_PATH_MAX + 1], const struct headers *h, const char *key) _must_check_;
void sft_put_path(struct cbor_map *m, const char *key, const char *path);
