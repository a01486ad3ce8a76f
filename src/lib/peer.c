/* A connection as the user sees it. */
#include <errno.h>

#include "base/err.h"
#include "lib/internal.h"

/* ---- life ---- */

void peer_drop(struct carrier_peer *p)
{
	list_del(&p->entry);
	source_free(p->timer);
	if (p->peer)
		peer_close(p->peer);
	free(p);
}

static void tell_over(struct carrier_peer *p, int err, const char *detail)
{
	p->ending = true;
	source_free(take(p->timer));
	streams_lost(p, err);
	if (!p->silent && p->cb.closed)
		p->cb.closed(p->userdata, p, err, detail);
	peer_drop(p);
}

/* ---- events ---- */

static void on_up(void *userdata, struct peer *peer)
{
	struct carrier_peer *p = userdata;

	(void)peer;
	if (!p->silent && p->cb.up)
		p->cb.up(p->userdata, p);
}

static void on_ready(void *userdata, struct peer *peer)
{
	struct carrier_peer *p = userdata;

	(void)peer;
	source_free(take(p->timer));
	if (!p->silent && p->cb.ready)
		p->cb.ready(p->userdata, p);
}

static void on_ended(void *userdata, struct peer *peer, int err, const char *detail)
{
	struct carrier_peer *p = userdata;

	(void)peer;
	p->peer = NULL;
	tell_over(p, err, detail);
}

static void on_timeout(void *userdata, tstamp now)
{
	struct carrier_peer *p = userdata;

	(void)now;
	peer_close(take(p->peer));
	tell_over(p, ERR_TIMEOUT, "");
}

/* ---- for the user ---- */

static int dial(struct carrier_peer *p, const struct target *t)
{
	static const struct peer_handler handler = { .up = on_up, .ready = on_ready, .ended = on_ended };
	struct carrier *c = p->c;
	struct endpoint_target to = { .id = t->id, .host = t->has_addr ? t->host : NULL, .port = t->port };

	int err = loop_add_timer(c->loop, &p->timer, on_timeout, p);
	if (err >= 0 && c->options.connect_timeout_ms)
		err = source_arm(p->timer, loop_now(c->loop) + MILLIS(c->options.connect_timeout_ms));
	if (err >= 0)
		err = endpoint_dial(c->endpoint, &to, &handler, p, &p->peer);
	if (err == ERR_NOBROKER)
		return lib_fail(c, err, "%s has no broker = [\"...\"]", c->home.config_path);
	return err < 0 ? lib_fail(c, err, "%s", "") : 0;
}

int carrier_connect(carrier *c, const char *target, const carrier_peer_callbacks *callbacks, void *userdata,
		    carrier_peer **ret_p)
{
	struct carrier_peer_callbacks cb;
	struct home_error error = { "" };
	struct target t;

	int err = options_read(&cb, sizeof cb, sizeof cb, callbacks);
	if (err < 0)
		return lib_fail(c, err, "the size of carrier_peer_callbacks does not fit");
	err = target_parse(&t, &c->home, &c->self, target, &error);
	if (err < 0)
		return lib_fail(c, err, "%s", error.text);

	struct carrier_peer *p = calloc(1, sizeof *p);
	if (!p)
		return lib_fail(c, -ENOMEM, "%s", "");
	*p = (struct carrier_peer){ .c = c, .id = t.id, .cb = cb, .userdata = userdata };
	list_add_tail(&c->peers, &p->entry);
	err = dial(p, &t);
	if (err < 0) {
		peer_drop(p);
		return err;
	}
	*ret_p = p;
	return 0;
}

void carrier_peer_close(carrier_peer *p)
{
	if (!p || p->silent)
		return;
	p->silent = true;
	streams_drop(p);
	if (p->ending)
		return;
	list_del(&p->entry);
	list_add_tail(&p->c->closing, &p->entry);
	source_trigger(p->c->sweep);
}

void carrier_peer_identity(const carrier_peer *p, carrier_id *ret_id)
{
	memcpy(ret_id->bytes, p->id.key, sizeof ret_id->bytes);
}

int carrier_peer_get_info(const carrier_peer *p, carrier_peer_info *info)
{
	struct carrier_peer_info out;
	struct peer_info i;

	int err = options_read(&out, sizeof out, sizeof out, info);
	if (err < 0 && err != ERR_VERSION)
		return lib_fail(p->c, err, "the size of carrier_peer_info does not fit");
	out = (struct carrier_peer_info){ .size = info->size };
	if (p->peer) {
		peer_get_info(p->peer, &i);
		out.way = i.route == PEER_DIRECT ? CARRIER_WAY_DIRECT : CARRIER_WAY_RELAYED;
		out.ready = i.ready;
		out.rtt_us = i.ready ? i.transport.rtt / MICROS(1) : 0;
		out.min_rtt_us = i.ready ? i.transport.min_rtt / MICROS(1) : 0;
		out.tx_bytes = i.transport.tx_bytes;
		out.rx_bytes = i.transport.rx_bytes;
		if (i.addr.port)
			addr_format(out.address, &i.addr);
		memcpy(out.broker.bytes, i.broker.key, sizeof out.broker.bytes);
	}
	memcpy(info, &out, MIN(info->size, sizeof out));
	return 0;
}
