/* What every edit begins with. */
#pragma once

#include "config/document.h"

/* NULL: the table was removed. */
struct toml *toml_edit_begin(struct toml_table *t);

/* ERR_PARSE, ERR_LIMIT. */
int toml_edit_path(struct toml_path *ret, char store[static TOML_PATH_MAX], const char *dotted) _must_check_;
