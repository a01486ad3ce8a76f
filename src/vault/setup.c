/* First use, and the network that belongs to it. */
#include <errno.h>

#include "base/err.h"
#include "vault/internal.h"

static int read_network_key(const struct home *h, const char *key, struct network_secret *ret,
			    struct home_error *error)
{
	struct toml_table *root = toml_root(h->config);
	struct text_error detail = { "malformed" };
	const char *text;
	int found = toml_string(root, key, &text);

	if (found == ERR_TYPE)
		return home_refuse_at(error, h, toml_get(root, key), "%s: a string was expected", key);
	if (found <= 0)
		return found;
	if (network_secret_parse(ret, text, &detail) < 0)
		return home_refuse_at(error, h, toml_get(root, key), "%s: %s", key, detail.text);
	return 1;
}

static int refuse_lone_address(const struct home *h, struct home_error *error)
{
	static const char *const keys[] = {
		"network.address", "publish.shadow", "publish.address", "subscribe.shadow", "subscribe.address",
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct toml_value *v = toml_get(toml_root(h->config), keys[i]);
		if (v)
			return home_refuse_at(error, h, v, "%s: an address alone proves nothing, and those of the older "
					      "generations are derived in another way; put the network's secret = \"...\" "
					      "beside it, or remove the address to get a new network", keys[i]);
	}
	return -ENOENT;
}

int home_network(const struct home *h, struct network_secret *ret, struct home_error *error)
{
	static const char *const keys[] = { "network.secret", "publish.secret", "subscribe.secret" };
	int found;

	error->text[0] = 0;
	found = network_from_environment(ret, error);
	for (size_t i = 0; !found && i < ARRAY_LEN(keys); i++)
		found = read_network_key(h, keys[i], ret, error);
	if (!found)
		return refuse_lone_address(h, error);
	return found < 0 ? found : 0;
}

/* 1: made, 0: there was one. Under the lock, so that two first uses at once agree. */
static int setup_secret(const struct home *h, struct home_error *error)
{
	_cleanup_close_ int lock = -1;
	struct sign_seed seed = { 0 };
	int found = secret_from_environment(&seed, error), err;

	if (!found) {
		err = home_lock(h, &lock, error);
		if (err < 0)
			return err;
		found = secret_stored(h, &seed, NULL, NULL, error);
	}
	if (found) {
		wipe(&seed, sizeof seed);
		return MIN(found, 0);
	}

	sign_seed_new(&seed);
	err = secret_write_file(h, &seed, SPAN_NONE, error);
	wipe(&seed, sizeof seed);
	return err < 0 ? err : 1;
}

static int add_network(struct home *h, struct home_error *error)
{
	char secret_text[IDENTITY_STR_MAX], address_text[IDENTITY_STR_MAX];
	struct network_secret secret;
	struct network_address address;
	int err;

	network_secret_new(&secret);
	network_address_of(&address, &secret);
	network_secret_format(secret_text, &secret);
	network_address_format(address_text, &address);
	err = toml_set_string(toml_root(h->config), "network.address", address_text);
	if (err >= 0)
		err = toml_set_string(toml_root(h->config), "network.secret", secret_text);
	wipe(&secret, sizeof secret);
	wipe(secret_text, sizeof secret_text);
	if (err >= 0)
		err = home_save(h, error);
	/* what is not on the disk must not look as if it were */
	if (err < 0 && (toml_remove(toml_root(h->config), "network.secret") < 0 ||
			toml_remove(toml_root(h->config), "network.address") < 0))
		return -ENOMEM;
	return err;
}

static int setup_network(struct home *h, struct home_error *error)
{
	enum { TRIES = 3 };     /* others may be writing the file at the same time */
	struct network_secret there = { 0 };
	int err = -ENOENT;

	for (int i = 0; i < TRIES; i++) {
		err = home_network(h, &there, error);
		wipe(&there, sizeof there);
		if (err != -ENOENT)
			return err;
		err = add_network(h, error);
		if (err != ERR_CHANGED)
			return err < 0 ? err : 1;
		err = home_reload(h, error);
		if (err < 0)
			return err;
	}
	return err;
}

int home_setup(struct home *h, struct home_error *error)
{
	int secret, network;

	error->text[0] = 0;
	secret = setup_secret(h, error);
	if (secret < 0)
		return secret;
	network = setup_network(h, error);
	if (network < 0)
		return network;
	return secret || network;
}
