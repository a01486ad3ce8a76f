/* Whatever reads as a key is written back as it was, or is the short form whose
 * full one reads as the same key; whatever does not, says why. */
#include <stdlib.h>

#include "identity/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool so)
{
	if (!so)
		abort();
}

static void check_good(const char *text, enum text_type type, const uint8_t payload[static 64])
{
	uint8_t again[64] = {};
	char full[TEXT_STR_MAX];
	size_t n = text_payload_len(type);
	bool gen2 = text[0] == 'c';

	must(n == 32 || n == 64);
	(gen2 ? text_format2 : text_format1)(full, type, payload);
	if (strcmp(full, text))
		must(gen2 && strlen(text) < strlen(full) && !payload[0] &&
		     (type == TEXT_SECRET || type == TEXT_ADDRESS || type == TEXT_IDENTITY));
	must(text_parse(again, type, full, NULL) >= 0);
	must(!memcmp(again, payload, n));
	must(text_parse(again, type, text, NULL) >= 0);
	for (enum text_type other = 1; other < 16; other++)
		must(other == type || text_parse(again, other, text, NULL) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	uint8_t payload[64];
	enum text_type type;
	struct text_error e = {};

	if (!text)
		return 0;
	if (len)
		memcpy(text, data, len);
	text[len] = 0;
	if (text_parse_any(payload, &type, text, &e) >= 0)
		check_good(text, type, payload);
	else
		must(e.text[0] && memchr(e.text, 0, sizeof e.text));
	free(text);
	return 0;
}
