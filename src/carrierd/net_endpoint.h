/* Where the network meets the agent: connections, paths, brokers. The rest of net gives
 * it everything it needs and never looks inside. */
#pragma once

#include "carrierd/net.h"

struct settings;

/* Starts to serve n->services on the bound UDP socket with n->vault and n->loop. Takes
 * udp_fd on success. The settings are borrowed until the next reload. */
int net_endpoint_new(struct net_endpoint **ret, struct net *n, const struct settings *settings,
		     int udp_fd) _must_check_;
/* Rules, brokers, network or address policy may be others now. */
void net_endpoint_reload(struct net_endpoint *e, const struct settings *settings);
void net_endpoint_free(struct net_endpoint *e);         /* says goodbye to peers; NULL is fine */
DEFINE_FREEP(struct net_endpoint *, net_endpoint_free)
