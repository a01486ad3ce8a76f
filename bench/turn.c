#include "turn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/span.h"
#include "base/time.h"
#include "bench.h"
#include "crypto/crypto.h"

enum {
	STUN_HEADER = 20, STUN_MAX = 548, ALLOCATE = 0x0003, CHANNEL_BIND = 0x0009, SUCCESS = 0x0100,
	ATTR_CHANNEL_NUMBER = 0x000c, ATTR_XOR_PEER_ADDRESS = 0x0012, ATTR_REQUESTED_TRANSPORT = 0x0019,
	ANSWER_MS = 500, TRIES = 10,
};
static const uint8_t cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Sends a request until its success comes: the server may still be starting. */
static int transact(int fd, unsigned type, struct span attributes)
{
	uint8_t m[STUN_MAX], in[2048];

	put16(m, type);
	put16(m + 2, (unsigned)attributes.len);
	memcpy(m + 4, cookie, sizeof cookie);
	random_bytes(m + 8, 12);
	memcpy(m + STUN_HEADER, attributes.data, attributes.len);
	for (int i = 0; i < TRIES; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		(void)send(fd, m, STUN_HEADER + attributes.len, 0);
		if (poll(&p, 1, ANSWER_MS) <= 0)
			continue;
		ssize_t n = recv(fd, in, sizeof in, MSG_DONTWAIT);
		if (n < STUN_HEADER || memcmp(in + 4, m + 4, 16)) {
			usleep(100000);         /* a refused port while it starts */
			continue;
		}
		return (unsigned)(in[0] << 8 | in[1]) == (type | SUCCESS) ? 0 : ERR_REFUSED;
	}
	return ERR_TIMEOUT;
}

int turn_open_channel(int fd, const struct addr *peer)
{
	uint8_t allocate[8] = {}, bind[20] = {};

	put16(allocate, ATTR_REQUESTED_TRANSPORT);
	put16(allocate + 2, 4);
	allocate[4] = 17;               /* UDP */
	int err = transact(fd, ALLOCATE, SPAN_OF(allocate));
	if (err < 0)
		return err;

	put16(bind, ATTR_CHANNEL_NUMBER);
	put16(bind + 2, 4);
	put16(bind + 4, TURN_CHANNEL);
	put16(bind + 8, ATTR_XOR_PEER_ADDRESS);
	put16(bind + 10, 8);
	bind[13] = 1;                   /* IPv4 */
	put16(bind + 14, peer->port ^ 0x2112u);
	for (int i = 0; i < 4; i++)
		bind[16 + i] = peer->ip[12 + i] ^ cookie[i];
	return transact(fd, CHANNEL_BIND, SPAN_OF(bind));
}

/* A port that was free a moment ago. */
static int free_port(struct addr *ret)
{
	struct sockaddr_storage ss;
	socklen_t len;
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM, 0);

	BENCH_CHECK(addr_parse(ret, "127.0.0.1:0"));
	len = addr_to_sockaddr(&ss, ret, AF_INET);
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, len) < 0 || getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	return addr_from_sockaddr(ret, (struct sockaddr *)&ss);
}

int turn_server_start(pid_t *ret, struct addr *ret_at, int core)
{
	char port[8];
	int err = free_port(ret_at);

	if (err < 0)
		return err;
	if (access("/usr/bin/turnserver", X_OK) < 0)
		return -ENOENT;
	snprintf(port, sizeof port, "%u", ret_at->port);
	pid_t pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bench_pin(core);
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execl("/usr/bin/turnserver", "turnserver", "-n", "-m", "1", "-p", port, "-L", "127.0.0.1", "-E", "127.0.0.1",
		      "--no-auth", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--no-tcp-relay", "--no-rfc5780",
		      "--allow-loopback-peers", "--no-stdout-log", "--log-file=/dev/null", "--pidfile=/dev/null", NULL);
		_exit(127);
	}
	*ret = pid;
	return pid < 0 ? -errno : 0;
}

void turn_server_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
