#include <errno.h>

#include "base/err.h"
#include "transport/sim_internal.h"

enum { RANGES_LIMIT = 1 << 16 };

static int insert(struct ranges *s, size_t at, struct range v)
{
	if (s->len == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8;
		struct range *r = s->len < RANGES_LIMIT ? realloc(s->r, cap * sizeof *r) : NULL;

		if (!r)
			return -ENOMEM;
		s->r = r;
		s->cap = cap;
	}
	memmove(s->r + at + 1, s->r + at, (s->len - at) * sizeof *s->r);
	s->r[at] = v;
	s->len++;
	return 0;
}

static void erase(struct ranges *s, size_t at, size_t n)
{
	memmove(s->r + at, s->r + at + n, (s->len - at - n) * sizeof *s->r);
	s->len -= n;
}

/* The first range that ends at or after v. */
static size_t lower(const struct ranges *s, uint64_t v)
{
	size_t lo = 0, hi = s->len;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->r[mid].to < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int ranges_add(struct ranges *s, uint64_t from, uint64_t to)
{
	size_t at, n = 0;

	if (from >= to)
		return 0;
	at = lower(s, from);
	for (; at + n < s->len && s->r[at + n].from <= to; n++) {
		from = MIN(from, s->r[at + n].from);
		to = MAX(to, s->r[at + n].to);
	}
	if (!n)
		return insert(s, at, (struct range){ from, to });
	s->r[at] = (struct range){ from, to };
	erase(s, at + 1, n - 1);
	return 0;
}

/* A hole in a full set keeps what it should lose: sending twice is harmless. */
void ranges_del(struct ranges *s, uint64_t from, uint64_t to)
{
	if (from >= to)
		return;
	for (size_t i = lower(s, from); i < s->len && s->r[i].from < to;) {
		struct range old = s->r[i];

		if (old.to <= from) {
			i++;
			continue;
		}
		erase(s, i, 1);
		if (old.from < from && insert(s, i, (struct range){ old.from, from }) == 0)
			i++;
		if (old.to > to && insert(s, i, (struct range){ to, old.to }) == 0)
			i++;
	}
}

bool ranges_has(const struct ranges *s, uint64_t v)
{
	size_t at = lower(s, v + 1);

	return at < s->len && s->r[at].from <= v;
}

void ranges_done(struct ranges *s)
{
	free(s->r);
	*s = (struct ranges){};
}
