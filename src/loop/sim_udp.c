/* udp.h over the simulated network. */
#include "loop/sim_internal.h"

#include <errno.h>

#include "base/err.h"

enum {
	RX_BYTES_MAX = 4 << 20,
	TURN_PACKETS_MAX = 512,
	GRO_SEGMENTS_MAX = 64, GRO_BYTES_MAX = 65535,
	QUEUE_MAX = 64,
};

struct queued {
	struct addr to;
	struct span data;
	size_t seg;
};

struct udp {
	struct loop *loop;              /* NULL once the loop is gone */
	struct sim_host *host;          /* NULL once dead */
	struct list by_host, by_loop;
	struct addr bind;
	udp_recv_fn *recv;
	udp_turn_fn *turn;
	void *userdata;
	struct list rx;
	size_t rx_bytes;
	struct sim_event rx_event, tx_event;    /* tx: queued while the socket is "full" */
	bool *freed;
	struct udp_stats stats;
	struct queued queue[QUEUE_MAX];
	size_t queue_len;
};

/* A coalesced buffer; lives until the turn function has returned. */
struct rx_buffer {
	struct list node;
	uint8_t data[];
};

static size_t segments(size_t len, size_t seg) { return (len + seg - 1) / seg; }

static bool may_join(struct sim *s, const struct sim_flight *first, const struct sim_flight *next, size_t count,
		     size_t len)
{
	return count < GRO_SEGMENTS_MAX && len + next->len <= GRO_BYTES_MAX && next->len <= first->len &&
	       addr_equal(&first->from, &next->from) && sim_chance(s, SIM_MILLION * 3 / 4);
}

/* Moves packets that arrive as one buffer from u->rx to batch; returns their bytes. */
static size_t take_batch(struct udp *u, struct list *batch)
{
	struct sim_flight *first = list_first(&u->rx, struct sim_flight, node), *f = first;
	size_t len = 0, count = 0;

	do {
		list_del(&f->node);
		list_add_tail(batch, &f->node);
		len += f->len;
		count++;
		if (f->len < first->len)
			break;                  /* a shorter one ends the buffer */
		f = list_first(&u->rx, struct sim_flight, node);
	} while (f && may_join(u->host->sim, first, f, count, len));
	u->rx_bytes -= len;
	return len;
}

/* Exactly as long as its bytes, so that a sanitizer sees who reads on. NULL: no
 * memory, the packets are lost. */
static struct rx_buffer *coalesce(struct udp *u, struct addr *ret_from, size_t *ret_len, size_t *ret_seg)
{
	struct sim_flight *f;
	struct rx_buffer *b;
	struct list batch;
	size_t at = 0;

	list_init(&batch);
	*ret_len = take_batch(u, &batch);
	f = list_first(&batch, struct sim_flight, node);
	*ret_from = f->from;
	*ret_seg = f->len;
	b = malloc(sizeof *b + *ret_len);
	while ((f = list_first(&batch, struct sim_flight, node))) {
		if (b)
			memcpy(b->data + at, f->data, f->len);
		at += f->len;
		list_del(&f->node);
		free(f);
	}
	return b;
}

static bool receive_one(struct udp *u, struct list *buffers, size_t *packets, const bool *freed)
{
	struct addr from;
	size_t len, seg;
	struct rx_buffer *b = coalesce(u, &from, &len, &seg);

	if (!b)
		return true;
	list_init(&b->node);
	list_add_tail(buffers, &b->node);
	*packets += segments(len, seg);
	u->stats.rx_packets += segments(len, seg);
	u->stats.rx_bytes += len;
	u->host->counters.rx_packets += segments(len, seg);
	u->host->counters.rx_bytes += len;
	u->recv(u->userdata, &from, SPAN(b->data, len), seg);
	return !*freed && u->host;
}

static void call_turn(struct udp *u)
{
	if (u->turn)
		u->turn(u->userdata);
}

static void run_rx(struct sim_event *e)
{
	struct udp *u = container_of(e, struct udp, rx_event);
	struct rx_buffer *b;
	struct list buffers;
	size_t packets = 0;
	bool freed = false, alive = true;

	sim_enter(u->host);
	u->loop->ran++;
	u->freed = &freed;
	list_init(&buffers);
	while (alive && !list_empty(&u->rx) && packets < TURN_PACKETS_MAX)
		alive = receive_one(u, &buffers, &packets, &freed);
	if (alive)
		call_turn(u);
	while ((b = list_first(&buffers, struct rx_buffer, node))) {
		list_del(&b->node);
		free(b);
	}
	if (freed)
		return;
	u->freed = NULL;
	if (u->host && !list_empty(&u->rx) &&
	    sim_queue_set(&u->host->sim->queue, &u->rx_event, u->host->sim->now) < 0) {
		/* The next packet tries again. */
	}
}

static void run_tx(struct sim_event *e)
{
	struct udp *u = container_of(e, struct udp, tx_event);

	sim_enter(u->host);
	u->loop->ran++;
	call_turn(u);
}

/* ---- opening ---- */

static bool same_kind(const struct addr *a, const struct addr *b)
{
	return addr_is_v4(a) == addr_is_v4(b);
}

/* "::" takes both families, "0.0.0.0" IPv4 only. */
static bool accepts(const struct udp *u, const struct addr *to)
{
	if (u->bind.port != to->port)
		return false;
	if (addr_is_any(&u->bind))
		return !addr_is_v4(&u->bind) || addr_is_v4(to);
	return !memcmp(u->bind.ip, to->ip, sizeof to->ip);
}

static struct udp *find_socket(struct sim_host *h, const struct addr *to)
{
	struct udp *u;

	list_for_each(u, &h->sockets, by_host)
		if (accepts(u, to))
			return u;
	return NULL;
}

static bool port_taken(const struct sim_host *h, uint16_t port)
{
	struct udp *u;

	list_for_each(u, &h->sockets, by_host)
		if (u->bind.port == port)
			return true;
	return false;
}

static int choose_port(struct sim_host *h, struct addr *bind)
{
	if (bind->port)
		return port_taken(h, bind->port) ? -EADDRINUSE : 0;
	for (int i = 0; i < 20000; i++) {
		uint16_t port = h->next_port;

		h->next_port = port == 59999 ? 40000 : (uint16_t)(port + 1);
		if (!port_taken(h, port)) {
			bind->port = port;
			return 0;
		}
	}
	return -EADDRINUSE;
}

int udp_open(struct udp **ret, struct loop *l, const struct udp_config *config)
{
	struct addr bind = config->bind;
	struct udp *u;
	int err;

	if (config->fd >= 0)
		return -ENOSYS;
	if (l->dead)
		return -ENETDOWN;
	if (!addr_is_any(&bind) && !addr_is_loopback(&bind) && !sim_host_has(l->host, &bind))
		return -EADDRNOTAVAIL;
	err = choose_port(l->host, &bind);
	if (err < 0)
		return err;
	u = calloc(1, sizeof *u);
	if (!u)
		return -ENOMEM;
	*u = (struct udp){
		.loop = l, .host = l->host, .bind = bind,
		.recv = config->recv, .turn = config->turn, .userdata = config->userdata,
		.rx_event = { .run = run_rx, .tag = 4 + 8 * (unsigned)l->host->index },
		.tx_event = { .run = run_tx, .tag = 5 + 8 * (unsigned)l->host->index },
	};
	list_init(&u->rx);
	list_init(&u->by_host);
	list_init(&u->by_loop);
	list_add_tail(&l->host->sockets, &u->by_host);
	list_add_tail(&l->sockets, &u->by_loop);
	*ret = u;
	return 0;
}

void sim_socket_kill(struct udp *u)
{
	struct sim_flight *f;

	if (!u->host)
		return;
	sim_queue_del(&u->host->sim->queue, &u->rx_event);
	sim_queue_del(&u->host->sim->queue, &u->tx_event);
	while ((f = list_first(&u->rx, struct sim_flight, node))) {
		list_del(&f->node);
		free(f);
	}
	list_del(&u->by_host);
	list_del(&u->by_loop);
	u->host = NULL;
	u->loop = NULL;
}

void sim_sockets_kill(struct loop *l)
{
	struct udp *u;

	list_for_each(u, &l->sockets, by_loop)
		sim_socket_kill(u);
}

void udp_free(struct udp *u)
{
	if (!u)
		return;
	if (u->freed)
		*u->freed = true;
	sim_socket_kill(u);
	free(u);
}

int udp_local_addr(const struct udp *u, struct addr *ret)
{
	*ret = u->bind;
	return 0;
}

void udp_get_stats(const struct udp *u, struct udp_stats *ret)
{
	*ret = u->stats;
}

/* ---- receiving ---- */

bool sim_socket_deliver(struct sim_host *h, struct sim_flight *f)
{
	struct udp *u = h->crashed ? NULL : find_socket(h, &f->to);
	struct sim *s = h->sim;

	if (!u || !f->len || u->rx_bytes + f->len > RX_BYTES_MAX)
		return false;
	if (!u->rx_event.pos) {
		/* Now and then the process is late, and finds more than one. */
		tstamp late = sim_chance(s, SIM_MILLION / 4) ? sim_below(s, MICROS(100)) : 0;

		if (sim_queue_set(&s->queue, &u->rx_event, s->now + late) < 0)
			return false;
	}
	u->rx_bytes += f->len;
	list_add_tail(&u->rx, &f->node);
	return true;
}

/* ---- sending ---- */

static int source_addr(const struct udp *u, const struct addr *to, struct addr *ret)
{
	const struct sim_host *h = u->host;

	*ret = u->bind;
	if (!addr_is_any(&u->bind))
		return same_kind(&u->bind, to) ? 0 : -ENETUNREACH;
	if (addr_is_v4(&u->bind) && !addr_is_v4(to))
		return -EAFNOSUPPORT;
	if (addr_is_loopback(to)) {
		memcpy(ret->ip, to->ip, sizeof to->ip);
		return 0;
	}
	for (size_t i = 0; i < h->addrs_len; i++) {
		if (same_kind(&h->addrs[i], to)) {
			memcpy(ret->ip, h->addrs[i].ip, sizeof ret->ip);
			return 0;
		}
	}
	return -ENETUNREACH;
}

static int transmit(struct udp *u, const struct addr *to, struct span data, size_t seg)
{
	struct addr from;
	int err = u->host ? source_addr(u, to, &from) : -ENETDOWN;

	if (err < 0) {
		u->stats.tx_dropped += segments(data.len, seg);
		return err;
	}
	u->stats.tx_packets += segments(data.len, seg);
	u->stats.tx_bytes += data.len;
	return sim_net_send(u->host, &from, to, data, seg);
}

int udp_send(struct udp *u, const struct addr *to, struct span data, size_t seg)
{
	struct sim *s = u->host ? u->host->sim : NULL;

	if (!data.len || !seg)
		return -EINVAL;
	if (s && (u->tx_event.pos || sim_chance(s, u->host->again))) {
		if (u->tx_event.pos)
			return ERR_AGAIN;
		if (sim_queue_set(&s->queue, &u->tx_event, s->now + 1 + sim_below(s, MILLIS(1))) >= 0)
			return ERR_AGAIN;
	}
	return transmit(u, to, data, MIN(seg, data.len));
}

int udp_queue(struct udp *u, const struct addr *to, struct span data, size_t seg)
{
	if (!data.len || !seg)
		return -EINVAL;
	if (u->queue_len == QUEUE_MAX)
		udp_flush(u);
	u->queue[u->queue_len++] = (struct queued){ *to, data, MIN(seg, data.len) };
	return 0;
}

void udp_flush(struct udp *u)
{
	for (size_t i = 0; i < u->queue_len; i++) {
		const struct queued *q = &u->queue[i];

		if (transmit(u, &q->to, q->data, q->seg) < 0)
			continue;       /* counted there */
	}
	u->queue_len = 0;
}
