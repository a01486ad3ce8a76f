/* carrier.toml as the program uses it: one table of keys, each with its type,
 * default and limits; a wrong value is an error with its line, an unknown key none. */
#pragma once

#include "base/addr.h"
#include "vault/home.h"

/* "ID@host:port#TOKEN"; the token may be absent (an open broker). */
struct broker_line {
	struct identity id;
	char host[256];
	uint16_t port;
	char token[65];                 /* "" if none */
};
enum { BROKER_LINES_MAX = 16, NAME_MAX_LEN = 63, SERVICE_ENTRIES_MAX = 64, EXEC_ARGS_MAX = 32 };

/* ERR_PARSE and detail names what is wrong. */
int broker_line_parse(struct broker_line *ret, const char *text, struct text_error *detail) _must_check_;
void broker_line_format(struct buf *out, const struct broker_line *b);

struct service_entry {                  /* [[service]], or [[axons]] of the old generations */
	char *path;                     /* "/v2/myorg.mything.v1/whodis" */
	char *exec[EXEC_ARGS_MAX + 1];  /* or NULL first */
	char *socket;                   /* or NULL */
	char *user;                     /* run as; NULL: the agent's user */
	bool replay_safe;
};

enum claim_mode { CLAIM_OPEN, CLAIM_CODE };
enum address_policy { ADDRESS_DIRECT, ADDRESS_RELAY_ONLY };

struct settings {
	struct broker_line brokers[BROKER_LINES_MAX];   /* CARRIER_BROKERS (';' or space separated) overrides */
	size_t brokers_len;
	struct addr listen;             /* `port`, `listen`: default any, port 0 */
	unsigned keepalive;             /* seconds, 5..600, default 25 */
	enum claim_mode claim;          /* `claim = "open" | "code"` */
	char claim_hash[65];            /* hash of the code, hex; "": none */
	enum address_policy address;    /* `address = "direct" | "relay-only"` */
	struct service_entry services[SERVICE_ENTRIES_MAX];
	size_t services_len;
};

int settings_load(struct settings *ret, const struct home *h, struct home_error *error) _must_check_;
void settings_done(struct settings *s);

/* May *name* be an alias? Letters, digits, '.', '_', '-', first a letter or digit;
 * not a reserved word, nothing that looks like an identity. */
int name_check(const char *name, struct text_error *detail) _must_check_;

/* A TARGET as typed: an identity, an alias from [names] (or named.toml), either
 * with "@host:port" behind it for a known address, or "self". */
struct target {
	struct identity id;
	bool self, has_addr;
	char host[256];
	uint16_t port;
};
int target_parse(struct target *ret, const struct home *h, const struct identity *self,
		 const char *text, struct home_error *error) _must_check_;
