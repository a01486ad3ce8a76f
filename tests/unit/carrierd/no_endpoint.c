/* An endpoint without a network: takes the socket, and uses each of net's powers once. */
#include <unistd.h>

#include "base/err.h"
#include "carrierd/net_endpoint.h"
#include "wire/cbor.h"

struct net_endpoint {
	struct net *net;
	int fd;
};

static void on_answer(void *userdata, int err, struct span answer, int *fds, size_t fds_len)
{
	struct net_endpoint *e = userdata;

	(void)answer;
	(void)fds;
	(void)fds_len;
	log_to(&e->net->log, LOG_INFO, "endpoint", "sysinfo for a stranger: %s", err_name(err));
}

static int try_vault(struct net *n)
{
	uint8_t cv[64 + 34 + 32];
	struct signature sig;
	struct sign_public pk = identity_public(&n->self);
	int err;

	memset(cv, ' ', 64);
	memcpy(cv + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(cv + 98, 1, 32);
	err = vault_sign(n->vault, VAULT_TLS, SPAN_OF(cv), &sig);
	return err < 0 ? err : sign_verify(&pk, "", SPAN_OF(cv), &sig);
}

int net_endpoint_new(struct net_endpoint **ret, struct net *n, const struct settings *settings, int udp_fd)
{
	static struct net_endpoint e;
	uint8_t nonce[NETWORK_NONCE_LEN] = {}, proof[NETWORK_PROOF_LEN];
	int err = try_vault(n), proved = keys_client_prove(&n->keys, NETWORK_PUBLISH, &n->self, nonce, proof);

	(void)settings;
	if (err < 0)
		return err;
	if (n->has_network)
		proved = proved < 0 ? proved : network_verify(&n->network, NETWORK_PUBLISH, &n->self, &n->self, nonce, proof);
	log_to(&n->log, LOG_INFO, "endpoint", "signature good, proof %s, %zu rules", err_name(proved), auth_len(n->auth));
	e = (struct net_endpoint){ n, udp_fd };
	n->host.call(n->host.userdata, HOST_SYSINFO, &n->self, "/v2/carrier.sysinfo.v1/sysinfo", SPAN("\xa0", 1), on_answer, &e);
	*ret = &e;
	return 0;
}

void net_endpoint_reload(struct net_endpoint *e, const struct settings *settings)
{
	(void)settings;
	log_to(&e->net->log, LOG_INFO, "endpoint", "reloaded, %zu rules", auth_len(e->net->auth));
}

void net_endpoint_free(struct net_endpoint *e)
{
	if (e)
		close(e->fd);
}
