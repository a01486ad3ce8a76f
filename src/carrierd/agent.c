#include "carrierd/agent.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/err.h"
#include "carrierd/keys.h"
#include "carrierd/messages.h"
#include "carrierd/monitor.h"
#include "carrierd/net.h"
#include "wire/cbor.h"

enum { STOP_SECONDS = 3 };      /* for net to say goodbye to its peers */

struct child {
	const char *name;
	int pid;                /* 0: none, or reaped */
	struct source *source;
	struct agent *agent;
};

struct agent {
	struct monitor m;
	struct child keys, net;
	int keys_fd, net_fd;    /* until struct ipc holds them */
	struct source *signals[3], *stop_timer;
};

/* ---- children ---- */

/* Net first: it must not have a copy of anything that is read later. */
static int spawn(struct agent *a)
{
	const struct agent_options *o = a->m.options;
	int net[2], keys[2], between[2], err;

	if ((err = ipc_pair(net)) < 0)
		return err;
	if ((err = ipc_pair(keys)) < 0 || (err = ipc_pair(between)) < 0)
		return err;     /* no descriptors left: the process ends */

	a->net.pid = fork();
	if (a->net.pid == 0) {
		struct net_setup setup = { net[1], between[0], o->application, o->application_version };
		_exit(net_main(&setup));
	}
	a->keys.pid = a->net.pid < 0 ? -1 : fork();
	if (a->keys.pid == 0) {
		struct keys_setup setup = { keys[1], between[1], o->config_path, o->ask, o->ask_userdata };
		close(net[0]);
		close(net[1]);
		close(keys[0]);
		close(between[0]);
		_exit(keys_main(&setup));
	}
	err = -errno;
	close(net[1]);
	close(keys[1]);
	close(between[0]);
	close(between[1]);
	a->net_fd = net[0];
	a->keys_fd = keys[0];
	return a->net.pid < 0 || a->keys.pid < 0 ? err : 0;
}

static int read_ready(struct monitor *m, struct span body)
{
	struct cbor c = CBOR(body);

	if (cbor_array(&c, 2) != 2)
		return ERR_PROTOCOL;
	cbor_bytes_exact(&c, m->self.key, sizeof m->self.key);
	m->has_network = cbor_peek(&c) != CBOR_NULL;
	if (m->has_network)
		cbor_bytes_exact(&c, m->network.key, sizeof m->network.key);
	else
		cbor_null(&c);
	return cbor_end(&c);
}

static int read_failed(struct monitor *m, struct span body)
{
	struct cbor c = CBOR(body);

	if (cbor_array(&c, 2) != 2)
		return ERR_PROTOCOL;
	int64_t err = cbor_int(&c);
	struct span text = cbor_text(&c);
	if (cbor_end(&c) < 0)
		return ERR_PROTOCOL;
	log_to(m->log, LOG_ERROR, "keys", "%.*s", (int)text.len, (const char *)text.data);
	return err < 0 ? (int)err : ERR_STATE;
}

/* For as long as somebody needs to type a passphrase. */
static int wait_for_keys(struct agent *a)
{
	_cleanup_free_ struct ipc_area *area = malloc(sizeof *area);
	struct ipc_message msg;
	int err = area ? ipc_wait(a->keys_fd, -1, area, &msg) : -ENOMEM;

	if (err < 0)
		return err;
	ipc_message_done(&msg);
	switch (msg.type) {
	case KEYS_READY:
		return read_ready(&a->m, msg.body);
	case KEYS_FAILED:
		return read_failed(&a->m, msg.body);
	default:
		return ERR_PROTOCOL;
	}
}

/* ---- start ---- */

static int open_udp(const struct addr *bind_to, int *ret)
{
	bool v4 = addr_is_v4(bind_to) && !addr_is_any(bind_to);
	const int off = 0;
	struct sockaddr_storage ss;

	for (int family = v4 ? AF_INET : AF_INET6;; family = AF_INET) {
		_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		socklen_t len = addr_to_sockaddr(&ss, bind_to, family);

		if (fd >= 0 && family == AF_INET6 && addr_is_any(bind_to))
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
		if (fd >= 0 && bind(fd, (struct sockaddr *)&ss, len) == 0) {
			*ret = take_fd(fd);
			return 0;
		}
		/* A kernel without IPv6 still has the other one. */
		if (family == AF_INET || !addr_is_any(bind_to))
			return -errno;
	}
}

static int start_net(struct monitor *m)
{
	const struct addr *bind_to = m->options->listen ?: &m->settings.listen;
	_cleanup_close_ int config = -1, udp = -1;
	_cleanup_buf_ struct buf b = {};
	int err = open_udp(bind_to, &udp);

	if (err < 0) {
		char text[ADDR_STR_MAX];

		addr_format(text, bind_to);
		log_to(m->log, LOG_ERROR, "monitor", "cannot bind %s: %s", text, err_text(err));
		return err;
	}
	config = monitor_config_file(m);
	if (config < 0)
		return config;
	cbor_put_array(&b, 2);
	cbor_put_bytes(&b, SPAN_OF(m->self.key));
	monitor_put_network(m, &b);
	int fds[2] = { config, udp };
	return buf_err(&b) < 0 ? buf_err(&b) : ipc_notify(m->net, NET_START, buf_span(&b), fds, 2);
}

/* A device that wants a code and has none makes one; it is shown this once. */
static int make_claim_code(struct monitor *m)
{
	char code[CLAIM_CODE_STR_MAX];
	struct home_error he = {};
	int err;

	if (!m->claim.need_code || auth_claimed(m->auth) || *m->claim.code_hash)
		return 0;
	claim_code_new(code);
	claim_code_hash(m->claim.code_hash, code);
	err = toml_set_string(toml_root(m->home.config), "claim_hash", m->claim.code_hash);
	if (err >= 0)
		err = home_save(&m->home, &he);
	if (err < 0)
		log_to(m->log, LOG_ERROR, "monitor", "the claim code cannot be kept: %s", *he.text ? he.text : err_text(err));
	else if (m->options->claim_code)
		m->options->claim_code(m->options->userdata, code);
	memcpy(m->settings.claim_hash, m->claim.code_hash, sizeof m->settings.claim_hash);
	wipe(code, sizeof code);
	return err < 0 ? err : 0;
}

static int open_home(struct monitor *m)
{
	struct home_error he = {};
	int err = home_open(&m->home, m->options->config_path, &he);

	if (err < 0) {
		log_to(m->log, LOG_ERROR, "monitor", "%s", he.text);
		return err;
	}
	if ((err = auth_new(&m->auth)) < 0 ||
	    (err = monitor_load(m)) < 0)
		return err;
	if (m->options->identity)
		m->options->identity(m->options->userdata, &m->self, auth_claimed(m->auth));
	return make_claim_code(m);
}

/* ---- running and ending ---- */

static void on_child(void *userdata, int wait_status)
{
	struct child *c = userdata;
	struct agent *a = c->agent;
	bool asked = a->m.stopping && c == &a->net;

	c->pid = 0;
	if (!asked && wait_status >= 0 && WIFSIGNALED(wait_status))
		log_to(a->m.log, LOG_ERROR, "monitor", "%s died of signal %d", c->name, WTERMSIG(wait_status));
	else if (!asked)
		log_to(a->m.log, LOG_ERROR, "monitor", "%s ended", c->name);
	loop_stop(a->m.loop, asked ? 0 : ERR_CLOSED);
}

static void on_stop_late(void *userdata, tstamp now)
{
	struct agent *a = userdata;

	(void)now;
	loop_stop(a->m.loop, 0);
}

static void on_signal(void *userdata, int signo)
{
	struct agent *a = userdata;
	struct monitor *m = &a->m;

	if (signo == SIGHUP && m->options->daemon) {
		monitor_reload(m);
		return;
	}
	if (m->stopping)
		return;
	m->stopping = true;
	if (ipc_notify(m->net, NET_STOP, SPAN_NONE, NULL, 0) < 0 ||
	    source_arm(a->stop_timer, loop_now(m->loop) + SECONDS(STOP_SECONDS)) < 0)
		loop_stop(m->loop, 0);
}

static int watch_children(struct agent *a)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct loop *l = a->m.loop;
	int err;

	a->keys.agent = a->net.agent = a;
	a->keys.name = "keys";
	a->net.name = "net";
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if ((err = loop_add_signal(l, &a->signals[i], signals[i], on_signal, a)) < 0)
			return err;
	if ((err = loop_add_timer(l, &a->stop_timer, on_stop_late, a)) < 0 ||
	    (err = loop_add_child(l, &a->keys.source, a->keys.pid, on_child, &a->keys)) < 0)
		return err;
	return loop_add_child(l, &a->net.source, a->net.pid, on_child, &a->net);
}

static int start(struct agent *a)
{
	struct monitor *m = &a->m;
	struct ipc_config of_net = { .handler = permit_message, .userdata = m };
	struct ipc_config of_keys = { .userdata = m };
	int err;

	if ((err = crypto_init()) < 0 ||
	    (err = spawn(a)) < 0 ||
	    (err = wait_for_keys(a)) < 0 ||
	    (err = open_home(m)) < 0 ||
	    (err = loop_new(&m->loop)) < 0 ||
	    (err = watch_children(a)) < 0)
		return err;
	if ((err = ipc_new(&m->net, m->loop, a->net_fd, &of_net)) < 0)
		return err;
	take_fd(a->net_fd);
	if ((err = ipc_new(&m->keys, m->loop, a->keys_fd, &of_keys)) < 0)
		return err;
	take_fd(a->keys_fd);

	err = watch_new(&m->watch, m);
	if (err < 0)
		log_to(m->log, LOG_WARN, "monitor", "edits of the configuration go unnoticed: %s", err_text(err));
	return start_net(m);
}

static void end_child(struct child *c)
{
	source_free(c->source);
	if (c->pid <= 0)
		return;
	(void)kill(c->pid, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
}

int agent_run(const struct agent_options *options)
{
	struct agent a = { .keys_fd = -1, .net_fd = -1, .m = { .options = options, .log = options->log } };
	void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
	int result;

	list_init(&a.m.workers);
	list_init(&a.m.lookups);
	list_init(&a.m.connections);
	result = start(&a);
	if (result >= 0)
		result = loop_run(a.m.loop);
	else if (result != ERR_CONFIG)
		log_to(options->log, LOG_ERROR, "monitor", "cannot start: %s", err_text(result));

	end_child(&a.net);
	end_child(&a.keys);
	for (size_t i = 0; i < ARRAY_LEN(a.signals); i++)
		source_free(a.signals[i]);
	source_free(a.stop_timer);
	closep(&a.net_fd);
	closep(&a.keys_fd);
	monitor_done(&a.m);
	(void)signal(SIGPIPE, pipe_before);
	return result;
}
