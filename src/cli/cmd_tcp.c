/* tcp: a local port that leads to one of the device's; any number of connections
 * over the one to the device. nc: standard input and output instead of a port. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/list.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/session.h"
#include "service/tcp.h"

enum { BACKLOG = 128 };

struct forward {
	struct cli *cli;
	struct session session;
	const char *host;               /* NULL: the device itself */
	uint16_t port, local_port;
	int listen_fd;
	struct source *listening;
	struct list pipes;
	int flags[2];                   /* nc: of standard input and output, to be put back */
	bool nc, opened;
};

struct pipe {
	struct forward *forward;
	struct list entry;
	struct tcp_client *client;
};

/* ---- one connection ---- */

static void on_opened(void *userdata)
{
	struct pipe *p = userdata;

	p->forward->opened = true;
}

/* What the device says of a single connection is no reason to end the others. */
static void on_done(void *userdata, int err, const char *text)
{
	struct pipe *p = userdata;
	struct forward *f = p->forward;
	bool opened = f->opened;

	list_del(&p->entry);
	free(p);
	if (err == -ECANCELED || (err < 0 && session_tells(&f->session, err)))
		return;
	int status = CLI_OK;
	if (err < 0)
		status = f->nc && opened ? CLI_FAILED : cli_fail(cli_status_of(err), "%s: port %u: %s", f->session.called, f->port,
								 text && *text ? text : err_text(err));
	if (f->nc)
		session_stop(&f->session, status);
}

/* Takes both descriptors, whatever happens. */
static int open_pipe(struct forward *f, int read_fd, int write_fd)
{
	static const struct tcp_ops ops = { .opened = on_opened, .done = on_done };
	struct pipe *p = calloc(1, sizeof *p);
	int err = -ENOMEM;

	if (p) {
		p->forward = f;
		list_add_tail(&f->pipes, &p->entry);
		err = tcp_client_open(&p->client, peer_streams(f->session.peer), f->session.loop, f->host, f->port,
				      read_fd, write_fd, &ops, p);
	}
	if (err < 0) {
		close(read_fd);
		close(write_fd);
		if (p)
			list_del(&p->entry);
		free(p);
	}
	return err;
}

/* ---- tcp ---- */

static void on_connection(void *userdata, unsigned)
{
	struct forward *f = userdata;
	_cleanup_close_ int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 || !f->session.peer)
		return;
	int copy = pump_dup(fd);
	if (copy < 0) {
		cli_fail(CLI_FAILED, "a connection was dropped: %s", err_text(copy));
		return;
	}
	int err = open_pipe(f, take_fd(fd), copy);
	if (err < 0)
		cli_fail(CLI_FAILED, "a connection was dropped: %s", err_text(err));
}

static int listen_here(struct forward *f)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(f->local_port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;
	const int on = 1;

	f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->listen_fd < 0 || setsockopt(f->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(f->listen_fd, (struct sockaddr *)&sin, sizeof sin) < 0 || listen(f->listen_fd, BACKLOG) < 0 ||
	    getsockname(f->listen_fd, (struct sockaddr *)&sin, &len) < 0)
		return cli_fail(cli_status_of(-errno), "127.0.0.1:%u: %s", f->local_port, strerror(errno));
	f->local_port = ntohs(sin.sin_port);
	return 0;
}

static void announce(const struct forward *f)
{
	struct out_object o;

	if (cli_json(f->cli)) {
		out_begin(&o);
		out_str(&o, "listen", "127.0.0.1");
		out_uint(&o, "port", f->local_port);
		out_end(&o);
	} else {
		printf("127.0.0.1:%u\n", f->local_port);
		fflush(stdout);
	}
}

static void tcp_ready(void *userdata, struct session *s)
{
	struct forward *f = userdata;
	int err = loop_add_io(s->loop, &f->listening, f->listen_fd, LOOP_IN, on_connection, f);

	if (err < 0)
		session_stop(s, cli_fail(CLI_FAILED, "%s", err_text(err)));
	else
		announce(f);
}

/* ---- nc ---- */

static void nc_up(void *userdata, struct session *s)
{
	struct forward *f = userdata;
	int in = pump_dup(STDIN_FILENO), out = pump_dup(STDOUT_FILENO), err = -EBADF;

	f->flags[0] = fcntl(STDIN_FILENO, F_GETFL);
	f->flags[1] = fcntl(STDOUT_FILENO, F_GETFL);
	if (in >= 0 && out >= 0) {
		err = open_pipe(f, in, out);
	} else {
		closep(&in);
		closep(&out);
	}
	if (err < 0)
		session_stop(s, cli_fail(CLI_FAILED, "standard input and output: %s", err_text(err)));
}

/* They are shared with whoever started us, who does not expect them non-blocking. */
static void put_flags_back(const struct forward *f)
{
	for (int fd = 0; fd < 2; fd++)
		if (f->flags[fd] >= 0)
			fcntl(fd, F_SETFL, f->flags[fd]);
}

/* ---- life ---- */

static int read_port(const struct cli *c, const char *text, bool zero, uint16_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || v > UINT16_MAX || (!v && !zero))
		return cli_usage(c, "%s: \"%s\" is no port", c->spelled, text);
	*ret = (uint16_t)v;
	return 0;
}

static int run(struct forward *f, const struct session_ops *ops)
{
	int status = session_open(&f->session, f->cli);

	if (!status && !f->nc)
		status = listen_here(f);
	if (!status)
		status = session_dial(&f->session, f->cli->argv[0], ops, f);
	if (!status)
		status = session_run(&f->session);
	put_flags_back(f);
	source_free(f->listening);
	closep(&f->listen_fd);
	for (struct pipe *p; (p = list_first(&f->pipes, struct pipe, entry)); ) {
		list_del(&p->entry);
		tcp_client_cancel(p->client);
	}
	session_done(&f->session);
	return status;
}

int cmd_tcp(struct cli *c)
{
	static const struct session_ops ops = { .ready = tcp_ready };
	struct forward f = { .cli = c, .host = c->argc == 4 ? c->argv[2] : NULL, .listen_fd = -1, .flags = { -1, -1 } };

	list_init(&f.pipes);
	return read_port(c, c->argv[1], false, &f.port) ?: read_port(c, c->argv[c->argc - 1], true, &f.local_port)
	     ?: run(&f, &ops);
}

int cmd_nc(struct cli *c)
{
	static const struct session_ops ops = { .up = nc_up };
	struct forward f = { .cli = c, .listen_fd = -1, .flags = { -1, -1 }, .nc = true };

	list_init(&f.pipes);
	return read_port(c, c->argv[1], false, &f.port) ?: run(&f, &ops);
}
