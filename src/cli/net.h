/* The network of this machine, for `net` and `config self net`. */
#pragma once

#include "cli/cli.h"

int net_leave_here(struct home *h, struct home_error *error) _must_check_;
int net_join_here(struct home *h, const struct network_secret *secret, struct home_error *error) _must_check_;
int net_show_here(const struct cli *c, const struct home *h);
/* The address alone, or both with their names. */
void net_print(const struct cli *c, const struct network_address *a, const struct network_secret *secret);
/* "-": a line of standard input. Says what is wrong and returns the status; 0 fine. */
int net_read_secret(struct network_secret *ret, const char *typed) _must_check_;
