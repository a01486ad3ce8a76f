/* What arrives: one packet a datagram. A packet changes nothing before its seal and
 * its number are known to be good. */
#include <errno.h>

#include "base/err.h"
#include "transport/sim_internal.h"

struct frames {
	const uint8_t *p;
	size_t left;
	int err;
	enum sim_type type;
	uint32_t path;
	bool probing;           /* nothing but challenges: says nothing about the peer's path */
};

static const uint8_t *get_bytes(struct frames *f, size_t n)
{
	static const uint8_t zeroes[SIM_PACKET];
	const uint8_t *p = f->p;

	if (f->err || n > f->left) {
		f->err = f->err ?: ERR_PROTOCOL;
		f->left = 0;
		return zeroes;
	}
	f->p += n;
	f->left -= n;
	return p;
}

static uint64_t get(struct frames *f, size_t n)
{
	const uint8_t *p = get_bytes(f, n);
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* ---- handshake frames ---- */

static void on_hello(struct transport *t, struct frames *f)
{
	uint8_t alpn[256] = {};
	const uint8_t *e_c = get_bytes(f, PUBLIC_KEY_LEN);
	size_t n = get(f, 1);

	memcpy(alpn, get_bytes(f, n), n);
	n = get(f, 1);
	struct span ticket = SPAN(get_bytes(f, n), n);
	if (f->err)
		return;
	if (t->has_hello) {
		t->server_due = !t->peer_has_keys && !memcmp(t->eph_peer.b, e_c, sizeof t->eph_peer.b);
		return;
	}
	memcpy(t->eph_peer.b, e_c, sizeof t->eph_peer.b);
	f->err = sim_reply_key(t);
	if (f->err >= 0)
		f->err = sim_server_keys(t, t->se);
	if (f->err < 0)
		return;
	t->has_hello = t->has_reply_key = t->has_keys = true;
	t->resumed = t->early_accepted = ticket.len && sim_ticket_open(t, ticket) >= 0;
	t->server_due = true;
	if (strcmp((char *)alpn, t->alpn))
		f->err = ERR_PROTOCOL;
}

static void on_server(struct transport *t, struct frames *f)
{
	const uint8_t *who = get_bytes(f, PUBLIC_KEY_LEN);
	const uint8_t *proof = get_bytes(f, MAC_LEN);
	bool resumed = get(f, 1) & 1;

	if (f->err || t->has_keys)
		return;
	if (memcmp(who, t->peer.key, PUBLIC_KEY_LEN)) {
		f->err = ERR_PEER;
		return;
	}
	if (sim_client_keys(t, proof) < 0) {
		f->err = ERR_CRYPTO;
		return;
	}
	t->has_keys = t->ready = t->client_due = true;
	t->resumed = t->early_accepted = resumed && t->has_ticket;
	sim_forget_type(t, SIM_INITIAL, false);
	if (!t->early_accepted)
		sim_forget_type(t, SIM_EARLY, true);
	t->hello_due = false;
	if (t->ops->ready)
		t->ops->ready(t->userdata);
}

static int judge_client(struct transport *t, const struct identity *who, const uint8_t proof[static MAC_LEN])
{
	if (sim_client_proof_ok(t, who, proof) < 0 || (t->resumed && !identity_equal(&t->peer, who)))
		return ERR_CRYPTO;
	t->peer = *who;
	if (t->expect_peer && !identity_equal(&t->expected, who))
		return ERR_PEER;
	return t->ops->admit(t->userdata, who) ? 0 : ERR_DENIED;
}

static void on_client(struct transport *t, struct frames *f)
{
	struct identity who;

	memcpy(who.key, get_bytes(f, PUBLIC_KEY_LEN), sizeof who.key);
	const uint8_t *proof = get_bytes(f, MAC_LEN);
	if (f->err || t->peer_proven)
		return;
	if (!t->peer_has_keys) {
		t->peer_has_keys = true;
		t->server_due = false;
		sim_forget_type(t, SIM_REPLY, false);
	}
	f->err = judge_client(t, &who, proof);
	if (f->err < 0)
		return;
	t->peer_proven = t->ready = t->confirmed = true;
	t->done_due = t->ticket_due = true;
	sim_ticket_make(t, t->ticket);
	if (t->ops->ready)
		t->ops->ready(t->userdata);
	if (t->ops->confirmed)
		t->ops->confirmed(t->userdata);
}

static void on_done(struct transport *t)
{
	if (t->is_server || t->confirmed)
		return;
	t->confirmed = true;
	if (t->ops->confirmed)
		t->ops->confirmed(t->userdata);
}

static void on_ticket(struct transport *t, struct frames *f)
{
	uint8_t blob[SIM_BLOB_LEN];

	memcpy(blob, t->peer.key, PUBLIC_KEY_LEN);
	memcpy(blob + PUBLIC_KEY_LEN, get_bytes(f, SIM_TICKET_LEN), SIM_TICKET_LEN);
	if (!f->err && !t->is_server && t->ops->ticket)
		t->ops->ticket(t->userdata, SPAN_OF(blob));
}

/* ---- ordinary frames ---- */

static void on_ack(struct transport *t, struct frames *f)
{
	struct range r[SIM_ACK_RANGES];
	size_t n = get(f, 1);

	if (n > ARRAY_LEN(r))
		f->err = ERR_PROTOCOL;
	for (size_t i = 0; i < n && !f->err; i++) {
		r[i].from = get(f, 4);
		r[i].to = get(f, 4);
	}
	if (!f->err)
		sim_on_ack(t, r, n);
}

static bool admit_early(struct transport *t)
{
	if (!t->early_admitted)
		t->early_admitted = (!t->expect_peer || identity_equal(&t->expected, &t->peer)) &&
				    t->ops->admit(t->userdata, &t->peer);
	return t->early_admitted;
}

static void on_stream(struct transport *t, struct frames *f)
{
	uint32_t id = (uint32_t)get(f, 4);
	uint64_t off = get(f, 8);
	size_t n = get(f, 2);
	bool fin = get(f, 1) & 1;
	struct span data = SPAN(get_bytes(f, n), n);
	struct transport_stream *s;

	if (f->err)
		return;
	if (f->type == SIM_EARLY && !admit_early(t)) {
		f->err = ERR_DENIED;
		return;
	}
	f->err = sim_stream_get(t, id, &s);
	if (f->err >= 0 && s)
		f->err = sim_stream_data(s, off, data, fin, f->type == SIM_EARLY);
}

static void on_stream_word(struct transport *t, struct frames *f, enum sim_frame kind)
{
	uint32_t id = (uint32_t)get(f, 4);
	uint64_t v = get(f, 8);
	struct transport_stream *s;

	if (f->err)
		return;
	f->err = sim_stream_get(t, id, &s);
	if (f->err < 0 || !s)
		return;
	if (kind == FRAME_RESET)
		sim_stream_on_reset(s, v);
	else if (kind == FRAME_STOP)
		sim_stream_on_stop(s, v);
	else
		s->peer_max = MAX(s->peer_max, v);
}

static void on_challenge(struct transport *t, struct frames *f)
{
	memcpy(t->response.data, get_bytes(f, 8), 8);
	t->response.path = f->path;
	t->response.due = !f->err;
}

static void on_response(struct transport *t, struct frames *f)
{
	if (memcmp(get_bytes(f, 8), t->challenge.data, 8) || f->err || !t->challenge.on)
		return;
	t->challenge.on = t->challenge.due = false;
	if (t->challenge.switch_on_ok) {
		t->path = t->challenge.path;
		sim_path_changed(t, false);
	}
	if (t->ops->path_validated)
		t->ops->path_validated(t->userdata, t->challenge.path, true);
}

static void on_close(struct transport *t, struct frames *f)
{
	/* As QUIC has it: a client that leaves in the handshake says only that it failed. */
	const int errs[] = { ERR_CLOSED, t->is_server ? ERR_CRYPTO : ERR_REFUSED, ERR_PROTOCOL };
	size_t kind = get(f, 1);
	uint64_t code = get(f, 8);
	size_t n = get(f, 1);
	struct span reason = SPAN(get_bytes(f, n), n);

	if (!f->err)
		sim_end(t, errs[MIN(kind, ARRAY_LEN(errs) - 1)], true, code, reason);
}

/* Which frames may be in which packet. */
static bool is_allowed(enum sim_type type, uint64_t kind, bool by_server)
{
	if (by_server && (kind == FRAME_HELLO || kind == FRAME_CLIENT))
		return false;
	switch (type) {
	case SIM_INITIAL: return kind == FRAME_PADDING || kind == FRAME_HELLO;
	case SIM_EARLY: return kind == FRAME_PADDING || kind == FRAME_STREAM;
	case SIM_REPLY: return kind == FRAME_SERVER || kind == FRAME_CLOSE;
	default: return kind != FRAME_HELLO && kind != FRAME_SERVER && kind < _FRAME_MAX;
	}
}

static void on_frame(struct transport *t, struct frames *f)
{
	uint64_t kind = get(f, 1);

	if (!is_allowed(f->type, kind, !t->is_server)) {
		f->err = ERR_PROTOCOL;
		return;
	}
	f->probing &= kind == FRAME_PADDING || kind == FRAME_CHALLENGE || kind == FRAME_RESPONSE;
	/* The ACK of acknowledgements alone would never end. */
	t->ack_due |= kind != FRAME_ACK && kind != FRAME_PADDING && kind != FRAME_CLOSE;
	switch ((enum sim_frame)kind) {
	case FRAME_PADDING:
	case FRAME_PING: break;
	case FRAME_ACK: on_ack(t, f); break;
	case FRAME_HELLO: on_hello(t, f); break;
	case FRAME_SERVER: on_server(t, f); break;
	case FRAME_CLIENT: on_client(t, f); break;
	case FRAME_DONE: on_done(t); break;
	case FRAME_STREAM: on_stream(t, f); break;
	case FRAME_RESET:
	case FRAME_STOP:
	case FRAME_WINDOW: on_stream_word(t, f, (enum sim_frame)kind); break;
	case FRAME_STREAMS: t->peer_streams_max = MAX(t->peer_streams_max, (uint32_t)get(f, 4)); break;
	case FRAME_TICKET: on_ticket(t, f); break;
	case FRAME_CHALLENGE: on_challenge(t, f); break;
	case FRAME_RESPONSE: on_response(t, f); break;
	default: on_close(t, f); break;
	}
}

/* ---- packets ---- */

/* The key that opens this packet at this moment, or NULL. *ret_head grows over e_s. */
static const struct key *key_for(struct transport *t, const struct sim_head *h, struct span d, struct key *tmp, size_t *ret_head)
{
	bool ours = !memcmp(h->dcid, t->scid, sizeof h->dcid);

	switch (h->type) {
	case SIM_INITIAL:
		sim_initial_key(tmp, h->dcid);
		if (!t->is_server || (t->has_hello && memcmp(h->scid, t->dcid, sizeof h->scid)))
			return NULL;
		return tmp;
	case SIM_EARLY:
		return t->is_server && t->has_early_key ? &t->early_key : NULL;
	case SIM_REPLY:
		*ret_head += PUBLIC_KEY_LEN;
		if (!ours || d.len < *ret_head)
			return NULL;
		if (t->is_server)
			return t->has_reply_key && !t->peer_has_keys ? &t->reply_key : NULL;
		if (t->has_keys)        /* the same Reply again, or a farewell behind it */
			return !t->confirmed && !memcmp(t->eph_peer.b, d.data + h->len, sizeof t->eph_peer.b)
				       ? &t->reply_key : NULL;
		memcpy(t->eph_peer.b, d.data + h->len, sizeof t->eph_peer.b);
		return sim_reply_key(t) < 0 ? NULL : &t->reply_key;
	default:
		return ours && t->has_keys ? &t->key[!t->is_server] : NULL;
	}
}

static bool is_new(const struct transport *t, uint32_t pn)
{
	return pn >= t->got_floor && !ranges_has(&t->got, pn);
}

static int note_packet(struct transport *t, uint32_t pn)
{
	int err = ranges_add(&t->got, pn, (uint64_t)pn + 1);

	if (err < 0 || t->got.len <= SIM_RANGES_MAX)
		return err;
	t->got_floor = (uint32_t)t->got.r[1].from;
	ranges_del(&t->got, 0, t->got_floor);
	return 0;
}

static void learn_ids(struct transport *t, const struct sim_head *h)
{
	if (h->type == SIM_INITIAL) {
		memcpy(t->first_dcid, h->dcid, sizeof t->first_dcid);
		memcpy(t->dcid, h->scid, sizeof t->dcid);
	} else if (h->type == SIM_REPLY && !t->is_server) {
		memcpy(t->dcid, h->scid, sizeof t->dcid);
		t->has_reply_key = true;
	}
}

static bool is_newest(const struct transport *t, uint32_t pn)
{
	return !t->got.len || pn >= t->got.r[t->got.len - 1].to;
}

int transport_read(struct transport *t, uint32_t path, struct span d, tstamp now)
{
	uint8_t plain[SIM_PACKET];
	const struct key *k;
	struct sim_head h;
	struct key tmp;
	size_t head;
	int err;

	t->now = now;
	if (t->end.err)
		return t->end.err;
	err = sim_head_parse(&h, d);
	if (err < 0)
		return err;
	head = h.len;
	k = key_for(t, &h, d, &tmp, &head);
	if (!k)
		return ERR_STATE;
	err = sim_open(plain, d, head, k, h.pn, !t->is_server);
	if (err < 0)
		return err;
	if (!is_new(t, h.pn))
		return ERR_EXISTS;

	struct frames f = { .p = plain, .left = d.len - head - AEAD_TAG_LEN, .type = h.type, .path = path, .probing = true };
	if (t->is_server && h.type == SIM_SHORT && !t->peer_proven && (!f.left || plain[0] != FRAME_CLIENT))
		return ERR_STATE;
	bool newest = is_newest(t, h.pn);
	err = note_packet(t, h.pn);
	if (err < 0)
		return err;
	learn_ids(t, &h);
	t->rx_bytes += d.len;
	t->last_rx = t->idle_from = now;
	t->sent_since_rx = false;
	while (f.left && !f.err && !t->end.err)
		on_frame(t, &f);
	if (f.err < 0)
		sim_end(t, f.err, false, 0, SPAN_NONE);
	if (t->is_server && newest && !f.probing && (h.type != SIM_INITIAL || !t->peer_proven))
		t->path = path;
	if (!t->end.err)
		sim_streams_reap(t);
	return t->end.err;
}
