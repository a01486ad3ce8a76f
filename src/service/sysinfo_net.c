#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>

#include "service/sysinfo_internal.h"

enum { SYS_PATH_MAX = 128, SYS_LINE_MAX = 64 };

static bool read_attribute(const char *name, const char *attribute, char *out, size_t size)
{
	char path[SYS_PATH_MAX];

	snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, attribute);
	return sysinfo_read_line(path, out, size);
}

static void put_attributes(struct cbor_map *g, const char *name)
{
	char line[SYS_LINE_MAX];
	unsigned v;

	if (read_attribute(name, "mtu", line, sizeof line) && sscanf(line, "%9u", &v) == 1)
		cbor_map_uint(g, "mtu", v);
	if (read_attribute(name, "operstate", line, sizeof line))
		sysinfo_put_text(g, "state", SPAN_STR(line));
	/* Mbit/s; -1 without a link, an error where there is no such thing */
	if (read_attribute(name, "speed", line, sizeof line) && line[0] != '-' && sscanf(line, "%9u", &v) == 1)
		cbor_map_uint(g, "speed", v);
	if (read_attribute(name, "duplex", line, sizeof line))
		sysinfo_put_text(g, "duplex", SPAN_STR(line));
}

static void put_link(struct cbor_map *g, const struct ifaddrs *link)
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)link->ifa_addr;
	const struct rtnl_link_stats *stats = link->ifa_data;
	char mac[3 * 6];

	if (ll->sll_halen == 6) {
		const uint8_t *a = ll->sll_addr;
		snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
		cbor_map_str(g, "mac", mac);
	}
	if (!stats)
		return;
	cbor_map_uint(g, "rx_bytes", stats->rx_bytes);
	cbor_map_uint(g, "tx_bytes", stats->tx_bytes);
	cbor_map_uint(g, "rx_packets", stats->rx_packets);
	cbor_map_uint(g, "tx_packets", stats->tx_packets);
	cbor_map_uint(g, "rx_errors", stats->rx_errors);
	cbor_map_uint(g, "tx_errors", stats->tx_errors);
}

static const void *ip_of(const struct sockaddr *sa, size_t *ret_len)
{
	if (!sa || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return NULL;
	*ret_len = sa->sa_family == AF_INET ? 4 : 16;
	return sa->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr :
					  (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;
}

static unsigned prefix_of(const uint8_t *mask, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += (unsigned)__builtin_popcount(mask[i]);
	return n;
}

static void put_addr(struct buf *out, const struct ifaddrs *i)
{
	char text[INET6_ADDRSTRLEN];
	struct cbor_map g;
	const void *ip;
	size_t len;

	cbor_map_begin(&g, out);
	ip = ip_of(i->ifa_addr, &len);
	cbor_map_str(&g, "addr", inet_ntop(i->ifa_addr->sa_family, ip, text, sizeof text) ?: "");
	ip = ip_of(i->ifa_netmask, &len);
	if (ip)
		cbor_map_uint(&g, "prefix", prefix_of(ip, len));
	ip = i->ifa_flags & IFF_BROADCAST ? ip_of(i->ifa_broadaddr, &len) : NULL;
	if (ip && inet_ntop(i->ifa_broadaddr->sa_family, ip, text, sizeof text))
		cbor_map_str(&g, "broadcast", text);
	cbor_map_end(&g);
}

static void put_addrs(struct cbor_map *g, const struct ifaddrs *all, const char *name)
{
	_cleanup_buf_ struct buf items = { .max = SYSINFO_LEN_MAX };
	struct buf *out = cbor_map_key(g, "addrs");
	size_t n = 0, len;

	for (const struct ifaddrs *i = all; i && n < SYSINFO_ADDRS_MAX; i = i->ifa_next)
		if (!strcmp(i->ifa_name, name) && ip_of(i->ifa_addr, &len)) {
			put_addr(&items, i);
			n++;
		}
	cbor_put_array(out, n);
	buf_add_span(out, buf_span(&items));
}

static void put_device(struct buf *out, const struct ifaddrs *all, const struct ifaddrs *link)
{
	struct cbor_map g;

	cbor_map_begin(&g, out);
	sysinfo_put_text(&g, "name", SPAN_STR(link->ifa_name));
	cbor_map_bool(&g, "up", link->ifa_flags & IFF_UP);
	put_link(&g, link);
	put_attributes(&g, link->ifa_name);
	put_addrs(&g, all, link->ifa_name);
	cbor_map_end(&g);
}

void sysinfo_put_netdev(struct cbor_map *m)
{
	_cleanup_buf_ struct buf items = { .max = SYSINFO_LEN_MAX };
	struct ifaddrs *all;
	struct buf *out;
	size_t n = 0;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i && n < SYSINFO_NETDEV_MAX; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET) {
			put_device(&items, all, i);
			n++;
		}
	freeifaddrs(all);

	if (buf_err(&items) < 0)
		return;
	out = cbor_map_key(m, "netdev");
	cbor_put_array(out, n);
	buf_add_span(out, buf_span(&items));
}
