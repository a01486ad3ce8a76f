/* frame_parse(): what it takes it writes back byte for byte. */
#include <stdint.h>

#include "ipc/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t header[FRAME_HEADER_LEN];
	struct frame f;

	if (frame_parse(&f, SPAN(data, len)) < 0)
		return 0;
	frame_write_header(header, &f);
	if (memcmp(header, data, sizeof header) != 0 || f.body.len != len - sizeof header ||
	    f.fds_len > IPC_FDS_MAX || f.err > 0)
		__builtin_trap();
	return 0;
}
