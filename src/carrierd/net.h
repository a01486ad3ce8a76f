/* The process that parses everything strangers send: the endpoint, the services. It
 * has two channels and what is passed to it through them, nothing else. */
#pragma once

#include "auth/auth.h"
#include "base/addr.h"
#include "base/log.h"
#include "carrierd/keys_client.h"
#include "ipc/ipc.h"
#include "loop/loop.h"
#include "service/host.h"

struct net_endpoint;
struct services;

struct net_setup {
	int monitor_fd, keys_fd;
	const char *application, *application_version;
};

struct net {
	const struct net_setup *setup;
	struct loop *loop;
	struct ipc *monitor;
	struct keys_client keys;
	struct vault *vault;
	struct identity self;
	struct auth *auth;
	struct net_config *config;
	struct services *services;
	struct net_endpoint *endpoint;
	struct log_sink log;            /* to the monitor */
	struct service_host host;
	bool has_network;
	struct network_address network;
};

/* Forgets every descriptor but the two, drops the user, closes the sandbox, then serves
 * until the monitor says stop or is gone. The exit status. */
int net_main(const struct net_setup *setup);

/* Host name to addresses, by the monitor and only for hosts of configured brokers. done
 * runs later, never before this returns; addresses have port 0. */
typedef void net_resolved_fn(void *userdata, int err, const struct addr *addrs, size_t len);
int net_resolve(struct net *n, const char *host, net_resolved_fn *done, void *userdata) _must_check_;
void net_forget(struct net *n, const void *userdata);
