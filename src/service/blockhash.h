/* Hashes of a file's blocks under a secret key that lives for one transfer, and of the
 * whole file over them. The key comes from whoever receives the data, through the
 * encrypted stream: nobody else knows it, so nobody can prepare two blocks that agree.
 * What that buys and what it does not: docs/protocol/push.md.
 *
 * A block's tag is AES-128-GMAC where both ends have carry-less multiplication, else
 * Poly1305 with a key of its own for every block. */
#pragma once

#include "crypto/crypto.h"

enum {
	BLOCKHASH_BLOCK = 1 << 20,
	BLOCKHASH_KEY_LEN = 32,
	BLOCKHASH_TAG_LEN = 16,
};

enum blockhash_method { BLOCKHASH_GMAC = 1, BLOCKHASH_POLY1305 = 2 };

/* Is GMAC the faster one on this machine? */
bool blockhash_gmac_is_fast(void);
const char *blockhash_method_name(enum blockhash_method m);
/* ERR_UNKNOWN. */
int blockhash_method_parse(enum blockhash_method *ret, struct span name) _must_check_;

struct blockhash;
int blockhash_new(struct blockhash **ret, enum blockhash_method method,
		  const uint8_t key[static BLOCKHASH_KEY_LEN]) _must_check_;
void blockhash_free(struct blockhash *h);
DEFINE_FREEP(struct blockhash *, blockhash_free)

/* One block: begin with its number, its bytes in any pieces, its tag. A failure on the
 * way is reported at the end. */
void blockhash_begin(struct blockhash *h, uint64_t number);
void blockhash_update(struct blockhash *h, struct span data);
int blockhash_end(struct blockhash *h, uint8_t ret_tag[static BLOCKHASH_TAG_LEN]) _must_check_;

/* ---- the whole file: BLAKE2b-256, chained over the tags in order ---- */
struct filehash {
	uint8_t chain[HASH_LEN];
};
void filehash_init(struct filehash *f);
void filehash_add(struct filehash *f, const uint8_t tag[static BLOCKHASH_TAG_LEN]);
void filehash_end(uint8_t out[static HASH_LEN], const struct filehash *f, uint64_t size);

/* ---- plain SHA-256, for those who have one from elsewhere ---- */
struct sha256;
int sha256_new(struct sha256 **ret) _must_check_;
void sha256_free(struct sha256 *s);
DEFINE_FREEP(struct sha256 *, sha256_free)
int sha256_update(struct sha256 *s, struct span data) _must_check_;
void sha256_end(struct sha256 *s, uint8_t out[static 32]);
