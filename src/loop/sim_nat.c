/* One NAT box: mappings for its inner sockets and who may answer them. */
#include "loop/sim_internal.h"

#include <errno.h>

#include "base/err.h"

enum { NAT_PORT_FIRST = 20000, NAT_PORTS = 40000, NAT_FILTERS_MAX = 4096 };

struct sim_filter {
	struct addr remote;
	tstamp last;
};

struct sim_mapping {
	struct addr inner, dest;        /* dest: of a symmetric NAT only */
	uint16_t port;
	tstamp last;
	struct sim_filter *filters;
	size_t len, cap;
};

static void forget(struct sim_nat *nat)
{
	for (size_t i = 0; i < nat->len; i++)
		free(nat->mappings[i].filters);
	nat->len = 0;
}

void sim_nat_free(struct sim_nat *nat)
{
	forget(nat);
	free(nat->mappings);
	free(nat);
}

int sim_nat(struct sim *s, struct sim_nat **ret, const struct sim_nat_config *config)
{
	struct sim_nat *nat = calloc(1, sizeof *nat);
	int err;

	if (!nat)
		return -ENOMEM;
	nat->sim = s;
	nat->timeout = config->timeout ? config->timeout : SECONDS(30);
	nat->symmetric = config->symmetric;
	nat->hairpin = config->hairpin;
	err = sim_nat_reset(nat, config->ip);
	if (err < 0) {
		sim_nat_free(nat);
		return err;
	}
	list_init(&nat->by_sim);
	list_add_tail(&s->nats, &nat->by_sim);
	*ret = nat;
	return 0;
}

int sim_nat_reset(struct sim_nat *nat, const char *ip)
{
	if (ip) {
		struct addr a;
		int err = sim_parse_ip(&a, ip, strlen(ip));

		if (err < 0)
			return err;
		if (!addr_is_v4(&a))
			return -EAFNOSUPPORT;
		nat->ip = a;
	}
	forget(nat);
	return 0;
}

static bool fresh(const struct sim_nat *nat, tstamp last)
{
	return nat->sim->now - last <= nat->timeout;
}

static struct sim_mapping *find_port(const struct sim_nat *nat, uint16_t port)
{
	for (size_t i = 0; i < nat->len; i++)
		if (nat->mappings[i].port == port && fresh(nat, nat->mappings[i].last))
			return &nat->mappings[i];
	return NULL;
}

static struct sim_mapping *find_inner(const struct sim_nat *nat, const struct addr *inner,
				      const struct addr *dest)
{
	for (size_t i = 0; i < nat->len; i++) {
		struct sim_mapping *m = &nat->mappings[i];

		if (addr_equal(&m->inner, inner) && (!nat->symmetric || addr_equal(&m->dest, dest)) &&
		    fresh(nat, m->last))
			return m;
	}
	return NULL;
}

static void drop_stale(struct sim_nat *nat)
{
	for (size_t i = 0; i < nat->len;) {
		if (fresh(nat, nat->mappings[i].last)) {
			i++;
			continue;
		}
		free(nat->mappings[i].filters);
		nat->mappings[i] = nat->mappings[--nat->len];
	}
}

static int add_mapping(struct sim_nat *nat, const struct addr *inner, const struct addr *dest,
		       struct sim_mapping **ret)
{
	uint16_t port;

	drop_stale(nat);
	if (nat->len == NAT_PORTS / 2)
		return ERR_LIMIT;
	if (nat->len == nat->cap) {
		size_t cap = nat->cap ? nat->cap * 2 : 8;
		struct sim_mapping *m = reallocarray(nat->mappings, cap, sizeof *m);

		if (!m)
			return -ENOMEM;
		nat->mappings = m;
		nat->cap = cap;
	}
	do
		port = (uint16_t)(NAT_PORT_FIRST + sim_below(nat->sim, NAT_PORTS));
	while (find_port(nat, port));
	nat->mappings[nat->len] = (struct sim_mapping){ .inner = *inner, .dest = *dest, .port = port };
	*ret = &nat->mappings[nat->len++];
	return 0;
}

static int permit(struct sim_mapping *m, const struct addr *remote, tstamp now)
{
	size_t at = 0;

	while (at < m->len && !addr_equal(&m->filters[at].remote, remote))
		at++;
	if (at == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 4;
		struct sim_filter *f;

		if (cap > NAT_FILTERS_MAX)
			return ERR_LIMIT;
		f = reallocarray(m->filters, cap, sizeof *f);
		if (!f)
			return -ENOMEM;
		m->filters = f;
		m->cap = cap;
	}
	m->len += at == m->len;
	m->filters[at] = (struct sim_filter){ *remote, now };
	return 0;
}

int sim_nat_out(struct sim_nat *nat, const struct addr *inner, const struct addr *dest, struct addr *ret)
{
	struct sim_mapping *m = find_inner(nat, inner, dest);
	int err;

	if (!m) {
		err = add_mapping(nat, inner, dest, &m);
		if (err < 0)
			return err;
	}
	m->last = nat->sim->now;
	err = permit(m, dest, m->last);
	if (err < 0)
		return err;
	*ret = nat->ip;
	ret->port = m->port;
	return 0;
}

bool sim_nat_peek(const struct sim_nat *nat, uint16_t port, struct addr *ret_inner)
{
	const struct sim_mapping *m = find_port(nat, port);

	if (!m)
		return false;
	*ret_inner = m->inner;
	return true;
}

bool sim_nat_in(const struct sim_nat *nat, const struct addr *from, uint16_t port, struct addr *ret_inner)
{
	const struct sim_mapping *m = find_port(nat, port);

	if (!m)
		return false;
	for (size_t i = 0; i < m->len; i++) {
		if (addr_equal(&m->filters[i].remote, from) && fresh(nat, m->filters[i].last)) {
			*ret_inner = m->inner;
			return true;
		}
	}
	return false;
}
