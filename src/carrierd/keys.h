/* The process that holds the identity's seed and the network's secret. It answers
 * three requests of net (messages.h) and one of the monitor, and can do nothing else:
 * no file, no socket, no child. */
#pragma once

#include "vault/home.h"

struct keys_setup {
	int monitor_fd, net_fd;
	const char *config_path;        /* NULL: the usual one */
	home_ask_fn *ask;
	void *ask_userdata;
};

/* Reads the secrets (making them at first use), closes its sandbox, serves until the
 * monitor is gone. The exit status; never returns to the caller's other work. */
int keys_main(const struct keys_setup *setup);

/* What one request gets; public for the tests. */
struct keys {
	struct vault *vault;
	struct network_secret *network; /* guarded memory; NULL: none */
	bool has_network;
};
int keys_answer_net(struct keys *k, uint16_t type, struct span body, struct buf *out) _must_check_;
int keys_answer_monitor(struct keys *k, uint16_t type, struct span body, struct buf *out) _must_check_;
