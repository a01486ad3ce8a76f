/* net's side of the keys process: a vault whose key is elsewhere. */
#pragma once

#include "vault/vault.h"
#include "identity/network.h"

struct keys_client {
	int fd;                 /* borrowed; no loop watches it */
};

extern const struct vault_ops keys_client_ops;  /* userdata: struct keys_client */

/* Signs (role, this identity, broker, nonce) with the network's secret. ERR_UNKNOWN: no network. */
int keys_client_prove(struct keys_client *k, enum network_role role, const struct identity *broker,
		      const uint8_t nonce[static NETWORK_NONCE_LEN],
		      uint8_t ret[static NETWORK_PROOF_LEN]) _must_check_;
