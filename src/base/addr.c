#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && !memcmp(a->ip, b->ip, sizeof a->ip);
}

bool addr_is_v4(const struct addr *a)
{
	return !memcmp(a->ip, mapped, sizeof mapped);
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->ip, zero, 16) || (addr_is_v4(a) && !memcmp(a->ip + 12, zero, 4));
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return addr_is_v4(a) ? a->ip[12] == 127 : !memcmp(a->ip, one, 16);
}

int addr_parse(struct addr *ret, const char *text)
{
	char host[ADDR_STR_MAX];
	struct addr a = {};
	const char *colon = strrchr(text, ':');
	char *end;

	if (!colon || !colon[1] || colon[1] < '0' || colon[1] > '9')
		return ERR_PARSE;

	unsigned long port = strtoul(colon + 1, &end, 10);
	size_t n = (size_t)(colon - text);
	if (*end || port > 65535 || (colon[1] == '0' && colon[2]) || strlen(colon + 1) > 5 || n >= sizeof host)
		return ERR_PARSE;
	memcpy(host, text, n);
	host[n] = 0;

	if (host[0] == '[' && n > 2 && host[n - 1] == ']') {
		host[n - 1] = 0;
		if (inet_pton(AF_INET6, host + 1, a.ip) != 1)
			return ERR_PARSE;
	} else {
		memcpy(a.ip, mapped, sizeof mapped);
		if (inet_pton(AF_INET, host, a.ip + 12) != 1)
			return ERR_PARSE;
	}
	a.port = (uint16_t)port;
	*ret = a;
	return 0;
}

void addr_format(char out[static ADDR_STR_MAX], const struct addr *a)
{
	char ip[INET6_ADDRSTRLEN];

	if (addr_is_v4(a))
		snprintf(out, ADDR_STR_MAX, "%s:%u", inet_ntop(AF_INET, a->ip + 12, ip, sizeof ip), a->port);
	else
		snprintf(out, ADDR_STR_MAX, "[%s]:%u", inet_ntop(AF_INET6, a->ip, ip, sizeof ip), a->port);
}

socklen_t addr_to_sockaddr(struct sockaddr_storage *out, const struct addr *a, int family)
{
	if (family == AF_INET) {
		struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(a->port) };

		memcpy(&sin.sin_addr, a->ip + 12, 4);
		memcpy(out, &sin, sizeof sin);
		return sizeof sin;
	}

	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };
	memcpy(&sin6.sin6_addr, a->ip, 16);
	memcpy(out, &sin6, sizeof sin6);
	return sizeof sin6;
}

int addr_from_sockaddr(struct addr *ret, const struct sockaddr *sa)
{
	struct addr a = {};

	if (sa->sa_family == AF_INET) {
		struct sockaddr_in sin;

		memcpy(&sin, sa, sizeof sin);
		memcpy(a.ip, mapped, sizeof mapped);
		memcpy(a.ip + 12, &sin.sin_addr, 4);
		a.port = ntohs(sin.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 sin6;

		memcpy(&sin6, sa, sizeof sin6);
		memcpy(a.ip, &sin6.sin6_addr, 16);
		a.port = ntohs(sin6.sin6_port);
	} else {
		return ERR_TYPE;
	}
	*ret = a;
	return 0;
}
