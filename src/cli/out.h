/* Objects of --json on stdout: {"schema":1, ...}, one a line. */
#pragma once

#include "wire/json.h"

struct out_object {
	struct buf text;
	struct json json;
};

void out_begin(struct out_object *o);
void out_end(struct out_object *o);             /* prints and flushes the line */
void out_str(struct out_object *o, const char *key, const char *value);         /* NULL: null */
void out_uint(struct out_object *o, const char *key, uint64_t value);
void out_bool(struct out_object *o, const char *key, bool value);

struct identity;
void out_identity(struct out_object *o, const char *key, const struct identity *id);
