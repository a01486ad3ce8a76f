/* A broker and any number of endpoints of libcarrier in one process: each with a
 * configuration of its own in a folder that goes away again. */
#pragma once

#include "test.h"

#include <carrier/carrier.h>

enum { WORLD_PARTIES_MAX = 6 };

struct world {
	char folder[64];
	struct loop *loop;              /* the broker's */
	struct broker *broker;
	struct vault *vault;
	char line[256];                 /* for the others' configurations */
	carrier *parties[WORLD_PARTIES_MAX];
	size_t len;
};
extern struct world world;

int world_setup(void **state);
int world_teardown(void **state);
/* An endpoint with an identity of its own; more: lines for its configuration; o may be NULL. */
carrier *world_open(const char *name, const char *more, const carrier_options *o);
void world_close(carrier *c);
void world_path(char out[static 128], const char *name);        /* of a configuration */
/* Everybody's descriptors are polled, and who is readable has his turn, until it is so. */
void world_until_(const bool *so, unsigned ms, const char *what, int line);
#define world_until(so, ms) world_until_((so), (ms), #so, __LINE__)
void world_run(unsigned ms);
void world_id(char out[static CARRIER_ID_TEXT_MAX], const carrier *c);
