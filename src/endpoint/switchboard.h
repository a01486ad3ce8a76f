/* Where connections meet the socket: one UDP socket, any number of connections found
 * by token, their streams, their timers. Knows nothing of brokers, rules or services:
 * whoever owns it says which Initials to accept and may look at each buffer first. */
#pragma once

#include "loop/udp.h"
#include "stream/stream.h"

struct switchboard;
struct conn;

enum { CONN_PATHS_MAX = 4, SWITCHBOARD_CONNS_MAX = 65536 };

/* Callbacks of one connection. `ended` is the last: streams are gone by then, the
 * conn itself goes when it returns. */
struct conn_ops {
	bool (*admit)(void *userdata, const struct identity *peer);     /* accepted connections only */
	void (*ready)(void *userdata, struct conn *c);
	void (*confirmed)(void *userdata, struct conn *c);
	void (*stream)(void *userdata, struct conn *c, struct stream *s, const struct headers *h, bool early);
	void (*ticket)(void *userdata, struct conn *c, struct span blob);
	/* Before a flush of a connection that is not ready yet, or that has heard nothing for
	 * a second while it had something to say: the place for knocks and route keep-alives. */
	void (*stalled)(void *userdata, struct conn *c);
	void (*ended)(void *userdata, struct conn *c, const struct transport_end *end);
};

struct conn_accept {
	const char *alpn;
	bool expect_peer;
	struct identity peer;
	const struct conn_ops *ops;
	void *userdata;
};

struct switchboard_config {
	struct loop *loop;
	struct addr bind;
	int fd;                                 /* a bound socket, or -1 */
	struct vault *vault;
	/* A first look at each buffer (relay, control datagrams); its segments are all QUIC or
	 * all not. True: taken. May be NULL. */
	bool (*raw)(void *userdata, const struct addr *from, struct span data, size_t seg_len);
	/* An Initial whose token nobody knows. Negative: drop it. */
	int (*accept)(void *userdata, const struct addr *from, const struct token *token, struct conn_accept *ret);
	/* After `accept` said yes: the connection stands. */
	void (*accepted)(void *userdata, struct conn *c);
	void (*turn)(void *userdata);           /* after each receive turn, before the flush; may be NULL */
	void *userdata;
};

int switchboard_new(struct switchboard **ret, const struct switchboard_config *config) _must_check_;
/* Closes what is open (one last flush), ends every connection with ERR_CLOSED. */
void switchboard_free(struct switchboard *sb);
DEFINE_FREEP(struct switchboard *, switchboard_free)
struct loop *switchboard_loop(const struct switchboard *sb);
struct udp *switchboard_udp(const struct switchboard *sb);
int switchboard_addr(const struct switchboard *sb, struct addr *ret) _must_check_;
size_t switchboard_len(const struct switchboard *sb);
bool switchboard_has(const struct switchboard *sb, const struct token *t);
void switchboard_send(struct switchboard *sb, const struct addr *to, struct span datagram);

struct conn_dial {
	struct addr to;
	const char *alpn;
	struct identity peer;
	struct token token, peer_token;
	struct span ticket;
	bool bbr;
	const struct conn_ops *ops;
	void *userdata;
};
int conn_dial(struct switchboard *sb, const struct conn_dial *d, struct conn **ret) _must_check_;
/* A dialled connection's first path leads elsewhere from now on: another relay. */
void conn_redirect(struct conn *c, const struct addr *to);
/* Ends in order: `ended` follows at the end of the turn. */
void conn_close(struct conn *c, uint64_t code, const char *reason);
/* The userdata is dying: no callback any more; the connection closes. */
void conn_forget(struct conn *c);

struct streams *conn_streams(const struct conn *c);
struct transport *conn_transport(const struct conn *c);
const struct identity *conn_peer(const struct conn *c);
struct addr conn_addr(const struct conn *c);            /* where packets go now */
void conn_set_userdata(struct conn *c, const struct conn_ops *ops, void *userdata);
