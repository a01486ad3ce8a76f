#include "carrierd/keys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "carrierd/agent_test.h"
#include "carrierd/messages.h"
#include "carrierd/sandbox.h"
#include "ipc/ipc.h"
#include "wire/cbor.h"

typedef int answer_fn(struct keys *k, struct span body, struct buf *out);

/* ---- of net ---- */

static int answer_sign(struct keys *k, struct span body, struct buf *out)
{
	struct cbor c = CBOR(body);
	struct signature sig;

	if (cbor_array(&c, 2) != 2)
		return ERR_PARSE;
	uint64_t purpose = cbor_uint_max(&c, _VAULT_PURPOSE_MAX - 1);
	struct span message = cbor_bytes(&c);
	int err = cbor_end(&c);
	if (err < 0)
		return err;

	/* The vault permits the purpose and checks the form. */
	err = vault_sign(k->vault, (enum vault_purpose)purpose, message, &sig);
	if (err >= 0)
		cbor_put_bytes(out, SPAN_OF(sig.b));
	return err;
}

static int answer_agree(struct keys *k, struct span body, struct buf *out)
{
	struct cbor c = CBOR(body);
	uint8_t shared[SHARED_LEN];
	struct agree_public pk;

	if (cbor_array(&c, 1) != 1)
		return ERR_PARSE;
	cbor_bytes_exact(&c, pk.b, sizeof pk.b);
	int err = cbor_end(&c);
	if (err < 0)
		return err;

	err = vault_agree(k->vault, &pk, shared);
	if (err >= 0)
		cbor_put_bytes(out, SPAN_OF(shared));
	wipe(shared, sizeof shared);
	return err;
}

/* The member that the proof names is always this identity. */
static int answer_prove(struct keys *k, struct span body, struct buf *out)
{
	uint8_t nonce[NETWORK_NONCE_LEN], proof[NETWORK_PROOF_LEN];
	struct cbor c = CBOR(body);
	struct identity broker;

	if (cbor_array(&c, 3) != 3)
		return ERR_PARSE;
	uint64_t role = cbor_uint_max(&c, NETWORK_SUBSCRIBE);
	cbor_bytes_exact(&c, broker.key, sizeof broker.key);
	cbor_bytes_exact(&c, nonce, sizeof nonce);
	int err = cbor_end(&c);
	if (err < 0)
		return err;
	if (role < NETWORK_PUBLISH)
		return ERR_PARSE;
	if (!k->has_network)
		return ERR_UNKNOWN;

	err = network_prove(proof, k->network, (enum network_role)role, vault_identity(k->vault), &broker, nonce);
	if (err >= 0)
		cbor_put_bytes(out, SPAN_OF(proof));
	return err;
}

static answer_fn *const of_net[] = {
	[KEYS_SIGN] = answer_sign,
	[KEYS_AGREE] = answer_agree,
	[KEYS_PROVE] = answer_prove,
};

int keys_answer_net(struct keys *k, uint16_t type, struct span body, struct buf *out)
{
	if (type >= ARRAY_LEN(of_net) || !of_net[type])
		return ERR_DENIED;
	return of_net[type](k, body, out);
}

/* ---- of the monitor ---- */

static void put_address(struct buf *out, const struct keys *k)
{
	struct network_address address;

	if (!k->has_network) {
		cbor_put_null(out);
		return;
	}
	network_address_of(&address, k->network);
	cbor_put_bytes(out, SPAN_OF(address.key));
}

static int set_network(struct keys *k, const struct network_secret *secret)
{
	if (!k->network)
		k->network = sodium_malloc(sizeof *k->network);
	if (!k->network)
		return -ENOMEM;
	*k->network = *secret;
	k->has_network = true;
	return 0;
}

int keys_answer_monitor(struct keys *k, uint16_t type, struct span body, struct buf *out)
{
	struct network_secret secret = {};
	struct cbor c = CBOR(body);
	int err;

	if (type != KEYS_NETWORK)
		return ERR_DENIED;
	if (cbor_array(&c, 1) != 1)
		return ERR_PARSE;
	bool none = cbor_peek(&c) == CBOR_NULL;
	if (none)
		cbor_null(&c);
	else
		cbor_bytes_exact(&c, secret.b, sizeof secret.b);
	err = cbor_end(&c);
	if (err >= 0 && none)
		k->has_network = false;
	else if (err >= 0)
		err = set_network(k, &secret);
	wipe(&secret, sizeof secret);
	if (err < 0)
		return err;
	cbor_put_array(out, 1);
	put_address(out, k);
	return 0;
}

/* ---- the process ---- */

static int load(struct keys *k, const struct keys_setup *setup, struct home_error *error)
{
	_cleanup_(home_done) struct home home = {};
	struct network_secret network;
	struct sign_seed seed;
	int err;

	if ((err = home_open(&home, setup->config_path, error)) < 0 ||
	    (err = home_setup(&home, error)) < 0 ||
	    (err = home_secret(&home, &seed, setup->ask, setup->ask_userdata, error)) < 0)
		return err;
	err = vault_new_local(&k->vault, &seed, 1u << VAULT_TLS | agent_test.keys_permit);
	wipe(&seed, sizeof seed);
	if (err < 0)
		return err;

	err = home_network(&home, &network, error);
	if (err == -ENOENT)
		return 0;
	if (err >= 0)
		err = set_network(k, &network);
	wipe(&network, sizeof network);
	return err;
}

static int say_ready(const struct keys *k, int fd)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 2);
	cbor_put_bytes(&b, SPAN_OF(vault_identity(k->vault)->key));
	put_address(&b, k);
	return buf_err(&b) < 0 ? buf_err(&b) : ipc_tell(fd, KEYS_READY, buf_span(&b), NULL, 0);
}

static int say_failed(int fd, int err, const char *text)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 2);
	cbor_put_int(&b, err);
	cbor_put_str(&b, *text ? text : err_text(err));
	return buf_err(&b) < 0 ? buf_err(&b) : ipc_tell(fd, KEYS_FAILED, buf_span(&b), NULL, 0);
}

/* One request; an error is the channel's end. */
static int serve_one(struct keys *k, int fd, int (*answer)(struct keys *, uint16_t, struct span, struct buf *),
		     struct ipc_area *area)
{
	_cleanup_(buf_wipe) struct buf out = {};
	struct ipc_message m;
	int err = ipc_wait(fd, 0, area, &m);

	if (err < 0)
		return err == ERR_TIMEOUT ? 0 : err;
	ipc_message_done(&m);
	if (!m.id)
		return ERR_PROTOCOL;
	err = answer(k, m.type, m.body, &out);
	if (err >= 0)
		err = buf_err(&out);
	return ipc_answer(fd, m.id, err, err < 0 ? SPAN_NONE : buf_span(&out));
}

static int serve(struct keys *k, const struct keys_setup *setup)
{
	_cleanup_free_ struct ipc_area *area = malloc(sizeof *area);
	struct pollfd p[2] = {
		{ .fd = setup->monitor_fd, .events = POLLIN },
		{ .fd = setup->net_fd, .events = POLLIN },
	};

	if (!area)
		return -ENOMEM;
	for (;;) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents && serve_one(k, p[0].fd, keys_answer_monitor, area) < 0)
			return 0;
		if (p[1].revents && serve_one(k, p[1].fd, keys_answer_net, area) < 0)
			p[1].fd = -1;   /* net is gone; the monitor decides what that means */
	}
}

/* Secrets of the environment stand in our memory whatever setenv() forgets. */
static void wipe_environment(void)
{
	static const char *const names[] = { "CARRIER_SECRETKIT", "CARRIER_SECRET" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *value = getenv(names[i]);
		if (value)
			wipe(value, strlen(value));
	}
}

int keys_main(const struct keys_setup *setup)
{
	struct home_error error = {};
	struct sandbox_report report = {};
	struct keys k = {};
	int err = load(&k, setup, &error);

	wipe_environment();
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (err >= 0 && (err = sandbox_drop_user(&report)) >= 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		err = sandbox_keys(&report);
	}
	err = err < 0 ? say_failed(setup->monitor_fd, err, error.text) : say_ready(&k, setup->monitor_fd);
	if (err >= 0 && k.vault)
		err = serve(&k, setup);
	vault_free(k.vault);
	sodium_free(k.network);
	return err < 0;
}
