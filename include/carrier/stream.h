/** @file stream.h  Ordered messages in both directions over one connection.
 *
 * Each direction is a set of headers, then messages of at most CARRIER_MESSAGE_MAX
 * bytes, then an end. A stream is over when both directions have ended, or when either
 * side resets it.
 *
 * @see docs/protocol/stream.md */
#ifndef CARRIER_STREAM_H
#define CARRIER_STREAM_H

#include <carrier/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Events of a stream; each may be NULL, then the event is dropped. */
typedef struct carrier_stream_callbacks {
	size_t size;                    /**< sizeof(carrier_stream_callbacks) */
	/** The answer's headers: ":status" is 200, 404 (unknown, or not for us), ...; not for
	 * streams of a route, whose handler was given them. */
	void (*headers)(void *userdata, carrier_stream *s, const carrier_headers *h);
	/** One message of len bytes. */
	void (*message)(void *userdata, carrier_stream *s, const void *data, size_t len);
	/** The other side sends nothing more; we still may. */
	void (*end)(void *userdata, carrier_stream *s);
	/** After carrier_stream_send() said CARRIER_AGAIN: there is room. */
	void (*writable)(void *userdata, carrier_stream *s);
	/** Last call; the handle is gone when this returns. 0: both directions ended in order and
	 * the other side has everything. CARRIER_E_CLOSED: the connection is lost, or the other
	 * side gave up the stream after it had sent its end;
	 * -ECANCELED, CARRIER_E_PROTOCOL, CARRIER_E_LIMIT, -EREMOTEIO or CARRIER_E_REFUSED: reset
	 * by the other side (CARRIER_RESET_...); CARRIER_E_PROTOCOL too where it broke the rules. */
	void (*closed)(void *userdata, carrier_stream *s, int err);
} carrier_stream_callbacks;

/** Reasons to reset a stream, as the other side is told them. */
#define CARRIER_RESET_CANCEL 1u
#define CARRIER_RESET_PROTOCOL 2u
#define CARRIER_RESET_LIMIT 3u
#define CARRIER_RESET_INTERNAL 4u
#define CARRIER_RESET_REFUSED 5u

/** Ask a peer: open a stream to a path. Costs no round trip; headers and the messages sent
 * next leave together. A peer takes 100 at once; more wait.
 * @param p          from its `up` on
 * @param path       "/v2/myorg.mything.v1/whodis", or a short name: "disco", "sysinfo", ...
 * @param headers    further headers, or NULL; ":path" in it is replaced
 * @param callbacks  copied; NULL: none
 * @param userdata   for the callbacks
 * @param ret_s      valid until `closed` has returned or carrier_stream_reset(); may be NULL
 * @retval CARRIER_E_STATE    before `up`
 * @retval CARRIER_E_UNKNOWN  neither a path nor a short name
 * @retval CARRIER_E_LIMIT    path or headers are too long
 * @retval CARRIER_E_CLOSED   the connection is ending
 * @par Thread  the handle's */
CARRIER_API int carrier_stream_open(carrier_peer *p, const char *path, const carrier_headers *headers,
				    const carrier_stream_callbacks *callbacks, void *userdata, carrier_stream **ret_s);

/** Callbacks for a stream that a route's handler was given; until then, or without, its events are dropped.
 * Called again, it replaces them.
 * @param callbacks  copied; NULL: none
 * @par Thread  the handle's */
CARRIER_API int carrier_stream_attach(carrier_stream *s, const carrier_stream_callbacks *callbacks, void *userdata);

/** The other end: proven, on a stream of a route; whom we dialled, on one of ours.
 * @par Thread  the handle's */
CARRIER_API void carrier_stream_identity(const carrier_stream *s, carrier_id *ret_id);

/** Answer with a status and further headers, once, before the first message. A stream of a
 * route that sends or ends without it answers 200.
 * @param status   100 to 999; 200: fine
 * @param headers  or NULL; ":status" in it is replaced
 * @retval CARRIER_E_STATE   answered already, or a stream that we opened
 * @retval CARRIER_E_LIMIT   status or headers out of bounds
 * @retval CARRIER_E_CLOSED  the stream is over
 * @par Thread  the handle's */
CARRIER_API int carrier_stream_answer(carrier_stream *s, uint32_t status, const carrier_headers *headers);

/** Send one message.
 * @param data  len bytes, copied; may be NULL if len is 0
 * @param len   at most CARRIER_MESSAGE_MAX
 * @retval CARRIER_AGAIN     the other side does not keep up: the message was not taken,
 *                           wait for `writable`
 * @retval CARRIER_E_LIMIT   too long
 * @retval CARRIER_E_STATE   after carrier_stream_end()
 * @retval CARRIER_E_CLOSED  the stream is over
 * @par Thread  the handle's */
CARRIER_API int carrier_stream_send(carrier_stream *s, const void *data, size_t len);

/** Half-close: we send nothing more. What was sent still goes; messages still come.
 * Calling it again changes nothing.
 * @retval CARRIER_E_CLOSED  the stream is over
 * @par Thread  the handle's */
CARRIER_API int carrier_stream_end(carrier_stream *s);

/** Give up both directions. The handle is gone; no callback comes for it any more.
 * NULL is fine. In its own `closed` it does nothing.
 * @param code  CARRIER_RESET_..., what the other side is told; others count as CANCEL
 * @par Thread  the handle's */
CARRIER_API void carrier_stream_reset(carrier_stream *s, uint32_t code);

/** Hold back headers, messages and the end; the sender has to wait once its window is
 * used up, so nothing piles up without bound.
 * @par Thread  the handle's */
CARRIER_API void carrier_stream_pause(carrier_stream *s);
/** Deliver again, beginning with the next carrier_dispatch(). @par Thread the handle's */
CARRIER_API void carrier_stream_resume(carrier_stream *s);

#ifdef __cplusplus
}
#endif
#endif
