#include "vault/vault.h"

#include <errno.h>
#include <sodium.h>

#include "base/err.h"

struct secrets {
	struct sign_seed seed;
	struct agree_secret agree;      /* of the same key; converting it again costs as much as using it */
};

struct vault {
	struct identity self;
	struct agree_public agree_public;
	struct secrets *secrets;        /* guarded, read-only pages; NULL: behind ops */
	unsigned permit;
	const struct vault_ops *ops;
	void *userdata;
};

int vault_new_local(struct vault **ret, const struct sign_seed *seed, unsigned permit)
{
	_cleanup_(vault_freep) struct vault *v = calloc(1, sizeof *v);

	if (!v)
		return -ENOMEM;
	v->secrets = sodium_malloc(sizeof *v->secrets);
	if (!v->secrets)
		return -ENOMEM;
	v->secrets->seed = *seed;
	agree_secret_from_sign(&v->secrets->agree, seed);
	agree_public_of(&v->agree_public, &v->secrets->agree);
	sodium_mprotect_readonly(v->secrets);
	v->permit = permit;
	identity_of_seed(&v->self, seed);
	*ret = take(v);
	return 0;
}

int vault_new_remote(struct vault **ret, const struct identity *self, const struct vault_ops *ops,
		     void *userdata)
{
	struct vault *v = calloc(1, sizeof *v);

	if (!v)
		return -ENOMEM;
	v->self = *self;
	v->ops = ops;
	v->userdata = userdata;
	*ret = v;
	return 0;
}

void vault_free(struct vault *v)
{
	if (!v)
		return;
	sodium_free(v->secrets);        /* zeroes first */
	free(v);
}

const struct identity *vault_identity(const struct vault *v)
{
	return &v->self;
}

static int sign_here(const struct vault *v, enum vault_purpose p, struct span message,
		     struct signature *ret)
{
	switch (p) {
	case VAULT_TLS:
		return vault_is_certificate_verify(message) ? sign_make(ret, &v->secrets->seed, "", message) : ERR_PARSE;
	case VAULT_STATEMENT:
		return vault_is_statement(message) ? sign_make(ret, &v->secrets->seed, "", message) : ERR_PARSE;
	case VAULT_RESTORE:
		if (!message.len || message.len > VAULT_RESTORE_MAX)
			return ERR_PARSE;
		return sign_make(ret, &v->secrets->seed, "carrier restore v1", message);
	default:
		return ERR_DENIED;
	}
}

int vault_sign(struct vault *v, enum vault_purpose p, struct span message, struct signature *ret)
{
	if ((unsigned)p >= _VAULT_PURPOSE_MAX)
		return ERR_DENIED;
	if (v->ops)
		return v->ops->sign(v->userdata, p, message, ret);
	if (!(v->permit & 1u << p))
		return ERR_DENIED;
	return sign_here(v, p, message, ret);
}

/* The two public keys in bytewise order make both sides hash the same. */
static int agree_as(const struct agree_secret *sk, const struct agree_public *own, const struct agree_public *pk,
		    uint8_t out[static SHARED_LEN])
{
	struct {
		uint8_t point[SHARED_LEN];
		struct agree_public lower, higher;
	} in;

	int err = agree(in.point, sk, pk);
	if (err < 0)
		return err;
	bool own_first = memcmp(own, pk, sizeof *own) < 0;
	in.lower = own_first ? *own : *pk;
	in.higher = own_first ? *pk : *own;
	hash(out, "carrier agree v1", SPAN(&in, sizeof in));
	wipe(&in, sizeof in);
	return 0;
}

int vault_agree_with(const struct agree_secret *sk, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	struct agree_public own;

	agree_public_of(&own, sk);
	return agree_as(sk, &own, pk, out);
}

int vault_agree(struct vault *v, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	if (v->ops)
		return v->ops->agree(v->userdata, pk, out);
	return agree_as(&v->secrets->agree, &v->agree_public, pk, out);
}
