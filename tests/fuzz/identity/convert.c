/* First byte: which conversion; the rest: its input. What comes out of one that
 * has an opposite goes back in. */
#include <stdlib.h>

#include "identity/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct { const char *there, *back; } pairs[] = {
	{ "id32to58", "id58to32" },
	{ "number2serial", "serial2number" },
	{ "serial2number", "number2serial" },
	{ "number2alias", "alias2number" },
	{ "alias2number", "number2alias" },
};

static void must(bool so)
{
	if (!so)
		abort();
}

static void check_back(const char *name, const char *out)
{
	char a[TEXT_STR_MAX], b[TEXT_STR_MAX];

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (!strcmp(pairs[i].there, name)) {
			must(convert(a, pairs[i].back, out, NULL) >= 0);
			must(convert(b, name, a, NULL) >= 0);
			must(!strcmp(b, out));
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char out[TEXT_STR_MAX] = "", *in;
	struct text_error e = {};
	size_t n = 0;

	while (conversions[n].name)
		n++;
	if (!len)
		return 0;
	in = malloc(len);
	if (!in)
		return 0;
	memcpy(in, data + 1, len - 1);
	in[len - 1] = 0;

	const char *name = conversions[data[0] % n].name;
	if (convert(out, name, in, &e) >= 0) {
		must(out[0] && memchr(out, 0, sizeof out));
		check_back(name, out);
	} else {
		must(!out[0] && e.text[0]);
	}
	free(in);
	return 0;
}
