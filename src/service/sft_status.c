#include <errno.h>

#include "base/err.h"
#include "service/sft_internal.h"
#include "wire/utf8.h"

/* Errors that travel by name, and the status beside each. A name that is not here
 * becomes what its status says. */
static const struct {
	int err;
	unsigned status;
} statuses[] = {
	{ ERR_PARSE, 400 },     { -EINVAL, 400 },       { -ENAMETOOLONG, 400 }, { ERR_PROTOCOL, 400 },
	{ ERR_DENIED, 403 },    { -EACCES, 403 },       { -EPERM, 403 },        { -EROFS, 403 },
	{ ERR_UNKNOWN, 404 },   { -ENOENT, 404 },       { -ELOOP, 409 },        { -EISDIR, 409 },
	{ -ENOTDIR, 409 },      { ERR_TYPE, 409 },      { ERR_CHANGED, 409 },   { ERR_CHECKSUM, 409 },
	{ ERR_STATE, 409 },     { -EEXIST, 409 },       { -ETXTBSY, 409 },      { ERR_AGAIN, 429 },
	{ -EMFILE, 503 },       { ERR_CLOSED, 503 },    { ERR_TIMEOUT, 504 },   { ERR_LIMIT, 507 },
	{ -ENOSPC, 507 },       { -EDQUOT, 507 },       { -EFBIG, 507 },        { -EIO, 500 },
	{ -ENOMEM, 500 },       { -EREMOTEIO, 500 },
};

unsigned sft_status_of(int err)
{
	if (err >= 0)
		return 200;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].err == err)
			return statuses[i].status;
	return 500;
}

void sft_put_status(struct buf *out, int err)
{
	struct cbor_map m;

	cbor_map_begin(&m, out);
	cbor_map_uint(&m, ":status", sft_status_of(err));
	if (err < 0) {
		cbor_map_str(&m, ":error", err_text(err));
		cbor_map_str(&m, "code", err_name(err));
	}
	cbor_map_end(&m);
}

int sft_status_err(const struct headers *h)
{
	uint64_t status = headers_uint(h, ":status", 0);
	struct span code = headers_text(h, "code");

	if (status >= 100 && status < 300)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (span_is(code, err_name(statuses[i].err)))
			return statuses[i].err;
	switch (status) {
	case 400: case 405: return ERR_PARSE;
	case 401: case 403: return ERR_DENIED;
	case 404: return ERR_UNKNOWN;
	case 409: return ERR_CHANGED;
	case 429: return ERR_AGAIN;
	case 500: return -EREMOTEIO;
	case 503: return ERR_OFFLINE;
	case 504: return ERR_TIMEOUT;
	case 507: return ERR_LIMIT;
	default: return status ? ERR_REFUSED : ERR_PROTOCOL;
	}
}

int sft_header_path(char out[static FILES_PATH_MAX + 1], const struct headers *h, const char *key)
{
	struct span s = headers_text(h, key);

	if (!s.len)
		s = headers_bytes(h, key);
	if (!s.len)
		return headers_has(h, key) ? ERR_PARSE : ERR_UNKNOWN;
	if (s.len > FILES_PATH_MAX)
		return -ENAMETOOLONG;
	if (memchr(s.data, 0, s.len))
		return ERR_PARSE;
	memcpy(out, s.data, s.len);
	out[s.len] = 0;
	return 0;
}

void sft_put_path(struct cbor_map *m, const char *key, const char *path)
{
	if (utf8_valid(SPAN_STR(path)))
		cbor_map_str(m, key, path);
	else
		cbor_map_bytes(m, key, SPAN_STR(path));
}
