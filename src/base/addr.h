/* An IP address and a UDP or TCP port. IPv4 lives in the IPv4-mapped range of
 * IPv6 (RFC 4291 2.5.5.2), so that one socket and one comparison serve both. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/mem.h"

struct addr {
	uint8_t ip[16];
	uint16_t port;          /* host order */
};

enum { ADDR_STR_MAX = 64 };

bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_v4(const struct addr *a);
bool addr_is_any(const struct addr *a);
bool addr_is_loopback(const struct addr *a);

/* "203.0.113.9:8443", "[2001:db8::1]:8443"; numeric only, port required.
 * ERR_PARSE. */
int addr_parse(struct addr *ret, const char *text) _must_check_;
void addr_format(char out[static ADDR_STR_MAX], const struct addr *a);

/* As an AF_INET6 address; with family AF_INET an IPv4 one. */
socklen_t addr_to_sockaddr(struct sockaddr_storage *out, const struct addr *a, int family);
int addr_from_sockaddr(struct addr *ret, const struct sockaddr *sa) _must_check_;
