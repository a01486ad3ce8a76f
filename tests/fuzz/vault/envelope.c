/* envelope_open(), at the lowest cost whatever the input asks for, and then
 * backup's reader over a content that was sealed properly. */
#include <stdlib.h>

#include "vault/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { COST_LEN = 3, INPUT_MAX = 1 << 16 };
static const uint8_t cheap[COST_LEN] = { 0, 1, 1 };

static void check_open(struct span in)
{
	_cleanup_buf_ struct buf file = { 0 }, out = { 0 };
	int err;

	buf_add_span(&file, in);
	if (file.len >= ENVELOPE_MEM_AT + COST_LEN) {
		unsigned mem = (unsigned)file.data[ENVELOPE_MEM_AT] << 8 | file.data[ENVELOPE_MEM_AT + 1];
		unsigned ops = file.data[ENVELOPE_OPS_AT];

		/* what is out of bounds is cheap by itself: it must be refused unpaid */
		if (mem >= 1 && mem <= BACKUP_MEM_MAX_MIB && ops >= 1 && ops <= BACKUP_OPS_MAX)
			memcpy(file.data + ENVELOPE_MEM_AT, cheap, COST_LEN);
	}
	err = envelope_open(&out, "fuzz", SPAN_STR("word"), buf_span(&file));
	if (err >= 0 || out.len)
		abort();        /* nobody guesses a tag */
}

static void check_restore(struct span content)
{
	static char config[] = "/proc/nonexistent/carrier.toml", secret[] = "/proc/nonexistent/carrier.secret";
	_cleanup_buf_ struct buf file = { 0 };
	struct home h = { .config_path = config, .secret_path = secret };
	struct home_error error = { "" };

	if (toml_new(&h.config) < 0 ||
	    envelope_seal(&file, "carrier backup v1", SPAN_STR("word"), content, 1, 1) < 0)
		abort();
	if (backup_restore(&h, buf_span(&file), SPAN_STR("word"), &error) >= 0)
		abort();        /* there is no place to write to */
	toml_free(h.config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len > INPUT_MAX)
		return 0;
	if (envelope_is(SPAN(data, len)))
		check_open(SPAN(data, len));
	else
		check_restore(SPAN(data, len));
	return 0;
}
