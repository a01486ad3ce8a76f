/* What services need done outside their own process. The agent fills this struct
 * with requests to its privileged half, tests and libcarrier with direct calls.
 * Arguments and answers are CBOR maps (text keys as given below); every request
 * names the caller, and the privileged half judges again whether the rules allow it
 * (path, user, root, host:port), for whoever asks may be in a stranger's hands.
 *
 * call         arguments                                answer / descriptors
 * SYSINFO      {}                                       the sysinfo map
 * SHELL        command? env{} pty term rows cols        pty: [master, status]
 *              xpixel ypixel                            else: [stdin, stdout, stderr, status]
 *              status: 4 bytes big endian, the exit status (128+n for a signal), then
 *              end of file; closing it hangs the session up (SIGHUP)
 * FILES        file (bytes) method                      [socket to a files worker] beneath the
 *                                                       rule's root, as its user; writable for
 *                                                       PUT: files_worker_main()
 * TCP          host port                                [connected stream socket]
 * SERVICE      path headers(bytes)                      [socket]: the user's own program
 * RULES_ADD    identity path methods? tcp? root? user?  changed (bool)
 *              not_before? expires? code?
 * RULES_DEL    identity path?                           removed (uint)
 * NET_JOIN     secret (bytes)                           {address (bytes)}
 * NET_LEAVE    {}                                       {}
 * NET_GET      {}                                       {address? (bytes)}: none, no network
 *
 * Rules: identity is text as in [[authorize]], never "self"; path text; methods and
 * tcp arrays of text; root, user and code text; times unsigned unix seconds; see
 * host_rule.h for both directions. Answers go to the caller as they are, but for
 * addresses, which become text.
 */
#pragma once

#include "base/mem.h"
#include "base/span.h"
#include "identity/identity.h"

enum host_call {
	HOST_SYSINFO = 1, HOST_SHELL, HOST_FILES, HOST_TCP, HOST_SERVICE,
	HOST_RULES_ADD, HOST_RULES_DEL, HOST_NET_JOIN, HOST_NET_LEAVE,
	HOST_NET_GET,
	_HOST_CALL_MAX,
};

/* fds: take one by setting its entry to -1; the rest is closed after the call. */
typedef void host_done_fn(void *userdata, int err, struct span answer, int *fds, size_t fds_len);

struct service_host {
	/* path: the service on whose behalf; done may run before call() returns. */
	void (*call)(void *userdata, enum host_call what, const struct identity *caller, const char *path,
		     struct span args, host_done_fn *done, void *done_userdata);
	/* done will not run any more for this done_userdata. */
	void (*forget)(void *userdata, void *done_userdata);
	void *userdata;
};
