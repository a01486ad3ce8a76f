/* A page of a list, as a device sends it: what is read is written again the same. */
#include "service/files_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = {};
	struct cbor c = CBOR(SPAN(data, size));
	static struct files_entry e;

	files_get_entry(&e, &c);
	if (cbor_end(&c) < 0)
		return 0;
	if (strlen(e.path) > FILES_PATH_MAX || e.err > 0 || e.stat.mode > FILES_MODE_MASK)
		abort();
	if (files_path_is_plain(e.path) && (e.path[0] == '/' || strstr(e.path, "//")))
		abort();
	files_put_entry(&again, &e);
	if (!span_equal(buf_span(&again), SPAN(data, size)))
		abort();
	return 0;
}
