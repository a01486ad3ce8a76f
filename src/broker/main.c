/* carrier-broker: rendezvous and blind relay. Its own configuration, broker.toml, and
 * so its own identity. Keys: token (made at the first start), open, allow, listen
 * (a list), name. What is typed counts before what is written there. */
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/err.h"
#include "broker/broker.h"
#include "identity/base32.h"
#include "vault/settings.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNAVAILABLE = 69, EXIT_CONFIG = 78 };
enum { TOKEN_BYTES = 20, TOKEN_CHARS = 32, HOST_MAX = 253, FILES_WANTED = 65536 };

static const char usage[] =
	"usage: carrier broker [--listen ADDRESS:PORT]... [--open] [--allow IDENTITY]... [--name HOST]\n"
	"                      [--route-rate MB] [--config FILE] [--verbose]\n"
	"\n"
	"Prints its identity and the line that devices and operators put into their configuration.\n"
	"\n"
	"  -l, --listen ADDRESS:PORT   where to listen (default [::]:8443); repeatable\n"
	"      --open                  serve everybody, without a token\n"
	"      --allow IDENTITY        serve these only; repeatable\n"
	"      --name HOST             the host in the printed line\n"
	"      --route-rate MB         megabytes a second that one route may carry (default 100)\n"
	"  -c, --config FILE           default ~/.devguard/broker.toml; CARRIER_CONFIG does the same\n"
	"  -v, --verbose               say more\n"
	"      --version, --help\n";

enum { ROUTE_RATE_MAX_MB = 100000 };

struct program {
	struct home home;
	struct addr listen[BROKER_LISTEN_MAX];
	size_t listen_len;
	struct identity allow[BROKER_ALLOW_MAX];
	size_t allow_len;
	uint64_t route_rate;            /* bytes a second; 0: the default */
	char token[BROKER_TOKEN_MAX + 1];
	char name[HOST_MAX + 1];
	const char *config_path;
	bool open, verbose, done;
	struct log_sink log;
};

static int fail(int status, const char *fmt, ...) _printf_(2, 3);
static int fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("carrier-broker: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return status;
}

/* ---- what was typed, what is written ---- */

static int add_listen(struct program *p, const char *text)
{
	if (p->listen_len >= BROKER_LISTEN_MAX)
		return fail(EXIT_USAGE, "more than %d addresses to listen on", BROKER_LISTEN_MAX);
	if (addr_parse(&p->listen[p->listen_len], text) < 0)
		return fail(EXIT_USAGE, "listen: \"%s\" is not ADDRESS:PORT, such as [::]:8443", text);
	p->listen_len++;
	return 0;
}

static int add_allow(struct program *p, const char *text)
{
	struct text_error detail = { "malformed" };

	if (p->allow_len >= BROKER_ALLOW_MAX)
		return fail(EXIT_USAGE, "more than %d identities to allow; use the token instead", BROKER_ALLOW_MAX);
	if (text_parse(p->allow[p->allow_len].key, TEXT_IDENTITY, text, &detail) < 0)
		return fail(EXIT_USAGE, "allow: %s", detail.text);
	p->allow_len++;
	return 0;
}

static int set_name(struct program *p, const char *text)
{
	if (snprintf(p->name, sizeof p->name, "%s", text) >= (int)sizeof p->name)
		return fail(EXIT_USAGE, "name: too long for a host");
	return 0;
}

static int set_rate(struct program *p, const char *text)
{
	char *end;
	unsigned long mb = strtoul(text, &end, 10);

	if (*end || text[0] < '1' || text[0] > '9' || mb > ROUTE_RATE_MAX_MB)
		return fail(EXIT_USAGE, "route-rate: \"%s\" is not a number of megabytes from 1 to %d", text, ROUTE_RATE_MAX_MB);
	p->route_rate = mb * 1000000;
	return 0;
}

static int parse(struct program *p, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' }, { "open", no_argument, NULL, 'o' },
		{ "allow", required_argument, NULL, 'a' },  { "name", required_argument, NULL, 'n' },
		{ "route-rate", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' }, { "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },      { "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c, status = 0;

	while (!status && !p->done && (c = getopt_long(argc, argv, "l:c:vh", longs, NULL)) != -1)
		switch (c) {
		case 'l':
			status = add_listen(p, optarg);
			break;
		case 'o':
			p->open = true;
			break;
		case 'a':
			status = add_allow(p, optarg);
			break;
		case 'n':
			status = set_name(p, optarg);
			break;
		case 'r':
			status = set_rate(p, optarg);
			break;
		case 'c':
			p->config_path = optarg;
			break;
		case 'v':
			p->verbose = true;
			break;
		case 'V':
		case 'h':
			fputs(c == 'V' ? "carrier-broker " CARRIER_VERSION "\n" : usage, stdout);
			p->done = true;
			break;
		default:
			fputs(usage, stderr);
			status = EXIT_USAGE;
		}
	if (!status && !p->done && optind < argc)
		status = fail(EXIT_USAGE, "\"%s\" is one argument too many", argv[optind]);
	return status;
}

/* [ "...", "..." ]; absent is fine. A string is the device agent's `listen`. */
static int read_list(struct program *p, const char *key, int (*add)(struct program *p, const char *text))
{
	const struct toml_value *v = toml_get(toml_root(p->home.config), key);
	int status = 0;

	if (!v || toml_type(v) != TOML_ARRAY)
		return 0;
	for (size_t i = 0; !status && i < toml_array_len(v); i++) {
		const char *text = toml_value_string(toml_array_at(v, i));
		status = text ? add(p, text) : fail(EXIT_CONFIG, "%s:%u: %s: texts were expected", p->home.config_path,
						    toml_line(v), key);
	}
	return status ? EXIT_CONFIG : 0;
}

static int read_config(struct program *p)
{
	struct toml_table *root = toml_root(p->home.config);
	const char *text;
	int status = p->listen_len ? 0 : read_list(p, "listen", add_listen);

	if (!status && !p->allow_len)
		status = read_list(p, "allow", add_allow);
	if (!status && !p->name[0] && toml_string(root, "name", &text) > 0)
		status = set_name(p, text);
	int64_t mb = 0;
	if (!status && !p->route_rate && toml_integer(root, "route_rate", &mb) > 0) {
		if (mb < 1 || mb > ROUTE_RATE_MAX_MB)
			return fail(EXIT_CONFIG, "%s: route_rate: megabytes from 1 to %d were expected", p->home.config_path,
				    ROUTE_RATE_MAX_MB);
		p->route_rate = (uint64_t)mb * 1000000;
	}
	if (!p->open)
		(void)!toml_boolean(root, "open", &p->open);
	if (!status && !p->listen_len)
		status = add_listen(p, "[::]:8443");
	return status;
}

/* ---- the home: token and key ---- */

static int open_home(struct program *p)
{
	struct home_error error = { "" };
	const char *path = p->config_path ?: getenv("CARRIER_CONFIG");
	_cleanup_buf_ struct buf own = {};
	int err = home_open(&p->home, path && *path ? path : NULL, &error);

	if (err >= 0 && !(path && *path)) {
		const char *slash = strrchr(p->home.config_path, '/');

		buf_printf(&own, "%.*sbroker.toml", slash ? (int)(slash - p->home.config_path) + 1 : 0, p->home.config_path);
		home_done(&p->home);
		p->home = (struct home){ 0 };
		err = buf_err(&own) < 0 ? buf_err(&own) : home_open(&p->home, buf_str(&own), &error);
	}
	return err < 0 ? fail(EXIT_CONFIG, "%s", error.text[0] ? error.text : err_text(err)) : 0;
}

static int make_token(struct program *p)
{
	struct home_error error = { "" };
	uint8_t bytes[TOKEN_BYTES];

	random_bytes(bytes, sizeof bytes);
	base32_encode(p->token, bytes, sizeof bytes);
	p->token[TOKEN_CHARS] = 0;
	int err = toml_set_string(toml_root(p->home.config), "token", p->token);
	if (err >= 0)
		err = home_save(&p->home, &error);
	return err < 0 ? fail(EXIT_CONFIG, "%s", error.text[0] ? error.text : err_text(err)) : 0;
}

static int read_token(struct program *p)
{
	const char *text;
	int found;

	if (p->open)
		return 0;
	found = toml_string(toml_root(p->home.config), "token", &text);
	if (!found)
		return make_token(p);
	if (found < 0 || !*text || strlen(text) > BROKER_TOKEN_MAX)
		return fail(EXIT_CONFIG, "%s: token: a text of 1 to %d characters was expected", p->home.config_path, BROKER_TOKEN_MAX);
	snprintf(p->token, sizeof p->token, "%s", text);
	return 0;
}

static int open_vault(struct program *p, struct vault **ret)
{
	struct home_error error = { "" };
	struct sign_seed seed;
	int err = home_secret(&p->home, &seed, NULL, NULL, &error);

	if (err == -ENOENT) {
		sign_seed_new(&seed);
		err = home_write_secret(&p->home, &seed, SPAN_NONE, false, &error);
	}
	if (err >= 0)
		err = vault_new_local(ret, &seed, 1u << VAULT_TLS);
	wipe(&seed, sizeof seed);
	return err < 0 ? fail(EXIT_CONFIG, "%s", error.text[0] ? error.text : err_text(err)) : 0;
}

/* ---- the line ---- */

static bool is_usable(const struct addr *a)
{
	bool link_local = (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80) || (addr_is_v4(a) && a->ip[12] == 169 && a->ip[13] == 254);

	return !addr_is_any(a) && !addr_is_loopback(a) && !link_local;
}

/* An address of this machine, IPv4 before IPv6. */
static bool own_address(struct addr *ret)
{
	struct ifaddrs *list = NULL;
	bool found = false;
	struct addr a;

	if (getifaddrs(&list) < 0)
		return false;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || addr_from_sockaddr(&a, i->ifa_addr) < 0 || !is_usable(&a) || (found && !addr_is_v4(&a)))
			continue;
		if (!found || !addr_is_v4(ret))
			*ret = a;
		found = true;
	}
	freeifaddrs(list);
	return found;
}

static int print_line(const struct program *p, const struct identity *id, const struct addr *at)
{
	struct broker_line line = { .id = *id, .port = at->port };
	_cleanup_buf_ struct buf out = {};
	char text[IDENTITY_STR_MAX], host[ADDR_STR_MAX];
	struct addr a = *at;

	if (p->name[0]) {
		snprintf(line.host, sizeof line.host, "%s", p->name);
	} else if (addr_is_any(at) && !own_address(&a)) {
		snprintf(line.host, sizeof line.host, "127.0.0.1");
	} else {
		addr_format(host, &a);
		*strrchr(host, ':') = 0;
		size_t n = strlen(host);
		if (host[0] == '[')
			snprintf(line.host, sizeof line.host, "%.*s", (int)n - 2, host + 1);
		else
			snprintf(line.host, sizeof line.host, "%s", host);
	}
	snprintf(line.token, sizeof line.token, "%s", p->token);
	broker_line_format(&out, &line);
	identity_format(text, id);
	printf("identity: %s\nbroker = [\"%s\"]\n", text, buf_str(&out));
	return fflush(stdout) ? fail(EXIT_FAILED, "standard output: %s", err_text(-errno)) : 0;
}

/* ---- running ---- */

static void on_signal(void *userdata, int) { loop_stop(userdata, 0); }

static int listen_all(struct program *p, struct broker *b, const struct identity *id)
{
	struct addr first = { 0 };

	for (size_t i = 0; i < p->listen_len; i++) {
		struct addr got;
		char text[ADDR_STR_MAX];
		int err = broker_listen(b, &p->listen[i], -1, &got);

		addr_format(text, &p->listen[i]);
		if (err < 0)
			return fail(EXIT_UNAVAILABLE, "%s: %s", text, err_text(err));
		if (!i)
			first = got;
	}
	return print_line(p, id, &first);
}

static int serve(struct program *p, struct vault *v)
{
	_cleanup_(loop_freep) struct loop *l = NULL;
	_cleanup_(source_freep) struct source *term = NULL, *intr = NULL;
	_cleanup_(broker_freep) struct broker *b = NULL;
	int err = loop_new(&l);

	if (err >= 0)
		err = loop_add_signal(l, &term, SIGTERM, on_signal, l);
	if (err >= 0)
		err = loop_add_signal(l, &intr, SIGINT, on_signal, l);
	if (err >= 0) {
		struct broker_config bc = { .loop = l, .vault = v, .log = &p->log, .allow = p->allow, .allow_len = p->allow_len,
					    .route_rate = p->route_rate };

		snprintf(bc.token, sizeof bc.token, "%s", p->token);
		err = broker_new(&b, &bc);
	}
	if (err < 0)
		return fail(EXIT_FAILED, "%s", err_text(err));
	int status = listen_all(p, b, vault_identity(v));
	if (status)
		return status;
	err = loop_run(l);
	return err < 0 ? fail(EXIT_FAILED, "%s", err_text(err)) : 0;
}

/* Best effort: a kernel that knows less is no reason not to serve. */
static void harden(void)
{
	struct rlimit files, none = { 0 };

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = MIN(files.rlim_max, (rlim_t)FILES_WANTED);
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
}

static int run(struct program *p, int argc, char **argv)
{
	_cleanup_(vault_freep) struct vault *v = NULL;
	int status = parse(p, argc, argv);

	if (status || p->done)
		return status;
	if (crypto_init() < 0)
		return fail(EXIT_FAILED, "the system gives no random numbers");
	harden();
	p->log = log_stderr;
	p->log.max = p->verbose ? LOG_DEBUG : LOG_INFO;
	status = open_home(p);
	if (!status)
		status = read_config(p);
	if (!status)
		status = read_token(p);
	if (!status)
		status = open_vault(p, &v);
	return status ?: serve(p, v);
}

int main(int argc, char **argv)
{
	struct program *p = calloc(1, sizeof *p);
	int status = p ? run(p, argc, argv) : fail(EXIT_FAILED, "%s", err_text(-ENOMEM));

	if (p)
		home_done(&p->home);
	free(p);
	return status;
}
