#include <errno.h>

#include "base/err.h"
#include "service/service.h"

static bool send_status(struct stream *s, unsigned status, const char *error)
{
	_cleanup_buf_ struct buf b = {};
	int err;

	headers_put_status(&b, status, error);
	err = buf_err(&b);
	if (err >= 0)
		err = stream_send_headers(s, buf_span(&b));
	if (err < 0 && err != ERR_CLOSED)
		stream_reset(s, STREAM_CODE_INTERNAL);
	return err >= 0;
}

void service_answer(struct stream *s, unsigned status, const char *error)
{
	if (send_status(s, status, error))
		stream_end(s);
}

void service_answer_message(struct stream *s, struct span cbor)
{
	int err;

	if (!send_status(s, SERVICE_STATUS_OK, NULL))
		return;
	err = stream_send(s, cbor);
	if (err == 0)
		stream_end(s);
	else if (err != ERR_CLOSED)
		stream_reset(s, STREAM_CODE_INTERNAL);
}

void service_answer_unknown(struct stream *s) { service_answer(s, 404, "not found"); }

static const struct {
	int err;
	unsigned status;
} statuses[] = {
	{ ERR_PARSE, 400 },   { ERR_CLAIM, 401 },    { ERR_DENIED, 403 },  { ERR_UNKNOWN, 404 },
	{ ERR_STATE, 409 },   { ERR_LASTWAY, 409 },  { ERR_CHANGED, 409 }, { ERR_EXISTS, 409 },
	{ ERR_AGAIN, 429 },   { ERR_OFFLINE, 503 },  { -ENOENT, 503 },     { -EAGAIN, 503 },
	{ -EMFILE, 503 },     { -ECONNREFUSED, 503 }, { ERR_CLOSED, 503 }, { ERR_TIMEOUT, 504 },
	{ ERR_LIMIT, 507 },
};

void service_answer_err(struct stream *s, int err)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].err == err) {
			service_answer(s, statuses[i].status, err_text(err));
			return;
		}
	service_answer(s, 500, err_text(err));
}

int service_status_err(unsigned status)
{
	if (status < 300)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].err;
	return ERR_REFUSED;
}

void service_put_request(struct buf *out, const char *path, const char *method)
{
	struct cbor_map m;

	cbor_map_begin(&m, out);
	cbor_map_str(&m, ":path", path);
	if (method)
		cbor_map_str(&m, ":method", method);
	cbor_map_end(&m);
}
