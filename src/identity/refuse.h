/* Saying why a text was refused. The sentences name what is wrong and where;
 * they never repeat the text, which may be a secret. */
#pragma once

#include "identity/text.h"

/* Returns err; detail may be NULL. */
int refuse(struct text_error *detail, int err, const char *fmt, ...) _printf_(3, 4);
/* ERR_ALPHABET: "character '0' at position 7 is not base32", position from 1. */
int refuse_char(struct text_error *detail, char c, size_t position, const char *alphabet);
/* ERR_TYPE: "this is a secret (type 3), an identity was expected". */
int refuse_type(struct text_error *detail, enum text_type got, enum text_type want);
const char *type_article(enum text_type type);  /* "a" or "an" */
