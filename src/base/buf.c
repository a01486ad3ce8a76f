#include "base/buf.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t max = b->max ?: BUF_DEFAULT_MAX;

	if (b->err)
		return NULL;
	if (n > max || b->len > max - n) {
		b->err = ERR_LIMIT;
		return NULL;
	}
	if (!b->data || b->len + n > b->cap) {
		size_t need = MAX(b->len + n, (size_t)64);
		size_t cap = MAX(b->cap * 2, need);
		uint8_t *data = realloc(b->data, cap);
		if (!data) {
			b->err = -ENOMEM;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_added(struct buf *b, size_t n)
{
	b->len += n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	uint8_t *dst = n ? buf_reserve(b, n) : NULL;

	if (!dst)
		return;
	memcpy(dst, p, n);
	b->len += n;
}

void buf_add_span(struct buf *b, struct span s) { buf_add(b, s.data, s.len); }
void buf_add_str(struct buf *b, const char *s) { buf_add(b, s, strlen(s)); }
void buf_add_u8(struct buf *b, uint8_t v) { buf_add(b, &v, 1); }

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && buf_reserve(b, (size_t)n + 1)) {
		vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
	n = MIN(n, b->len);
	b->len -= n;
	if (b->len)
		memmove(b->data, b->data + n, b->len);
}

const char *buf_str(struct buf *b)
{
	uint8_t *end = buf_reserve(b, 1);

	if (!end)
		return "";
	*end = 0;
	return (const char *)b->data;
}

char *buf_take_str(struct buf *b)
{
	uint8_t *end = buf_reserve(b, 1);

	if (!end)
		return NULL;
	*end = 0;
	char *s = (char *)take(b->data);
	buf_done(b);
	return s;
}

char *span_dup_str(struct span s)
{
	char *out = malloc(s.len + 1);

	if (!out)
		return NULL;
	if (s.len)
		memcpy(out, s.data, s.len);
	out[s.len] = 0;
	return out;
}
