/* The services behind net: kept apart from the settings, whose names are others'. */
#pragma once

#include <stdbool.h>

#include "base/mem.h"

struct net;

int net_services_new(struct net *n) _must_check_;
void net_add_program(struct net *n, const char *path, bool replay_safe);
