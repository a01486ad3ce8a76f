/* Maps whose entries come in any order. The entries are written to the output
 * as they come and, where they did not come sorted, permuted once at the end. */
#include "wire/cbor.h"

#include <errno.h>

#include "base/err.h"
#include "wire/cbor_head.h"

static void fail(struct cbor_map *m, int err)
{
	m->out->err = m->out->err ?: err;
}

static struct cbor_map_entry *entries_of(const struct cbor_map *m)
{
	return m->more ?: (struct cbor_map_entry *)m->few;
}

static uint32_t here(struct cbor_map *m)
{
	size_t at = m->out->len - m->at;

	if (at > UINT32_MAX) {
		fail(m, ERR_LIMIT);
		return 0;
	}
	return (uint32_t)at;
}

static void end_entry(struct cbor_map *m)
{
	if (!m->len || m->out->err)
		return;

	struct cbor_map_entry *e = &entries_of(m)[m->len - 1];
	e->end = here(m);
	if (e->end == e->value_at)
		fail(m, ERR_STATE);
}

static bool make_room(struct cbor_map *m)
{
	if (m->len == CBOR_MAP_ENTRIES_MAX) {
		fail(m, ERR_LIMIT);
		return false;
	}
	if (m->len != CBOR_MAP_ENTRIES_FEW)
		return true;

	m->more = malloc(CBOR_MAP_ENTRIES_MAX * sizeof *m->more);
	if (!m->more) {
		fail(m, -ENOMEM);
		return false;
	}
	memcpy(m->more, m->few, sizeof m->few);
	return true;
}

void cbor_map_begin(struct cbor_map *m, struct buf *out)
{
	/* few[] stays as it is: clearing it would cost more than a small map */
	m->out = out;
	m->len = 0;
	m->more = NULL;
	m->at = cbor_open(out);
}

struct buf *cbor_map_key_span(struct cbor_map *m, struct span key)
{
	end_entry(m);
	if (m->out->err || !make_room(m))
		return m->out;

	struct cbor_map_entry *e = &entries_of(m)[m->len++];
	e->key_at = here(m);
	cbor_put_text(m->out, key);
	e->value_at = here(m);
	return m->out;
}

struct buf *cbor_map_key(struct cbor_map *m, const char *key)
{
	return cbor_map_key_span(m, SPAN_STR(key));
}

bool cbor_map_has(const struct cbor_map *m, struct span key)
{
	size_t head = cbor_head_len(key.len);

	for (size_t i = 0; i < m->len && !m->out->err; i++) {
		const struct cbor_map_entry *e = &entries_of(m)[i];
		const uint8_t *text = m->out->data + m->at + e->key_at + head;

		if (e->value_at - e->key_at == head + key.len &&
		    span_equal(SPAN(text, key.len), key))
			return true;
	}
	return false;
}

/* Bytewise order of the encoded keys (RFC 8949 4.2.1). All keys are text, whose
 * head grows with its length: the shorter one comes first. */
static int compare(const struct cbor_map *m, const struct cbor_map_entry *a,
		   const struct cbor_map_entry *b)
{
	const uint8_t *base = m->out->data + m->at;
	uint32_t alen = a->value_at - a->key_at, blen = b->value_at - b->key_at;

	if (alen != blen)
		return alen < blen ? -1 : 1;
	return memcmp(base + a->key_at, base + b->key_at, alen);
}

/* 1 if the entries stood in order already, 0 if they were moved, ERR_STATE for
 * two equal keys. */
static int sort_entries(struct cbor_map *m)
{
	struct cbor_map_entry *e = entries_of(m);
	int sorted = 1;

	for (size_t i = 1; i < m->len; i++) {
		struct cbor_map_entry moved = e[i];
		size_t at = i;
		int order = -1;

		while (at && (order = compare(m, &e[at - 1], &moved)) > 0) {
			e[at] = e[at - 1];
			at--;
		}
		if (order == 0)
			return ERR_STATE;
		if (at != i) {
			e[at] = moved;
			sorted = 0;
		}
	}
	return sorted;
}

/* Copies the entries to scratch in their order, and back. What is written may
 * be secret, so the scratch is wiped. */
static int permute(struct cbor_map *m)
{
	uint8_t few[1024];
	_cleanup_free_ uint8_t *many = NULL;
	uint8_t *base = m->out->data + m->at, *scratch = few;
	size_t size = m->out->len - m->at - 1, at = 0;

	if (size > sizeof few) {
		many = scratch = malloc(size);
		if (!many)
			return -ENOMEM;
	}
	for (size_t i = 0; i < m->len; i++) {
		const struct cbor_map_entry *e = &entries_of(m)[i];

		memcpy(scratch + at, base + e->key_at, e->end - e->key_at);
		at += e->end - e->key_at;
	}
	memcpy(base + 1, scratch, size);
	explicit_bzero(scratch, size);
	return 0;
}

void cbor_map_end(struct cbor_map *m)
{
	int err = 0;

	end_entry(m);
	if (!m->out->err)
		err = sort_entries(m);
	if (!m->out->err && err == 0)
		err = permute(m);
	if (err < 0)
		fail(m, err);
	cbor_close(m->out, m->at, MAJOR_MAP, m->len);
	cbor_map_done(m);
}

void cbor_map_done(struct cbor_map *m)
{
	free(take(m->more));
	m->len = 0;
}
