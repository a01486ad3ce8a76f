#pragma once

#include "base/buf.h"

/* The text as a QR code of half blocks, light on dark as well as dark on light: the
 * light modules are drawn, with the quiet zone around. */
int qr_print(struct buf *out, const char *text) _must_check_;
