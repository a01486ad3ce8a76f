/* Headers and seals of packets, and what brokers and endpoints read of them. */
#include "base/err.h"
#include "transport/sim_internal.h"

static void put_u32(uint8_t *out, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int transport_peek(struct token *ret, struct span d)
{
	size_t at;

	if (!d.len || !(d.data[0] & 0x40))
		return ERR_PARSE;
	at = d.data[0] & 0x80 ? 6 : 1;
	if (d.len < at + TRANSPORT_CID_LEN || (at == 6 && d.data[5] != TRANSPORT_CID_LEN))
		return ERR_PARSE;

	memcpy(ret->b, d.data + at, sizeof ret->b);
	return 0;
}

bool transport_is_initial(struct span d)
{
	return d.len >= SIM_PACKET && (d.data[0] & 0xf0) == SIM_INITIAL && get_u32(d.data + 1) == SIM_VERSION;
}

int sim_head_parse(struct sim_head *ret, struct span d)
{
	struct sim_head h = {};
	const uint8_t *p = d.data;

	if (d.len < SIM_SHORT_HEADER)
		return ERR_PARSE;
	if (p[0] == SIM_SHORT) {
		h.type = SIM_SHORT;
		h.len = SIM_SHORT_HEADER;
		memcpy(h.dcid, p + 1, sizeof h.dcid);
	} else {
		if (d.len < SIM_LONG_HEADER || (p[0] != SIM_INITIAL && p[0] != SIM_EARLY && p[0] != SIM_REPLY))
			return ERR_PARSE;
		if (get_u32(p + 1) != SIM_VERSION || p[5] != TRANSPORT_CID_LEN || p[18] != TRANSPORT_CID_LEN)
			return ERR_PARSE;
		h.type = p[0];
		h.len = SIM_LONG_HEADER;
		memcpy(h.dcid, p + 6, sizeof h.dcid);
		memcpy(h.scid, p + 19, sizeof h.scid);
	}
	h.pn = get_u32(p + h.len - 4);

	*ret = h;
	return 0;
}

size_t sim_head_write(uint8_t *out, const struct sim_head *h)
{
	size_t len = SIM_SHORT_HEADER;

	out[0] = (uint8_t)h->type;
	if (h->type == SIM_SHORT) {
		memcpy(out + 1, h->dcid, sizeof h->dcid);
	} else {
		put_u32(out + 1, SIM_VERSION);
		out[5] = out[18] = TRANSPORT_CID_LEN;
		memcpy(out + 6, h->dcid, sizeof h->dcid);
		memcpy(out + 19, h->scid, sizeof h->scid);
		len = SIM_LONG_HEADER;
	}
	put_u32(out + len - 4, h->pn);
	return len;
}

static void nonce_of(uint8_t out[static 12], uint32_t pn, bool from_server)
{
	memset(out, 0, 12);
	out[0] = from_server;
	put_u32(out + 8, pn);
}

size_t sim_seal(uint8_t *packet, size_t head, size_t plain, const struct key *k, uint32_t pn, bool from_server)
{
	uint8_t nonce[12], copy[SIM_PACKET];

	nonce_of(nonce, pn, from_server);
	memcpy(copy, packet + head, plain);
	aead_seal(packet + head, k->b, nonce, SPAN(packet, head), SPAN(copy, plain));
	return head + plain + AEAD_TAG_LEN;
}

int sim_open(uint8_t *out, struct span d, size_t head, const struct key *k, uint32_t pn, bool from_server)
{
	uint8_t nonce[12];

	if (d.len < head + AEAD_TAG_LEN || d.len > SIM_PACKET)
		return ERR_PARSE;
	nonce_of(nonce, pn, from_server);
	return aead_open(out, k->b, nonce, span_first(d, head), span_from(d, head));
}
