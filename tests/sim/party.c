/* One party: where it is, what it runs, how it moves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "world.h"

enum { NAME_DELAY_MAX = 400 };

/* ---- addresses ---- */

static void note_place(struct party *p, const char *ip)
{
	char text[ADDR_STR_MAX];
	struct addr a;

	snprintf(text, sizeof text, "%s:1", ip);
	if (addr_parse(&a, text) < 0 || p->places_len == PLACES_MAX) {
		world_fail(p->world, "%s: too many addresses", p->name);
		return;
	}
	a.port = 0;
	p->places[p->places_len++] = a;
}

bool party_is_at(const struct party *p, const struct addr *a)
{
	for (size_t i = 0; i < p->places_len; i++)
		if (!memcmp(p->places[i].ip, a->ip, sizeof a->ip))
			return true;
	return false;
}

/* Every address is given out once, so that bytes on the wire can be told apart. */
static void new_ip(struct party *p, bool inner, char out[static 32])
{
	unsigned n = ++p->world->addresses;

	snprintf(out, 32, inner ? "10.%u.%u.%u" : "198.%u.%u.%u", 20 + p->index, 30 + n / 200, 17 + n % 200);
	note_place(p, out);
}

/* ---- names ---- */

struct question {
	struct list entry;
	struct source *timer;
	struct addr answer;
	endpoint_resolved_fn *done;
	void *userdata;
};

static void on_answer(void *userdata, tstamp now)
{
	struct question *q = userdata;

	(void)now;
	list_del(&q->entry);
	source_free(q->timer);
	q->done(q->userdata, q->answer.port ? 0 : ERR_UNKNOWN, &q->answer, q->answer.port ? 1 : 0);
	free(q);
}

static void resolve(void *userdata, const char *host, uint16_t port, endpoint_resolved_fn *done, void *done_userdata)
{
	struct party *p = userdata;
	struct question *q = calloc(1, sizeof *q);

	for (size_t i = 0; i < p->world->parties_len; i++)
		if (!strcmp(host, p->world->parties[i]->name))
			q->answer = p->world->parties[i]->at;
	if (q->answer.port)
		q->answer.port = port;
	q->done = done;
	q->userdata = done_userdata;
	list_init(&q->entry);
	list_add_tail(&p->world->names, &q->entry);
	if (loop_add_timer(p->loop, &q->timer, on_answer, q) < 0 ||
	    source_arm(q->timer, loop_now(p->loop) + MILLIS(world_below(p->world, NAME_DELAY_MAX))) < 0)
		world_fail(p->world, "no timer for a name");
}

/* Answers come even when whoever asked has gone. */
void party_names_free(struct world *w)
{
	struct question *q;

	while ((q = list_first(&w->names, struct question, entry))) {
		list_del(&q->entry);
		source_free(q->timer);
		q->done(q->userdata, ERR_CLOSED, NULL, 0);
		free(q);
	}
}

/* ---- what endpoints ask ---- */

static int ticket_load(void *userdata, const char *alpn, const struct identity *peer, struct buf *out)
{
	struct party *p = userdata;
	bool to_broker = !strcmp(alpn, TRANSPORT_ALPN_BROKER);

	for (size_t i = 0; i < TICKETS_MAX; i++) {
		struct ticket *t = &p->tickets[i];
		if (t->used && t->to_broker == to_broker && identity_equal(&t->peer, peer)) {
			buf_add(out, t->blob, t->len);
			return 0;
		}
	}
	return ERR_UNKNOWN;
}

static void ticket_save(void *userdata, const char *alpn, const struct identity *peer, struct span blob)
{
	struct party *p = userdata;
	bool to_broker = !strcmp(alpn, TRANSPORT_ALPN_BROKER);
	struct ticket *t = NULL;

	for (size_t i = 0; i < TICKETS_MAX && !t; i++)
		if (!p->tickets[i].used ||
		    (p->tickets[i].to_broker == to_broker && identity_equal(&p->tickets[i].peer, peer)))
			t = &p->tickets[i];
	if (!t || blob.len > sizeof t->blob)
		return;
	t->used = true;
	t->to_broker = to_broker;
	t->peer = *peer;
	t->len = blob.len;
	memcpy(t->blob, blob.data, blob.len);
}

static bool admit(void *userdata, const struct identity *who)
{
	struct party *p = userdata;
	bool yes = auth_admits(p->auth, who, AUTH_TIME_UNKNOWN);
	unsigned who_bit = 0;

	for (size_t i = 0; i < p->world->parties_len; i++)
		if (identity_equal(who, &p->world->parties[i]->id))
			who_bit |= party_bit(p->world->parties[i]);
	if (yes && !(who_bit & p->allowed))
		world_fail(p->world, "%s: the rules admit somebody they do not name", p->name);
	if (yes)
		p->admitted |= who_bit;
	return yes;
}

static void on_stream(void *userdata, struct peer *p, struct stream *s, const struct headers *h, bool early)
{
	call_accept(userdata, p, s, h, early);
}

static int prove(void *userdata, size_t i, enum network_role role, const struct identity *broker,
		 const uint8_t nonce[static NETWORK_NONCE_LEN], struct network_address *ret_network,
		 uint8_t ret_proof[static NETWORK_PROOF_LEN])
{
	struct party *p = userdata;

	if (i || (role == NETWORK_PUBLISH && !p->member))
		return ERR_UNKNOWN;
	network_address_of(ret_network, &p->world->network);
	return network_prove(ret_proof, &p->world->network, role, &p->id, broker, nonce);
}

static void broker_state(void *userdata, const struct broker_line *b, enum endpoint_broker_state state, int err,
			 const char *detail)
{
	static const char *const names[] = { "trying", "registered", "lost", "superseded", "failed" };
	struct party *p = userdata;

	world_say(p->world, "%s: broker %s: %s %s %s", p->name, b->host, names[state], err ? err_name(err) : "", detail);
	for (size_t i = 0; i < p->world->options.brokers; i++)
		if (identity_equal(&b->id, &p->world->lines[i].id))
			p->registered[i] = state == BROKER_REGISTERED;
	p->superseded += state == BROKER_SUPERSEDED;
}

/* ---- starting ---- */

static void host_call(void *userdata, enum host_call what, const struct identity *caller, const char *path,
		      struct span args, host_done_fn *done, void *done_userdata)
{
	(void)userdata, (void)what, (void)caller, (void)path, (void)args;
	done(done_userdata, ERR_UNKNOWN, SPAN_NONE, NULL, 0);
}

static void host_forget(void *userdata, void *done_userdata) { (void)userdata, (void)done_userdata; }

static void start_services(struct party *p)
{
	struct services_config c = {
		.loop = p->loop, .auth = p->auth, .host = { host_call, host_forget, p }, .self = p->id,
	};

	world_must(p->world, services_new(&p->services, &c), "services");
	if (p->world->failed)
		return;
	world_must(p->world, services_add_builtin(p->services), "services");
	call_serve(p);
}

static void start_endpoint(struct party *p)
{
	struct world *w = p->world;
	struct endpoint_config c = {
		.loop = p->loop, .vault = p->vault, .fd = -1, .brokers = w->lines, .brokers_len = w->options.brokers,
		.keepalive = 25, .userdata = p, .resolve = resolve, .ticket_load = ticket_load, .ticket_save = ticket_save,
		.broker_state = broker_state, .prove = w->options.network ? prove : NULL,
	};

	if (p->kind == PARTY_DEVICE) {
		start_services(p);
		c.admit = admit;
		c.stream = on_stream;
	}
	world_must(w, endpoint_new(&p->endpoint, &c), "endpoint");
	if (p->kind == PARTY_DEVICE && !w->failed)
		endpoint_publish(p->endpoint);
}

static void start_broker(struct party *p)
{
	struct broker_config c = { .loop = p->loop, .vault = p->vault, .token = "sesame" };
	struct addr any = { .port = PORT };

	world_must(p->world, broker_new(&p->broker, &c), "broker");
	if (!p->world->failed)
		world_must(p->world, broker_listen(p->broker, &any, -1, NULL), "broker listens");
}

void party_start(struct party *p)
{
	if (p->loop || p->world->failed)
		return;
	world_say(p->world, "%s starts", p->name);
	sim_restart(p->host);
	sim_enter(p->host);
	world_must(p->world, loop_new(&p->loop), "loop");
	if (p->kind == PARTY_BROKER)
		start_broker(p);
	else
		start_endpoint(p);
	sim_enter(NULL);
}

void party_stop(struct party *p)
{
	if (!p->loop)
		return;
	world_say(p->world, "%s stops", p->name);
	calls_forget(p);
	party_unsubscribe(p);
	endpoint_free(take(p->endpoint));
	services_free(take(p->services));
	broker_free(take(p->broker));
	loop_free(take(p->loop));
	memset(p->registered, 0, sizeof p->registered);
}

void party_crash(struct party *p)
{
	if (!p->loop)
		return;
	world_say(p->world, "%s crashes", p->name);
	sim_crash(p->host);
	party_stop(p);
}

/* ---- moving ---- */

void party_roam(struct party *p)
{
	char ip[32];

	new_ip(p, p->nat, ip);
	world_say(p->world, "%s is at %s now", p->name, ip);
	world_must(p->world, sim_readdress(p->host, ip), "roaming");
}

void party_rebind(struct party *p, bool other_address)
{
	char ip[32];

	if (!p->nat)
		return;
	if (other_address)
		new_ip(p, false, ip);
	world_say(p->world, "the NAT of %s forgets%s%s", p->name, other_address ? ", now at " : "", other_address ? ip : "");
	world_must(p->world, sim_nat_reset(p->nat, other_address ? ip : NULL), "NAT");
}

/* ---- networks ---- */

static void on_member(void *userdata, const struct identity *who, bool joined)
{
	struct party *p = userdata;
	unsigned bit = 0;

	for (size_t i = 0; i < p->world->parties_len && !bit; i++)
		if (p->world->parties[i]->kind == PARTY_DEVICE && identity_equal(who, &p->world->parties[i]->id))
			bit = party_bit(p->world->parties[i]);
	if (!bit) {
		world_fail(p->world, "%s: a member of the network that does not exist", p->name);
		return;
	}
	world_say(p->world, "%s sees %s of %u", p->name, joined ? "joining" : "leaving", (unsigned)__builtin_ctz(bit));
	if (!!(p->members & bit) == joined)
		world_fail(p->world, "%s: told twice of one %s", p->name, joined ? "joining" : "leaving");
	p->members = joined ? p->members | bit : p->members & ~bit;
}

static void on_members_state(void *userdata, int err, const char *detail)
{
	struct party *p = userdata;

	world_say(p->world, "%s: network: %s %s", p->name, err ? err_name(err) : "complete", detail);
	if (err == ERR_DENIED)
		world_fail(p->world, "%s: a member is refused", p->name);
}

void party_subscribe(struct party *p)
{
	static const struct subscription_handler handler = { .event = on_member, .state = on_members_state };

	if (!p->endpoint || p->subscription || !p->world->options.network)
		return;
	world_must(p->world, endpoint_subscribe(p->endpoint, &handler, p, &p->subscription), "subscribe");
}

void party_unsubscribe(struct party *p)
{
	subscription_free(take(p->subscription));
	p->members = 0;
}

/* ---- rules ---- */

static void add_rule(struct party *device, const struct identity *who)
{
	struct auth_rule r = { .kind = AUTH_IDENTITY, .identity = *who, .path = (char *)(uintptr_t)"/sim/*" };

	world_must(device->world, auth_add(device->auth, NULL, &r), "rule");
}

void party_allow(struct party *device, const struct party *who)
{
	if (device->allowed & party_bit(who))
		return;
	device->allowed |= party_bit(who);
	add_rule(device, &who->id);
}

void party_forbid(struct party *device, const struct party *who)
{
	if (!(device->allowed & party_bit(who)))
		return;
	world_say(device->world, "%s forbids %s", device->name, who->name);
	device->allowed &= ~party_bit(who);
	world_must(device->world, auth_del(device->auth, NULL, &who->id, NULL, NULL, 0), "rule");
	if (device->endpoint)
		endpoint_recheck(device->endpoint);
}

/* ---- coming into being ---- */

static void place(struct party *p)
{
	struct world *w = p->world;
	char ip[32], outer[32];
	bool nat = p->kind != PARTY_BROKER && world_percent(w, w->options.nat);
	struct sim_nat_config c = { .ip = outer, .symmetric = w->options.symmetric };

	new_ip(p, nat, ip);
	world_must(w, sim_host(w->sim, &p->host, p->name, ip), "host");
	if (w->failed || !nat)
		return;
	new_ip(p, false, outer);
	world_must(w, sim_nat(w->sim, &p->nat, &c), "NAT");
	sim_attach(p->host, p->nat);
}

struct party *party_new(struct world *w, enum party_kind kind, const char *name, unsigned n, struct party *same)
{
	struct party *p = calloc(1, sizeof *p);

	if (!p || w->parties_len == PARTIES_MAX)
		abort();
	p->world = w;
	p->kind = kind;
	p->index = (unsigned)w->parties_len;
	p->same = same;
	snprintf(p->name, sizeof p->name, "%s%u", name, n);
	for (size_t i = 0; i < sizeof p->seed.b; i++)
		p->seed.b[i] = same ? same->seed.b[i] : (uint8_t)world_random(w);
	identity_of_seed(&p->id, &p->seed);
	world_must(w, vault_new_local(&p->vault, &p->seed, 1u << VAULT_TLS), "vault");
	w->parties[w->parties_len++] = p;
	place(p);
	p->at = p->places[0];
	p->at.port = PORT;
	p->member = true;
	if (kind == PARTY_DEVICE) {
		struct identity nobody = w->nobody;
		world_must(w, auth_new(&p->auth), "rules");
		if (!w->failed)
			add_rule(p, &nobody);   /* claimed: no rule at all would admit everybody once */
	}
	return p;
}
