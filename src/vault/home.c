#include "vault/home.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/err.h"
#include "base/file.h"
#include "vault/internal.h"

int home_refuse(struct home_error *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->text, sizeof error->text, fmt, ap);
	va_end(ap);
	return ERR_CONFIG;
}

int home_refuse_at(struct home_error *error, const struct home *h, const struct toml_value *v,
		   const char *fmt, ...)
{
	char what[384];
	va_list ap;
	unsigned line = v ? toml_line(v) : 0;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (line)
		return home_refuse(error, "%.100s:%u: %s", h->config_path, line, what);
	return home_refuse(error, "%.100s: %s", h->config_path, what);
}

int home_failed(struct home_error *error, int err, const char *path, const char *what)
{
	snprintf(error->text, sizeof error->text, "%s: %s: %s", path, what, err_text(err));
	return err;
}

void home_done(struct home *h)
{
	free(h->config_path);
	free(h->secret_path);
	free(h->state_path);
	toml_free(h->config);
	*h = (struct home){ 0 };
}

static int default_path(char **ret, struct home_error *error)
{
	const char *home = getenv("HOME");

	if (!home || !*home) {
		struct passwd *pw = getpwuid(getuid());
		home = pw ? pw->pw_dir : NULL;
	}
	if (!home)
		return home_refuse(error, "HOME is not set; say where the configuration is with --config FILE or CARRIER_CONFIG");
	return asprintf(ret, "%s/.devguard/carrier.toml", home) < 0 ? -ENOMEM : 0;
}

static int config_path_of(char **ret, const char *explicit_path, struct home_error *error)
{
	const char *path = explicit_path ?: getenv("CARRIER_CONFIG");

	if (!path || !*path)
		return default_path(ret, error);
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

/* The folder of a file, as a prefix: "a/", "/", "". */
static int folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path + 1) : 0;
}

static int derive_paths(struct home *h)
{
	const char *p = h->config_path;
	size_t n = strlen(p);
	int stem = n > 5 && !strcmp(p + n - 5, ".toml") ? (int)n - 5 : (int)n;
	bool usual = !strcmp(p + folder_len(p), "carrier.toml");

	if (asprintf(&h->secret_path, "%.*s.secret", stem, p) < 0) {
		h->secret_path = NULL;
		return -ENOMEM;
	}
	if ((usual ? asprintf(&h->state_path, "%.*sstate", folder_len(p), p)
		   : asprintf(&h->state_path, "%.*s.state", stem, p)) < 0) {
		h->state_path = NULL;
		return -ENOMEM;
	}
	return 0;
}

char *home_named_path(const struct home *h)
{
	char *path;

	return asprintf(&path, "%.*snamed.toml", folder_len(h->config_path), h->config_path) < 0 ? NULL : path;
}

static int read_config(const struct home *h, struct buf *out, struct home_error *error)
{
	int err = file_read(h->config_path, TOML_SIZE_MAX, out);

	if (err == -ENOENT)
		return 0;
	return err < 0 ? home_failed(error, err, h->config_path, "cannot be read") : 0;
}

static void hash_config(uint8_t out[static HASH_LEN], struct span text)
{
	hash(out, "carrier config seen v1", text);
}

static int parse_config(const struct home *h, struct toml **ret, struct span text, struct home_error *error)
{
	struct toml_error te = { 0 };
	int err = toml_parse(ret, text, &te);

	if (err == ERR_CONFIG)
		return home_refuse(error, "%s:%u:%u: %s", h->config_path, te.line, te.column, te.text);
	return err;
}

static int load_config(struct home *h, struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf text = { 0 };
	int err = read_config(h, &text, error);

	if (err < 0)
		return err;
	hash_config(h->seen, buf_span(&text));
	return parse_config(h, &h->config, buf_span(&text), error);
}

int home_open(struct home *ret, const char *explicit_path, struct home_error *error)
{
	_cleanup_(home_done) struct home h = { 0 };
	int err;

	error->text[0] = 0;
	if ((err = config_path_of(&h.config_path, explicit_path, error)) < 0 ||
	    (err = derive_paths(&h)) < 0 ||
	    (err = load_config(&h, error)) < 0)
		return err;
	*ret = h;
	h = (struct home){ 0 };
	return 0;
}

int home_lock(const struct home *h, int *ret_fd, struct home_error *error)
{
	_cleanup_free_ char *dir = strndup(h->config_path, (size_t)folder_len(h->config_path));
	int err = dir ? 0 : -ENOMEM;

	if (err >= 0 && *dir)
		err = file_make_dirs(dir);
	if (err < 0)
		return home_failed(error, err, h->config_path, "its folder cannot be made");

	_cleanup_close_ int fd = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return home_failed(error, -errno, h->config_path, "its folder cannot be locked");
	*ret_fd = take_fd(fd);
	return 0;
}

static int check_unchanged(const struct home *h, struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf now = { 0 };
	uint8_t seen[HASH_LEN];
	int err = read_config(h, &now, error);

	if (err < 0)
		return err;
	hash_config(seen, buf_span(&now));
	if (memcmp(seen, h->seen, sizeof seen))
		return home_failed(error, ERR_CHANGED, h->config_path, "somebody else wrote it");
	return 0;
}

int home_save(struct home *h, struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf text = { 0 };
	_cleanup_close_ int lock = -1;
	int err = toml_write(h->config, &text);

	error->text[0] = 0;
	if (err < 0)
		return home_failed(error, err, h->config_path, "cannot be written");
	if ((err = home_lock(h, &lock, error)) < 0 ||
	    (err = check_unchanged(h, error)) < 0)
		return err;
	err = file_write_atomic(h->config_path, 0600, buf_span(&text));
	if (err < 0)
		return home_failed(error, err, h->config_path, "cannot be written");
	hash_config(h->seen, buf_span(&text));
	return 0;
}

int home_reload(struct home *h, struct home_error *error)
{
	_cleanup_(buf_wipe) struct buf text = { 0 };
	_cleanup_(toml_freep) struct toml *fresh = NULL;
	uint8_t seen[HASH_LEN];
	int err;

	error->text[0] = 0;
	err = read_config(h, &text, error);
	if (err < 0)
		return err;
	hash_config(seen, buf_span(&text));
	if (!memcmp(seen, h->seen, sizeof seen))
		return 0;
	err = parse_config(h, &fresh, buf_span(&text), error);
	if (err < 0)
		return err;
	toml_free(h->config);
	h->config = take(fresh);
	memcpy(h->seen, seen, sizeof seen);
	return 1;
}
