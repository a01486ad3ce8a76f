/* The configuration as net gets it: the monitor's reduced text (reduce.h), parsed. */
#pragma once

#include "base/mem.h"
#include "base/log.h"

struct net;
struct net_config;
struct settings;

/* Reads the sealed file, loads the rules into n->auth and replaces n->config; whatever
 * fails leaves both as they were. */
int net_config_load(struct net *n, int fd) _must_check_;
void net_config_free(struct net_config *c);
const struct settings *net_config_settings(const struct net_config *c);
/* Gives n->services what [[service]] names; what is there stays. */
void net_config_add_programs(struct net *n);
