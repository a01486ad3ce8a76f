/* What leaves: which packet is due, and what goes into it. */
#include "base/err.h"
#include "transport/sim_internal.h"

enum { STREAM_HEAD = 1 + 4 + 8 + 2 + 1, STREAM_WORTH = 32 };

struct writer {
	uint8_t *p;
	size_t len, cap;
	struct sent sent;
};

static size_t room(const struct writer *w) { return w->cap - w->len; }

static void put(struct writer *w, uint64_t v, size_t n)
{
	while (n--)
		w->p[w->len++] = (uint8_t)(v >> (8 * n));
}

static void put_bytes(struct writer *w, const void *p, size_t n)
{
	if (n)
		memcpy(w->p + w->len, p, n);
	w->len += n;
}

static void add_item(struct writer *w, struct item i) { w->sent.items[w->sent.items_len++] = i; }
static bool fits(const struct writer *w, size_t n) { return room(w) >= n && w->sent.items_len < SIM_ITEMS; }

static struct writer begin(struct transport *t, uint8_t *out, size_t cap, enum sim_type type)
{
	struct writer w = { .p = out, .cap = cap - AEAD_TAG_LEN };
	struct sim_head h = { .type = type, .pn = t->next_pn };

	memcpy(h.dcid, t->dcid, sizeof h.dcid);
	memcpy(h.scid, t->scid, sizeof h.scid);
	w.len = sim_head_write(out, &h);
	if (type == SIM_REPLY)
		put_bytes(&w, t->eph_pub.b, sizeof t->eph_pub.b);
	w.sent.pn = t->next_pn++;
	w.sent.type = type;
	return w;
}

static size_t finish(struct transport *t, struct writer *w, size_t head, const struct key *k)
{
	size_t n = sim_seal(w->p, head, w->len - head, k, w->sent.pn, t->is_server);

	t->tx_bytes += n;
	t->last_tx = t->now;
	w->sent.size = n;
	if (w->sent.items_len)
		sim_sent(t, &w->sent);
	return n;
}

/* ---- handshake packets ---- */

static size_t write_initial(struct transport *t, uint8_t *out)
{
	struct writer w = begin(t, out, SIM_PACKET, SIM_INITIAL);
	size_t head = w.len, alpn = strlen(t->alpn);
	struct key k;

	put(&w, FRAME_HELLO, 1);
	put_bytes(&w, t->eph_pub.b, sizeof t->eph_pub.b);
	put(&w, alpn, 1);
	put_bytes(&w, t->alpn, alpn);
	put(&w, t->has_ticket ? SIM_TICKET_LEN - 32 : 0, 1);
	put_bytes(&w, t->ticket + 32, t->has_ticket ? SIM_TICKET_LEN - 32 : 0);
	memset(w.p + w.len, 0, room(&w));
	w.len = w.cap;
	add_item(&w, (struct item){ .kind = FRAME_HELLO });
	t->hello_due = false;
	sim_initial_key(&k, t->first_dcid);
	return finish(t, &w, head, &k);
}

static void put_server(struct transport *t, struct writer *w)
{
	put(w, FRAME_SERVER, 1);
	put_bytes(w, vault_identity(t->context->vault)->key, PUBLIC_KEY_LEN);
	put_bytes(w, t->se, sizeof t->se);
	put(w, t->resumed, 1);
}

static size_t write_reply(struct transport *t, uint8_t *out)
{
	struct writer w = begin(t, out, SIM_PACKET, SIM_REPLY);
	size_t head = w.len;

	put_server(t, &w);
	add_item(&w, (struct item){ .kind = FRAME_SERVER });
	t->server_due = false;
	return finish(t, &w, head, &t->reply_key);
}

static void put_client(struct transport *t, struct writer *w)
{
	if (t->is_server || t->confirmed)
		return;
	put(w, FRAME_CLIENT, 1);
	put_bytes(w, vault_identity(t->context->vault)->key, PUBLIC_KEY_LEN);
	put_bytes(w, t->se, sizeof t->se);
}

static void put_close(struct transport *t, struct writer *w)
{
	static const struct { int err; uint8_t kind; } kinds[] = {
		{ ERR_CLOSED, 0 }, { ERR_DENIED, 1 }, { ERR_PEER, 1 },
	};
	size_t n = strlen(t->end.reason), i = 0;

	while (i < ARRAY_LEN(kinds) && kinds[i].err != t->end.err)
		i++;
	put(w, FRAME_CLOSE, 1);
	put(w, i < ARRAY_LEN(kinds) ? kinds[i].kind : 2, 1);
	put(w, t->end.code, 8);
	put(w, n, 1);
	put_bytes(w, t->end.reason, n);
}

/* At the highest level the peer can read; 0 if there is none. */
size_t sim_write_close(struct transport *t, uint8_t *out)
{
	bool by_reply = t->has_reply_key && (t->is_server ? !t->peer_has_keys : !t->has_keys);
	struct writer w;
	size_t head;

	if (!by_reply && !t->has_keys)
		return 0;
	w = begin(t, out, SIM_PACKET, by_reply ? SIM_REPLY : SIM_SHORT);
	head = w.len;
	if (by_reply && t->is_server)
		put_server(t, &w);
	if (!by_reply)
		put_client(t, &w);
	put_close(t, &w);
	return finish(t, &w, head, by_reply ? &t->reply_key : &t->key[t->is_server]);
}

/* ---- frames of ordinary packets ---- */

static void put_ack(struct transport *t, struct writer *w)
{
	size_t n = MIN(t->got.len, (size_t)SIM_ACK_RANGES);

	if (!t->ack_due || room(w) < 2 + n * 8)
		return;
	put(w, FRAME_ACK, 1);
	put(w, n, 1);
	for (size_t i = 0; i < n; i++) {
		const struct range *r = &t->got.r[t->got.len - 1 - i];
		put(w, r->from, 4);
		put(w, r->to, 4);
	}
	t->ack_due = false;
}

static void put_control(struct transport *t, struct writer *w)
{
	if (t->client_due && fits(w, 0)) {
		add_item(w, (struct item){ .kind = FRAME_CLIENT });
		t->client_due = false;
	}
	if (t->done_due && fits(w, 1)) {
		put(w, FRAME_DONE, 1);
		add_item(w, (struct item){ .kind = FRAME_DONE });
		t->done_due = false;
	}
	if (t->ticket_due && fits(w, 1 + SIM_TICKET_LEN)) {
		put(w, FRAME_TICKET, 1);
		put_bytes(w, t->ticket, sizeof t->ticket);
		add_item(w, (struct item){ .kind = FRAME_TICKET });
		t->ticket_due = false;
	}
	if (t->streams_due && fits(w, 5)) {
		put(w, FRAME_STREAMS, 1);
		put(w, t->own_streams_max, 4);
		add_item(w, (struct item){ .kind = FRAME_STREAMS });
		t->streams_due = false;
	}
	if (t->ping_due && fits(w, 1)) {
		put(w, FRAME_PING, 1);
		add_item(w, (struct item){ .kind = FRAME_PING });
		t->ping_due = false;
	}
}

static void put_stream_word(struct writer *w, struct transport_stream *s, bool *due, enum sim_frame kind, uint64_t v)
{
	if (!*due || s->id == SIM_NO_ID || !fits(w, 1 + 4 + 8))
		return;
	put(w, kind, 1);
	put(w, s->id, 4);
	put(w, v, 8);
	add_item(w, (struct item){ .kind = kind, .id = s->id });
	*due = false;
}

static void put_stream_data(struct transport *t, struct writer *w, struct transport_stream *s)
{
	struct span data;
	uint64_t off;
	bool fin;

	while (!t->end.err && fits(w, STREAM_HEAD + STREAM_WORTH) && sim_stream_may_send(s) &&
	       sim_stream_next(s, room(w) - STREAM_HEAD, &off, &data, &fin)) {
		sim_stream_took(s, off, data.len, fin);
		put(w, FRAME_STREAM, 1);
		put(w, s->id, 4);
		put(w, off, 8);
		put(w, data.len, 2);
		put(w, fin, 1);
		put_bytes(w, data.data, data.len);
		add_item(w, (struct item){ .kind = FRAME_STREAM, .id = s->id, .off = off, .len = data.len, .fin = fin });
	}
}

/* One after the other: who had his turn goes to the end of the list. */
static void put_streams(struct transport *t, struct writer *w, bool early)
{
	bool may_fly = !t->flying || t->flying + SIM_PACKET <= t->cwnd;
	struct transport_stream *s;
	size_t n = 0;

	list_for_each(s, &t->streams, link)
		n++;
	while (n-- && fits(w, STREAM_HEAD + STREAM_WORTH)) {
		s = list_first(&t->streams, struct transport_stream, link);
		list_del(&s->link);
		list_add_tail(&t->streams, &s->link);
		if (!early) {
			put_stream_word(w, s, &s->reset_due, FRAME_RESET, s->code);
			put_stream_word(w, s, &s->stop_due, FRAME_STOP, s->code);
			put_stream_word(w, s, &s->window_due, FRAME_WINDOW, s->told_max);
		}
		if (may_fly && (!early || s->early))
			put_stream_data(t, w, s);
	}
}

/* Undoes begin() where nothing was to be said. */
static size_t finish_if(struct transport *t, struct writer *w, size_t head, size_t least, const struct key *k)
{
	if (w->len > least || w->sent.items_len)
		return finish(t, w, head, k);
	t->next_pn--;
	return 0;
}

static size_t write_short(struct transport *t, uint8_t *out, size_t cap)
{
	struct writer w = begin(t, out, cap, SIM_SHORT);
	size_t head = w.len, least;

	put_client(t, &w);
	least = w.len;
	put_ack(t, &w);
	put_control(t, &w);
	put_streams(t, &w, false);
	return finish_if(t, &w, head, least, &t->key[t->is_server]);
}

static size_t write_early(struct transport *t, uint8_t *out, size_t cap)
{
	struct writer w = begin(t, out, cap, SIM_EARLY);
	size_t head = w.len;

	put_streams(t, &w, true);
	return finish_if(t, &w, head, head, &t->early_key);
}

static size_t write_packet(struct transport *t, uint8_t *out, size_t cap)
{
	if (t->hello_due)
		return write_initial(t, out);
	if (t->server_due)
		return write_reply(t, out);
	if (t->has_keys && (!t->is_server || t->peer_proven || t->early_admitted))
		return write_short(t, out, cap);
	return !t->is_server && t->has_early_key ? write_early(t, out, cap) : 0;
}

static size_t write_probe(struct transport *t, uint8_t *out, enum sim_frame kind, const uint8_t data[static 8])
{
	struct writer w = begin(t, out, SIM_PACKET, SIM_SHORT);
	size_t head = w.len;

	put(&w, kind, 1);
	put_bytes(&w, data, 8);
	memset(w.p + w.len, 0, room(&w));       /* RFC 9000 8.2.1: full size, so that the path is known to carry it */
	w.len = w.cap;
	return finish(t, &w, head, &t->key[t->is_server]);
}

static size_t write_batch(struct transport *t, uint8_t *out, size_t *ret_seg)
{
	size_t len = 0;

	*ret_seg = SIM_PACKET;
	for (size_t i = 0; i < TRANSPORT_BATCH_SEGMENTS && len + SIM_PACKET <= TRANSPORT_BATCH_BYTES && !t->end.err; i++) {
		size_t n = write_packet(t, out + len, SIM_PACKET);
		len += n;
		if (n < SIM_PACKET)
			break;
	}
	*ret_seg = MIN(len, (size_t)SIM_PACKET);
	return len;
}

int transport_write(struct transport *t, uint8_t *out, size_t *ret_len, size_t *ret_seg, uint32_t *ret_path, tstamp now)
{
	size_t len = 0, seg = 0;
	uint32_t path = t->path;

	t->now = now;
	if (!t->end.err)
		sim_streams_reap(t);
	if (t->end.err) {
		seg = len = t->close_due ? sim_write_close(t, out) : 0;
		t->close_due = false;
	} else if (t->challenge.due) {
		path = t->challenge.path;
		seg = len = write_probe(t, out, FRAME_CHALLENGE, t->challenge.data);
		t->challenge.due = false;
	} else if (t->response.due) {
		path = t->response.path;
		seg = len = write_probe(t, out, FRAME_RESPONSE, t->response.data);
		t->response.due = false;
	} else {
		len = write_batch(t, out, &seg);
	}
	if (!len)
		return 0;

	*ret_len = len;
	*ret_seg = seg;
	*ret_path = path;
	return 1;
}
