/* A growable byte buffer with a limit and a sticky error: write straight
 * through, check once with buf_err(). A zeroed struct is an empty buffer. */
#pragma once

#include <stdarg.h>

#include "base/mem.h"
#include "base/span.h"

struct buf {
	uint8_t *data;
	size_t len, cap;
	size_t max;     /* 0: BUF_DEFAULT_MAX */
	int err;        /* -ENOMEM or ERR_LIMIT once an append failed */
};

enum { BUF_DEFAULT_MAX = 64 << 20 };

void buf_done(struct buf *b);   /* frees the contents; the struct is empty again */
void buf_wipe(struct buf *b);   /* the same for secrets: zeroes first */
#define _cleanup_buf_ _cleanup_(buf_done)

/* Room for n more bytes, or NULL (then the error is set). The bytes count only
 * after buf_added(). */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_span(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_u8(struct buf *b, uint8_t v);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) _printf_(2, 0);
void buf_consume(struct buf *b, size_t n);      /* drops n bytes from the front */
const char *buf_str(struct buf *b);             /* NUL-terminated view; "" on error; valid until the next add */
char *buf_take_str(struct buf *b);              /* the contents as a C string, now the caller's; NULL on error */

static inline struct span buf_span(const struct buf *b) { return SPAN(b->data, b->len); }
static inline int buf_err(const struct buf *b) { return b->err; }
