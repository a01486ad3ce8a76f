/* HOST_FILES: a process of its own that touches files as the rule's user, beneath the
 * rule's root. It checks every path again, for net goes on talking to it. */
#include <errno.h>

#include "base/err.h"
#include "carrierd/worker.h"
#include "service/files.h"
#include "service/files_worker.h"
#include "wire/cbor.h"

struct wish {
	char file[FILES_PATH_MAX + 1];
	char method[32];
};

static int read_text(struct span s, char *out, size_t size)
{
	if (!s.len || s.len >= size || memchr(s.data, 0, s.len))
		return ERR_PARSE;
	memcpy(out, s.data, s.len);
	out[s.len] = 0;
	return 0;
}

static int read_wish(struct wish *w, struct span args)
{
	struct cbor file = cbor_map_find(args, "file"), method = cbor_map_find(args, "method");
	struct span f = cbor_bytes(&file), m = cbor_text(&method);
	int err = file.err || method.err ? ERR_PARSE : read_text(f, w->file, sizeof w->file);

	return err < 0 ? err : read_text(m, w->method, sizeof w->method);
}

_Noreturn static void run_files(const struct account *a, const struct identity *caller, const char *root,
				bool writable, int fd)
{
	const int fds[3] = { fd, fd, 2 };

	worker_set_stdio(fds);
	int err = worker_become(a, caller);
	if (err < 0)
		worker_fail(a->name, err);
	_exit(files_worker_main(0, root, writable) < 0);
}

int answer_files(struct monitor *m, const struct request *rq, struct reply *out)
{
	_cleanup_(account_done) struct account account = {};
	_cleanup_close_ int theirs = -1;
	const struct auth_rule *rule;
	struct wish wish;
	int s[2], pid, err = read_wish(&wish, rq->args);

	if (err < 0)
		return err;
	err = permit_judge(m, &(struct auth_request){ .caller = rq->caller, .path = rq->path,
						      .method = wish.method, .file = wish.file }, &rule);
	if (err < 0)
		return err;
	const char *root = auth_rule_root(rule);
	if (!root)
		return ERR_DENIED;
	err = account_find(&account, rule->user);
	if (err < 0)
		return err;

	err = ipc_pair(s);
	if (err < 0)
		return err;
	out->fds[out->fds_len++] = s[0];
	theirs = s[1];
	pid = worker_fork(m);
	if (pid < 0)
		return pid;
	if (pid == 0)
		run_files(&account, &rq->caller, root, !strcmp(wish.method, "PUT"), theirs);
	return worker_watch(m, pid, -1, NULL);
}
