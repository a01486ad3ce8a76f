/* The header block of a shell, from both sides. */
#include <stdio.h>

#include "base/err.h"
#include "service/shell_serve.h"

static const char env_prefix[] = "env:";

static int put_env(struct cbor_map *m, const char *entry)
{
	char key[sizeof env_prefix + SHELL_ENV_NAME_MAX];
	const char *eq = strchr(entry, '=');
	struct span name = SPAN(entry, eq ? (size_t)(eq - entry) : 0);

	if (!shell_env_allowed(name))
		return 0;
	if (strlen(eq + 1) > SHELL_ENV_VALUE_MAX)
		return ERR_LIMIT;
	snprintf(key, sizeof key, "%s%.*s", env_prefix, (int)name.len, (const char *)name.data);
	if (!cbor_map_has(m, SPAN_STR(key)))
		cbor_map_str(m, key, eq + 1);
	return 0;
}

static void put_window(struct cbor_map *m, const struct shell_window *w)
{
	cbor_map_uint(m, "ws_row", w->row);
	cbor_map_uint(m, "ws_col", w->col);
	cbor_map_uint(m, "ws_xpixel", w->xpixel);
	cbor_map_uint(m, "ws_ypixel", w->ypixel);
}

int shell_request_headers(struct buf *out, const struct shell_request *rq)
{
	size_t at = out->len;
	struct cbor_map m;
	int err = 0;

	if (rq->command && strlen(rq->command) > SHELL_COMMAND_MAX)
		return ERR_LIMIT;
	cbor_map_begin(&m, out);
	cbor_map_str(&m, ":path", SHELL_PATH);
	if (rq->command)
		cbor_map_str(&m, "command", rq->command);
	cbor_map_bool(&m, "pty", rq->pty);
	if (rq->term)
		cbor_map_str(&m, "term", rq->term);
	if (rq->pty)
		put_window(&m, &rq->window);
	for (size_t i = 0; rq->env && rq->env[i] && err >= 0; i++)
		err = put_env(&m, rq->env[i]);
	cbor_map_end(&m);
	if (err < 0)
		return err;
	if (buf_err(out) < 0)
		return buf_err(out);
	return out->len - at > HEADERS_LEN_MAX || m.len > HEADERS_ENTRIES_MAX ? ERR_LIMIT : 0;
}

/* ---- the device's side: headers to the host's arguments ---- */

static bool is_term(struct span t)
{
	for (size_t i = 0; i < t.len; i++) {
		uint8_t c = t.data[i];
		if (c <= ' ' || c > '~' || c == '/')
			return false;
	}
	return t.len && t.len <= SHELL_TERM_MAX;
}

static int add_env(struct cbor_map *env, const struct headers *h)
{
	struct span key, value;

	for (size_t i = 0; headers_at(h, i, &key, &value); i++) {
		struct cbor c = CBOR(value);

		if (!span_starts(key, env_prefix))
			continue;
		key = span_from(key, sizeof env_prefix - 1);
		value = cbor_text(&c);
		if (c.err || value.len > SHELL_ENV_VALUE_MAX || (value.len && memchr(value.data, 0, value.len)))
			return ERR_PARSE;
		if (!shell_env_allowed(key))
			continue;
		if (env->len >= SHELL_ENV_MAX)
			return ERR_LIMIT;
		cbor_put_text(cbor_map_key_span(env, key), value);
	}
	return 0;
}

static int add_window(struct cbor_map *m, const struct headers *h)
{
	static const struct { const char *header, *arg; uint64_t fallback; } sizes[] = {
		{ "ws_row", "rows", 24 }, { "ws_col", "cols", 80 }, { "ws_xpixel", "xpixel", 0 }, { "ws_ypixel", "ypixel", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint64_t v = headers_uint(h, sizes[i].header, sizes[i].fallback);
		if (v > UINT16_MAX)
			return ERR_PARSE;
		cbor_map_uint(m, sizes[i].arg, v);
	}
	return 0;
}

static int add_all(struct cbor_map *m, const struct headers *h, bool pty)
{
	struct span command = headers_text(h, "command"), term = headers_text(h, "term");
	struct cbor_map env;
	int err;

	if (headers_has(h, "command")) {
		if (!command.len || command.len > SHELL_COMMAND_MAX || memchr(command.data, 0, command.len))
			return ERR_PARSE;
		cbor_map_text(m, "command", command);
	}
	if (headers_has(h, "term")) {
		if (!is_term(term))
			return ERR_PARSE;
		cbor_map_text(m, "term", term);
	}
	cbor_map_bool(m, "pty", pty);

	cbor_map_begin(&env, cbor_map_key(m, "env"));
	err = add_env(&env, h);
	cbor_map_end(&env);
	if (err < 0)
		return err;
	return pty ? add_window(m, h) : 0;
}

int shell_host_args(struct buf *out, const struct headers *h, bool *ret_pty)
{
	bool pty = headers_bool(h, "pty", !headers_has(h, "command"));
	struct cbor_map m;
	int err;

	cbor_map_begin(&m, out);
	err = add_all(&m, h, pty);
	cbor_map_end(&m);
	if (err >= 0)
		err = buf_err(out);
	if (err < 0)
		return err;
	*ret_pty = pty;
	return 0;
}
