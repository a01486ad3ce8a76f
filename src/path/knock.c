#include "path/knock.h"

#include "base/err.h"

enum { AT_EPHEMERAL = 1, AT_TOKEN = 33, AT_SEALED = 41, SEALED_LEN = 48, AT_MAC = 89 };

static const char seal_purpose[] = "carrier knock seal v1", mac_purpose[] = "carrier knock mac v1";

static void key_from(uint8_t out[static 32], const char *purpose, const uint8_t shared[static SHARED_LEN])
{
	hash(out, purpose, SPAN(shared, SHARED_LEN));
}

static int prove_key(struct mac_key *out, struct vault *self, const struct identity *other)
{
	struct sign_public pk = identity_public(other);
	struct agree_public x;
	uint8_t shared[SHARED_LEN];

	int err = agree_public_from_sign(&x, &pk);
	if (err >= 0)
		err = vault_agree(self, &x, shared);
	if (err >= 0)
		key_from(out->b, mac_purpose, shared);
	wipe(shared, sizeof shared);
	return err;
}

int knock_seal(uint8_t out[static KNOCK_LEN], struct vault *caller, const struct identity *device,
	       const struct token *token)
{
	static const uint8_t nonce[12];         /* each key seals once */
	struct sign_public pk = identity_public(device);
	struct agree_secret e;
	struct agree_public e_pub, x;
	uint8_t shared[SHARED_LEN], key[32];
	struct mac_key mk;

	int err = agree_public_from_sign(&x, &pk);
	if (err < 0)
		return err;
	random_bytes(e.b, sizeof e.b);
	agree_public_of(&e_pub, &e);
	err = vault_agree_with(&e, &x, shared);
	wipe(&e, sizeof e);
	if (err < 0)
		return err;
	key_from(key, seal_purpose, shared);

	out[0] = CONTROL_DIRECT_KNOCK;
	memcpy(out + AT_EPHEMERAL, e_pub.b, sizeof e_pub.b);
	memcpy(out + AT_TOKEN, token->b, sizeof token->b);
	aead_seal(out + AT_SEALED, key, nonce, SPAN(out, AT_SEALED), SPAN(vault_identity(caller)->key, 32));

	err = prove_key(&mk, caller, device);
	if (err >= 0)
		mac(out + AT_MAC, &mk, mac_purpose, SPAN(out, AT_MAC));
	wipe(&mk, sizeof mk);
	wipe(shared, sizeof shared);
	wipe(key, sizeof key);
	return err;
}

static bool seen_before(struct knock_seen *seen, const uint8_t *ephemeral)
{
	for (size_t i = 0; i < KNOCK_SEEN_MAX; i++)
		if (!memcmp(seen->ephemeral[i], ephemeral, sizeof seen->ephemeral[i]))
			return true;
	memcpy(seen->ephemeral[seen->next], ephemeral, sizeof seen->ephemeral[0]);
	seen->next = (seen->next + 1) % KNOCK_SEEN_MAX;
	return false;
}

int knock_open(struct knock *ret, struct span d, struct vault *device, struct knock_seen *seen)
{
	static const uint8_t nonce[12];
	struct agree_public e_pub;
	uint8_t shared[SHARED_LEN], key[32];
	struct knock k;

	if (d.len != KNOCK_LEN || d.data[0] != CONTROL_DIRECT_KNOCK)
		return ERR_PARSE;
	if (seen_before(seen, d.data + AT_EPHEMERAL))
		return ERR_EXISTS;
	memcpy(e_pub.b, d.data + AT_EPHEMERAL, sizeof e_pub.b);
	memcpy(k.ephemeral, e_pub.b, sizeof k.ephemeral);
	memcpy(k.token.b, d.data + AT_TOKEN, sizeof k.token.b);

	int err = vault_agree(device, &e_pub, shared);
	if (err >= 0) {
		key_from(key, seal_purpose, shared);
		err = aead_open(k.caller.key, key, nonce, span_first(d, AT_SEALED), SPAN(d.data + AT_SEALED, SEALED_LEN));
	}
	wipe(shared, sizeof shared);
	wipe(key, sizeof key);
	if (err < 0)
		return ERR_CRYPTO;
	*ret = k;
	return 0;
}

int knock_prove(const struct knock *k, struct span d, struct vault *device)
{
	struct mac_key mk;
	int err = prove_key(&mk, device, &k->caller);

	if (err >= 0 && !mac_ok(d.data + AT_MAC, &mk, mac_purpose, span_first(d, AT_MAC)))
		err = ERR_CRYPTO;
	wipe(&mk, sizeof mk);
	return err < 0 ? ERR_CRYPTO : 0;
}
