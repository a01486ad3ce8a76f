/* Answers as the two books print them: `Type { field: value, }`, indented by four.
 * Known fields come in the books' order, others behind them. */
#pragma once

#include "wire/cbor.h"

enum tree_style {
	TREE_GENERATION_1,      /* mem: Mem { */
	TREE_GENERATION_2,      /* mem: Some( Mem { */
};

/* map: one CBOR map, which becomes a *type*; ERR_TYPE if it is something else. Ends
 * with a newline; nothing is written on failure. */
int tree_print(struct buf *out, struct span map, const char *type, enum tree_style style) _must_check_;

/* "[:status = 200, ]" */
struct headers;
void tree_print_headers(struct buf *out, const struct headers *h);
