#include "endpoint/endpoint.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "endpoint/internal.h"

/* ---- names ---- */

void endpoint_resolve(struct endpoint *e, const char *host, uint16_t port, endpoint_resolved_fn *done, void *userdata)
{
	char text[ADDR_STR_MAX];
	struct addr a;

	bool v6 = strchr(host, ':') && host[0] != '[';
	if (snprintf(text, sizeof text, v6 ? "[%s]:%u" : "%s:%u", host, port) < (int)sizeof text &&
	    addr_parse(&a, text) >= 0)
		done(userdata, 0, &a, 1);
	else if (e->config.resolve)
		e->config.resolve(e->config.userdata, host, port, done, userdata);
	else
		done(userdata, ERR_UNKNOWN, NULL, 0);
}

/* ---- the switchboard's questions ---- */

static bool on_raw(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	struct endpoint *e = userdata;

	/* a coalesced buffer has one sender, and one sender's datagrams of one size are of
	 * one kind but for small mixes, so each is looked at */
	if (!control_is(data))
		return false;
	for (; data.len; data = span_from(data, seg_len))
		endpoint_accept_control(e, from, span_first(data, seg_len));
	return true;
}

static int on_accept(void *userdata, const struct addr *from, const struct token *token, struct conn_accept *ret)
{
	(void)from;
	return endpoint_accept_initial(userdata, token, ret);
}

static void on_accepted(void *userdata, struct conn *c)
{
	endpoint_adopt(userdata, c);
}

/* ---- life ---- */

int endpoint_new(struct endpoint **ret, const struct endpoint_config *config)
{
	_cleanup_(endpoint_freep) struct endpoint *e = calloc(1, sizeof *e);
	int err;

	if (!e)
		return -ENOMEM;
	if (config->brokers_len > BROKER_LINES_MAX)
		return ERR_LIMIT;
	e->config = *config;
	list_init(&e->peers);
	for (size_t i = 0; i < config->brokers_len; i++)
		e->brokers[i] = config->brokers[i];
	e->config.brokers = e->brokers;

	struct switchboard_config sc = {
		.loop = config->loop, .bind = config->bind, .fd = config->fd, .vault = config->vault, .raw = on_raw,
		.accept = config->admit ? on_accept : NULL, .accepted = on_accepted, .userdata = e,
	};
	err = switchboard_new(&e->sb, &sc);
	for (size_t i = 0; err >= 0 && i < config->brokers_len; i++)
		err = link_new(&e->links[i], e, &e->brokers[i]);
	if (err < 0)
		return err;
	*ret = take(e);
	return 0;
}

void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < BROKER_LINES_MAX; i++)
		publication_free(e->publications[i]);
	while (!list_empty(&e->peers))
		peers_free_first(e);
	for (size_t i = 0; i < BROKER_LINES_MAX; i++)
		link_free(e->links[i]);
	switchboard_free(e->sb);
	free(e);
}

struct switchboard *endpoint_switchboard(const struct endpoint *e) { return e->sb; }
struct loop *endpoint_loop(const struct endpoint *e) { return e->config.loop; }

int endpoint_addr(const struct endpoint *e, struct addr *ret)
{
	return switchboard_addr(e->sb, ret);
}

void endpoint_publish(struct endpoint *e)
{
	for (size_t i = 0; i < e->config.brokers_len; i++)
		if (!e->publications[i] && publication_new(&e->publications[i], e, e->links[i]) >= 0)
			publication_start(e->publications[i]);
}

void endpoint_republish(struct endpoint *e)
{
	for (size_t i = 0; i < e->config.brokers_len; i++)
		if (e->publications[i])
			publication_start(e->publications[i]);
}
