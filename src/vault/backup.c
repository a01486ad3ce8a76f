#include "vault/backup.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "vault/internal.h"
#include "wire/cbor.h"

enum { BACKUP_VERSION = 1, BACKUP_KEYS_MAX = 16 };
static const char purpose[] = "carrier backup v1";

struct backup {
	struct sign_seed seed;
	struct span config, named;
	bool has_seed;
};

/* ---- export ---- */

static int add_named(struct cbor_map *m, const struct home *h)
{
	_cleanup_(buf_wipe) struct buf text = { 0 };
	_cleanup_free_ char *path = home_named_path(h);
	int err = path ? file_read(path, TOML_SIZE_MAX, &text) : -ENOMEM;

	if (err == -ENOENT)
		return 0;
	if (err >= 0)
		cbor_map_text(m, "named", buf_span(&text));
	return err;
}

static int encode(struct buf *out, const struct home *h, const struct sign_seed *seed)
{
	_cleanup_(buf_wipe) struct buf config = { 0 };
	struct cbor_map m;
	int err = toml_write(h->config, &config);

	if (err < 0)
		return err;
	cbor_map_begin(&m, out);
	cbor_map_uint(&m, "version", BACKUP_VERSION);
	cbor_map_bytes(&m, "secret", SPAN_OF(seed->b));
	cbor_map_text(&m, "config", buf_span(&config));
	err = add_named(&m, h);
	cbor_map_end(&m);
	return err < 0 ? err : buf_err(out);
}

int backup_export(struct buf *out, const struct home *h, const struct sign_seed *seed,
		  struct span passphrase)
{
	_cleanup_(buf_wipe) struct buf plain = { .max = BACKUP_SIZE_MAX };
	int err = encode(&plain, h, seed);

	return err < 0 ? err : envelope_seal(out, purpose, passphrase, buf_span(&plain), BACKUP_MEM_MIB, BACKUP_OPS);
}

/* ---- restore ---- */

static int decode(struct backup *ret, struct span plain)
{
	struct backup b = { 0 };
	struct cbor c = CBOR(plain);
	struct span last = SPAN_NONE;
	uint64_t version = 0;
	size_t n = cbor_map(&c, BACKUP_KEYS_MAX);
	int err;

	for (size_t i = 0; i < n; i++) {
		struct span key = cbor_key(&c, &last);

		if (span_is(key, "version")) {
			version = cbor_uint(&c);
		} else if (span_is(key, "secret")) {
			cbor_bytes_exact(&c, b.seed.b, SEED_LEN);
			b.has_seed = true;
		} else if (span_is(key, "config")) {
			b.config = cbor_text(&c);
		} else if (span_is(key, "named")) {
			b.named = cbor_text(&c);
		} else {
			cbor_skip(&c);
		}
	}
	err = cbor_end(&c);
	if (err >= 0 && version != BACKUP_VERSION)
		err = ERR_VERSION;
	if (err >= 0 && !b.has_seed)
		err = ERR_PARSE;
	if (err >= 0)
		*ret = b;
	wipe(&b, sizeof b);
	return err;
}

static int64_t restored_count(struct toml *config)
{
	int64_t n = 0;

	if (toml_integer(toml_root(config), "restored", &n) <= 0 || n < 0 || n == INT64_MAX)
		return 0;
	return n;
}

/* The backup's configuration as it is to be written: the counter raised, an old
 * `secret` key gone to the secret file. */
static int prepare(struct toml **ret, const struct home *h, const struct backup *b, struct home_error *error)
{
	_cleanup_(toml_freep) struct toml *config = NULL;
	struct toml_error te = { 0 };
	int err = toml_parse(&config, b->config, &te);

	if (err == ERR_CONFIG)
		return home_refuse(error, "the configuration in the backup: line %u: %s", te.line, te.text);
	if (err < 0)
		return err;

	int64_t count = MAX(restored_count(config), restored_count(h->config));
	err = toml_set_integer(toml_root(config), "restored", count + 1);
	if (err >= 0)
		err = toml_remove(toml_root(config), "secret");
	if (err >= 0)
		*ret = take(config);
	return err;
}

static int write_beside(const struct home *h, const char *path, struct span text, struct home_error *error)
{
	int err = path ? file_write_atomic(path, 0600, text) : -ENOMEM;

	return err < 0 ? home_failed(error, err, path ?: h->config_path, "cannot be written") : 0;
}

static int keep_old_config(const struct home *h, struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf text = { 0 };
	_cleanup_free_ char *path = NULL;
	int err = toml_write(h->config, &text);

	if (err < 0)
		return err;
	if (!text.len)
		return 0;
	if (asprintf(&path, "%s.before-restore", h->config_path) < 0)
		path = NULL;
	return write_beside(h, path, buf_span(&text), error);
}

static int write_named(const struct home *h, struct span named, struct home_error *error)
{
	_cleanup_free_ char *path = home_named_path(h);

	return named.data ? write_beside(h, path, named, error) : 0;
}

static int apply(struct home *h, const struct backup *b, struct span passphrase, struct home_error *error)
{
	_cleanup_(toml_freep) struct toml *config = NULL;
	_cleanup_close_ int lock = -1;
	struct toml *was = h->config;
	int err = prepare(&config, h, b, error);

	if (err < 0)
		return err;

	/* The secret before the configuration: cut in between, the home is still of
	 * this identity and the restore can be repeated. */
	if ((err = home_lock(h, &lock, error)) < 0 ||
	    (err = secret_refuse_other(h, &b->seed, passphrase, error)) < 0 ||
	    (err = keep_old_config(h, error)) < 0 ||
	    (err = secret_write_file(h, &b->seed, SPAN_NONE, error)) < 0 ||
	    (err = write_named(h, b->named, error)) < 0)
		return err;
	close(take_fd(lock));

	h->config = config;
	err = home_save(h, error);
	h->config = err < 0 ? was : take(config);
	if (err >= 0)
		toml_free(was);
	return err;
}

int backup_restore(struct home *h, struct span file, struct span passphrase,
		   struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf plain = { 0 };
	struct backup b = { 0 };
	int err;

	error->text[0] = 0;
	err = envelope_open(&plain, purpose, passphrase, file);
	if (err >= 0)
		err = decode(&b, buf_span(&plain));
	if (err == ERR_CRYPTO) {
		snprintf(error->text, sizeof error->text, "wrong passphrase, or the backup is damaged");
		return err;
	}
	if (err < 0) {
		snprintf(error->text, sizeof error->text, "not a backup that can be read: %s", err_text(err));
		return err;
	}
	err = apply(h, &b, passphrase, error);
	wipe(&b, sizeof b);
	return err;
}
