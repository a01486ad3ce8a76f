#include "identity/network.h"

#include <errno.h>

#include "base/err.h"
#include "identity/refuse.h"

#define PROOF_PURPOSE "carrier network proof v1"

enum { STATEMENT_LEN = 1 + 2 * PUBLIC_KEY_LEN + NETWORK_NONCE_LEN };

static struct sign_seed seed_of(const struct network_secret *secret)
{
	struct sign_seed seed;

	memcpy(seed.b, secret->b, sizeof seed.b);
	return seed;
}

void network_secret_new(struct network_secret *out)
{
	random_bytes(out->b, sizeof out->b);
}

void network_address_of(struct network_address *out, const struct network_secret *secret)
{
	struct sign_seed seed = seed_of(secret);
	struct sign_public pk;

	sign_public_of(&pk, &seed);
	memcpy(out->key, pk.b, sizeof out->key);
	wipe(&seed, sizeof seed);
}

void network_old_address_of(uint8_t out[static 32], const struct network_secret *secret)
{
	struct agree_secret sk;
	struct agree_public pk;

	memcpy(sk.b, secret->b, sizeof sk.b);
	agree_public_of(&pk, &sk);
	memcpy(out, pk.b, sizeof pk.b);
	wipe(&sk, sizeof sk);
}

static void format(char out[static IDENTITY_STR_MAX], enum text_type type, const uint8_t *key)
{
	char text[TEXT_STR_MAX];

	text_format2(text, type, key);
	memcpy(out, text, IDENTITY_STR_MAX);
	wipe(text, sizeof text);
}

void network_address_format(char out[static IDENTITY_STR_MAX], const struct network_address *a)
{
	format(out, TEXT_ADDRESS, a->key);
}

/* An X25519 key happens to be a good Ed25519 key once in sixteen times and passes
 * then; it opens nothing, since nobody has the other half. */
int network_address_parse(struct network_address *ret, const char *text, struct text_error *detail)
{
	static const char old[] = "an address of the old kind (X25519), which proves nothing to a broker: make the address anew from the network's secret";
	struct sign_public pk;
	int err = text_parse(pk.b, TEXT_ADDRESS, text, detail);

	if (err < 0)
		return err;
	if (text[0] == 'o')
		return refuse(detail, ERR_VERSION, "%s", old);
	if (sign_public_check(&pk) < 0)
		return refuse(detail, ERR_WEAK, "%s", old);

	memcpy(ret->key, pk.b, sizeof ret->key);
	return 0;
}

void network_secret_format(char out[static IDENTITY_STR_MAX], const struct network_secret *s)
{
	format(out, TEXT_XSECRET, s->b);
}

int network_secret_parse(struct network_secret *ret, const char *text, struct text_error *detail)
{
	uint8_t payload[64];
	enum text_type type;
	int err = text_parse_any(payload, &type, text, detail);

	if (err < 0)
		return err;

	if (type == TEXT_XSECRET || type == TEXT_SECRET)
		memcpy(ret->b, payload, sizeof ret->b);
	else
		err = refuse_type(detail, type, TEXT_XSECRET);
	wipe(payload, sizeof payload);
	return err;
}

static int write_statement(uint8_t out[static STATEMENT_LEN], enum network_role role,
			   const struct identity *member, const struct identity *broker,
			   const uint8_t nonce[static NETWORK_NONCE_LEN])
{
	if (role != NETWORK_PUBLISH && role != NETWORK_SUBSCRIBE)
		return -EINVAL;

	*out++ = (uint8_t)role;
	memcpy(out, member->key, PUBLIC_KEY_LEN);
	memcpy(out + PUBLIC_KEY_LEN, broker->key, PUBLIC_KEY_LEN);
	memcpy(out + 2 * PUBLIC_KEY_LEN, nonce, NETWORK_NONCE_LEN);
	return 0;
}

int network_prove(uint8_t out[static NETWORK_PROOF_LEN], const struct network_secret *secret,
		  enum network_role role, const struct identity *member, const struct identity *broker,
		  const uint8_t nonce[static NETWORK_NONCE_LEN])
{
	uint8_t statement[STATEMENT_LEN];
	struct signature sig;
	struct sign_seed seed;
	int err = write_statement(statement, role, member, broker, nonce);

	if (err < 0)
		return err;

	seed = seed_of(secret);
	err = sign_make(&sig, &seed, PROOF_PURPOSE, SPAN_OF(statement));
	wipe(&seed, sizeof seed);
	if (err < 0)
		return err;

	memcpy(out, sig.b, sizeof sig.b);
	return 0;
}

int network_verify(const struct network_address *network, enum network_role role,
		   const struct identity *member, const struct identity *broker,
		   const uint8_t nonce[static NETWORK_NONCE_LEN],
		   const uint8_t proof[static NETWORK_PROOF_LEN])
{
	uint8_t statement[STATEMENT_LEN];
	struct sign_public pk;
	struct signature sig;
	int err = write_statement(statement, role, member, broker, nonce);

	if (err < 0)
		return err;

	memcpy(pk.b, network->key, sizeof pk.b);
	memcpy(sig.b, proof, sizeof sig.b);
	return sign_verify(&pk, PROOF_PURPOSE, SPAN_OF(statement), &sig);
}
