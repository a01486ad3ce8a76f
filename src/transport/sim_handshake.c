/* Keys and proofs. ee hides the identities, es proves the server, se the client: each
 * side's long-term key agrees with the other's one-time key, behind the vault. */
#include "base/err.h"
#include "transport/sim_internal.h"

/* What vault_agree() gives for the same pair, from a secret that we hold. */
static int agree_as_vault(const struct agree_secret *sk, const struct agree_public *own,
			  const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	bool own_first = memcmp(own->b, pk->b, sizeof own->b) < 0;
	uint8_t in[SHARED_LEN + 2 * PUBLIC_KEY_LEN];
	int err;

	err = agree(in, sk, pk);
	if (err < 0)
		return err;

	memcpy(in + SHARED_LEN, own_first ? own->b : pk->b, PUBLIC_KEY_LEN);
	memcpy(in + SHARED_LEN + PUBLIC_KEY_LEN, own_first ? pk->b : own->b, PUBLIC_KEY_LEN);
	hash(out, "carrier agree v1", SPAN_OF(in));
	return 0;
}

static int agree_with_identity(const struct transport *t, const struct identity *who, uint8_t out[static SHARED_LEN])
{
	struct sign_public pub = identity_public(who);
	struct agree_public pk;
	int err;

	err = agree_public_from_sign(&pk, &pub);
	return err < 0 ? err : agree_as_vault(&t->eph, &t->eph_pub, &pk, out);
}

static void derive(void *out, size_t len, const char *purpose, const uint8_t a[static 32], const uint8_t b[static 32])
{
	uint8_t in[64], digest[HASH_LEN];

	memcpy(in, a, 32);
	memcpy(in + 32, b, 32);
	hash(digest, purpose, SPAN_OF(in));
	memcpy(out, digest, len);
}

void sim_initial_key(struct key *out, const uint8_t dcid[static TRANSPORT_CID_LEN])
{
	hash(out->b, "carrier sim initial", SPAN(dcid, TRANSPORT_CID_LEN));
}

void sim_early_key(struct transport *t, const uint8_t secret[static 32], const struct agree_public *e_c)
{
	derive(t->early_key.b, sizeof t->early_key, "carrier sim early", secret, e_c->b);
	t->has_early_key = true;
}

int sim_reply_key(struct transport *t)
{
	uint8_t ee[SHARED_LEN];
	int err;

	err = agree_as_vault(&t->eph, &t->eph_pub, &t->eph_peer, ee);
	if (err < 0)
		return err;

	derive(t->reply_key.b, sizeof t->reply_key, "carrier sim reply", ee, ee);
	return 0;
}

static void session_keys(struct transport *t, const uint8_t es[static SHARED_LEN], uint8_t ret_proof[static MAC_LEN])
{
	derive(t->key[0].b, sizeof t->key[0], "carrier sim client key", t->reply_key.b, es);
	derive(t->key[1].b, sizeof t->key[1], "carrier sim server key", t->reply_key.b, es);
	derive(ret_proof, MAC_LEN, "carrier sim server proof", t->reply_key.b, es);
}

int sim_server_keys(struct transport *t, uint8_t ret_proof[static MAC_LEN])
{
	uint8_t es[SHARED_LEN];
	int err;

	err = vault_agree(t->context->vault, &t->eph_peer, es);
	if (err < 0)
		return err;

	session_keys(t, es, ret_proof);
	return 0;
}

int sim_client_keys(struct transport *t, const uint8_t proof[static MAC_LEN])
{
	uint8_t es[SHARED_LEN], se[SHARED_LEN], want[MAC_LEN];
	int err;

	err = agree_with_identity(t, &t->peer, es);
	if (err >= 0)
		err = vault_agree(t->context->vault, &t->eph_peer, se);
	if (err < 0)
		return err;

	session_keys(t, es, want);
	if (!equal_ct(want, proof, sizeof want))
		return ERR_CRYPTO;
	derive(t->se, sizeof t->se, "carrier sim client proof", t->reply_key.b, se);
	return 0;
}

int sim_client_proof_ok(struct transport *t, const struct identity *who, const uint8_t proof[static MAC_LEN])
{
	uint8_t se[SHARED_LEN], want[MAC_LEN];
	int err;

	err = agree_with_identity(t, who, se);
	if (err < 0)
		return err;

	derive(want, sizeof want, "carrier sim client proof", t->reply_key.b, se);
	return equal_ct(want, proof, sizeof want) ? 0 : ERR_CRYPTO;
}

/* ---- tickets: secret, nonce, sealed {identity, secret} ---- */

void sim_ticket_make(struct transport *t, uint8_t out[static SIM_TICKET_LEN])
{
	uint8_t plain[64];

	sim_random_bytes(out, 32 + 12);
	memcpy(plain, t->peer.key, 32);
	memcpy(plain + 32, out, 32);
	aead_seal(out + 44, t->context->ticket.b, out + 32, SPAN_NONE, SPAN_OF(plain));
}

/* The server's side of a Hello: the ticket without its secret. */
int sim_ticket_open(struct transport *t, struct span ticket)
{
	uint8_t plain[64];
	int err;

	if (ticket.len != SIM_TICKET_LEN - 32)
		return ERR_LENGTH;
	err = aead_open(plain, t->context->ticket.b, ticket.data, SPAN_NONE, span_from(ticket, 12));
	if (err < 0)
		return err;

	memcpy(t->peer.key, plain, 32);
	sim_early_key(t, plain + 32, &t->eph_peer);
	return 0;
}
