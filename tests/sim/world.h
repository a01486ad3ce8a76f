/* A world for the simulator: brokers, devices, operators and strangers on hosts of
 * their own, some behind NATs, running the shipping code over the simulated network
 * and transport. It knows the truth, who really is where and who was let in, and
 * fails at the first thing that contradicts it.
 *
 *   world.c   time, chance, and what must come true
 *   party.c   one party: start, crash, restart, roam, its rules
 *   call.c    dials and what is said over them, checked at both ends
 *   watch.c   the wire, and what brokers write: no address before admission
 *   chaos.c   randomised faults, then healing and what must hold again
 *   hostile.c a broker and a network that lie
 *   plain.c   single questions, without chance */
#pragma once

#include "broker/broker.h"
#include "endpoint/endpoint.h"
#include "loop/sim.h"
#include "service/service.h"

enum {
	PARTIES_MAX = 12, BROKERS_MAX = 2,
	PLACES_MAX = 256,               /* addresses that a party has ever had */
	TICKETS_MAX = 8,
	EXCHANGES_MAX = 4,              /* of one call */
	PORT = 8443,
	RECOVERY = 180, DIAL = 15,      /* seconds: what must be true after the faults have stopped */
};

enum party_kind { PARTY_BROKER, PARTY_DEVICE, PARTY_OPERATOR, PARTY_STRANGER };

struct ticket {
	bool used, to_broker;
	struct identity peer;
	uint8_t blob[TRANSPORT_TICKET_MAX];
	size_t len;
};

struct party {
	struct world *world;
	char name[24];
	unsigned index;
	enum party_kind kind;
	struct sign_seed seed;
	struct identity id;
	struct vault *vault;
	struct sim_host *host;
	struct sim_nat *nat;
	struct addr places[PLACES_MAX]; /* ports are zero */
	size_t places_len;
	struct loop *loop;              /* NULL: down */

	/* broker */
	struct broker *broker;
	struct addr at;

	/* everybody else */
	struct endpoint *endpoint;
	struct ticket tickets[TICKETS_MAX];
	struct party *same;             /* a twin: another place with this device's identity */

	/* device */
	struct auth *auth;
	struct services *services;
	bool registered[BROKERS_MAX], member;
	unsigned superseded;
	unsigned allowed, admitted;     /* parties, a bit each: the rules now; whom it has ever let in */

	/* operator */
	struct subscription *subscription;
	unsigned members;               /* parties, a bit each */
	unsigned calls_open;
};

struct world_options {
	uint64_t seed;
	unsigned brokers, devices, operators, strangers;
	unsigned loss, reorder, duplicate, again;       /* parts per million */
	unsigned latency, jitter;                       /* ms */
	unsigned nat;                   /* percent of endpoints behind a NAT */
	bool symmetric, network, twin, slow_names;
	bool verbose;
};

struct world {
	struct world_options options;
	struct sim *sim;
	uint64_t rng;                   /* of the scenario, not of the network */
	struct network_secret network;
	struct identity nobody;         /* has a rule everywhere and does not exist */
	struct party *parties[PARTIES_MAX];
	size_t parties_len;
	struct broker_line lines[BROKERS_MAX];
	struct list calls, names;       /* struct call.entry; questions about names, still open */
	uint64_t calls_len;
	unsigned addresses;             /* given out */
	sim_tap_fn *hook;               /* after the watch: a hostile network */
	void *hook_userdata;
	bool hostile;                   /* nothing need succeed while it lasts */
	bool failed;
	char failure[512];
	struct { uint64_t dials, dials_ok, exchanges, exchanges_ok, messages, early, datagrams, faults; } count;
};

/* ---- world.c ---- */
int world_new(struct world **ret, const struct world_options *o) _must_check_;
/* Ends everybody, then checks that every last call came exactly once. */
void world_end(struct world *w);
void world_free(struct world *w);
void world_fail(struct world *w, const char *fmt, ...) _printf_(2, 3);
void world_say(const struct world *w, const char *fmt, ...) _printf_(2, 3);
void world_must(struct world *w, int err, const char *what);
void world_seed(uint64_t seed);         /* of everything that asks for randomness */
uint64_t world_random(struct world *w);
uint64_t world_below(struct world *w, uint64_t n);
bool world_percent(struct world *w, unsigned n);
tstamp world_now(const struct world *w);
void world_run(struct world *w, tstamp for_how_long);
/* False: not within that time. */
bool world_wait(struct world *w, bool (*reached)(struct world *w, void *userdata), void *userdata, tstamp at_most);
bool world_all_registered(struct world *w, void *unused);
bool world_all_subscribed(struct world *w, void *unused);

struct party *party_of(const struct world *w, enum party_kind kind, size_t nth);
size_t party_count(const struct world *w, enum party_kind kind);
struct party *party_random(struct world *w, enum party_kind kind);
/* same: the party whose identity it has too, or NULL. */
struct party *party_new(struct world *w, enum party_kind kind, const char *name, unsigned n, struct party *same);
void party_names_free(struct world *w);
void party_start(struct party *p);
void party_stop(struct party *p);       /* in order */
void party_crash(struct party *p);
void party_roam(struct party *p);       /* to another address */
void party_rebind(struct party *p, bool other_address);         /* its NAT forgets */
void party_subscribe(struct party *p);
void party_unsubscribe(struct party *p);
/* The device's rules. */
void party_allow(struct party *device, const struct party *who);
void party_forbid(struct party *device, const struct party *who);
bool party_is_at(const struct party *p, const struct addr *a);
static inline unsigned party_bit(const struct party *p) { return 1u << p->index; }
/* A twin counts as its original. */
static inline const struct party *party_self(const struct party *p) { return p->same ? p->same : p; }

/* ---- call.c ---- */
struct exchange {
	struct call *call;
	uint64_t number;
	struct stream *stream;
	unsigned messages, sent, back;  /* how many; sent; came back */
	bool early, opened, closed, answered, complete, cancel;
	bool once;                      /* the service must see it once */
	unsigned served;                /* how often it was opened there */
	int err;
};

struct call_options {
	bool direct, early, hang_up;    /* at a known address; replay safe; peer_close() in a callback */
	unsigned exchanges, messages;
	bool long_messages;
};

struct call {
	struct list entry;
	struct world *world;
	uint64_t number;
	struct party *from, *to;
	struct call_options options;
	struct peer *peer;              /* NULL: over */
	bool ready, ended, complete;
	int err;
	char detail[128], host[64];
	tstamp began, done_at;
	struct exchange exchanges[EXCHANGES_MAX];
};

/* NULL: could not even begin. Lives as long as the world. */
struct call *call_start(struct party *from, struct party *to, const struct call_options *o);
/* One exchange more over a connection that stands. */
void call_talk(struct call *c);
void call_hang_up(struct call *c);
void calls_forget(struct party *from);  /* before its endpoint goes */
void calls_check_end(struct world *w);
void calls_free(struct world *w);
bool call_is_over(struct world *w, void *call);
/* A device's side: adds its services. */
void call_serve(struct party *device);
void call_accept(struct party *device, struct peer *p, struct stream *s, const struct headers *h, bool early);

/* ---- watch.c ---- */
void watch_begin(struct world *w);
void watch_end(void);

/* ---- chaos.c: after the faults ---- */
void world_hang_up(struct world *w);
void world_must_recover(struct world *w);
void world_all_dial(struct world *w);

/* ---- chaos.c, hostile.c, plain.c ---- */
struct scenario {
	const char *name;
	void (*run)(uint64_t seed, bool verbose, struct world **ret);
	bool many;                      /* worth many seeds */
};
extern const struct scenario scenarios[], hostile_scenarios[], plain_scenarios[];
void options_print(const struct world_options *o);
