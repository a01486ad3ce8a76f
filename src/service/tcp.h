/* A TCP connection of the device's, carried over a stream (docs/protocol/tcp.md):
 * raw bytes as messages, each direction ends for itself, a broken connection on one
 * side is a broken one on the other. The answering half is a row of the service table. */
#pragma once

#include "service/pump.h"

#define TCP_PATH "/v0/tcp"

enum { TCP_HOST_MAX = 253, TCP_ERROR_MAX = 160, TCP_MESSAGE_MAX = 64 << 10 };

/* Two descriptors, or two copies of one socket's, and a stream. */
struct tcp_pump {
	struct stream *stream;
	struct pump_in in;              /* stream to descriptor */
	struct pump_out out;            /* descriptor to stream */
	int socket;                     /* borrowed from out: to be broken off, -1: is none */
	bool over;                      /* given up: only closed() is still to come */
};

/* Takes both descriptors on success. The stream's events are then to be handed on. */
int tcp_pump_start(struct tcp_pump *p, struct loop *loop, struct stream *s, int read_fd, int write_fd) _must_check_;
void tcp_pump_message(struct tcp_pump *p, struct span m);
void tcp_pump_end(struct tcp_pump *p);
void tcp_pump_writable(struct tcp_pump *p);
/* broken: whoever is on the socket is to see a reset, not an end. */
void tcp_pump_done(struct tcp_pump *p, bool broken);

/* ---- the asking half ---- */
struct tcp_ops {
	void (*opened)(void *userdata);         /* the device has the connection; or NULL */
	/* Once, last. text: why the device has none, or NULL. */
	void (*done)(void *userdata, int err, const char *text);
};

struct tcp_client;
/* host NULL: the device's loopback. Takes both descriptors on success: two copies of an
 * accepted socket's (pump_dup()), or standard input and output. What is read leaves
 * with the request, nothing waits for the answer. */
int tcp_client_open(struct tcp_client **ret, struct streams *ss, struct loop *loop, const char *host, uint16_t port,
		    int read_fd, int write_fd, const struct tcp_ops *ops, void *userdata) _must_check_;
void tcp_client_cancel(struct tcp_client *c);
