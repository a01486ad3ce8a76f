#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "broker/internal.h"
#include "transport/sim.h"

/* ---- chance ---- */

static uint64_t scramble(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t sodium_state;

static void seeded_buf(void *const p, const size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = scramble(sodium_state += 0x9e3779b97f4a7c15u);
		memcpy((uint8_t *)p + i, &v, MIN(n - i, sizeof v));
	}
}

static uint32_t seeded_random(void)
{
	uint32_t v;

	seeded_buf(&v, sizeof v);
	return v;
}

static const char *seeded_name(void) { return "seeded"; }

void world_seed(uint64_t seed)
{
	static struct randombytes_implementation seeded = {
		.implementation_name = seeded_name, .random = seeded_random, .buf = seeded_buf,
	};

	randombytes_set_implementation(&seeded);
	sodium_state = scramble(seed);
	transport_sim_seed(scramble(seed + 1));
}

uint64_t world_random(struct world *w) { return scramble(w->rng += 0x9e3779b97f4a7c15u); }
uint64_t world_below(struct world *w, uint64_t n) { return n ? world_random(w) % n : 0; }
bool world_percent(struct world *w, unsigned n) { return world_below(w, 100) < n; }

/* ---- talk ---- */

tstamp world_now(const struct world *w) { return sim_now(w->sim); }

void world_say(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->options.verbose)
		return;
	printf("%12.6f ", (double)world_now(w) * 1e-9);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	int n = snprintf(w->failure, sizeof w->failure, "at %.6f s: ", (double)world_now(w) * 1e-9);
	va_start(ap, fmt);
	vsnprintf(w->failure + n, sizeof w->failure - (size_t)n, fmt, ap);
	va_end(ap);
	world_say(w, "FAILED %s", w->failure);
}

void world_must(struct world *w, int err, const char *what)
{
	if (err < 0)
		world_fail(w, "%s: %s", what, err_name(err));
}

/* ---- time ---- */

struct waiting {
	struct world *world;
	bool (*reached)(struct world *w, void *userdata);
	void *userdata;
};

static bool go_on(void *userdata)
{
	struct waiting *x = userdata;

	return !x->world->failed && !(x->reached && x->reached(x->world, x->userdata));
}

bool world_wait(struct world *w, bool (*reached)(struct world *w, void *userdata), void *userdata, tstamp at_most)
{
	struct waiting x = { w, reached, userdata };
	int err = sim_run_while(w->sim, go_on, &x, world_now(w) + at_most);

	if (err < 0 && err != ERR_TIMEOUT)
		world_must(w, err, "the simulation");
	return err >= 0 && !w->failed;
}

void world_run(struct world *w, tstamp for_how_long) { (void)world_wait(w, NULL, NULL, for_how_long); }

/* ---- the parties ---- */

size_t party_count(const struct world *w, enum party_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < w->parties_len; i++)
		n += w->parties[i]->kind == kind;
	return n;
}

struct party *party_of(const struct world *w, enum party_kind kind, size_t nth)
{
	for (size_t i = 0; i < w->parties_len; i++)
		if (w->parties[i]->kind == kind && !nth--)
			return w->parties[i];
	return NULL;
}

struct party *party_random(struct world *w, enum party_kind kind)
{
	return party_of(w, kind, world_below(w, party_count(w, kind)));
}

static void make_parties(struct world *w)
{
	const struct world_options *o = &w->options;

	for (unsigned i = 0; i < o->brokers; i++) {
		struct party *p = party_new(w, PARTY_BROKER, "broker", i, NULL);
		struct broker_line *l = &w->lines[i];
		char text[ADDR_STR_MAX];

		addr_format(text, &p->at);
		*strchr(text, ':') = 0;
		*l = (struct broker_line){ .id = p->id, .port = PORT, .token = "sesame" };
		snprintf(l->host, sizeof l->host, "%s", o->slow_names ? p->name : text);
	}
	for (unsigned i = 0; i < o->devices; i++)
		party_new(w, PARTY_DEVICE, "device", i, NULL);
	for (unsigned i = 0; i < o->operators; i++)
		party_new(w, PARTY_OPERATOR, "operator", i, NULL);
	for (unsigned i = 0; i < o->strangers; i++)
		party_new(w, PARTY_STRANGER, "stranger", i, NULL);
	if (o->twin)
		party_new(w, PARTY_DEVICE, "twin", 0, party_of(w, PARTY_DEVICE, 0));
}

static void make_rules(struct world *w)
{
	for (size_t i = 0; i < w->parties_len; i++)
		for (size_t k = 0; k < w->parties_len; k++)
			if (w->parties[i]->kind == PARTY_DEVICE && w->parties[k]->kind == PARTY_OPERATOR)
				party_allow(w->parties[i], w->parties[k]);
}

/* ---- the world ---- */

int world_new(struct world **ret, const struct world_options *o)
{
	struct world *w = calloc(1, sizeof *w);
	struct sim_link link = {
		.latency = MILLIS(o->latency), .jitter = MILLIS(o->jitter), .loss = o->loss, .reorder = o->reorder,
		.duplicate = o->duplicate,
	};
	struct sign_seed seed;

	if (!w)
		return -1;
	world_seed(o->seed);
	w->options = *o;
	w->rng = scramble(o->seed + 2);
	list_init(&w->calls);
	list_init(&w->names);
	int err = sim_new(&w->sim, o->seed);
	if (err < 0) {
		free(w);
		return err;
	}
	sign_seed_new(&seed);
	identity_of_seed(&w->nobody, &seed);
	network_secret_new(&w->network);
	sim_link_default(w->sim, &link);
	watch_begin(w);
	make_parties(w);
	make_rules(w);
	for (size_t i = 0; i < w->parties_len; i++) {
		if (!w->parties[i]->same)
			party_start(w->parties[i]);
		sim_set_again(w->parties[i]->host, o->again);
	}
	*ret = w;
	return 0;
}

void world_end(struct world *w)
{
	for (size_t i = w->parties_len; i--;)
		party_stop(w->parties[i]);
	party_names_free(w);
	if (!w->failed)
		calls_check_end(w);
}

void world_free(struct world *w)
{
	watch_end();
	for (size_t i = w->parties_len; i--;) {
		party_stop(w->parties[i]);
		vault_free(w->parties[i]->vault);
		auth_free(w->parties[i]->auth);
		free(w->parties[i]);
	}
	party_names_free(w);
	calls_free(w);
	sim_free(w->sim);
	free(w);
}

/* ---- what must come true ---- */

static bool is_registered_at(const struct party *p, const struct party *broker, size_t n)
{
	struct record *r = broker->broker ? registry_find(broker->broker, &p->id) : NULL;

	return p->registered[n] && r && (party_is_at(p, &r->addr));
}

bool world_all_registered(struct world *w, void *unused)
{
	(void)unused;
	for (size_t i = 0; i < w->parties_len; i++)
		for (size_t n = 0; n < w->options.brokers; n++) {
			struct party *p = w->parties[i];
			if (p->kind == PARTY_DEVICE && p->loop && !is_registered_at(p, party_of(w, PARTY_BROKER, n), n))
				return false;
		}
	return true;
}

bool world_all_subscribed(struct world *w, void *unused)
{
	unsigned truth = 0;

	(void)unused;
	for (size_t i = 0; i < w->parties_len; i++)
		if (w->parties[i]->kind == PARTY_DEVICE && w->parties[i]->loop && w->parties[i]->member)
			truth |= party_bit(party_self(w->parties[i]));
	for (size_t i = 0; i < w->parties_len; i++)
		if (w->parties[i]->subscription && w->parties[i]->members != truth)
			return false;
	return true;
}

