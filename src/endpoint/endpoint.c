#include "endpoint/endpoint.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "endpoint/internal.h"

/* ---- names ---- */

/* Resolvers take their time: who asked may be gone when the answer comes. */
struct question {
	struct list entry;
	endpoint_resolved_fn *done;     /* NULL: nobody wants to know any more */
	void *userdata;
};

static void on_answer(void *userdata, int err, const struct addr *addrs, size_t n)
{
	struct question *q = userdata;

	list_del(&q->entry);
	if (q->done)
		q->done(q->userdata, err, addrs, n);
	free(q);
}

static void ask(struct endpoint *e, const char *host, uint16_t port, endpoint_resolved_fn *done, void *userdata)
{
	struct question *q = calloc(1, sizeof *q);

	if (!q) {
		done(userdata, -ENOMEM, NULL, 0);
		return;
	}
	q->done = done;
	q->userdata = userdata;
	list_init(&q->entry);
	list_add_tail(&e->questions, &q->entry);
	e->config.resolve(e->config.userdata, host, port, on_answer, q);
}

void endpoint_forget_question(struct endpoint *e, const void *userdata)
{
	struct question *q;

	list_for_each(q, &e->questions, entry)
		if (q->userdata == userdata) {
			list_del(&q->entry);
			q->done = NULL;
		}
}

void endpoint_resolve(struct endpoint *e, const char *host, uint16_t port, endpoint_resolved_fn *done, void *userdata)
{
	char text[ADDR_STR_MAX];
	struct addr a;

	bool v6 = strchr(host, ':') && host[0] != '[';
	if (snprintf(text, sizeof text, v6 ? "[%s]:%u" : "%s:%u", host, port) < (int)sizeof text &&
	    addr_parse(&a, text) >= 0)
		done(userdata, 0, &a, 1);
	else if (e->config.resolve)
		ask(e, host, port, done, userdata);
	else
		done(userdata, ERR_UNKNOWN, NULL, 0);
}

/* ---- the switchboard's questions ---- */

static bool on_raw(void *userdata, const struct addr *from, struct span data, size_t seg_len)
{
	struct endpoint *e = userdata;

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

/* ---- brokers ---- */

static bool same_brokers(const struct endpoint *e, const struct broker_line *brokers, size_t n)
{
	if (e->config.brokers_len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!identity_equal(&e->brokers[i].id, &brokers[i].id) || strcmp(e->brokers[i].host, brokers[i].host) ||
		    e->brokers[i].port != brokers[i].port || strcmp(e->brokers[i].token, brokers[i].token))
			return false;
	return true;
}

static void drop_brokers(struct endpoint *e)
{
	for (size_t i = 0; i < BROKER_LINES_MAX; i++) {
		publication_free(take(e->publications[i]));
		link_free(take(e->links[i]));
	}
	e->config.brokers_len = 0;
}

int endpoint_set_brokers(struct endpoint *e, const struct broker_line *brokers, size_t n)
{
	if (n > BROKER_LINES_MAX)
		return ERR_LIMIT;
	if (same_brokers(e, brokers, n))
		return 0;
	if (peers_use_brokers(e) || e->subscriptions)
		return ERR_STATE;

	drop_brokers(e);
	for (size_t i = 0; i < n; i++) {
		e->brokers[i] = brokers[i];
		int err = link_new(&e->links[i], e, &e->brokers[i]);
		if (err < 0)
			return err;
		e->config.brokers_len++;
	}
	if (e->publishing)
		endpoint_publish(e);
	return 0;
}

/* ---- life ---- */

int endpoint_new(struct endpoint **ret, const struct endpoint_config *config)
{
	_cleanup_(endpoint_freep) struct endpoint *e = calloc(1, sizeof *e);
	int err;

	if (!e)
		return -ENOMEM;
	e->config = *config;
	e->config.brokers = e->brokers;
	e->config.brokers_len = 0;
	list_init(&e->peers);
	list_init(&e->questions);

	struct switchboard_config sc = {
		.loop = config->loop, .bind = config->bind, .fd = config->fd, .vault = config->vault, .raw = on_raw,
		.accept = config->admit ? on_accept : NULL, .accepted = on_accepted, .userdata = e,
	};
	err = switchboard_new(&e->sb, &sc);
	if (err >= 0)
		err = endpoint_set_brokers(e, config->brokers, config->brokers_len);
	if (err < 0)
		return err;
	*ret = take(e);
	return 0;
}

void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	while (!list_empty(&e->peers))
		peers_free_first(e);
	drop_brokers(e);
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
	e->publishing = true;
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
