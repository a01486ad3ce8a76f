/* What is in flight, what was lost, how much may fly, and the timers. */
#include <errno.h>

#include "base/err.h"
#include "transport/sim_internal.h"

enum {
	REORDER_MAX = 3,                /* packets, as RFC 9002 6.1.1 */
	CWND_MIN = 2 * SIM_PACKET,
	CWND_FIRST = 12 * SIM_PACKET,
	BACKOFF_MAX = 6,
	CHALLENGE_TRIES = 3,
};

static tstamp rto(const struct transport *t)
{
	tstamp var = MAX(4 * t->rttvar, MILLIS(1));

	return MAX(t->srtt + var, MILLIS(10));
}

static void arm(struct transport *t)
{
	t->rto_at = list_empty(&t->in_flight) ? TSTAMP_NEVER : t->now + (rto(t) << t->backoff);
}

void sim_sent(struct transport *t, const struct sent *s)
{
	struct sent *copy;

	if (!t->sent_since_rx)
		t->idle_from = t->now;
	t->sent_since_rx = true;
	copy = malloc(sizeof *copy);
	if (!copy) {
		sim_end(t, -ENOMEM, false, 0, SPAN_NONE);
		return;
	}
	*copy = *s;
	copy->at = t->now;
	list_add_tail(&t->in_flight, &copy->link);
	t->flying += copy->size;
	arm(t);
}

static void item_acked(struct transport *t, const struct item *i)
{
	struct transport_stream *s = sim_stream_find(t, i->id);

	if (!s)
		return;
	if (i->kind == FRAME_STREAM)
		sim_stream_acked(s, i);
	else if (i->kind == FRAME_RESET)
		s->reset_acked = true;
	else if (i->kind == FRAME_STOP)
		s->stop_acked = true;
}

static void item_lost(struct transport *t, const struct item *i)
{
	struct transport_stream *s = sim_stream_find(t, i->id);

	switch (i->kind) {
	case FRAME_HELLO: t->hello_due = !t->has_keys; break;
	case FRAME_SERVER: t->server_due = !t->peer_has_keys; break;
	case FRAME_CLIENT: t->client_due = !t->confirmed; break;
	case FRAME_DONE: t->done_due = true; break;
	case FRAME_TICKET: t->ticket_due = true; break;
	case FRAME_STREAMS: t->streams_due = true; break;
	case FRAME_STREAM: if (s) sim_stream_lost(s, i); break;
	case FRAME_RESET: if (s) s->reset_due = true; break;
	case FRAME_STOP: if (s) s->stop_due = true; break;
	case FRAME_WINDOW: if (s) s->window_due = !s->rx_done && !s->aborted; break;
	default: break;
	}
}

static void remove_sent(struct transport *t, struct sent *s, bool lost)
{
	list_del(&s->link);
	t->flying -= s->size;
	for (size_t i = 0; i < s->items_len && !t->end.err; i++)
		if (lost)
			item_lost(t, &s->items[i]);
		else
			item_acked(t, &s->items[i]);
	free(s);
}

static void sample_rtt(struct transport *t, tstamp rtt)
{
	tstamp diff = rtt > t->srtt ? rtt - t->srtt : t->srtt - rtt;

	if (t->min_rtt == TSTAMP_NEVER) {
		t->srtt = rtt;
		t->rttvar = rtt / 2;
	} else {
		t->rttvar = (3 * t->rttvar + diff) / 4;
		t->srtt = (7 * t->srtt + rtt) / 8;
	}
	t->min_rtt = MIN(t->min_rtt, rtt);
}

static void grow(struct transport *t, size_t n)
{
	if (t->cwnd < t->ssthresh)
		t->cwnd += n;
	else
		t->cwnd += (uint64_t)SIM_PACKET * n / t->cwnd;
}

static void shrink(struct transport *t, uint32_t lost_pn)
{
	if (lost_pn < t->recovery_pn)
		return;         /* the same congestion */
	t->recovery_pn = t->next_pn;
	t->ssthresh = t->cwnd = MAX(t->cwnd / 2, (uint64_t)CWND_MIN);
}

static bool in_ranges(const struct range *r, size_t len, uint32_t pn)
{
	for (size_t i = 0; i < len; i++)
		if (pn >= r[i].from && pn < r[i].to)
			return true;
	return false;
}

void sim_on_ack(struct transport *t, const struct range *r, size_t len)
{
	bool progress = false;
	struct sent *s;

	list_for_each(s, &t->in_flight, link) {
		if (!in_ranges(r, len, s->pn))
			continue;
		if (s->pn >= t->largest_acked) {
			t->largest_acked = s->pn;
			sample_rtt(t, t->now - s->at);
		}
		progress = true;
		grow(t, s->size);
		remove_sent(t, s, false);
	}
	if (!progress)
		return;
	t->backoff = 0;
	list_for_each(s, &t->in_flight, link)
		if (s->pn + REORDER_MAX <= t->largest_acked) {
			shrink(t, s->pn);
			remove_sent(t, s, true);
		}
	arm(t);
}

/* A level of the handshake is over: its packets came, or never will. */
void sim_forget_type(struct transport *t, enum sim_type type, bool lost)
{
	struct sent *s;

	list_for_each(s, &t->in_flight, link)
		if (s->type == type)
			remove_sent(t, s, lost);
	t->backoff = 0;
	arm(t);
}

void sim_path_changed(struct transport *t, bool old_is_dead)
{
	struct sent *s;

	if (old_is_dead)
		list_for_each(s, &t->in_flight, link)
			remove_sent(t, s, true);
	t->cwnd = CWND_FIRST;
	t->ssthresh = UINT64_MAX;
	t->min_rtt = TSTAMP_NEVER;
	t->backoff = 0;
	arm(t);
}

void sim_recovery_init(struct transport *t, tstamp rtt_hint)
{
	list_init(&t->in_flight);
	t->cwnd = CWND_FIRST;
	t->ssthresh = UINT64_MAX;
	t->min_rtt = t->rto_at = TSTAMP_NEVER;
	t->srtt = rtt_hint ?: MILLIS(250);
	t->rttvar = t->srtt / 2;
}

static void on_rto(struct transport *t)
{
	struct sent *s;

	list_for_each(s, &t->in_flight, link)
		remove_sent(t, s, true);
	t->ssthresh = MAX(t->cwnd / 2, (uint64_t)CWND_MIN);
	t->cwnd = CWND_MIN;
	t->recovery_pn = t->next_pn;
	t->backoff = MIN(t->backoff + 1, (unsigned)BACKOFF_MAX);
	t->ping_due = true;
	arm(t);
}

static void on_challenge_timer(struct transport *t)
{
	if (++t->challenge.tries < CHALLENGE_TRIES) {
		t->challenge.due = true;
		t->challenge.at = t->now + 2 * rto(t);
		return;
	}
	t->challenge.on = t->challenge.due = false;
	if (t->ops->path_validated)
		t->ops->path_validated(t->userdata, t->challenge.path, false);
}

static tstamp keep_alive_at(const struct transport *t)
{
	return t->keep_alive && t->ready ? MAX(t->last_tx, t->last_rx) + t->keep_alive : TSTAMP_NEVER;
}

void sim_check_timers(struct transport *t)
{
	if (t->now >= t->idle_from + t->idle_timeout) {
		sim_end(t, ERR_TIMEOUT, false, 0, SPAN_NONE);
		return;
	}
	if (t->now >= t->rto_at)
		on_rto(t);
	if (t->now >= keep_alive_at(t))
		t->ping_due = true;
	if (t->challenge.on && t->now >= t->challenge.at)
		on_challenge_timer(t);
}

tstamp sim_timer(const struct transport *t)
{
	tstamp at = MIN(t->idle_from + t->idle_timeout, t->rto_at);

	at = MIN(at, keep_alive_at(t));
	return t->challenge.on ? MIN(at, t->challenge.at) : at;
}

void sim_recovery_done(struct transport *t)
{
	struct sent *s;

	while ((s = list_first(&t->in_flight, struct sent, link))) {
		list_del(&s->link);
		free(s);
	}
	ranges_done(&t->got);
}
