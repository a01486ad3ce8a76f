#include "carrierd/keys_client.h"

#include "base/err.h"
#include "carrierd/messages.h"
#include "ipc/ipc.h"
#include "wire/cbor.h"

/* Asks; the answer is one byte string of exactly len bytes. */
static int ask(const struct keys_client *k, uint16_t type, const struct buf *rq, uint8_t *ret, size_t len)
{
	_cleanup_(buf_wipe) struct buf answer = {};
	int err = buf_err(rq);

	if (err >= 0)
		err = ipc_call(k->fd, type, buf_span(rq), &answer);
	if (err < 0)
		return err;

	struct cbor c = CBOR(buf_span(&answer));
	struct span got = cbor_bytes(&c);
	if (cbor_end(&c) < 0 || got.len != len)
		return ERR_PROTOCOL;
	memcpy(ret, got.data, len);
	return 0;
}

static int remote_sign(void *userdata, enum vault_purpose p, struct span message, struct signature *ret)
{
	_cleanup_buf_ struct buf rq = {};

	cbor_put_array(&rq, 2);
	cbor_put_uint(&rq, (uint64_t)p);
	cbor_put_bytes(&rq, message);
	return ask(userdata, KEYS_SIGN, &rq, ret->b, sizeof ret->b);
}

static int remote_agree(void *userdata, const struct agree_public *pk, uint8_t out[static SHARED_LEN])
{
	_cleanup_buf_ struct buf rq = {};

	cbor_put_array(&rq, 1);
	cbor_put_bytes(&rq, SPAN_OF(pk->b));
	return ask(userdata, KEYS_AGREE, &rq, out, SHARED_LEN);
}

const struct vault_ops keys_client_ops = { .sign = remote_sign, .agree = remote_agree };

int keys_client_prove(struct keys_client *k, enum network_role role, const struct identity *broker,
		      const uint8_t nonce[static NETWORK_NONCE_LEN], uint8_t ret[static NETWORK_PROOF_LEN])
{
	_cleanup_buf_ struct buf rq = {};

	cbor_put_array(&rq, 3);
	cbor_put_uint(&rq, (uint64_t)role);
	cbor_put_bytes(&rq, SPAN_OF(broker->key));
	cbor_put_bytes(&rq, SPAN(nonce, NETWORK_NONCE_LEN));
	return ask(k, KEYS_PROVE, &rq, ret, NETWORK_PROOF_LEN);
}
