/* Borrowed bytes: whoever hands out a span says how long it lives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *data;
	size_t len;
};

#define SPAN(p, n) ((struct span){ (const uint8_t *)(p), (n) })
#define SPAN_OF(array) SPAN((array), sizeof(array))
#define SPAN_STR(s) SPAN((s), strlen(s))
#define SPAN_NONE ((struct span){ NULL, 0 })

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

static inline bool span_is(struct span a, const char *text)
{
	return span_equal(a, SPAN_STR(text));
}

static inline bool span_starts(struct span a, const char *text)
{
	size_t n = strlen(text);

	return a.len >= n && !memcmp(a.data, text, n);
}

static inline struct span span_from(struct span s, size_t off)
{
	return off < s.len ? SPAN(s.data + off, s.len - off) : SPAN_NONE;
}

static inline struct span span_first(struct span s, size_t len)
{
	return SPAN(s.data, len < s.len ? len : s.len);
}

/* A NUL-terminated copy, or NULL. Free it with free(). */
char *span_dup_str(struct span s);
