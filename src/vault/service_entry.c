/* [[service]] of ours and [[axons]] of the old generations. */
#include <errno.h>

#include "base/err.h"
#include "vault/internal.h"
#include "vault/settings.h"

enum { SERVICE_PATH_MAX = 255, SOCKET_PATH_MAX = 107, USER_MAX = 31 };

struct entry_reader {
	const struct home *h;
	struct home_error *error;
	struct toml_table *t;
	const char *kind;
};

static void entry_done(struct service_entry *e)
{
	free(e->path);
	for (size_t i = 0; e->exec[i]; i++)
		free(e->exec[i]);
	free(e->socket);
	free(e->user);
	*e = (struct service_entry){ 0 };
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < s->services_len; i++)
		entry_done(&s->services[i]);
	*s = (struct settings){ 0 };
}

static int refuse(const struct entry_reader *r, const char *key, const char *why)
{
	const struct toml_value *v = toml_get(r->t, key);

	if (!v)
		toml_key_at(r->t, 0, &v);
	return home_refuse_at(r->error, r->h, v, "%s %s: %s", r->kind, key, why);
}

static int read_string(const struct entry_reader *r, const char *key, size_t max, char **ret)
{
	const char *s;
	int found = toml_string(r->t, key, &s);

	if (found == 0)
		return 0;
	if (found < 0)
		return refuse(r, key, "a string was expected");
	if (!*s || strlen(s) > max)
		return refuse(r, key, "is empty or too long");
	*ret = strdup(s);
	return *ret ? 1 : -ENOMEM;
}

static int read_exec(const struct entry_reader *r, char **out)
{
	static const char expected[] = "a list of strings was expected, the program first";
	const struct toml_value *v = toml_get(r->t, "exec");
	size_t n;

	if (!v)
		return 0;
	n = toml_type(v) == TOML_ARRAY ? toml_array_len(v) : 0;
	if (!n)
		return refuse(r, "exec", expected);
	if (n > EXEC_ARGS_MAX)
		return refuse(r, "exec", "too many arguments");
	for (size_t i = 0; i < n; i++) {
		const char *s = toml_value_string(toml_array_at(v, i));
		if (!s || (i == 0 && !*s))
			return refuse(r, "exec", expected);
		out[i] = strdup(s);
		if (!out[i])
			return -ENOMEM;
	}
	return 1;
}

static bool is_service_path(const char *path)
{
	if (path[0] != '/' || !path[1])
		return false;
	for (; *path; path++)
		if (*path < 0x21 || *path > 0x7e || *path == '*' ||
		    (!strncmp(path, "/..", 3) && (!path[3] || path[3] == '/')))
			return false;
	return true;
}

static int read_entry(const struct entry_reader *r, struct service_entry *e)
{
	int err;

	if ((err = read_string(r, "path", SERVICE_PATH_MAX, &e->path)) < 0 ||
	    (err = read_exec(r, e->exec)) < 0 ||
	    (err = read_string(r, "socket", SOCKET_PATH_MAX, &e->socket)) < 0 ||
	    (err = read_string(r, "user", USER_MAX, &e->user)) < 0)
		return err;
	if (toml_boolean(r->t, "replay_safe", &e->replay_safe) < 0)
		return refuse(r, "replay_safe", "true or false was expected");
	if (!e->path || !is_service_path(e->path))
		return refuse(r, "path", "an absolute path without '*' was expected, such as /v2/myorg.mything.v1/whodis");
	if (!e->exec[0] == !e->socket)
		return refuse(r, "exec", "either exec = [...] or socket = \"...\" says who serves it");
	return 0;
}

static bool is_taken(const struct settings *s, const char *path)
{
	for (size_t i = 0; i < s->services_len; i++)
		if (!strcmp(s->services[i].path, path))
			return true;
	return false;
}

static int read_kind(struct settings *s, const struct home *h, const char *kind, struct home_error *error)
{
	struct toml_table *root = toml_root(h->config);
	size_t n = toml_table_array_len(root, kind);

	if (toml_get(root, kind) && !n)
		return home_refuse_at(error, h, toml_get(root, kind), "%s: is written as [[%s]] tables", kind, kind);
	for (size_t i = 0; i < n; i++) {
		struct entry_reader r = { h, error, toml_table_array_at(root, kind, i), kind };
		struct service_entry e = { 0 };
		int err = read_entry(&r, &e);

		if (err >= 0 && is_taken(s, e.path))
			err = refuse(&r, "path", "is served by another entry already");
		if (err >= 0 && s->services_len >= SERVICE_ENTRIES_MAX)
			err = refuse(&r, "path", "too many services");
		if (err < 0) {
			entry_done(&e);
			return err;
		}
		s->services[s->services_len++] = e;
	}
	return 0;
}

int settings_services(struct settings *s, const struct home *h, struct home_error *error)
{
	int err = read_kind(s, h, "service", error);

	return err < 0 ? err : read_kind(s, h, "axons", error);
}
