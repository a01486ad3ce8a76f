#include "loop/sim_internal.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

/* loop_new() has no argument that could say where it is. */
static _Thread_local struct sim_host *current;

struct sim_host *sim_current(void) { return current; }
void sim_enter(struct sim_host *h) { current = h; }

int sim_new(struct sim **ret, uint64_t seed)
{
	struct sim *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->now = SECONDS(1000);         /* not zero, which code may take for "unset" */
	s->rng = seed;
	s->link.latency = MILLIS(10);
	list_init(&s->hosts);
	list_init(&s->nats);
	*ret = s;
	return 0;
}

static void host_free(struct sim_host *h)
{
	struct loop *l;

	sim_crash(h);
	list_for_each(l, &h->loops, by_host) {
		list_del(&l->by_host);
		l->sim = NULL;
		l->host = NULL;
	}
	for (size_t i = 0; i < h->out_len; i++)
		free(h->out[i]);
	free(h->out);
	if (current == h)
		current = NULL;
	free(h);
}

void sim_free(struct sim *s)
{
	struct sim_event *e;
	struct sim_host *h;
	struct sim_nat *n;

	if (!s)
		return;
	list_for_each(h, &s->hosts, by_sim)
		host_free(h);
	list_for_each(n, &s->nats, by_sim)
		sim_nat_free(n);
	while ((e = sim_queue_min(&s->queue))) {
		sim_queue_del(&s->queue, e);
		if (e->drop)
			e->drop(e);
	}
	free(s->queue.events);
	free(s);
}

/* ---- chance: splitmix64 ---- */

static uint64_t scramble(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t sim_random(struct sim *s)
{
	return scramble(s->rng += 0x9e3779b97f4a7c15u);
}

uint64_t sim_below(struct sim *s, uint64_t n)
{
	return n ? sim_random(s) % n : 0;
}

bool sim_chance(struct sim *s, unsigned parts)
{
	return parts && sim_below(s, SIM_MILLION) < parts;
}

void sim_mix(struct sim *s, uint64_t value)
{
	s->trace = scramble(s->trace + 0x9e3779b97f4a7c15u + value);
}

void sim_mix_bytes(struct sim *s, struct span bytes)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < bytes.len; i++)
		h = (h ^ bytes.data[i]) * 0x100000001b3u;
	sim_mix(s, h);
}

uint64_t sim_trace(const struct sim *s) { return s->trace; }

/* ---- time ---- */

tstamp sim_now(const struct sim *s) { return s->now; }

int sim_step(struct sim *s)
{
	struct sim_event *e = sim_queue_min(&s->queue);
	struct sim_host *before = current;

	if (e->at > s->now) {
		s->now = e->at;
		s->still = 0;
	}
	if (++s->still > SIM_STILL_MAX)
		return ERR_LIMIT;
	sim_queue_del(&s->queue, e);
	sim_mix(s, s->now);
	sim_mix(s, e->tag);
	s->running = true;
	e->run(e);
	s->running = false;
	current = before;
	return 0;
}

int sim_run_until(struct sim *s, tstamp until)
{
	struct sim_event *e;

	if (s->running)
		return ERR_STATE;
	while ((e = sim_queue_min(&s->queue)) && e->at <= until) {
		int err = sim_step(s);
		if (err < 0)
			return err;
	}
	if (until > s->now && until != TSTAMP_NEVER) {
		s->now = until;
		s->still = 0;
	}
	return 0;
}

int sim_run_while(struct sim *s, bool (*more)(void *userdata), void *userdata, tstamp deadline)
{
	if (s->running)
		return ERR_STATE;
	while (more(userdata)) {
		struct sim_event *e = sim_queue_min(&s->queue);
		int err;

		if (!e || e->at > deadline) {
			err = sim_run_until(s, deadline);
			return err < 0 ? err : ERR_TIMEOUT;
		}
		err = sim_step(s);
		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- hosts ---- */

int sim_parse_ip(struct addr *ret, const char *ip, size_t len)
{
	char text[ADDR_STR_MAX];
	bool v6 = memchr(ip, ':', len);

	if (len + 5 > sizeof text)
		return ERR_PARSE;
	text[0] = '[';
	memcpy(text + v6, ip, len);
	strcpy(text + v6 + len, v6 ? "]:0" : ":0");
	return addr_parse(ret, text);
}

int sim_readdress(struct sim_host *h, const char *ips)
{
	struct addr addrs[SIM_ADDRS_MAX];
	size_t n = 0;

	while (*ips) {
		size_t len = strcspn(ips, " ");

		if (len) {
			if (n == SIM_ADDRS_MAX)
				return ERR_LIMIT;
			int err = sim_parse_ip(&addrs[n++], ips, len);
			if (err < 0)
				return err;
		}
		ips += len + (ips[len] == ' ');
	}
	memcpy(h->addrs, addrs, n * sizeof *addrs);
	h->addrs_len = n;
	return 0;
}

int sim_host(struct sim *s, struct sim_host **ret, const char *name, const char *ips)
{
	struct sim_host *h = calloc(1, sizeof *h);
	int err;

	if (!h)
		return -ENOMEM;
	err = sim_readdress(h, ips);
	if (err < 0) {
		free(h);
		return err;
	}
	h->sim = s;
	h->name = name;
	h->index = s->hosts_len++;
	h->next_port = 40000;
	list_init(&h->loops);
	list_init(&h->sockets);
	list_init(&h->by_sim);
	list_add_tail(&s->hosts, &h->by_sim);
	*ret = h;
	return 0;
}

bool sim_host_has(const struct sim_host *h, const struct addr *a)
{
	for (size_t i = 0; i < h->addrs_len; i++)
		if (!memcmp(h->addrs[i].ip, a->ip, sizeof a->ip))
			return true;
	return false;
}

void sim_crash(struct sim_host *h)
{
	struct loop *l;

	list_for_each(l, &h->loops, by_host)
		sim_loop_kill(l);
	h->crashed = true;
}

void sim_restart(struct sim_host *h) { h->crashed = false; }
void sim_attach(struct sim_host *h, struct sim_nat *nat) { h->nat = nat; }
void sim_set_again(struct sim_host *h, unsigned chance) { h->again = chance; }

void sim_host_counters(const struct sim_host *h, struct sim_counters *ret)
{
	*ret = h->counters;
}
