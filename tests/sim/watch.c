/* The wire, and what brokers say: no address of a device reaches anybody whom that
 * device has not let in. Sealed bytes are looked at where they are written, before the
 * seal (the linker wraps transport_stream_write()). */
#include <string.h>

#include "transport/sim_internal.h"
#include "world.h"

enum { PLAIN_HEAD = 41 };       /* of a long header: what everybody can read */

static struct world *watched;

int __real_transport_stream_write(struct transport_stream *s, struct span data);
int __wrap_transport_stream_write(struct transport_stream *s, struct span data);

static bool contains(struct span in, const uint8_t *what, size_t n)
{
	return memmem(in.data, in.len, what, n);
}

static bool shows(struct span clear, struct span all, const struct party *d)
{
	for (size_t i = 0; i < d->places_len; i++)
		if (contains(clear, d->places[i].ip + 12, 4) || contains(all, d->places[i].ip, 16))
			return true;
	return false;
}

static bool has_let_in(const struct party *device, const struct party *who)
{
	for (size_t i = 0; i < watched->parties_len; i++)
		if (party_self(watched->parties[i]) == party_self(device) &&
		    (watched->parties[i]->admitted & party_bit(who)))
			return true;
	return false;
}

static void look_at(const struct sim_packet *p, const struct party *to)
{
	struct span d = SPAN(p->data, p->len), clear = control_is(d) ? d : span_first(d, PLAIN_HEAD);

	for (size_t i = 0; i < watched->parties_len; i++) {
		const struct party *device = watched->parties[i];
		if (device->kind != PARTY_DEVICE || has_let_in(device, to))
			continue;
		if (party_is_at(device, &p->from))
			world_fail(watched, "%s sends to %s, whom it has not admitted", device->name, to->name);
		else if (shows(clear, d, device))
			world_fail(watched, "a datagram to %s shows where %s is", to->name, device->name);
	}
}

static bool on_packet(void *userdata, struct sim_packet *p)
{
	struct world *w = userdata;

	w->count.datagrams++;
	for (size_t i = 0; i < w->parties_len; i++) {
		const struct party *to = w->parties[i];
		if ((to->kind == PARTY_OPERATOR || to->kind == PARTY_STRANGER) && party_is_at(to, &p->to))
			look_at(p, to);
	}
	return !w->hook || w->hook(w->hook_userdata, p);
}

int __wrap_transport_stream_write(struct transport_stream *s, struct span data)
{
	const struct transport *t = s->t;

	if (watched && t->is_server && !strcmp(t->alpn, TRANSPORT_ALPN_BROKER))
		for (size_t i = 0; i < watched->parties_len; i++) {
			const struct party *d = watched->parties[i];
			if (d->kind == PARTY_DEVICE && !identity_equal(&d->id, &t->peer) && shows(data, data, d))
				world_fail(watched, "a broker tells somebody where %s is", d->name);
		}
	return __real_transport_stream_write(s, data);
}

void watch_begin(struct world *w)
{
	watched = w;
	sim_set_tap(w->sim, on_packet, w);
}

void watch_end(void) { watched = NULL; }
