/* What runs here, and the paths that this caller may use; nobody sees another's. */
#include "service/internal.h"

/* Counts up whenever services change so that a caller could want to know. */
#define REVISION 1
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static void put_paths(struct buf *out, const struct services *ss, const struct identity *caller)
{
	const struct service *sv;
	size_t at = 0, n = 0;

	while (services_allowed_at(ss, caller, &at))
		n++;
	cbor_put_array(out, n);
	for (at = 0; (sv = services_allowed_at(ss, caller, &at)); )
		cbor_put_str(out, sv->path);
}

void disco_open(struct services *ss, const struct service_call *call)
{
	_cleanup_buf_ struct buf b = { .max = STREAM_MESSAGE_MAX };
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_uint(&m, "carrier_revision", REVISION);
	cbor_map_str(&m, "carrier_build_id", CARRIER_VERSION "-" TEXT(REVISION));
	cbor_map_str(&m, "application", ss->config.application ?: "carrier");
	cbor_map_str(&m, "application_version", ss->config.application_version ?: CARRIER_VERSION);
	put_paths(cbor_map_key(&m, "paths"), ss, &call->caller);
	cbor_map_end(&m);

	if (buf_err(&b) < 0)
		service_answer_err(call->stream, buf_err(&b));
	else
		service_answer_message(call->stream, buf_span(&b));
}
