/* One number space for every fallible call in the tree.
 *
 *   0 or positive   success
 *   -1 .. -4095     a system error, -errno
 *   -5000 ..        one of ours, from the table below
 *
 * The table is append-only: the numbers go over sockets and into language
 * bindings. */
#pragma once

#define ERR_BASE 5000
#define ERR_MAP(X)                                                      \
	X(1,  PARSE,     "malformed input")                             \
	X(2,  CHECKSUM,  "checksum does not match")                     \
	X(3,  SIGNATURE, "signature does not verify")                   \
	X(4,  DENIED,    "denied")                                      \
	X(5,  UNKNOWN,   "no such thing")                               \
	X(6,  STATE,     "not possible in this state")                  \
	X(7,  LIMIT,     "limit reached")                               \
	X(8,  PREFIX,    "unknown prefix")                              \
	X(9,  LENGTH,    "wrong length")                                \
	X(10, ALPHABET,  "character outside the alphabet")              \
	X(11, CANON,     "not the canonical spelling")                  \
	X(12, TYPE,      "wrong type")                                  \
	X(13, WEAK,      "weak key")                                    \
	X(14, VERSION,   "unknown version")                             \
	X(15, CRYPTO,    "cryptographic failure")                       \
	X(16, PEER,      "peer is not who was dialled")                 \
	X(17, REFUSED,   "refused by the peer")                         \
	X(18, TIMEOUT,   "no answer in time")                           \
	X(19, CLOSED,    "connection closed")                           \
	X(20, OFFLINE,   "not online")                                  \
	X(21, PROTOCOL,  "peer broke the protocol")                     \
	X(22, AGAIN,     "not now, wait until writable")                \
	X(23, CONFIG,    "configuration error")                         \
	X(24, EXISTS,    "exists already")                              \
	X(25, CLAIM,     "claim code missing or wrong")                 \
	X(26, LASTWAY,   "would remove the caller's own last way in")   \
	X(27, CHANGED,   "changed meanwhile")                           \
	X(28, NOBROKER,  "no broker reachable")

enum {
#define X(n, name, text) ERR_##name = -(ERR_BASE + (n)),
	ERR_MAP(X)
#undef X
};

const char *err_name(int err); /* "DENIED", for logs and tests */
const char *err_text(int err); /* "denied", for people */
