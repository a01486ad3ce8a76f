/* What endpoint and broker say to each other over QUIC (ALPN carrier-broker/1); the
 * datagrams between them are path/control.h. docs/protocol/registration.md.
 *
 *  publish    -> :path token?            <- :status id key interval seen nonce
 *             -> {network, proof}*       <- {} for each, then end
 *  connect    -> :path token? target a b <- :status key, then {verdict} if the device says no
 *  subscribe  -> :path token? network    <- :status nonce
 *             -> {proof}                 <- {join: id} | {leave: id} ...
 */
#pragma once

#define BROKER_PATH_PUBLISH "/carrier.broker.v3/publish"
#define BROKER_PATH_CONNECT "/carrier.broker.v3/connect"
#define BROKER_PATH_SUBSCRIBE "/carrier.broker.v3/subscribe"

enum {
	BROKER_NETWORKS_MAX = 8,        /* of one registration */
	BROKER_PORT = 8443,
};
