#include "service/service.h"

#include <errno.h>

#include "base/err.h"
#include "service/internal.h"
#include "service/sft_workers.h"

int services_new(struct services **ret, const struct services_config *config)
{
	struct services *ss;

	if (!config->loop || !config->auth || !config->host.call || !config->host.forget)
		return -EINVAL;
	ss = calloc(1, sizeof *ss);
	if (!ss)
		return -ENOMEM;
	list_init(&ss->sft_serves);
	ss->config = *config;
	*ret = ss;
	return 0;
}

void services_free(struct services *ss)
{
	if (!ss)
		return;
	for (size_t i = 0; i < ss->len; i++)
		free(ss->rows[i]);
	free(ss->rows);
	sft_end_all(ss);
	sft_workers_free(ss->sft_workers);
	free(ss);
}

const struct services_config *services_config(const struct services *ss) { return &ss->config; }

/* The row and its strings in one piece. */
static struct service *row_dup(const struct service *s)
{
	const char *from[] = { s->path, s->name, s->methods };
	size_t len = sizeof *s;
	struct service *row;
	char *at;

	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		len += from[i] ? strlen(from[i]) + 1 : 0;
	row = malloc(len);
	if (!row)
		return NULL;

	*row = *s;
	at = (char *)(row + 1);
	const char **to[] = { &row->path, &row->name, &row->methods };
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		if (!from[i])
			continue;
		*to[i] = strcpy(at, from[i]);
		at += strlen(at) + 1;
	}
	return row;
}

/* Where the path is, or would be. */
static size_t place_of(const struct services *ss, const char *path, bool *ret_there)
{
	size_t lo = 0, hi = ss->len;

	*ret_there = false;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = strcmp(ss->rows[mid]->path, path);

		if (!cmp) {
			*ret_there = true;
			return mid;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct service *find_name(const struct services *ss, const char *name)
{
	for (size_t i = 0; i < ss->len; i++)
		if (ss->rows[i]->name && !strcmp(ss->rows[i]->name, name))
			return ss->rows[i];
	return NULL;
}

const struct service *services_find(const struct services *ss, const char *path_or_name)
{
	bool there;
	size_t i;

	if (path_or_name[0] != '/')
		return find_name(ss, path_or_name);
	i = place_of(ss, path_or_name, &there);
	return there ? ss->rows[i] : NULL;
}

static int grow(struct services *ss)
{
	size_t cap = ss->cap ? 2 * ss->cap : 32;
	struct service **rows;

	if (ss->len < ss->cap)
		return 0;
	if (ss->len >= SERVICES_MAX)
		return ERR_LIMIT;
	rows = reallocarray(ss->rows, cap, sizeof *rows);
	if (!rows)
		return -ENOMEM;
	ss->rows = rows;
	ss->cap = cap;
	return 0;
}

int services_add(struct services *ss, const struct service *s)
{
	struct service *row;
	bool there;
	size_t i;
	int err;

	if (!s->open || !s->path || s->path[0] != '/' || strchr(s->path, '*'))
		return ERR_PARSE;
	err = auth_path_check(s->path);
	if (err < 0)
		return err;
	i = place_of(ss, s->path, &there);
	if (there || (s->name && find_name(ss, s->name)))
		return -EEXIST;
	err = grow(ss);
	if (err < 0)
		return err;
	row = row_dup(s);
	if (!row)
		return -ENOMEM;

	memmove(ss->rows + i + 1, ss->rows + i, (ss->len - i) * sizeof *ss->rows);
	ss->rows[i] = row;
	ss->len++;
	return 0;
}

int services_add_builtin(struct services *ss)
{
	for (const struct service *s = service_table; s->path; s++) {
		int err = services_add(ss, s);
		if (err < 0)
			return err;
	}
	return 0;
}

int services_add_named(struct services *ss, const char *name)
{
	const struct service *named = NULL;

	for (const struct service *s = service_table; s->path && !named; s++)
		if (s->name && !strcmp(s->name, name))
			named = s;
	if (!named)
		return ERR_UNKNOWN;
	for (const struct service *s = service_table; s->path; s++) {
		int err = s->open == named->open ? services_add(ss, s) : 0;
		if (err < 0)
			return err;
	}
	return 0;
}

int services_add_program(struct services *ss, const char *path, bool replay_safe)
{
	return services_add(ss, &(struct service){ .path = path, .replay_safe = replay_safe, .open = program_open });
}

const char *service_path_of(const char *name)
{
	for (const struct service *s = service_table; s->path; s++)
		if (s->name && !strcmp(s->name, name))
			return s->path;
	return NULL;
}
