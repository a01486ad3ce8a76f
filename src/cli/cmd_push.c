/* push and pull: one file, or with -r a folder. What was transferred before a cut is
 * not transferred again. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "service/files_worker.h"
#include "service/service.h"
#include "service/sft.h"

enum {
	AGAIN_MAX = 3,                  /* a source that changes while it is read */
	BAR_EVERY_MS = 100,
	BAR_COLUMNS = 84,               /* of a line with the whole bar */
	BAR_MIN = 8,
};

struct copy {
	struct cli *cli;
	struct session session;
	struct files_client *files;
	int worker;                     /* socket until files has it; -1 */
	bool pull, tree, bar, drawn;
	char local[PATH_MAX], remote[PATH_MAX];
	struct sft_transfer *transfer;
	struct sft_tree *trees;
	struct sft_progress last;
	uint64_t files_done;
	tstamp started, shown;
	int tries;
};

/* ---- the bar ---- */

static int bar_width(void)
{
	struct winsize w = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_col)
		return PROGRESS_BAR;
	int bar = PROGRESS_BAR - (BAR_COLUMNS - (int)w.ws_col);
	return bar < BAR_MIN ? BAR_MIN : MIN(bar, (int)PROGRESS_BAR);
}

static void draw(struct copy *c, const struct sft_progress *s, bool last)
{
	tstamp now = time_monotonic();
	_cleanup_buf_ struct buf line = {};
	struct peer_info info = { 0 };

	if (!c->bar || (!last && c->drawn && now - c->shown < MILLIS(BAR_EVERY_MS)))
		return;
	if (c->session.peer)
		peer_get_info(c->session.peer, &info);
	struct progress p = { .done = s->done, .total = s->total, .resumed_at = s->resumed_at,
			      .rtt = info.transport.rtt, .elapsed = now - c->started };
	progress_format(&line, &p, bar_width());
	fprintf(stderr, "\r%s\033[K", buf_str(&line));
	c->shown = now;
	c->drawn = true;
}

static void end_line(struct copy *c)
{
	if (c->drawn)
		fputc('\n', stderr);
	c->drawn = false;
}

/* ---- how it went ---- */

static int failed(struct copy *c, int err, const char *text)
{
	const struct session *s = &c->session;

	end_line(c);
	if (err == ERR_UNKNOWN && !text)
		return ask_refusal(s, SFT_PATH, 404, "");
	switch (err) {
	case ERR_AGAIN:
		return cli_fail(CLI_AGAIN, "%s: another transfer is writing this file", s->called);
	case ERR_CHANGED:
		return cli_fail(CLI_AGAIN, "the source keeps changing while it is read; try again");
	case ERR_CHECKSUM:
		return cli_fail(CLI_FAILED, "what arrived is not what was sent; nothing was replaced");
	default:
		return cli_fail(cli_status_of(err), "%s to %s: %s", c->pull ? c->remote : c->local, c->pull ? c->local : c->remote,
				text && *text ? text : err_text(err));
	}
}

static int succeeded(struct copy *c)
{
	struct out_object o;

	end_line(c);
	if (cli_json(c->cli)) {
		out_begin(&o);
		out_str(&o, "local", c->local);
		out_str(&o, "remote", c->remote);
		if (c->tree)
			out_uint(&o, "files", c->files_done);
		out_uint(&o, "bytes", c->tree ? c->last.done : c->last.total);
		out_uint(&o, "resumed_at", c->last.resumed_at);
		out_end(&o);
	} else if (c->last.resumed_at && c->last.resumed_at < c->last.total) {
		cli_note(c->cli, "went on at byte %llu of %llu", (unsigned long long)c->last.resumed_at,
			 (unsigned long long)c->last.total);
	}
	return CLI_OK;
}

/* ---- one file ---- */

static void start(struct copy *c);

static void on_progress(void *userdata, const struct sft_progress *p)
{
	struct copy *c = userdata;

	c->last = *p;
	draw(c, p, false);
}

static void on_done(void *userdata, int err, const char *text)
{
	struct copy *c = userdata;

	c->transfer = NULL;
	if (err == -ECANCELED || (err < 0 && session_tells(&c->session, err)))
		return;
	if (err == ERR_CHANGED && ++c->tries < AGAIN_MAX) {
		start(c);
		return;
	}
	if (err >= 0)
		draw(c, &c->last, true);
	session_stop(&c->session, err < 0 ? failed(c, err, text) : succeeded(c));
}

/* ---- a folder ---- */

static void on_tree_progress(void *userdata, uint64_t files, uint64_t bytes)
{
	struct copy *c = userdata;

	c->files_done = files;
	c->last.done = c->last.total = bytes;
	if (c->bar && time_monotonic() - c->shown >= MILLIS(BAR_EVERY_MS)) {
		fprintf(stderr, "\r%llu files, %.2f MB\033[K", (unsigned long long)files, (double)bytes / (1 << 20));
		c->shown = time_monotonic();
		c->drawn = true;
	}
}

static void on_skipped(void *userdata, const char *path, int err, const char *text)
{
	struct copy *c = userdata;

	end_line(c);
	cli_note(c->cli, "%s: %s", path, err == -ELOOP ? "is a link, left out" : text && *text ? text : err_text(err));
}

static void on_tree_done(void *userdata, int err)
{
	struct copy *c = userdata;

	c->trees = NULL;
	if (err == -ECANCELED || (err < 0 && session_tells(&c->session, err)))
		return;
	session_stop(&c->session, err < 0 ? failed(c, err, NULL) : succeeded(c));
}

/* ---- life ---- */

static void start(struct copy *c)
{
	static const struct sft_ops ops = { .progress = on_progress, .done = on_done };
	static const struct sft_tree_ops tree_ops = {
		.progress = on_tree_progress, .skipped = on_skipped, .done = on_tree_done,
	};
	struct sft_request rq = { .streams = peer_streams(c->session.peer), .loop = c->session.loop, .files = c->files,
				  .local = c->local, .remote = c->remote };
	int err;

	if (c->tree)
		err = c->pull ? sft_pull_tree(&c->trees, &rq, &tree_ops, c) : sft_push_tree(&c->trees, &rq, &tree_ops, c);
	else
		err = c->pull ? sft_pull(&c->transfer, &rq, &ops, c) : sft_push(&c->transfer, &rq, &ops, c);
	if (err < 0)
		session_stop(&c->session, cli_fail(CLI_FAILED, "%s", err_text(err)));
}

static void up(void *userdata, struct session *)
{
	struct copy *c = userdata;

	c->started = time_monotonic();
	start(c);
}

static bool lost(void *userdata, struct session *)
{
	struct copy *c = userdata;

	end_line(c);
	return false;
}

/* REMOTE/ and an existing LOCAL folder mean: in there, under the same name. */
static int put_path(char out[static PATH_MAX], const char *base, const char *to, const char *from)
{
	_cleanup_free_ char *copy = strdup(from);
	size_t n = strlen(to);
	bool into = n && to[n - 1] == '/';
	const char *name = copy && into ? basename(copy) : "";

	if (!copy)
		return -ENOMEM;
	if (snprintf(out, PATH_MAX, "%s%s%s%s", to[0] == '/' ? "" : base, to[0] == '/' || !*base ? "" : "/", to, name) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

static int read_paths(struct copy *c, const char *local, const char *remote)
{
	char here[PATH_MAX], with_slash[PATH_MAX];
	struct stat st;

	if (!getcwd(here, sizeof here))
		return -errno;
	bool there = stat(local, &st) == 0;
	if (!c->pull && !there)
		return -errno;
	if (!c->pull && !c->tree && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (c->pull && !c->tree && there && S_ISDIR(st.st_mode)) {
		if (snprintf(with_slash, sizeof with_slash, "%s/", local) >= (int)sizeof with_slash)
			return -ENAMETOOLONG;
		local = with_slash;
	}
	int err = put_path(c->local, strcmp(here, "/") ? here : "", local, c->pull ? remote : "");
	return err < 0 ? err : put_path(c->remote, "", remote, c->pull ? "" : local);
}

static int prepare(struct copy *c)
{
	/* the worker is forked before this process knows any secret */
	int err = files_worker_spawn(&c->worker, "/", c->pull), status;

	if (err < 0)
		return cli_fail(CLI_FAILED, "%s", err_text(err));
	status = session_open(&c->session, c->cli);
	if (status)
		return status;
	err = files_client_new(&c->files, c->session.loop, c->worker);
	if (err < 0)
		return cli_fail(CLI_FAILED, "%s", err_text(err));
	c->worker = -1;
	return 0;
}

static int run(struct cli *cli, const char *local, const char *remote, bool pull)
{
	static const struct session_ops ops = { .up = up, .lost = lost };
	struct copy c = { .cli = cli, .worker = -1, .pull = pull, .tree = cli_flag(cli, "recursive"),
			  .bar = isatty(STDERR_FILENO) && !cli_quiet(cli) && !cli_json(cli) };
	int status, err = read_paths(&c, local, remote);

	if (err < 0)
		return cli_fail(CLI_FAILED, "%s: %s%s", local, err_text(err), err == -EISDIR ? "; -r takes folders" : "");
	status = prepare(&c);
	if (!status)
		status = session_dial(&c.session, cli->argv[0], &ops, &c);
	if (!status)
		status = session_run(&c.session);
	end_line(&c);
	if (c.transfer)
		sft_cancel(c.transfer);
	if (c.trees)
		sft_tree_cancel(c.trees);
	files_client_unref(c.files);
	closep(&c.worker);
	session_done(&c.session);
	return status;
}

int cmd_push(struct cli *c) { return run(c, c->argv[1], c->argv[2], false); }
int cmd_pull(struct cli *c) { return run(c, c->argv[2], c->argv[1], true); }
