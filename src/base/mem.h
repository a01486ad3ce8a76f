/* Ownership at the declaration:
 *
 *   _cleanup_(graph_freep) struct graph *g = NULL;   freed on every way out
 *   *ret = take(g);                                  unless ownership is given away */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define MAX(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

#define _cleanup_(f) __attribute__((__cleanup__(f)))
#define _must_check_ __attribute__((__warn_unused_result__))
#define _printf_(a, b) __attribute__((__format__(printf, a, b)))

#define take(p)                                                         \
	({                                                              \
		typeof(p) *_pp = &(p);                                  \
		typeof(p) _v = *_pp;                                    \
		*_pp = NULL;                                            \
		_v;                                                     \
	})

#define take_fd(p)                                                      \
	({                                                              \
		int *_pf = &(p);                                        \
		int _f = *_pf;                                          \
		*_pf = -1;                                              \
		_f;                                                     \
	})

#define DEFINE_FREEP(type, func)                                        \
	static inline void func##p(type *p)                             \
	{                                                               \
		if (*p)                                                 \
			func(*p);                                       \
	}

static inline void freep(void *p) { free(*(void **)p); }
static inline void closep(int *fd) { if (*fd >= 0) close(*fd); }

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
