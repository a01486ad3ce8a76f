#include "carrierd/net.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "carrierd/agent_test.h"
#include "carrierd/host_ipc.h"
#include "carrierd/messages.h"
#include "carrierd/net_config.h"
#include "carrierd/net_endpoint.h"
#include "carrierd/net_programs.h"
#include "carrierd/sandbox.h"
#include "service/service.h"
#include "wire/cbor.h"

static void log_line(void *userdata, enum log_level level, const char *topic, const char *text)
{
	struct net *n = userdata;
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 3);
	cbor_put_uint(&b, (uint64_t)level);
	cbor_put_str(&b, topic);
	cbor_put_str(&b, text);
	/* A line that cannot be sent is lost: there is nowhere to say so. */
	if (buf_err(&b) >= 0 && ipc_notify(n->monitor, MONITOR_LOG, buf_span(&b), NULL, 0) < 0)
		return;
}

/* ---- resolving ---- */

struct resolution {
	net_resolved_fn *done;
	void *userdata;
	struct list link;
};

static struct list resolutions = { &resolutions, &resolutions };

static int read_addresses(struct span body, struct addr out[static RESOLVE_ADDRESSES_MAX], size_t *ret_len)
{
	struct cbor c = CBOR(body);
	size_t n = cbor_array(&c, RESOLVE_ADDRESSES_MAX);

	for (size_t i = 0; i < n && !c.err; i++) {
		out[i] = (struct addr){};
		cbor_bytes_exact(&c, out[i].ip, sizeof out[i].ip);
	}
	*ret_len = n;
	return cbor_end(&c);
}

static void on_resolved(void *userdata, int err, struct ipc_message *reply)
{
	struct resolution *r = userdata;
	struct addr addrs[RESOLVE_ADDRESSES_MAX];
	size_t len = 0;

	list_del(&r->link);
	if (err >= 0)
		err = read_addresses(reply->body, addrs, &len);
	if (r->done)
		r->done(r->userdata, err, addrs, err < 0 ? 0 : len);
	free(r);
}

int net_resolve(struct net *n, const char *host, net_resolved_fn *done, void *userdata)
{
	_cleanup_buf_ struct buf rq = {};
	_cleanup_free_ struct resolution *r = malloc(sizeof *r);
	int err;

	cbor_put_str(&rq, host);
	if (!r || buf_err(&rq) < 0)
		return r ? buf_err(&rq) : -ENOMEM;
	err = ipc_request(n->monitor, MONITOR_RESOLVE, buf_span(&rq), NULL, 0, on_resolved, r);
	if (err < 0)
		return err;
	r->done = done;
	r->userdata = userdata;
	list_add_tail(&resolutions, &r->link);
	take(r);
	return 0;
}

void net_forget(struct net *n, const void *userdata)
{
	struct resolution *r;

	(void)n;
	list_for_each(r, &resolutions, link)
		if (r->userdata == userdata)
			r->done = NULL;
}

/* ---- the monitor's notices ---- */

static void read_network(struct net *n, struct cbor *c)
{
	n->has_network = cbor_peek(c) != CBOR_NULL;
	if (n->has_network)
		cbor_bytes_exact(c, n->network.key, sizeof n->network.key);
	else
		cbor_null(c);
}

static int start(struct net *n, struct ipc_message *m)
{
	struct cbor c = CBOR(m->body);
	int err;

	if (n->endpoint || m->fds_len != 2 || cbor_array(&c, 2) != 2)
		return ERR_PROTOCOL;
	cbor_bytes_exact(&c, n->self.key, sizeof n->self.key);
	read_network(n, &c);
	if ((err = cbor_end(&c)) < 0 ||
	    (err = vault_new_remote(&n->vault, &n->self, &keys_client_ops, &n->keys)) < 0 ||
	    (err = net_config_load(n, m->fds[0])) < 0 ||
	    (err = net_services_new(n)) < 0)
		return err;
	net_config_add_programs(n);

	err = net_endpoint_new(&n->endpoint, n, net_config_settings(n->config), m->fds[1]);
	if (err < 0)
		return err;
	m->fds[1] = -1;
	return ipc_notify(n->monitor, MONITOR_READY, SPAN_NONE, NULL, 0);
}

static int reload(struct net *n, struct ipc_message *m)
{
	struct cbor c = CBOR(m->body);

	if (!n->endpoint || m->fds_len != 1 || cbor_array(&c, 1) != 1)
		return ERR_PROTOCOL;
	read_network(n, &c);
	int err = cbor_end(&c);
	if (err < 0)
		return err;

	/* The endpoint borrows the settings, so it hears of new ones at once. */
	err = net_config_load(n, m->fds[0]);
	if (err < 0)
		return err;
	net_config_add_programs(n);
	net_endpoint_reload(n->endpoint, net_config_settings(n->config));
	return 0;
}

static void on_notice(void *userdata, struct ipc *i, struct ipc_message *m)
{
	struct net *n = userdata;
	int err = ERR_PROTOCOL;

	(void)i;
	switch (m->type) {
	case NET_START:
		err = start(n, m);
		break;
	case NET_CONFIG:
		err = reload(n, m);
		break;
	case NET_STOP:
		loop_stop(n->loop, 0);
		return;
	}
	if (err < 0) {
		log_to(&n->log, LOG_ERROR, "net", "cannot serve: %s", err_text(err));
		loop_stop(n->loop, 1);
	}
}

static void on_monitor_gone(void *userdata, struct ipc *i)
{
	struct net *n = userdata;

	(void)i;
	loop_stop(n->loop, 1);
}

/* ---- the process ---- */

/* A secret that keys was started with stands in this process's memory too. */
static void wipe_environment(void)
{
	static const char *const names[] = { "CARRIER_SECRETKIT", "CARRIER_SECRET" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *value = getenv(names[i]);
		if (value)
			wipe(value, strlen(value));
		unsetenv(names[i]);
	}
}

static int enter_sandbox(struct sandbox_report *report)
{
	int err;

	if (agent_test.no_sandbox)
		return 0;
	err = sandbox_drop_user(report);
	if (err < 0)
		return err;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return sandbox_net(report);
}

static int prepare(struct net *n)
{
	struct ipc_config config = { .handler = on_notice, .gone = on_monitor_gone, .userdata = n };
	struct sandbox_report report = {};
	int keep[2] = { n->setup->monitor_fd, n->setup->keys_fd };
	char text[128];
	int err;

	if (keep[0] > keep[1]) {
		keep[0] = n->setup->keys_fd;
		keep[1] = n->setup->monitor_fd;
	}
	wipe_environment();
	sandbox_forget_descriptors(keep, ARRAY_LEN(keep));
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	if ((err = enter_sandbox(&report)) < 0 ||
	    (err = loop_new(&n->loop)) < 0 ||
	    (err = auth_new(&n->auth)) < 0 ||
	    (err = ipc_new(&n->monitor, n->loop, n->setup->monitor_fd, &config)) < 0)
		return err;
	n->log = (struct log_sink){ .line = log_line, .userdata = n, .max = LOG_DEBUG };
	n->host = host_over_ipc(n->monitor);
	sandbox_describe(text, &report);
	log_to(&n->log, LOG_DEBUG, "net", "%s", text);
	return 0;
}

int net_main(const struct net_setup *setup)
{
	struct net n = { .setup = setup, .keys.fd = setup->keys_fd };
	int status = prepare(&n);

	if (status >= 0 && agent_test.in_net)
		status = agent_test.in_net(&n);
	else if (status >= 0)
		status = loop_run(n.loop);

	net_endpoint_free(n.endpoint);
	services_free(n.services);
	net_config_free(n.config);
	vault_free(n.vault);
	auth_free(n.auth);
	ipc_free(n.monitor);
	loop_free(n.loop);
	return status < 0 ? 1 : status;
}
