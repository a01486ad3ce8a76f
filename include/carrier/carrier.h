/** @file carrier.h  The whole of libcarrier: reach any identity, and be reached.
 *
 *     carrier_open()     an endpoint with the identity of a configuration
 *     carrier_connect()  to a peer; carrier_stream_open() to ask it something
 *     carrier_route()    a path that others may ask; carrier_publish() to be found
 *     carrier_dispatch() does the work; carrier_fd() says when
 *
 * Conventions, which single functions do not repeat:
 * - Calls that can fail return 0 or positive, or a negative number of error.h;
 *   `ret_` parameters are written on success only. carrier_detail() may know more.
 * - Handles are opaque. Pointers passed in are only read during the call and are copied
 *   where they are kept; pointers handed to a callback are borrowed until it returns.
 *   No other pointer parameter may be NULL unless it says so.
 * - Structs of options and callbacks begin with their `size` and grow at their end: clear
 *   the struct, set size to its sizeof, fill in what you need. A size below that of the
 *   first release, or above 4096, is CARRIER_E_LENGTH. What a newer program sets and this
 *   library does not know is CARRIER_E_VERSION.
 * - The library has no threads and no global state of its own, prints nothing and never
 *   ends the process. A handle, with all its peers and streams, belongs to one thread at
 *   a time; several handles may live in several threads.
 * - Callbacks run inside carrier_dispatch() and nowhere else. They may call every
 *   function but carrier_dispatch() and carrier_close(). */
#ifndef CARRIER_CARRIER_H
#define CARRIER_CARRIER_H

#include <carrier/common.h>
#include <carrier/error.h>
#include <carrier/headers.h>
#include <carrier/peer.h>
#include <carrier/publish.h>
#include <carrier/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** carrier_options.flags: make an identity and write the configuration if there is none
 * yet, as `carrier setup` does. */
#define CARRIER_OPEN_CREATE 1u
/** carrier_options.flags: bind the address of `listen` or `port` in the configuration;
 * without it any free port. Two endpoints cannot share one. */
#define CARRIER_OPEN_LISTEN 2u

/** carrier_options.log_level: which lines are wanted. */
#define CARRIER_LOG_ERROR 0
#define CARRIER_LOG_WARN 1
#define CARRIER_LOG_INFO 2
#define CARRIER_LOG_DEBUG 3

/** What became of a registration with one broker. */
#define CARRIER_BROKER_TRYING 0
#define CARRIER_BROKER_REGISTERED 1     /**< peers can find us through it */
#define CARRIER_BROKER_LOST 2           /**< it is tried again */
#define CARRIER_BROKER_SUPERSEDED 3     /**< another process registered the same identity; given up */
#define CARRIER_BROKER_FAILED 4         /**< it is tried again, unless err is CARRIER_E_DENIED */

/** How an endpoint is opened. */
typedef struct carrier_options {
	size_t size;                    /**< sizeof(carrier_options) */
	/** The configuration; NULL: $CARRIER_CONFIG, else ~/.devguard/carrier.toml. Its
	 * identity, brokers, network, names and [[authorize]] rules are used. */
	const char *config;
	const char *application;        /**< disco shows it; NULL: "carrier" */
	const char *application_version; /**< disco shows it; NULL: the library's */
	uint32_t flags;                 /**< CARRIER_OPEN_... */
	uint32_t connect_timeout_ms;    /**< until a peer is given up; 0 or above 12000: 12000 */
	int32_t log_level;              /**< CARRIER_LOG_... */
	uint32_t reserved;              /**< 0 */
	void *userdata;                 /**< the first argument of the callbacks below */
	/** One line of log: which caller was let in or refused, what a broker said. May be NULL. */
	void (*log)(void *userdata, int level, const char *topic, const char *text);
	/** State of a registration, see CARRIER_BROKER_...; broker is "host:port". err and
	 * detail tell why, or are 0 and "". May be NULL. */
	void (*broker)(void *userdata, const char *broker, int state, int err, const char *detail);
	/** Asked in carrier_open() where the secret is encrypted: write at most size bytes to
	 * out and return how many, or a negative number to give up. NULL: such a secret is
	 * CARRIER_E_CONFIG. */
	int (*passphrase)(void *userdata, const char *prompt, char *out, size_t size);
	/** Receives why carrier_open() failed, cut at detail_size bytes with the terminating
	 * zero. May be NULL. */
	char *detail;
	size_t detail_size;             /**< bytes at detail */
} carrier_options;

/** Open an endpoint: read the configuration, take its identity, bind a UDP socket.
 * Nothing is sent yet. The secret is kept in locked memory of this process and wiped by
 * carrier_close(). Reads files, so it may block. Sets the calling thread's timer slack
 * to 1 ns (prctl(2)): paced packets are closer together than the default.
 * @param options  NULL: all defaults
 * @param ret_c    the caller's; release it with carrier_close()
 * @retval CARRIER_E_CONFIG   the configuration or the secret is unusable; see detail
 * @retval CARRIER_E_LENGTH   options.size cannot be right
 * @retval CARRIER_E_VERSION  options of a newer library, or unknown flags
 * @retval -ENOENT  there is no identity; `carrier setup`, or CARRIER_OPEN_CREATE, makes one
 * @retval -EADDRINUSE  with CARRIER_OPEN_LISTEN: the port is taken
 * @retval -errno  files or the socket
 * @par Thread  any; the handle is the caller's from then on
 * @see docs/howto/library.md */
CARRIER_API int carrier_open(const carrier_options *options, carrier **ret_c);

/** Tells brokers and peers goodbye and frees the handle with all its peers and streams. No
 * callback comes any more. NULL is fine.
 * @retval CARRIER_E_STATE  in a callback: nothing was done
 * @par Thread  the handle's */
CARRIER_API int carrier_close(carrier *c);

/** The endpoint's own identity. @par Thread the handle's */
CARRIER_API void carrier_identity(const carrier *c, carrier_id *ret_id);

/** The local UDP address, "0.0.0.0:41641".
 * @param out   receives the text and a terminating zero
 * @param size  bytes at out; CARRIER_ADDRESS_TEXT_MAX is enough
 * @retval CARRIER_E_LENGTH  out is too small
 * @par Thread  the handle's */
CARRIER_API int carrier_address(carrier *c, char *out, size_t size);

/** A descriptor for poll(2), select(2) or epoll(7): readable when carrier_dispatch() has
 * something to do, timers included. Wait for readability only; never read, write or
 * close it. It stays the same until carrier_close().
 * @par Thread  the handle's */
CARRIER_API int carrier_fd(carrier *c);

/** Does what is due, and calls back.
 * Where a broker or peer is given by a host name, the name is looked up with
 * getaddrinfo(3) in here, which may block; numeric addresses never do.
 * @param timeout_ms  how long to wait for something to do: 0 not at all (for the
 *                    caller's own poll loop), negative without end
 * @return how much was done, 0 after the timeout
 * @retval CARRIER_E_STATE  in a callback
 * @par Thread  the handle's */
CARRIER_API int carrier_dispatch(carrier *c, int timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
