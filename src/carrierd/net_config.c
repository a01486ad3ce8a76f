#include "carrierd/net_config.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "carrierd/net.h"
#include "carrierd/net_programs.h"
#include "vault/settings.h"

struct net_config {
	struct home home;               /* never saved: only the parsed text is real */
	struct settings settings;
};

void net_config_free(struct net_config *c)
{
	if (!c)
		return;
	settings_done(&c->settings);
	home_done(&c->home);
	free(c);
}
DEFINE_FREEP(struct net_config *, net_config_free)

const struct settings *net_config_settings(const struct net_config *c)
{
	return &c->settings;
}

static int read_all(int fd, struct buf *out)
{
	for (;;) {
		uint8_t *p = buf_reserve(out, 4096);
		if (!p)
			return buf_err(out);
		ssize_t n = pread(fd, p, 4096, (off_t)out->len);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_added(out, (size_t)n);
	}
}

static int parse(struct net_config *c, struct span text, char *ret_why, size_t why_len)
{
	struct toml_error te = {};
	struct home_error he = {};
	int err = toml_parse(&c->home.config, text, &te);

	if (err < 0) {
		snprintf(ret_why, why_len, "%s", te.text);
		return err;
	}
	err = settings_load(&c->settings, &c->home, &he);
	if (err < 0)
		snprintf(ret_why, why_len, "%s", he.text);
	return err;
}

int net_config_load(struct net *n, int fd)
{
	_cleanup_(net_config_freep) struct net_config *c = calloc(1, sizeof *c);
	_cleanup_buf_ struct buf text = { .max = TOML_SIZE_MAX };
	struct toml_error te = {};
	char why[512] = "";
	int err;

	if (!c)
		return -ENOMEM;
	c->home.config_path = strdup("carrier.toml");
	if (!c->home.config_path)
		return -ENOMEM;
	err = read_all(fd, &text);
	if (err >= 0)
		err = parse(c, buf_span(&text), why, sizeof why);
	if (err >= 0)
		err = auth_load(n->auth, c->home.config, &n->self, &te);
	if (err < 0) {
		log_to(&n->log, LOG_ERROR, "net", "configuration: %s %s%s", err_text(err), why, te.text);
		return err;
	}
	net_config_free(n->config);
	n->config = take(c);
	return 0;
}

void net_config_add_programs(struct net *n)
{
	const struct settings *s = &n->config->settings;

	for (size_t i = 0; i < s->services_len; i++)
		net_add_program(n, s->services[i].path, s->services[i].replay_safe);
}
