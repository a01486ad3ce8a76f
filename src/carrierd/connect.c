#include "carrierd/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/err.h"
#include "carrierd/lookup.h"
#include "carrierd/messages.h"
#include "wire/cbor.h"

struct connection {
	struct list link;
	struct monitor *monitor;
	uint32_t id;            /* of the request */
	struct lookup *lookup;
	struct addr addrs[RESOLVE_ADDRESSES_MAX];
	size_t addrs_len, next;
	uint16_t port;
	int fd, last_err;
	struct source *io, *timer;
};

static void connection_free(struct connection *c)
{
	list_del(&c->link);
	c->monitor->connections_len--;
	lookup_free(c->lookup);
	source_free(c->io);
	source_free(c->timer);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}
DEFINE_FREEP(struct connection *, connection_free)

void connections_free(struct monitor *m)
{
	struct connection *c;

	while ((c = list_first(&m->connections, struct connection, link)))
		connection_free(c);
}

static void finish(struct connection *c, int err)
{
	_cleanup_(reply_done) struct reply out = {};
	struct cbor_map map;

	if (err >= 0) {
		cbor_map_begin(&map, &out.body);
		cbor_map_end(&map);
		out.fds[out.fds_len++] = take_fd(c->fd);
	}
	monitor_answer(c->monitor, c->id, err, &out);
	connection_free(c);
}

static void try_next(struct connection *c);

static void on_connected(void *userdata, unsigned events)
{
	struct connection *c = userdata;
	int soerr = 0;
	socklen_t len = sizeof soerr;

	(void)events;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &soerr, &len) < 0)
		soerr = errno;
	source_free(take(c->io));
	if (!soerr) {
		finish(c, 0);
		return;
	}
	close(take_fd(c->fd));
	c->last_err = -soerr;
	try_next(c);
}

static int try_one(struct connection *c, const struct addr *a)
{
	int family = addr_is_v4(a) ? AF_INET : AF_INET6;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, a, family);
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS)
		return -errno;
	err = loop_add_io(c->monitor->loop, &c->io, fd, LOOP_OUT, on_connected, c);
	if (err < 0)
		return err;
	c->fd = take_fd(fd);
	return 0;
}

/* The addresses in order, each until it says no; the time is for all of them. */
static void try_next(struct connection *c)
{
	while (c->next < c->addrs_len) {
		struct addr a = c->addrs[c->next++];

		a.port = c->port;
		c->last_err = try_one(c, &a);
		if (c->last_err >= 0)
			return;
	}
	finish(c, c->last_err);
}

static void on_resolved(void *userdata, int err, const struct addr *addrs, size_t len)
{
	struct connection *c = userdata;

	c->lookup = NULL;
	if (err < 0) {
		finish(c, err);
		return;
	}
	memcpy(c->addrs, addrs, len * sizeof *addrs);
	c->addrs_len = len;
	try_next(c);
}

static void on_timeout(void *userdata, tstamp now)
{
	(void)now;
	finish(userdata, ERR_TIMEOUT);
}

static void put_numeric(struct connection *c, int family, const char *host)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	void *ip = family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr;

	if (inet_pton(family, host, ip) == 1 && addr_from_sockaddr(&c->addrs[c->addrs_len], sa) >= 0)
		c->addrs_len++;
}

/* "localhost" is this device whatever a resolver says (RFC 6761 6.3). */
static void put_known(struct connection *c, const char *host)
{
	bool local = !strcmp(host, "localhost");

	put_numeric(c, AF_INET, local ? "127.0.0.1" : host);
	put_numeric(c, AF_INET6, local ? "::1" : host);
}

static int start(struct monitor *m, uint32_t id, const char *host, uint16_t port)
{
	_cleanup_(connection_freep) struct connection *c = NULL;
	int err;

	if (m->connections_len >= CONNECTIONS_MAX)
		return ERR_LIMIT;
	c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	*c = (struct connection){ .monitor = m, .id = id, .port = port, .fd = -1, .last_err = ERR_UNKNOWN };
	list_add_tail(&m->connections, &c->link);
	m->connections_len++;
	if ((err = loop_add_timer(m->loop, &c->timer, on_timeout, c)) < 0 ||
	    (err = source_arm(c->timer, loop_now(m->loop) + SECONDS(CONNECT_SECONDS))) < 0)
		return err;

	put_known(c, host);
	if (!c->addrs_len) {
		err = lookup_start(m, &c->lookup, host, on_resolved, c);
		if (err < 0)
			return err;
	}
	bool known = c->addrs_len;
	struct connection *own = take(c);
	if (known)
		try_next(own);  /* may answer and free it */
	return 0;
}

int answer_tcp(struct monitor *m, const struct request *rq, struct reply *out)
{
	struct cbor h = cbor_map_find(rq->args, "host"), p = cbor_map_find(rq->args, "port");
	char host[MESSAGE_HOST_MAX + 1] = "";
	const struct auth_rule *rule;

	(void)out;
	struct span text = cbor_text(&h);
	uint16_t port = (uint16_t)cbor_uint_max(&p, UINT16_MAX);
	if (h.err || p.err || !port || !text.len || text.len > MESSAGE_HOST_MAX || memchr(text.data, 0, text.len))
		return ERR_PARSE;
	memcpy(host, text.data, text.len);

	int err = permit_judge(m, &(struct auth_request){ .caller = rq->caller, .path = rq->path,
							  .tcp_host = host, .tcp_port = port }, &rule);
	if (err >= 0)
		err = start(m, rq->id, host, port);
	return err < 0 ? err : ANSWER_LATER;
}
