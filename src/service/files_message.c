#include "service/files_message.h"

#include "base/err.h"

void files_put_stat(struct buf *b, const struct files_stat *s)
{
	cbor_put_array(b, 4);
	cbor_put_uint(b, s->type);
	cbor_put_uint(b, s->size);
	cbor_put_uint(b, s->mode);
	cbor_put_int(b, s->mtime);
}

void files_get_stat(struct files_stat *ret, struct cbor *c)
{
	struct files_stat s;

	if (cbor_array(c, 4) != 4)
		cbor_fail(c, ERR_PARSE);
	s.type = (enum files_type)cbor_uint_max(c, FILES_OTHER);
	s.size = cbor_uint_max(c, INT64_MAX);
	s.mode = (unsigned)cbor_uint_max(c, FILES_MODE_MASK);
	s.mtime = cbor_int(c);
	*ret = c->err ? (struct files_stat){ .type = FILES_OTHER } : s;
}

void files_put_entry(struct buf *b, const struct files_entry *e)
{
	cbor_put_array(b, 3);
	cbor_put_bytes(b, SPAN_STR(e->path));
	files_put_stat(b, &e->stat);
	cbor_put_int(b, e->err);
}

void files_get_path(char out[static FILES_PATH_MAX + 1], struct cbor *c)
{
	struct span s = cbor_bytes(c);

	if (s.len > FILES_PATH_MAX)
		cbor_fail(c, ERR_LIMIT);
	else if (s.len && memchr(s.data, 0, s.len))
		cbor_fail(c, ERR_PARSE);
	out[0] = 0;
	if (c->err || !s.len)
		return;
	memcpy(out, s.data, s.len);
	out[s.len] = 0;
}

void files_get_entry(struct files_entry *ret, struct cbor *c)
{
	int64_t err;

	if (cbor_array(c, 3) != 3)
		cbor_fail(c, ERR_PARSE);
	files_get_path(ret->path, c);
	files_get_stat(&ret->stat, c);
	err = cbor_int(c);
	if (err > 0 || err < INT16_MIN)
		cbor_fail(c, ERR_LIMIT);
	ret->err = c->err ? 0 : (int)err;
}

bool files_path_is_plain(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");

		if (!n || (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}
