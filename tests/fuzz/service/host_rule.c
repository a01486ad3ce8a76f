/* A rule that the host reads is written back to one that it reads alike. */
#include "service/host_rule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct auth_rule a = { 0 }, b = { 0 };
	char code[HOST_CODE_MAX + 1], again[HOST_CODE_MAX + 1];
	struct buf out = {}, twice = {};

	if (host_rule_parse(&a, code, SPAN(data, len)) < 0)
		return 0;
	host_rule_put(&out, &a, "path", code[0] ? code : NULL);
	if (buf_err(&out) < 0 || host_rule_parse(&b, again, buf_span(&out)) < 0)
		abort();
	host_rule_put(&twice, &b, "path", again[0] ? again : NULL);
	if (!span_equal(buf_span(&out), buf_span(&twice)) || strcmp(code, again))
		abort();
	auth_rule_done(&a);
	auth_rule_done(&b);
	buf_done(&out);
	buf_done(&twice);
	return 0;
}
