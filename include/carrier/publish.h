/** @file publish.h  Being reached: routes, who may use them, registration.
 *
 * Who may come in is decided by the [[authorize]] rules of the configuration and those of
 * carrier_allow(). Without any rule nobody gets in: unlike `carrier publish`, an endpoint
 * of the library cannot be claimed by the first caller.
 *
 * disco (/v2/carrier.discovery.v1/discover) is offered to everybody whom a rule lets in. It
 * shows application and version of carrier_options, and the paths that this caller may use.
 * An unknown path and one that the caller may not use answer alike, with 404. */
#ifndef CARRIER_PUBLISH_H
#define CARRIER_PUBLISH_H

#include <carrier/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Somebody whom the rules allow it asks for a route. Attach callbacks, or answer at once.
 * @param s        valid until its `closed` has returned or carrier_stream_reset(); a stream
 *                 that is never ended stays open as long as its connection
 * @param caller   who asks: the key proven in the handshake
 * @param headers  the request's */
typedef void carrier_route_fn(void *userdata, carrier_stream *s, const carrier_id *caller,
			      const carrier_headers *headers);

/** How a route is offered. */
typedef struct carrier_route_options {
	size_t size;                    /**< sizeof(carrier_route_options) */
	/** 1: asking twice does no harm, so the request may come in 0-RTT, which an eavesdropper
	 * can repeat; saves a returning caller a round trip. 0: such a caller is told to ask
	 * again once connected. */
	uint32_t replay_safe;
	uint32_t reserved;              /**< 0 */
	/** The methods it takes, separated by spaces: "GET POST"; others are answered 405. NULL:
	 * any or none. */
	const char *methods;
} carrier_route_options;

/** Offer a path. For as long as the handle lives, from now on, also before carrier_publish().
 * @param path     "/v2/myorg.mything.v1/whodis": begins with '/', no '*', at most 255 bytes
 * @param options  NULL: all defaults
 * @retval -EEXIST          the path is taken
 * @retval CARRIER_E_PARSE  not a path
 * @retval CARRIER_E_LIMIT  1024 routes are there
 * @par Thread  the handle's */
CARRIER_API int carrier_route(carrier *c, const char *path, const carrier_route_options *options,
			      carrier_route_fn *handler, void *userdata);

/** Offer a service that comes with the library; none but disco is offered by itself.
 * "ping" answers round trips; "sysinfo" tells memory, load, disks and network interfaces. Shells, files
 * and tcp need the processes and privileges of the agent, `carrier publish`.
 * @retval -EEXIST            offered already
 * @retval CARRIER_E_UNKNOWN  not one of these
 * @par Thread  the handle's */
CARRIER_API int carrier_offer(carrier *c, const char *name);

/** Add a rule, until carrier_close(); the configuration file is not written.
 * @param identity  who: an identity, an alias, "self", or "*" for everybody
 * @param path      what: a path, a beginning followed by '*', or "*"
 * @retval CARRIER_E_PARSE    not a path; or errors as of carrier_connect()'s target
 * @retval CARRIER_E_LIMIT    65536 rules are there
 * @par Thread  the handle's */
CARRIER_API int carrier_allow(carrier *c, const char *identity, const char *path);

/** Remove rules in this process, also those that came from the configuration; who is not
 * let in any more is disconnected.
 * @param path  NULL: every rule of that identity
 * @return how many rules went
 * @par Thread  the handle's */
CARRIER_API int carrier_disallow(carrier *c, const char *identity, const char *path);

/** Let callers in: register with the brokers of the configuration and stay registered, and
 * answer callers who know our address. Returns at once; carrier_options.broker tells what
 * became of it. Calling it again changes nothing. Without brokers it returns 0 too.
 * One process can be registered for an identity: a second one takes its place.
 * @return how many brokers are tried
 * @par Thread  the handle's */
CARRIER_API int carrier_publish(carrier *c);

#ifdef __cplusplus
}
#endif
#endif
