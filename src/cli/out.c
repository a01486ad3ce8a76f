#include "cli/out.h"

#include <stdio.h>

#include "cli/cli.h"

void out_begin(struct out_object *o)
{
	o->text = (struct buf){ 0 };
	o->json = JSON(&o->text);
	json_object(&o->json);
	out_uint(o, "schema", CLI_SCHEMA);
}

void out_end(struct out_object *o)
{
	json_close(&o->json, '}');
	puts(buf_str(&o->text));
	fflush(stdout);
	buf_wipe(&o->text);
}

void out_str(struct out_object *o, const char *key, const char *value)
{
	json_key(&o->json, key);
	json_str(&o->json, value);
}

void out_uint(struct out_object *o, const char *key, uint64_t value)
{
	json_key(&o->json, key);
	json_uint(&o->json, value);
}

void out_bool(struct out_object *o, const char *key, bool value)
{
	json_key(&o->json, key);
	json_bool(&o->json, value);
}

void out_identity(struct out_object *o, const char *key, const struct identity *id)
{
	char text[IDENTITY_STR_MAX];

	identity_format(text, id);
	out_str(o, key, text);
}
