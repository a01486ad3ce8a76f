#include "cli/qr.h"

#include <errno.h>
#include <qrencode.h>

enum { QUIET = 2 };     /* modules; four would be the standard, two is what phones need */

static bool is_dark(const QRcode *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->width && y < q->width && (q->data[y * q->width + x] & 1);
}

int qr_print(struct buf *out, const char *text)
{
	/* light above and below, light above, light below, none */
	static const char *const blocks[] = { "\u2588", "\u2580", "\u2584", " " };
	QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

	if (!q)
		return -errno;
	for (int y = -QUIET; y < q->width + QUIET; y += 2) {
		for (int x = -QUIET; x < q->width + QUIET; x++) {
			bool below_dark = is_dark(q, x, y + 1) || y + 1 >= q->width + QUIET;

			buf_add_str(out, blocks[is_dark(q, x, y) * 2 + below_dark]);
		}
		buf_add_str(out, "\n");
	}
	QRcode_free(q);
	return buf_err(out);
}
