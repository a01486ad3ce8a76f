/* What cbor_validate() takes prints as JSON, and the streaming reads agree with it. */
#include <stdlib.h>

#include "base/err.h"
#include "wire/cbor.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct span in = SPAN(data, len);
	_cleanup_buf_ struct buf text = {}, indented = {};
	struct json j = JSON(&text), i = { .out = &indented, .indent = 2 };
	struct cbor c = CBOR(in), found = cbor_map_find(in, "a");
	int valid = cbor_validate(in), printed = json_from_cbor(&j, in);

	if (printed != valid && !(valid == 0 && printed == ERR_TYPE))
		abort();
	if (printed < 0 && text.len)
		abort();
	if (json_from_cbor(&i, in) != printed)
		abort();
	if (valid < 0 && cbor_peek(&c) == CBOR_MAP && !found.err)
		abort();
	if (!found.err && found.in.len && cbor_validate(found.in) < 0)
		abort();

	/* a stream of items: progress or an error, never past the end */
	while (c.in.len && !c.err) {
		struct span item = cbor_skip(&c);

		if (!c.err && (!item.len || cbor_validate(item) < 0))
			abort();
	}
	return 0;
}
