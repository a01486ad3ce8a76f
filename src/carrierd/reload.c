/* The configuration of the running agent: read, pushed to net, edited by the rules'
 * handlers, watched for edits by others. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/err.h"
#include "carrierd/messages.h"
#include "carrierd/monitor.h"
#include "carrierd/reduce.h"
#include "wire/cbor.h"

static void load_claim(struct monitor *m)
{
	int mode = m->options->claim;

	m->claim.need_code = (mode == AGENT_CLAIM_AS_CONFIGURED ? (int)m->settings.claim : mode) == CLAIM_CODE;
	memcpy(m->claim.code_hash, m->settings.claim_hash, sizeof m->claim.code_hash);
}

int monitor_load(struct monitor *m)
{
	_cleanup_(settings_done) struct settings fresh = {};
	struct home_error he = {};
	struct toml_error te = {};
	int err = settings_load(&fresh, &m->home, &he);

	if (err < 0) {
		log_to(m->log, LOG_ERROR, "monitor", "%s", he.text);
		return err;
	}
	err = auth_load(m->auth, m->home.config, &m->self, &te);
	if (err < 0) {
		log_to(m->log, LOG_ERROR, "monitor", "%s:%u: %s", m->home.config_path, te.line, te.text);
		return err;
	}
	settings_done(&m->settings);
	m->settings = fresh;
	fresh = (struct settings){};
	load_claim(m);
	return 0;
}

static int sealed_file(struct span text)
{
	_cleanup_close_ int fd = memfd_create("carrier.toml", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	while (text.len) {
		ssize_t n = write(fd, text.data, text.len);
		if (n < 0)
			return -errno;
		text = span_from(text, (size_t)n);
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return take_fd(fd);
}

int monitor_config_file(const struct monitor *m)
{
	_cleanup_buf_ struct buf text = { .max = TOML_SIZE_MAX };
	int err = reduce_config(&text, &m->settings, m->auth);

	return err < 0 ? err : sealed_file(buf_span(&text));
}

int monitor_push(struct monitor *m)
{
	_cleanup_close_ int fd = monitor_config_file(m);
	_cleanup_buf_ struct buf b = {};

	if (fd < 0)
		return fd;
	cbor_put_array(&b, 1);
	monitor_put_network(m, &b);
	return buf_err(&b) < 0 ? buf_err(&b) : ipc_notify(m->net, NET_CONFIG, buf_span(&b), &fd, 1);
}

void monitor_put_network(const struct monitor *m, struct buf *b)
{
	if (m->has_network)
		cbor_put_bytes(b, SPAN_OF(m->network.key));
	else
		cbor_put_null(b);
}

void monitor_reload(struct monitor *m)
{
	struct home_error he = {};
	int err = home_reload(&m->home, &he);

	if (err == 0)
		return;
	if (err < 0)
		log_to(m->log, LOG_ERROR, "monitor", "%s; the configuration stays as it was", he.text);
	else if (monitor_load(m) < 0)
		log_to(m->log, LOG_ERROR, "monitor", "the configuration stays as it was");
	else if ((err = monitor_follow_network(m)) < 0)
		log_to(m->log, LOG_ERROR, "monitor", "keys does not take the network: %s", err_text(err));
	else if (!err && (err = monitor_push(m)) < 0)
		log_to(m->log, LOG_ERROR, "monitor", "net does not take the configuration: %s", err_text(err));
	else
		log_to(m->log, LOG_INFO, "monitor", "configuration read, %zu rules", auth_len(m->auth));
}
