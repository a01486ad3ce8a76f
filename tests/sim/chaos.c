/* Faults at random, then healing; and what must come true again within its bound. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "world.h"

enum fault {
	F_PARTITION = 1, F_CRASH_BROKER = 2, F_CRASH_DEVICE = 4, F_CRASH_OPERATOR = 8, F_ROAM_DEVICE = 16,
	F_ROAM_OPERATOR = 32, F_NAT = 64, F_RULES = 128, F_TWIN = 256, F_REPUBLISH = 512, F_LEAVE = 1024,
	F_ALL = 2047, FAULTS = 11,
};

/* What a scenario fixes; 0 leaves it to the seed. */
struct plan {
	unsigned faults;
	unsigned brokers;
	unsigned loss_max;              /* percent */
	unsigned again_max;             /* percent */
	unsigned chaos;                 /* seconds; 0: 20 to 120 */
	bool quiet_network;             /* no loss, no reordering */
	bool long_messages, twin;
};

void options_print(const struct world_options *o)
{
	printf("  brokers %u, devices %u, operators %u, strangers %u; latency %u+%u ms, loss %.1f %%, reorder %.1f %%, "
	       "duplicate %.1f %%, again %.1f %%; NAT %u %%%s%s%s%s\n",
	       o->brokers, o->devices, o->operators, o->strangers, o->latency, o->jitter, o->loss / 1e4, o->reorder / 1e4,
	       o->duplicate / 1e4, o->again / 1e4, o->nat, o->symmetric ? " symmetric" : "",
	       o->network ? ", a network" : "", o->twin ? ", a twin" : "", o->slow_names ? ", slow names" : "");
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static struct world_options expand(uint64_t seed, const struct plan *p, bool verbose)
{
	uint64_t r[16];

	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		r[i] = mix(seed * 0x9e3779b97f4a7c15u + i);
	struct world_options o = {
		.seed = seed, .verbose = verbose, .brokers = p->brokers ? p->brokers : 1 + r[0] % 2,
		.devices = 1 + (unsigned)(r[1] % 3), .operators = 1 + (unsigned)(r[2] % 2), .strangers = r[3] % 2,
		.latency = 1 + (unsigned)(r[4] % 80), .jitter = (unsigned)(r[5] % 40), .nat = (unsigned)(r[6] % 3 * 50),
		.symmetric = r[7] % 2, .network = r[8] % 4 > 0, .slow_names = r[9] % 2,
		.twin = p->twin,
	};
	if (p->quiet_network)
		return o;
	o.loss = (unsigned)(r[10] % 3 ? r[10] / 3 % (p->loss_max * 10000 + 1) : 0);
	o.reorder = (unsigned)(r[11] % 2 ? r[11] / 2 % 200000 : 0);
	o.duplicate = (unsigned)(r[12] % 2 ? r[12] / 2 % 200000 : 0);
	o.again = (unsigned)(r[13] % 2 ? r[13] / 2 % (p->again_max * 10000 + 1) : 0);
	return o;
}

/* ---- faults ---- */

struct chaos {
	struct world *w;
	const struct plan *plan;
	tstamp back_at[PARTIES_MAX], parted_until[PARTIES_MAX][PARTIES_MAX];
};

static void part(struct chaos *x)
{
	struct world *w = x->w;
	struct party *a = w->parties[world_below(w, w->parties_len)], *b = w->parties[world_below(w, w->parties_len)];

	if (a == b || sim_partition(a->host, b->host, true) < 0)
		return;
	world_say(w, "%s and %s are parted", a->name, b->name);
	x->parted_until[a->index][b->index] = world_now(w) + SECONDS(1 + world_below(w, 30));
}

static void crash(struct chaos *x, enum party_kind kind)
{
	struct world *w = x->w;
	struct party *p = party_random(w, kind);

	if (!p || !p->loop || p->same)
		return;
	x->back_at[p->index] = world_now(w) + MILLIS(1 + world_below(w, world_percent(w, 50) ? 500 : 30000));
	if (world_percent(w, 80))
		party_crash(p);
	else
		party_stop(p);
}

static void withdraw(struct chaos *x)
{
	struct world *w = x->w;
	struct party *d = party_random(w, PARTY_DEVICE), *o = party_random(w, PARTY_OPERATOR);

	if (d->allowed & party_bit(o))
		party_forbid(d, o);
	else
		party_allow(d, o);
}

static void twin(struct chaos *x)
{
	struct party *t = x->w->parties[x->w->parties_len - 1];

	if (!t->same)
		return;
	if (t->loop)
		party_stop(t);
	else
		party_start(t);
}

static void leave_or_join(struct chaos *x)
{
	struct party *d = party_random(x->w, PARTY_DEVICE);

	if (!d->endpoint)
		return;
	d->member = !d->member;
	world_say(x->w, "%s %s the network", d->name, d->member ? "joins" : "leaves");
	endpoint_republish(d->endpoint);
}

static void republish(struct chaos *x)
{
	struct party *d = party_random(x->w, PARTY_DEVICE);

	if (d->endpoint)
		endpoint_republish(d->endpoint);
}

static void fault(struct chaos *x, enum fault f)
{
	struct world *w = x->w;

	w->count.faults++;
	switch (f) {
	case F_PARTITION: part(x); break;
	case F_CRASH_BROKER: crash(x, PARTY_BROKER); break;
	case F_CRASH_DEVICE: crash(x, PARTY_DEVICE); break;
	case F_CRASH_OPERATOR: crash(x, PARTY_OPERATOR); break;
	case F_ROAM_DEVICE: party_roam(party_random(w, PARTY_DEVICE)); break;
	case F_ROAM_OPERATOR: party_roam(party_random(w, PARTY_OPERATOR)); break;
	case F_NAT: party_rebind(w->parties[world_below(w, w->parties_len)], world_percent(w, 30)); break;
	case F_RULES: withdraw(x); break;
	case F_TWIN: twin(x); break;
	case F_REPUBLISH: republish(x); break;
	case F_LEAVE: leave_or_join(x); break;
	default: break;
	}
}

static void some_fault(struct chaos *x)
{
	enum fault f;

	if (!x->plan->faults)
		return;
	do
		f = 1u << world_below(x->w, FAULTS);
	while (!(x->plan->faults & f));
	fault(x, f);
}

/* ---- what people do ---- */

static void some_call(struct chaos *x)
{
	struct world *w = x->w;
	struct party *from = world_percent(w, 15) ? party_random(w, PARTY_STRANGER) : party_random(w, PARTY_OPERATOR);
	struct call_options o = {
		.direct = world_percent(w, 15), .early = world_percent(w, 30), .hang_up = world_percent(w, 15),
		.exchanges = (unsigned)world_below(w, EXCHANGES_MAX + 1), .messages = 1 + (unsigned)world_below(w, 20),
		.long_messages = x->plan->long_messages && world_percent(w, 50),
	};

	if (!from)
		return;
	struct party *to = party_random(w, PARTY_DEVICE);
	if (o.direct && (to->nat || to->same))
		o.direct = false;
	(void)call_start(from, to, &o);
}

static void some_hanging_up(struct chaos *x)
{
	struct call *c;

	list_for_each(c, &x->w->calls, entry)
		if (c->peer && world_percent(x->w, 20))
			call_hang_up(c);
}

static void some_subscription(struct chaos *x)
{
	struct party *o = party_random(x->w, PARTY_OPERATOR);

	if (o->subscription)
		party_unsubscribe(o);
	else
		party_subscribe(o);
}

static void act(struct chaos *x)
{
	uint64_t n = world_below(x->w, 100);

	if (n < 45)
		some_call(x);
	else if (n < 55)
		some_hanging_up(x);
	else if (n < 65)
		some_subscription(x);
	else
		some_fault(x);
}

static void mend(struct chaos *x)
{
	struct world *w = x->w;
	tstamp now = world_now(w);

	for (size_t i = 0; i < w->parties_len; i++) {
		if (x->back_at[i] && x->back_at[i] <= now) {
			x->back_at[i] = 0;
			party_start(w->parties[i]);
		}
		for (size_t k = 0; k < w->parties_len; k++)
			if (x->parted_until[i][k] && x->parted_until[i][k] <= now) {
				x->parted_until[i][k] = 0;
				if (sim_partition(w->parties[i]->host, w->parties[k]->host, false) < 0)
					world_fail(w, "no memory");
			}
	}
}

/* ---- afterwards ---- */

static void heal(struct world *w)
{
	struct sim_link clean = { .latency = MILLIS(w->options.latency) };

	world_say(w, "all is well again");
	sim_link_default(w->sim, &clean);
	for (size_t i = 0; i < w->parties_len; i++) {
		struct party *p = w->parties[i];
		for (size_t k = 0; k < w->parties_len; k++)
			if (k != i && sim_link(p->host, w->parties[k]->host, &clean) < 0)
				world_fail(w, "no memory");
		sim_set_again(p->host, 0);
		if (p->same)
			party_stop(p);
		else
			party_start(p);
	}
	for (size_t i = 0; i < w->parties_len; i++)
		for (size_t k = 0; k < w->parties_len; k++)
			if (w->parties[i]->kind == PARTY_DEVICE && w->parties[k]->kind == PARTY_OPERATOR)
				party_allow(w->parties[i], w->parties[k]);
}

static bool calls_are_over(struct world *w, void *first)
{
	struct call *c;

	list_for_each(c, &w->calls, entry)
		if (c->number >= *(uint64_t *)first && !call_is_over(w, c))
			return false;
	return true;
}

void world_all_dial(struct world *w)
{
	uint64_t first = w->calls_len + 1;
	struct call_options o = { .exchanges = 2, .messages = 3 };
	struct call *c;

	for (size_t i = 0; i < w->parties_len; i++)
		for (size_t k = 0; k < w->parties_len; k++)
			if (w->parties[i]->kind != PARTY_BROKER && w->parties[i]->kind != PARTY_DEVICE &&
			    w->parties[k]->kind == PARTY_DEVICE && !w->parties[k]->same)
				(void)call_start(w->parties[i], w->parties[k], &o);
	(void)world_wait(w, calls_are_over, &first, SECONDS(DIAL));
	list_for_each(c, &w->calls, entry) {
		if (c->number < first)
			continue;
		if (c->from->kind == PARTY_OPERATOR && !c->complete)
			world_fail(w, "%s does not reach %s within %d s: %s %s", c->from->name, c->to->name, DIAL,
				   c->err ? err_name(c->err) : "nothing", c->detail);
		if (c->from->kind == PARTY_STRANGER && c->err != ERR_REFUSED)
			world_fail(w, "%s is not refused by %s: %s", c->from->name, c->to->name,
				   c->err ? err_name(c->err) : "nothing");
		call_hang_up(c);
	}
}

void world_hang_up(struct world *w)
{
	struct call *c;

	list_for_each(c, &w->calls, entry)
		call_hang_up(c);
}

/* Wrong in `recovery` seconds' time would be wrong for good. */
void world_must_recover(struct world *w)
{
	tstamp end = world_now(w) + SECONDS(RECOVERY);

	if (!world_wait(w, world_all_registered, NULL, SECONDS(RECOVERY)))
		world_fail(w, "not every device is registered again after %d s", RECOVERY);
	if (w->options.network && !world_wait(w, world_all_subscribed, NULL, end - world_now(w)))
		world_fail(w, "not every subscriber knows all members after %d s", RECOVERY);
	world_run(w, end - world_now(w));
	if (!w->failed && (!world_all_registered(w, NULL) || (w->options.network && !world_all_subscribed(w, NULL))))
		world_fail(w, "what was right has become wrong again without a fault");
}

static struct world *chaos_run(uint64_t seed, const struct plan *plan, bool verbose)
{
	struct world_options o = expand(seed, plan, verbose);
	struct chaos x = { .plan = plan };

	if (world_new(&x.w, &o) < 0)
		return NULL;
	tstamp end = world_now(x.w) + SECONDS(plan->chaos ? plan->chaos : 20 + world_below(x.w, 100));
	while (world_now(x.w) < end && !x.w->failed) {
		world_run(x.w, MILLIS(10 + world_below(x.w, world_percent(x.w, 30) ? 8000 : 1000)));
		mend(&x);
		act(&x);
	}
	heal(x.w);
	world_hang_up(x.w);
	world_must_recover(x.w);
	world_all_dial(x.w);
	world_end(x.w);
	return x.w;
}

#define SCENARIO(fn, ...)                                                        \
	static void fn(uint64_t seed, bool verbose, struct world **ret)          \
	{                                                                        \
		static const struct plan plan = { __VA_ARGS__ };                 \
		*ret = chaos_run(seed, &plan, verbose);                          \
	}

SCENARIO(run_everything, .faults = F_ALL, .loss_max = 30, .again_max = 30)
SCENARIO(run_lossy, .loss_max = 30, .again_max = 10, .long_messages = true)
SCENARIO(run_crashes, .faults = F_CRASH_BROKER | F_CRASH_DEVICE | F_CRASH_OPERATOR, .loss_max = 5)
SCENARIO(run_roaming, .faults = F_ROAM_DEVICE | F_ROAM_OPERATOR | F_NAT, .loss_max = 5)
SCENARIO(run_partitions, .faults = F_PARTITION, .loss_max = 10)
SCENARIO(run_rules, .faults = F_RULES, .loss_max = 10, .again_max = 30)
SCENARIO(run_networks, .faults = F_REPUBLISH | F_LEAVE | F_CRASH_BROKER | F_CRASH_DEVICE | F_PARTITION, .loss_max = 10)
SCENARIO(run_twins, .faults = F_TWIN | F_PARTITION, .loss_max = 5, .twin = true)
SCENARIO(run_two_brokers, .faults = F_CRASH_BROKER | F_PARTITION, .brokers = 2, .loss_max = 10)
SCENARIO(run_clean, .quiet_network = true, .long_messages = true)

const struct scenario scenarios[] = {
	{ "everything", run_everything, true },
	{ "lossy", run_lossy, true },
	{ "crashes", run_crashes, true },
	{ "roaming", run_roaming, true },
	{ "partitions", run_partitions, true },
	{ "rules", run_rules, true },
	{ "networks", run_networks, true },
	{ "twins", run_twins, true },
	{ "two-brokers", run_two_brokers, true },
	{ "clean", run_clean, true },
	{},
};
