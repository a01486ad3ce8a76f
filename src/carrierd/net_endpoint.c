#include "carrierd/net_endpoint.h"

#include <errno.h>

#include "base/err.h"
#include "endpoint/endpoint.h"
#include "service/service.h"
#include "vault/settings.h"

struct net_endpoint {
	struct net *net;
	struct endpoint *endpoint;
	bool had_network;
	struct network_address network; /* published on */
};

/* ---- the endpoint's questions ---- */

struct question {
	struct net_endpoint *ne;
	endpoint_resolved_fn *done;
	void *userdata;
	uint16_t port;
};

static void on_resolved(void *userdata, int err, const struct addr *addrs, size_t len)
{
	enum { MAX = 16 };
	struct question *q = userdata;
	struct addr with_port[MAX];

	len = MIN(len, (size_t)MAX);
	for (size_t i = 0; i < len; i++) {
		with_port[i] = addrs[i];
		with_port[i].port = q->port;
	}
	q->done(q->userdata, err, with_port, len);
	free(q);
}

static void on_resolve(void *userdata, const char *host, uint16_t port, endpoint_resolved_fn *done, void *done_userdata)
{
	struct net_endpoint *ne = userdata;
	struct question *q = malloc(sizeof *q);
	int err = -ENOMEM;

	if (q) {
		*q = (struct question){ .ne = ne, .done = done, .userdata = done_userdata, .port = port };
		err = net_resolve(ne->net, host, on_resolved, q);
	}
	if (err < 0) {
		free(q);
		done(done_userdata, err, NULL, 0);
	}
}

static bool on_admit(void *userdata, const struct identity *who)
{
	struct net_endpoint *ne = userdata;
	const struct services_config *c = services_config(ne->net->services);

	return auth_admits(ne->net->auth, who, c->unix_time());
}

static void on_stream(void *userdata, struct peer *p, struct stream *s, const struct headers *h, bool early)
{
	struct net_endpoint *ne = userdata;

	services_accept(ne->net->services, peer_identity(p), s, h, early);
}

static int on_prove(void *userdata, size_t i, enum network_role role, const struct identity *broker,
		    const uint8_t nonce[static NETWORK_NONCE_LEN], struct network_address *ret_network,
		    uint8_t ret_proof[static NETWORK_PROOF_LEN])
{
	struct net *n = ((struct net_endpoint *)userdata)->net;

	if (i || !n->has_network)
		return -ENOENT;
	*ret_network = n->network;
	return keys_client_prove(&n->keys, role, broker, nonce, ret_proof);
}

/* What the quickstart book prints when a broker has taken us. */
static void on_broker(void *userdata, const struct broker_line *b, enum endpoint_broker_state state, int err,
		      const char *detail)
{
	struct net_endpoint *ne = userdata;
	const struct log_sink *log = &ne->net->log;
	char id[IDENTITY_STR_MAX];

	identity_format(id, &b->id);
	switch (state) {
	case BROKER_TRYING:
		log_to(log, LOG_INFO, "endpoint", "via udp");
		break;
	case BROKER_REGISTERED:
		log_to(log, LOG_INFO, "endpoint", "broker: %s", id);
		log_to(log, LOG_INFO, "endpoint", "[:status = 200, ]");
		break;
	case BROKER_LOST:
		log_to(log, LOG_WARN, "endpoint", "lost broker %s:%u: %s; registering again", b->host, b->port, detail);
		break;
	case BROKER_SUPERSEDED:
		log_to(log, LOG_ERROR, "endpoint", "broker %s:%u: %s; stop one of the two, or give this one its own identity "
		       "with 'carrier reset --new-key'", b->host, b->port, detail);
		break;
	case BROKER_FAILED:
		if (err == ERR_DENIED)
			log_to(log, LOG_ERROR, "endpoint", "broker %s:%u refuses us: %s", b->host, b->port, detail);
		else
			log_to(log, LOG_WARN, "endpoint", "broker %s:%u: %s%s%s; trying again", b->host, b->port, err_text(err),
			       detail[0] ? ": " : "", detail);
		break;
	}
}

/* ---- life ---- */

static void remember_network(struct net_endpoint *ne)
{
	ne->had_network = ne->net->has_network;
	ne->network = ne->net->network;
}

int net_endpoint_new(struct net_endpoint **ret, struct net *n, const struct settings *settings, int udp_fd)
{
	_cleanup_(net_endpoint_freep) struct net_endpoint *ne = calloc(1, sizeof *ne);
	char id[IDENTITY_STR_MAX];

	if (!ne)
		return -ENOMEM;
	ne->net = n;
	struct endpoint_config config = {
		.loop = n->loop, .vault = n->vault, .log = &n->log, .fd = udp_fd, .brokers = settings->brokers,
		.brokers_len = settings->brokers_len, .keepalive = settings->keepalive, .userdata = ne,
		.resolve = on_resolve, .admit = on_admit, .stream = on_stream, .prove = on_prove, .broker_state = on_broker,
	};
	int err = endpoint_new(&ne->endpoint, &config);
	if (err < 0)
		return err;

	identity_format(id, &n->self);
	log_to(&n->log, LOG_INFO, "endpoint", "identity: %s", id);
	if (!settings->brokers_len)
		log_to(&n->log, LOG_WARN, "endpoint", "no broker is configured: only who knows the address can reach us");
	remember_network(ne);
	endpoint_publish(ne->endpoint);
	*ret = take(ne);
	return 0;
}

void net_endpoint_reload(struct net_endpoint *ne, const struct settings *settings)
{
	const struct net *n = ne->net;

	if (endpoint_set_brokers(ne->endpoint, settings->brokers, settings->brokers_len) < 0)
		log_to(&n->log, LOG_ERROR, "endpoint", "the new brokers are not in use: restart");
	if (ne->had_network != n->has_network || memcmp(&ne->network, &n->network, sizeof n->network)) {
		remember_network(ne);
		endpoint_republish(ne->endpoint);
	}
	endpoint_recheck(ne->endpoint);
}

void net_endpoint_free(struct net_endpoint *ne)
{
	if (!ne)
		return;
	endpoint_free(ne->endpoint);
	free(ne);
}
