/* headers_parse() and every reader of what it took. */
#include <stdlib.h>

#include "stream/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool b)
{
	if (!b)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const keys[] = { ":path", ":status", "a", "" };
	struct span key, value;
	struct headers h;
	char out[64];
	size_t n = 0;

	if (headers_parse(&h, SPAN(data, len)) < 0)
		return 0;
	must(len <= HEADERS_LEN_MAX && cbor_validate(SPAN(data, len)) >= 0);
	for (; headers_at(&h, n, &key, &value); n++)
		must(cbor_validate(value) >= 0 && value.data + value.len <= data + len);
	must(n <= HEADERS_ENTRIES_MAX);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct span text = headers_text(&h, keys[i]);

		must(!text.len || headers_has(&h, keys[i]));
		if (headers_copy(&h, keys[i], out, sizeof out) >= 0)
			must(span_is(text, out));
		headers_bytes(&h, keys[i]);
		headers_uint(&h, keys[i], 0);
		headers_bool(&h, keys[i], false);
	}
	must(headers_text(&h, ":path").len <= HEADER_PATH_MAX);
	return 0;
}
