/* Where the seed rests: the environment, the secret file, the old key. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "vault/backup.h"
#include "vault/internal.h"

enum { SECRET_FILE_MAX = 4096 };
static const char purpose[] = "carrier secret v1";

/* ---- environment ---- */

static int parse_variable(const char *name, enum text_type type, uint8_t *out, struct home_error *error)
{
	const char *text = getenv(name);
	struct text_error detail = { "malformed" };

	if (!text || !*text)
		return 0;
	if (text_parse(out, type, text, &detail) < 0)
		return home_refuse(error, "%s in the environment: %s", name, detail.text);
	return 1;
}

int secret_from_environment(struct sign_seed *ret, struct home_error *error)
{
	uint8_t kit[2 * SEED_LEN], seed[SEED_LEN];
	int found = parse_variable("CARRIER_SECRETKIT", TEXT_SECRET_KIT, kit, error);

	if (found > 0)
		memcpy(ret->b, kit, SEED_LEN);
	wipe(kit, sizeof kit);
	if (found)
		return found;

	found = parse_variable("CARRIER_SECRET", TEXT_SECRET, seed, error);
	if (found > 0)
		memcpy(ret->b, seed, SEED_LEN);
	wipe(seed, sizeof seed);
	return found;
}

int network_from_environment(struct network_secret *ret, struct home_error *error)
{
	uint8_t kit[2 * SEED_LEN];
	int found = parse_variable("CARRIER_SECRETKIT", TEXT_SECRET_KIT, kit, error);

	if (found > 0)
		memcpy(ret->b, kit + SEED_LEN, SEED_LEN);
	wipe(kit, sizeof kit);
	return found;
}

/* ---- the secret file ---- */

static int read_file(const struct home *h, struct buf *out, struct home_error *error)
{
	struct stat st;
	int err;

	if (stat(h->secret_path, &st) < 0)
		return errno == ENOENT ? 0 : home_failed(error, -errno, h->secret_path, "cannot be read");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return home_refuse(error, "%s: others may write this secret; make it yours alone: chmod 600 %s",
				   h->secret_path, h->secret_path);
	err = file_read(h->secret_path, SECRET_FILE_MAX, out);
	return err < 0 ? home_failed(error, err, h->secret_path, "cannot be read") : 1;
}

static int parse_seed(struct sign_seed *ret, struct buf *text, const char *path, struct home_error *error)
{
	struct text_error detail = { "malformed" };

	while (text->len && isspace(text->data[text->len - 1]))
		text->len--;
	if (memchr(text->data ?: (const uint8_t *)"", 0, text->len) ||
	    text_parse(ret->b, TEXT_SECRET, buf_str(text), &detail) < 0)
		return home_refuse(error, "%s: %s", path, detail.text);
	return 1;
}

static int unseal(const struct home *h, struct sign_seed *ret, struct span sealed, home_ask_fn *ask,
		  void *userdata, struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf passphrase = { 0 }, plain = { 0 };
	char prompt[256];
	int err;

	snprintf(prompt, sizeof prompt, "Passphrase for %s: ", h->secret_path);
	err = ask(userdata, prompt, &passphrase);
	if (err < 0)
		return home_failed(error, err, h->secret_path, "no passphrase");
	err = envelope_open(&plain, purpose, buf_span(&passphrase), sealed);
	if (err == ERR_CRYPTO || err == ERR_LENGTH)
		return home_failed(error, ERR_CRYPTO, h->secret_path, "wrong passphrase, or the file is damaged");
	if (err < 0)
		return home_failed(error, err, h->secret_path, "cannot be decrypted");
	return parse_seed(ret, &plain, h->secret_path, error);
}

static int from_file(const struct home *h, struct sign_seed *ret, home_ask_fn *ask, void *userdata,
		     struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf text = { 0 };
	int found = read_file(h, &text, error);

	if (found <= 0)
		return found;
	if (!envelope_is(buf_span(&text)))
		return parse_seed(ret, &text, h->secret_path, error);
	if (!ask)
		return SECRET_SEALED;
	return unseal(h, ret, buf_span(&text), ask, userdata, error);
}

/* ---- the old key ---- */

static int from_old_key(const struct home *h, struct sign_seed *ret, struct home_error *error)
{
	struct toml_table *root = toml_root(h->config);
	const struct toml_value *v = toml_get(root, "secret");
	struct text_error detail = { "malformed" };
	const char *text;

	if (!v)
		return 0;
	if (toml_string(root, "secret", &text) < 0)
		return home_refuse_at(error, h, v, "secret: a string was expected");
	if (text[0] == ':')
		return home_refuse_at(error, h, v, "secret: flash and EFI locators (%.24s) are not read here; "
				      "write the secret itself to %s", text, h->secret_path);
	if (text_parse(ret->b, TEXT_SECRET, text, &detail) < 0)
		return home_refuse_at(error, h, v, "secret: %s", detail.text);
	return 1;
}

int secret_stored(const struct home *h, struct sign_seed *ret, home_ask_fn *ask, void *userdata,
		  struct home_error *error)
{
	struct sign_seed file = { 0 }, key = { 0 };
	int in_file = from_file(h, &file, ask, userdata, error);
	int in_key = in_file < 0 ? 0 : from_old_key(h, &key, error);
	int found = in_file ?: in_key;

	if (in_key < 0)
		found = in_key;
	else if (in_file == 1 && in_key == 1 && !equal_ct(&file, &key, sizeof file))
		found = home_refuse(error, "%s and the key `secret` in %s are different identities; remove the one that is not meant",
				    h->secret_path, h->config_path);
	else if (found == 1)
		*ret = in_file == 1 ? file : key;
	wipe(&file, sizeof file);
	wipe(&key, sizeof key);
	return found;
}

int home_secret(const struct home *h, struct sign_seed *ret, home_ask_fn *ask, void *userdata,
		struct home_error *error)
{
	int found;

	error->text[0] = 0;
	found = secret_from_environment(ret, error);
	if (!found)
		found = secret_stored(h, ret, ask, userdata, error);
	if (found == SECRET_SEALED)
		return home_refuse(error, "%s is encrypted and there is nobody to ask for its passphrase", h->secret_path);
	if (!found) {
		snprintf(error->text, sizeof error->text, "%s: there is no identity here yet; `carrier setup` makes one",
			 h->secret_path);
		return -ENOENT;
	}
	return found < 0 ? found : 0;
}

/* ---- writing ---- */

int secret_write_file(const struct home *h, const struct sign_seed *seed, struct span passphrase,
		      struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf plain = { 0 }, sealed = { 0 };
	char text[TEXT_STR_MAX];
	int err = 0;

	text_format2(text, TEXT_SECRET, seed->b);
	buf_add_str(&plain, text);
	buf_add_u8(&plain, '\n');
	wipe(text, sizeof text);
	if (buf_err(&plain))
		return buf_err(&plain);

	if (passphrase.len)
		err = envelope_seal(&sealed, purpose, passphrase, buf_span(&plain), BACKUP_MEM_MIB, BACKUP_OPS);
	if (err >= 0)
		err = file_write_atomic(h->secret_path, 0600, buf_span(passphrase.len ? &sealed : &plain));
	return err < 0 ? home_failed(error, err, h->secret_path, "cannot be written") : 0;
}

static int give_passphrase(void *userdata, const char *prompt, struct buf *ret)
{
	const struct span *passphrase = userdata;

	(void)prompt;
	buf_add_span(ret, *passphrase);
	return buf_err(ret);
}

int secret_refuse_other(const struct home *h, const struct sign_seed *seed, struct span passphrase,
			struct home_error *error)
{
	struct sign_seed there = { 0 };
	int found = secret_stored(h, &there, passphrase.len ? give_passphrase : NULL, &passphrase, error);
	bool same = found == 1 && equal_ct(&there, seed, sizeof there);

	wipe(&there, sizeof there);
	if (found < 0 && found != ERR_CRYPTO)
		return found;
	if (!found || same)
		return 0;
	snprintf(error->text, sizeof error->text, found == 1 ?
		 "%s: another identity lives here; move its secret away first" :
		 "%s: an encrypted secret lives here that this passphrase does not open; move it away first",
		 found == 1 ? h->config_path : h->secret_path);
	return ERR_EXISTS;
}

int home_write_secret(struct home *h, const struct sign_seed *seed, struct span passphrase,
		      bool replace, struct home_error *error)
{
	_cleanup_close_ int lock = -1;
	int err;

	error->text[0] = 0;
	err = home_lock(h, &lock, error);
	if (err >= 0 && !replace)
		err = secret_refuse_other(h, seed, passphrase, error);
	if (err >= 0)
		err = secret_write_file(h, seed, passphrase, error);
	if (err < 0)
		return err;

	close(take_fd(lock));
	if (!toml_get(toml_root(h->config), "secret"))
		return 0;
	err = toml_remove(toml_root(h->config), "secret");
	return err < 0 ? err : home_save(h, error);
}
