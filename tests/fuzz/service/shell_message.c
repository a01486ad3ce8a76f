/* What is read is written back the same, and nothing outside the message is touched. */
#include "service/shell.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(struct span in, bool to_device)
{
	uint8_t out[SHELL_WINDOW_LEN];
	struct shell_message m;

	if (shell_message_parse(&m, in, to_device) < 0)
		return;
	switch (m.kind) {
	case SHELL_WINDOW:
		shell_window_format(out, &m.window);
		if (!to_device || !span_equal(in, SPAN(out, SHELL_WINDOW_LEN)))
			abort();
		break;
	case SHELL_EXIT:
		shell_exit_format(out, m.exit);
		if (to_device || !span_equal(in, SPAN(out, SHELL_EXIT_LEN)))
			abort();
		break;
	default:
		if (m.data.len != in.len - 1 || (m.data.len && m.data.data != in.data + 1))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check(SPAN(data, len), true);
	check(SPAN(data, len), false);
	(void)shell_env_allowed(SPAN(data, len));
	return 0;
}
