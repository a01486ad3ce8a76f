#include "identity/refuse.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

int refuse(struct text_error *detail, int err, const char *fmt, ...)
{
	va_list ap;

	if (!detail)
		return err;

	va_start(ap, fmt);
	vsnprintf(detail->text, sizeof detail->text, fmt, ap);
	va_end(ap);
	return err;
}

int refuse_char(struct text_error *detail, char c, size_t position, const char *alphabet)
{
	if (c < 0x20 || c > 0x7e)
		return refuse(detail, ERR_ALPHABET, "byte 0x%02x at position %zu is not %s",
			      (unsigned)(unsigned char)c, position, alphabet);
	return refuse(detail, ERR_ALPHABET, "character '%c' at position %zu is not %s", c, position,
		      alphabet);
}

const char *type_article(enum text_type type)
{
	char first = text_type_name(type)[0];

	return strchr("aeiouR", first) ? "an" : "a";    /* "an RSA secret" */
}

int refuse_type(struct text_error *detail, enum text_type got, enum text_type want)
{
	return refuse(detail, ERR_TYPE, "this is %s %s (type %d), %s %s was expected", type_article(got),
		      text_type_name(got), (int)got, type_article(want), text_type_name(want));
}
