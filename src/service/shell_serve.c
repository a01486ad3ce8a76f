/* One shell on the device: the host's descriptors, the stream, and the order in which
 * they end. The exit status is the last message, after all output that the program
 * itself wrote; what it left running in the background does not hold it up. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/err.h"
#include "service/internal.h"
#include "service/pump.h"
#include "service/shell_serve.h"

/* A terminal hands output on in the background, so the end of the program is not yet
 * the end of what it wrote; it says EIO when it is. This long at most we wait for that. */
#define TERMINAL_GRACE MILLIS(500)

enum { CTRL_D = 4, TERMINAL_GRACES_MAX = 20 };

struct shell {
	struct loop *loop;
	struct stream *stream;
	bool pty;
	struct pump_in in;
	struct pump_out out[2];         /* stdout or terminal; stderr */
	int terminal;                   /* the in pump's descriptor, to resize; borrowed */
	int status_fd;                  /* open for as long as the session may live */
	struct source *status_source, *grace;
	unsigned graces;
	uint8_t status[SHELL_STATUS_LEN];
	size_t status_len;
	bool over, told;                /* the program ended; the caller knows */
};

static void release(struct shell *sh)
{
	pump_in_done(&sh->in);
	for (size_t i = 0; i < ARRAY_LEN(sh->out); i++)
		pump_out_done(&sh->out[i]);
	source_free(sh->status_source);
	source_free(sh->grace);
	sh->status_source = sh->grace = NULL;
	if (sh->status_fd >= 0)
		close(take_fd(sh->status_fd));
}

static void shell_free(void *userdata)
{
	release(userdata);
	free(userdata);
}

/* ---- the end ---- */

static int32_t exit_status(const struct shell *sh)
{
	const uint8_t *p = sh->status;

	if (sh->status_len < SHELL_STATUS_LEN)
		return SHELL_STATUS_LOST;
	return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

static void tell_exit(struct shell *sh)
{
	uint8_t m[SHELL_EXIT_LEN];

	if (!sh->over || sh->told || sh->out[0].active || sh->out[1].active)
		return;
	shell_exit_format(m, exit_status(sh));
	if (stream_send(sh->stream, SPAN_OF(m)) == ERR_AGAIN)
		return;         /* writable() comes back here */
	sh->told = true;
	stream_end(sh->stream);
	release(sh);
	stream_resume(sh->stream);      /* input that nobody reads must not hold the end up */
}

static void output_ended(void *userdata) { tell_exit(userdata); }

/* Output that others go on writing to a terminal without a session must end too. */
static bool terminal_has_more(struct shell *sh)
{
	struct pollfd p = { .fd = sh->out[0].fd, .events = POLLIN };

	if (!sh->out[0].active)
		return false;
	if (sh->out[0].held.len)        /* the caller is slow, not the terminal */
		return true;
	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN) && sh->graces++ < TERMINAL_GRACES_MAX;
}

static void grace_over(void *userdata, tstamp now)
{
	struct shell *sh = userdata;

	if (terminal_has_more(sh) && source_arm(sh->grace, now + TERMINAL_GRACE) >= 0)
		return;
	pump_out_done(&sh->out[0]);
	tell_exit(sh);
}

static void program_ended(struct shell *sh)
{
	sh->over = true;
	source_free(sh->status_source);
	sh->status_source = NULL;
	if (!sh->pty) {
		pump_out_finish(&sh->out[0]);
		pump_out_finish(&sh->out[1]);
	} else if (sh->out[0].active &&
		   (loop_add_timer(sh->loop, &sh->grace, grace_over, sh) < 0 ||
		    source_arm(sh->grace, loop_now(sh->loop) + TERMINAL_GRACE) < 0)) {
		pump_out_done(&sh->out[0]);
	}
	tell_exit(sh);
}

static void status_readable(void *userdata, unsigned)
{
	struct shell *sh = userdata;
	ssize_t n = read(sh->status_fd, sh->status + sh->status_len, sizeof sh->status - sh->status_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		sh->status_len += (size_t)n;
	if (n <= 0 || sh->status_len == sizeof sh->status)
		program_ended(sh);
}

/* ---- what the caller sends ---- */

static void end_input(struct shell *sh)
{
	struct termios t;
	uint8_t eof = CTRL_D;

	if (!sh->pty) {
		pump_in_end(&sh->in);
	} else if (sh->in.active) {
		/* A terminal has no end of file, only the key for it. */
		if (tcgetattr(sh->terminal, &t) >= 0)
			eof = t.c_cc[VEOF];
		pump_in_write(&sh->in, SPAN(&eof, 1));
	}
}

static void resize(struct shell *sh, const struct shell_window *w)
{
	struct winsize ws = { .ws_row = w->row, .ws_col = w->col, .ws_xpixel = w->xpixel, .ws_ypixel = w->ypixel };

	if (sh->pty && sh->in.active)
		(void)ioctl(sh->terminal, TIOCSWINSZ, &ws);
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct shell *sh = userdata;
	struct shell_message msg;
	int err = shell_message_parse(&msg, m, true);

	if (err < 0)
		stream_reset(s, err == ERR_LIMIT ? STREAM_CODE_LIMIT : STREAM_CODE_PROTOCOL);
	else if (msg.kind == SHELL_WINDOW)
		resize(sh, &msg.window);
	else if (msg.data.len)
		pump_in_write(&sh->in, msg.data);
	else
		end_input(sh);
}

static void on_end(void *userdata, struct stream *) { end_input(userdata); }

static void on_writable(void *userdata, struct stream *)
{
	struct shell *sh = userdata;

	for (size_t i = 0; i < ARRAY_LEN(sh->out); i++)
		pump_out_writable(&sh->out[i]);
	tell_exit(sh);
}

static void on_closed(void *userdata, struct stream *, int) { shell_free(userdata); }

static const struct stream_handler handler = {
	.message = on_message, .end = on_end, .writable = on_writable, .closed = on_closed,
};

/* ---- the beginning ---- */

/* Takes over a descriptor on success, else closes it. */
static int start_in(struct shell *sh, int fd)
{
	_cleanup_close_ int f = fd;
	int err = f < 0 ? -EBADF : pump_in_start(&sh->in, sh->loop, f, sh->stream);

	if (err < 0)
		return err;
	sh->terminal = take_fd(f);
	return 0;
}

static int start_out(struct shell *sh, size_t i, int fd, enum shell_kind kind)
{
	_cleanup_close_ int f = fd;
	int err = f < 0 ? -EBADF : pump_out_start(&sh->out[i], sh->loop, f, sh->stream, kind, output_ended, sh);

	if (err < 0)
		return err;
	take_fd(f);
	return 0;
}

static int start_status(struct shell *sh, int fd)
{
	int flags;

	sh->status_fd = fd;
	flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -EBADF;
	return loop_add_io(sh->loop, &sh->status_source, fd, LOOP_IN, status_readable, sh);
}

static int start(struct shell *sh, int *fds, size_t n)
{
	int err = start_status(sh, service_take_fd(fds, n, sh->pty ? 1 : 3));

	if (err < 0)
		return err;
	err = start_in(sh, sh->pty && n ? pump_dup(fds[0]) : service_take_fd(fds, n, 0));
	if (err < 0)
		return err;
	err = start_out(sh, 0, service_take_fd(fds, n, sh->pty ? 0 : 1), SHELL_DATA);
	if (err < 0 || sh->pty)
		return err;
	return start_out(sh, 1, service_take_fd(fds, n, 2), SHELL_STDERR);
}

static void started(struct services *ss, struct stream *s, void *userdata, int err, struct span,
		    int *fds, size_t fds_len)
{
	_cleanup_buf_ struct buf b = {};
	struct shell *sh = userdata;

	sh->loop = ss->config.loop;
	sh->stream = s;
	if (err >= 0)
		err = start(sh, fds, fds_len);
	if (err < 0) {
		shell_free(sh);
		service_answer_err(s, err);
		return;
	}

	stream_attach(s, &handler, sh);
	headers_put_status(&b, SERVICE_STATUS_OK, NULL);
	err = stream_send_headers(s, buf_span(&b));
	if (err < 0)
		stream_reset(s, STREAM_CODE_INTERNAL);
}

void shell_open(struct services *ss, const struct service_call *call)
{
	_cleanup_buf_ struct buf args = {};
	struct shell *sh;
	bool pty;
	int err = shell_host_args(&args, call->headers, &pty);

	if (err == ERR_PARSE || err == ERR_LIMIT) {
		service_answer(call->stream, 400, "command, term, window or environment are not well formed");
		return;
	}
	sh = err < 0 ? NULL : calloc(1, sizeof *sh);
	if (!sh) {
		service_answer_err(call->stream, -ENOMEM);
		return;
	}
	sh->pty = pty;
	sh->status_fd = sh->terminal = -1;
	service_ask(ss, call, HOST_SHELL, buf_span(&args), started, shell_free, sh);
}
