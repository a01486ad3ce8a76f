#include "loop/udp_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	SLOTS = 16,                     /* receive buffers shared by all sockets of a loop */
	SLOT_LEN = 65536,               /* GRO needs all of it */
	TURN_PACKETS_MAX = 512,         /* then timers and other sockets have their turn */
	SOCKET_BUFFER = 4 << 20,
};

static void set_int(int fd, int level, int name, int value)
{
	/* Best effort: what these give is speed or precision, not function. */
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

static void set_buffers(int fd)
{
	int size = SOCKET_BUFFER;

	/* The forced form passes rmem_max and wmem_max, for those who may. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		set_int(fd, SOL_SOCKET, SO_SNDBUF, size);
}

static void set_options(int fd, int family)
{
	set_buffers(fd);
	set_int(fd, IPPROTO_UDP, UDP_GRO, 1);

	/* RFC 9000 14: never fragmented; and no cached path MTU that a forged ICMP could set. */
	set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	if (family == AF_INET6)
		set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
}

static int open_bound(int family, const struct addr *bind_to)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, bind_to, family);
	const int off = 0;

	if (family == AF_INET && !addr_is_v4(bind_to) && !addr_is_any(bind_to))
		return -EAFNOSUPPORT;
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&ss, len) < 0)
		return -errno;
	return take_fd(fd);
}

static int open_socket(const struct addr *bind_to, int *ret_family)
{
	int fd = open_bound(AF_INET6, bind_to);

	if (fd >= 0) {
		*ret_family = AF_INET6;
		return fd;
	}
	/* No IPv6 in this kernel, or switched off. */
	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) {
		int fd4 = open_bound(AF_INET, bind_to);

		if (fd4 >= 0)
			*ret_family = AF_INET;
		return fd4;
	}
	return fd;
}

/* The udp may be gone afterwards: then true. */
static bool call_turn(struct udp *u, const bool *freed)
{
	if (u->turn)
		u->turn(u->userdata);
	return *freed;
}

static size_t segment_len(struct msghdr *m, size_t len)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			int seg;

			memcpy(&seg, CMSG_DATA(c), sizeof seg);
			if (seg > 0 && (size_t)seg < len)
				return (size_t)seg;
		}
	}
	return len;
}

struct rx_slot {
	struct sockaddr_storage from;
	struct iovec iov;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
};

/* One recvmmsg. Returns the messages got, with their packets in *ret_packets;
 * or -1 if a callback freed the socket. */
static int receive_batch(struct udp *u, uint8_t *area, size_t *ret_packets, const bool *freed)
{
	struct rx_slot slots[SLOTS];
	struct mmsghdr mm[SLOTS];
	size_t packets = 0;
	int n;

	for (int i = 0; i < SLOTS; i++) {
		struct rx_slot *s = &slots[i];

		s->iov = (struct iovec){ area + (size_t)i * SLOT_LEN, SLOT_LEN };
		mm[i] = (struct mmsghdr){ .msg_hdr = {
			.msg_name = &s->from, .msg_namelen = sizeof s->from,
			.msg_iov = &s->iov, .msg_iovlen = 1,
			.msg_control = s->control.bytes, .msg_controllen = sizeof s->control.bytes,
		} };
	}
	do
		n = recvmmsg(u->fd, mm, SLOTS, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);

	for (int i = 0; i < n; i++) {
		struct span data = SPAN(slots[i].iov.iov_base, mm[i].msg_len);
		size_t seg = segment_len(&mm[i].msg_hdr, data.len);
		struct addr from;

		if (!data.len || addr_from_sockaddr(&from, (struct sockaddr *)&slots[i].from) < 0)
			continue;
		size_t count = (data.len + seg - 1) / seg;
		packets += count;
		u->stats.rx_packets += count;
		u->stats.rx_bytes += data.len;
		u->recv(u->userdata, &from, data, seg);
		if (*freed)
			return -1;
	}
	*ret_packets = packets;
	return MAX(n, 0);
}

static void receive(struct udp *u, const bool *freed)
{
	size_t total = 0, packets = 0;
	void *area;
	int n;

	if (loop_scratch(u->loop, (size_t)SLOTS * SLOT_LEN, &area) < 0)
		return;
	do {
		n = receive_batch(u, area, &packets, freed);
		if (n <= 0 || call_turn(u, freed))
			return;
		total += packets;
	} while (n == SLOTS && total < TURN_PACKETS_MAX);
}

static void on_io(void *userdata, unsigned events)
{
	struct udp *u = userdata;
	bool freed = false;

	u->freed = &freed;
	if ((events & LOOP_OUT) && u->want_out && udp_send_tail(u) != ERR_AGAIN) {
		u->want_out = false;
		if (source_events(u->io, LOOP_IN) < 0) {
			/* One more writable turn than needed. */
		}
		if (call_turn(u, &freed))
			return;
	}
	if (events & (LOOP_IN | LOOP_HUP)) {
		/* An error on the socket is cleared by reading. */
		receive(u, &freed);
		if (freed)
			return;
	}
	u->freed = NULL;
}

void udp_want_out(struct udp *u)
{
	if (!u->want_out && source_events(u->io, LOOP_IN | LOOP_OUT) >= 0)
		u->want_out = true;
}

/* What is known of a socket that somebody else has bound. */
static int adopt_socket(int fd, int *ret_family)
{
	int type, domain;
	socklen_t len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	len = sizeof domain;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return -errno;
	if (type != SOCK_DGRAM || (domain != AF_INET && domain != AF_INET6))
		return ERR_TYPE;
	*ret_family = domain;
	return 0;
}

int udp_open(struct udp **ret, struct loop *l, const struct udp_config *config)
{
	_cleanup_(udp_freep) struct udp *u = calloc(1, sizeof *u);
	_cleanup_close_ int opened = -1;
	int err, fd = config->fd;

	if (!u)
		return -ENOMEM;
	*u = (struct udp){ .loop = l, .fd = -1, .recv = config->recv, .turn = config->turn,
			   .userdata = config->userdata };

	if (fd >= 0)
		err = adopt_socket(fd, &u->family);
	else
		err = fd = opened = open_socket(&config->bind, &u->family);
	if (err < 0)
		return err;
	set_options(fd, u->family);

	err = loop_add_io(l, &u->io, fd, LOOP_IN, on_io, u);
	if (err < 0)
		return err;
	opened = -1;
	u->fd = fd;
	*ret = take(u);
	return 0;
}

void udp_free(struct udp *u)
{
	if (!u)
		return;
	if (u->freed)
		*u->freed = true;
	source_free(u->io);
	if (u->fd >= 0)
		close(u->fd);
	buf_done(&u->tail);
	free(u->queue);
	free(u);
}

int udp_local_addr(const struct udp *u, struct addr *ret)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	if (getsockname(u->fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	return addr_from_sockaddr(ret, (struct sockaddr *)&ss);
}

void udp_get_stats(const struct udp *u, struct udp_stats *ret)
{
	*ret = u->stats;
}
