/* An endpoint: opened from a configuration, driven by the caller's own poll loop. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "endpoint/lookup.h"
#include "endpoint/tickets.h"
#include "lib/internal.h"

enum { PASSPHRASE_MAX = 1024 };

const char *carrier_version(void) { return CARRIER_VERSION; }
size_t carrier_message_max(void) { return CARRIER_MESSAGE_MAX; }

_Static_assert((int)CARRIER_MESSAGE_MAX == (int)STREAM_MESSAGE_MAX, "the header stands alone");
_Static_assert((int)CARRIER_ID_LEN == (int)PUBLIC_KEY_LEN, "the header stands alone");
_Static_assert((int)CARRIER_ID_TEXT_MAX == (int)IDENTITY_STR_MAX, "the header stands alone");
_Static_assert((int)CARRIER_ADDRESS_TEXT_MAX == (int)ADDR_STR_MAX, "the header stands alone");
_Static_assert((int)CARRIER_LOG_DEBUG == (int)LOG_DEBUG, "the header stands alone");
_Static_assert((int)CARRIER_BROKER_FAILED == (int)BROKER_FAILED, "the header stands alone");
_Static_assert((int)CARRIER_RESET_REFUSED == (int)STREAM_CODE_REFUSED, "the header stands alone");

/* ---- what the endpoint asks for ---- */

static int on_ticket_load(void *userdata, const char *alpn, const struct identity *peer, struct buf *out)
{
	return tickets_load(&((struct carrier *)userdata)->home, alpn, peer, out);
}

static void on_ticket_save(void *userdata, const char *alpn, const struct identity *peer, struct span blob)
{
	tickets_save(&((struct carrier *)userdata)->home, alpn, peer, blob);
}

static int on_prove(void *userdata, size_t i, enum network_role role, const struct identity *broker,
		    const uint8_t nonce[static NETWORK_NONCE_LEN], struct network_address *ret_network,
		    uint8_t ret_proof[static NETWORK_PROOF_LEN])
{
	struct carrier *c = userdata;

	if (i || !c->has_network)
		return -ENOENT;
	network_address_of(ret_network, &c->network);
	return network_prove(ret_proof, &c->network, role, &c->self, broker, nonce);
}

static void on_broker(void *userdata, const struct broker_line *b, enum endpoint_broker_state state, int err,
		      const char *detail)
{
	struct carrier *c = userdata;
	char name[sizeof b->host + 8];

	snprintf(name, sizeof name, "%s:%u", b->host, b->port);
	if (c->options.broker)
		c->options.broker(c->options.userdata, name, (int)state, err, detail);
}

static void on_log(void *userdata, enum log_level level, const char *topic, const char *text)
{
	struct carrier *c = userdata;

	c->options.log(c->options.userdata, (int)level, topic, text);
}

/* ---- the end of a turn ---- */

static void on_sweep(void *userdata)
{
	struct carrier *c = userdata;
	struct carrier_stream *s;
	struct carrier_peer *p;

	if (c->publishing && !c->published)
		endpoint_publish(c->endpoint);
	c->published = c->publishing;
	if (c->recheck)
		endpoint_recheck(c->endpoint);
	c->recheck = false;
	while ((p = list_first(&c->closing, struct carrier_peer, entry)))
		peer_drop(p);
	while ((s = list_first(&c->resuming, struct carrier_stream, resume_entry)))
		stream_deliver(s);
}

/* ---- opening ---- */

static int on_passphrase(void *userdata, const char *prompt, struct buf *ret)
{
	struct carrier *c = userdata;
	uint8_t *room = buf_reserve(ret, PASSPHRASE_MAX);

	if (!room)
		return buf_err(ret);
	int n = c->options.passphrase(c->options.userdata, prompt, (char *)room, PASSPHRASE_MAX);
	if (n < 0 || n > PASSPHRASE_MAX)
		return n < 0 ? n : ERR_LENGTH;
	buf_added(ret, (size_t)n);
	return 0;
}

static int load_secret(struct carrier *c, struct home_error *error)
{
	struct sign_seed seed;

	int err = home_secret(&c->home, &seed, c->options.passphrase ? on_passphrase : NULL, c, error);
	if (err < 0)
		return err;
	identity_of_seed(&c->self, &seed);
	err = vault_new_local(&c->vault, &seed, 1u << VAULT_TLS);
	wipe(&seed, sizeof seed);
	return err;
}

static int load(struct carrier *c)
{
	struct home_error error = { "" };

	int err = home_open(&c->home, c->options.config, &error);
	if (err >= 0 && c->options.flags & CARRIER_OPEN_CREATE)
		err = home_setup(&c->home, &error);
	if (err >= 0)
		err = settings_load(&c->settings, &c->home, &error);
	if (err >= 0)
		err = load_secret(c, &error);
	if (err >= 0) {
		err = home_network(&c->home, &c->network, &error);
		c->has_network = err >= 0;
		err = err == -ENOENT ? 0 : err;
	}
	return err < 0 ? lib_fail(c, err, "%s", error.text) : 0;
}

static int copy_names(struct carrier *c)
{
	const char *from[] = { c->options.application, c->options.application_version };
	char **to[] = { &c->application, &c->application_version };

	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		if (from[i] && !(*to[i] = strdup(from[i])))
			return -ENOMEM;
	return 0;
}

static int start(struct carrier *c)
{
	struct endpoint_config config = {
		.vault = c->vault, .log = &c->log, .fd = -1,
		.brokers = c->settings.brokers, .brokers_len = c->settings.brokers_len, .keepalive = c->settings.keepalive,
		.userdata = c, .resolve = endpoint_lookup,
		.ticket_load = on_ticket_load, .ticket_save = on_ticket_save, .admit = publish_admits, .stream = publish_stream, .prove = on_prove,
		.broker_state = on_broker,
	};

	if (c->options.flags & CARRIER_OPEN_LISTEN)
		config.bind = c->settings.listen;
	int err = copy_names(c);
	if (err >= 0)
		err = loop_new(&c->loop);
	if (err >= 0)
		err = loop_add_defer(c->loop, &c->sweep, on_sweep, c);
	if (err >= 0)
		err = publish_new(c);
	if (err < 0)
		return err;
	config.loop = c->loop;
	err = endpoint_new(&c->endpoint, &config);
	return err < 0 && !c->detail[0] ? lib_fail(c, err, "no socket for the network") : err;
}

static int open_checked(struct carrier *c)
{
	const struct carrier_options *o = &c->options;

	if (o->flags & ~(CARRIER_OPEN_CREATE | CARRIER_OPEN_LISTEN) || o->reserved)
		return lib_fail(c, ERR_VERSION, "carrier_options ask for what this version does not know");
	c->log.line = o->log ? on_log : NULL;
	c->log.userdata = c;
	c->log.max = o->log_level < 0 ? LOG_ERROR : o->log_level > (int)LOG_DEBUG ? LOG_DEBUG : (enum log_level)o->log_level;
	int err = crypto_init();
	if (err >= 0)
		err = load(c);
	if (err >= 0)
		err = start(c);
	return err;
}

int carrier_open(const carrier_options *options, carrier **ret_c)
{
	struct carrier *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	list_init(&c->routes);
	list_init(&c->peers);
	list_init(&c->streams);
	list_init(&c->closing);
	list_init(&c->resuming);
	int err = options_read(&c->options, sizeof c->options, sizeof c->options, options);
	if (err >= 0)
		err = open_checked(c);
	if (err < 0) {
		if (c->options.detail && c->options.detail_size)
			snprintf(c->options.detail, c->options.detail_size, "%s", c->detail);
		carrier_close(c);
		return err;
	}
	c->options.config = c->options.detail = NULL;   /* only borrowed */
	*ret_c = c;
	return 0;
}

int carrier_close(carrier *c)
{
	struct carrier_stream *s;
	struct carrier_peer *p;

	if (!c)
		return 0;
	if (c->turning)
		return lib_fail(c, ERR_STATE, "not in a callback");
	c->options.broker = NULL;
	c->log.line = NULL;
	while ((s = list_first(&c->streams, struct carrier_stream, entry)))
		stream_drop(s, STREAM_CODE_CANCEL);
	while ((p = list_first(&c->peers, struct carrier_peer, entry)) ||
	       (p = list_first(&c->closing, struct carrier_peer, entry)))
		peer_drop(p);
	endpoint_free(c->endpoint);
	publish_free(c);
	source_free(c->sweep);
	loop_free(c->loop);
	vault_free(c->vault);
	settings_done(&c->settings);
	home_done(&c->home);
	wipe(&c->network, sizeof c->network);
	free(c->application);
	free(c->application_version);
	free(c);
	return 0;
}

/* ---- driving ---- */

int carrier_fd(carrier *c) { return loop_fd(c->loop); }

int carrier_dispatch(carrier *c, int timeout_ms)
{
	if (c->turning)
		return lib_fail(c, ERR_STATE, "not in a callback");
	c->turning = true;
	int err = loop_turn(c->loop, timeout_ms < 0 ? TSTAMP_NEVER : time_monotonic() + MILLIS(timeout_ms));
	c->turning = false;
	return err < 0 ? lib_fail(c, err, "%s", "") : err;
}

/* ---- facts ---- */

void carrier_identity(const carrier *c, carrier_id *ret_id)
{
	memcpy(ret_id->bytes, c->self.key, sizeof ret_id->bytes);
}

static int copy_text(char *out, size_t size, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > size)
		return ERR_LENGTH;
	memcpy(out, text, n);
	return 0;
}

int carrier_address(carrier *c, char *out, size_t size)
{
	char text[ADDR_STR_MAX];
	struct addr a;

	int err = endpoint_addr(c->endpoint, &a);
	if (err < 0)
		return lib_fail(c, err, "%s", "");
	addr_format(text, &a);
	err = copy_text(out, size, text);
	return err < 0 ? lib_fail(c, err, "%s", "") : 0;
}

int carrier_identity_text(const carrier_id *id, char *out, size_t size)
{
	char text[IDENTITY_STR_MAX];
	struct identity i;

	memcpy(i.key, id->bytes, sizeof i.key);
	identity_format(text, &i);
	return copy_text(out, size, text);
}

int carrier_identity_parse(const char *text, carrier_id *ret_id)
{
	struct identity i;

	int err = crypto_init();        /* no handle needs to be open */
	if (err >= 0)
		err = identity_parse(&i, text);
	if (err < 0)
		return err;
	memcpy(ret_id->bytes, i.key, sizeof ret_id->bytes);
	return 0;
}
