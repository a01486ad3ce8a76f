/* What json_to_cbor() makes is deterministic CBOR, and stays what it is through JSON. */
#include <stdlib.h>

#include "base/err.h"
#include "wire/cbor.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_buf_ struct buf out = {}, text = {}, again = {};
	struct json j = { .out = &text, .indent = len & 1 ? 2 : 0 };
	size_t at = SIZE_MAX;
	int err = json_to_cbor(&out, SPAN(data, len), &at);

	if (err < 0) {
		if (out.len || at > len)
			abort();
		return 0;
	}
	if (at != SIZE_MAX || cbor_validate(buf_span(&out)) < 0)
		abort();
	if (json_from_cbor(&j, buf_span(&out)) < 0 || json_to_cbor(&again, buf_span(&text), &at) < 0)
		abort();
	if (!span_equal(buf_span(&out), buf_span(&again)))
		abort();
	return 0;
}
