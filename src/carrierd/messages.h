/* What the agent's three processes say to each other (docs/protocol/processes.md).
 * The numbers are of one run of one program: both ends are always of the same build. */
#pragma once

#include "crypto/crypto.h"
#include "service/host.h"

/* net -> monitor: requests 1.. are enum host_call, each [caller, path, arguments]. */
enum {
	MONITOR_RESOLVE = 64,   /* request: host (text) -> [address (16 bytes) ...] */
	MONITOR_LOG,            /* notice: [level, topic, text] */
	MONITOR_READY,          /* notice: net serves from now on */
};

/* monitor -> net. The configuration's text is in a sealed memory file, for it may be
 * longer than a message. */
enum {
	NET_START = 1,          /* notice: [identity, network address or null]; [config, udp socket] */
	NET_CONFIG,             /* notice: [network address or null]; [config] */
	NET_STOP,               /* notice: say goodbye and end */
};

/* net -> keys. */
enum {
	KEYS_SIGN = 1,          /* [purpose, message] -> signature */
	KEYS_AGREE,             /* [public key] -> shared */
	KEYS_PROVE,             /* [role, broker, nonce] -> proof */
};

/* monitor -> keys, and back. */
enum {
	KEYS_NETWORK = 16,      /* request: [secret or null] -> [address or null] */
	KEYS_READY,             /* keys -> monitor, notice: [identity, network address or null] */
	KEYS_FAILED,            /* keys -> monitor, notice: [error, text] */
};

enum { MESSAGE_LOG_MAX = 1024, MESSAGE_HOST_MAX = 255, RESOLVE_ADDRESSES_MAX = 16 };
