/* What a rule may constrain besides who, where and when: methods, TCP targets,
 * files, the user that work is done as. */
#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#include "auth/internal.h"
#include "base/addr.h"
#include "base/err.h"

enum { HOST_MAX = 253, METHOD_MAX = 31, ROOT_MAX = 1023, USER_MAX = 31 };

struct tcp_pattern {
	char host[HOST_MAX + 1];        /* "*": any */
	unsigned port;                  /* 0: any */
};

static bool port_parse(unsigned *ret, const char *text)
{
	unsigned v = 0;

	if (!strcmp(text, "*")) {
		*ret = 0;
		return true;
	}
	if (!*text || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned)(*text - '0');
	}
	*ret = v;
	return v > 0 && v <= UINT16_MAX;
}

static bool host_parse(char out[static HOST_MAX + 1], struct span s)
{
	bool bracketed = s.len > 2 && s.data[0] == '[' && s.data[s.len - 1] == ']';

	if (bracketed)
		s = SPAN(s.data + 1, s.len - 2);
	if (!s.len || s.len > HOST_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];
		if (c <= ' ' || c > '~' || strchr("/@#[]", c) || (c == ':' && !bracketed) ||
		    (c == '*' && s.len > 1))
			return false;
	}
	memcpy(out, s.data, s.len);
	out[s.len] = 0;
	return true;
}

static bool tcp_pattern_parse(struct tcp_pattern *ret, const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon && host_parse(ret->host, SPAN(text, colon - text)) && port_parse(&ret->port, colon + 1);
}

/* "localhost" means the IPv4 one, in rules and requests alike; other names stay names. */
static bool host_ip(struct addr *ret, const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	*ret = (struct addr){ 0 };
	if (!strcasecmp(host, "localhost"))
		host = "127.0.0.1";
	if (inet_pton(AF_INET6, host, &v6) == 1) {
		memcpy(ret->ip, &v6, sizeof v6);
		return true;
	}
	if (inet_pton(AF_INET, host, &v4) == 1) {
		ret->ip[10] = ret->ip[11] = 0xff;
		memcpy(ret->ip + 12, &v4, sizeof v4);
		return true;
	}
	return false;
}

static bool same_host(const char *a, const char *b)
{
	struct addr ia, ib;
	bool a_is_ip = host_ip(&ia, a), b_is_ip = host_ip(&ib, b);

	if (a_is_ip || b_is_ip)
		return a_is_ip && b_is_ip && addr_equal(&ia, &ib);
	return !strcasecmp(a, b);
}

bool auth_rule_allows_tcp(const struct auth_rule *r, const char *host, uint16_t port)
{
	struct addr ip;
	struct tcp_pattern p;

	if (!port)
		return false;
	if (!r->tcp_len)
		return host_ip(&ip, host) && addr_is_loopback(&ip);
	for (size_t i = 0; i < r->tcp_len; i++)
		if (tcp_pattern_parse(&p, r->tcp[i]) && (!p.port || p.port == port) &&
		    (!strcmp(p.host, "*") || same_host(p.host, host)))
			return true;
	return false;
}

const char *auth_rule_root(const struct auth_rule *r)
{
	if (r->root)
		return r->root;
	return !strcmp(r->path, "*") ? "/" : NULL;
}

static bool climbs(const char *file)
{
	for (const char *p = file; (p = strstr(p, "..")); p += 2)
		if ((p == file || p[-1] == '/') && (p[2] == '/' || !p[2]))
			return true;
	return false;
}

bool auth_rule_allows_file(const struct auth_rule *r, const char *file)
{
	const char *root = auth_rule_root(r);

	if (!root || !*file || climbs(file))
		return false;
	if (file[0] != '/' || !strcmp(root, "/"))
		return true;

	size_t n = strlen(root);
	while (n > 1 && root[n - 1] == '/')
		n--;
	return !strncmp(file, root, n) && (file[n] == '/' || !file[n]);
}

static bool is_method(const char *m)
{
	size_t n = strspn(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n && n <= METHOD_MAX && !m[n];
}

static bool is_user(const char *u)
{
	size_t n = strspn(u, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

	return n && n <= USER_MAX && !u[n] && u[0] != '-' && u[0] != '.';
}

static bool is_root(const char *root)
{
	return root[0] == '/' && strlen(root) <= ROOT_MAX && !climbs(root);
}

const char *auth_rule_fault(const struct auth_rule *r, const char **ret_key)
{
	struct tcp_pattern p;

	*ret_key = "resource";
	if (!r->path || auth_path_check(r->path) < 0)
		return "a resource is \"*\", a path such as /v0/shell, or a beginning of paths such as /v2/*";

	*ret_key = "methods";
	for (size_t i = 0; i < r->methods_len; i++)
		if (!is_method(r->methods[i]))
			return "a method is a word in capitals, such as GET";

	*ret_key = "tcp";
	for (size_t i = 0; i < r->tcp_len; i++)
		if (!tcp_pattern_parse(&p, r->tcp[i]))
			return "a tcp target is HOST:PORT, [IPV6]:PORT, and either may be *";

	*ret_key = "root";
	if (r->root && !is_root(r->root))
		return "a root is an absolute folder without \"..\"";

	*ret_key = "user";
	if (r->user && !is_user(r->user))
		return "this is no user name";

	*ret_key = "not_before";
	if (r->not_before < 0)
		return "a time is unix seconds or a date-time with a zone, after 1970";

	*ret_key = "expires";
	if (r->expires < 0)
		return "a time is unix seconds or a date-time with a zone, after 1970";
	if (r->expires && r->expires <= r->not_before)
		return "the rule would end before it begins";
	return NULL;
}
