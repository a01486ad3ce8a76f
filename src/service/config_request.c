#include "service/config.h"
#include "wire/cbor.h"

void config_put_request(struct buf *out, const struct config_request *rq)
{
	const struct { const char *key, *value; } texts[] = {
		{ ":path", rq->path }, { ":method", rq->method }, { "identity", rq->identity },
		{ "resource", rq->resource }, { "methods", rq->methods }, { "tcp", rq->tcp },
		{ "root", rq->root }, { "user", rq->user }, { "code", rq->code }, { "secret", rq->secret },
	};
	struct cbor_map m;

	cbor_map_begin(&m, out);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].value)
			cbor_map_str(&m, texts[i].key, texts[i].value);
	if (rq->not_before > 0)
		cbor_map_uint(&m, "not_before", (uint64_t)rq->not_before);
	if (rq->expires > 0)
		cbor_map_uint(&m, "expires", (uint64_t)rq->expires);
	cbor_map_end(&m);
}
