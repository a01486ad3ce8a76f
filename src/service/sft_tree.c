/* A tree is a walk on the side that has it and transfers for what it meets, several at
 * once so that many small files do not wait for each other's round trips. A folder is
 * made before anything in it; of a pull the folders are made here. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "service/sft_internal.h"

enum { QUEUE_LOW = 64, OWNER_BITS = 0700 };

struct item {
	struct list link;
	struct sft_tree *tree;
	struct files_entry e;
	struct sft_transfer *transfer;
	struct files_call call;         /* making a local folder */
	uint64_t done;
};

struct sft_tree {
	bool push;
	struct sft_request rq;
	char *local, *remote;
	const struct sft_tree_ops *ops;
	void *userdata;
	struct source *turn;

	struct sft_list *list;          /* pull */
	struct files_call walk_call;    /* push */
	unsigned walk;
	bool has_walk, walked, paused;

	struct list waiting, running;
	size_t waiting_len, running_len;
	uint64_t files, bytes;
	bool canceled, lost;            /* by the user; with the connection */
	int err;
};

static void tree_free(struct sft_tree *t)
{
	if (!t)
		return;
	if (t->has_walk)
		files_tell_end(t->rq.files, t->walk);
	files_client_unref(t->rq.files);
	source_free(t->turn);
	free(t->local);
	free(t->remote);
	free(t);
}
DEFINE_FREEP(struct sft_tree *, tree_free)

static void note(struct sft_tree *t, const char *path, int err, const char *text, bool counts)
{
	if (counts && !t->err)
		t->err = err;
	if (t->ops->skipped)
		t->ops->skipped(t->userdata, path, err, text);
}

static void item_free(struct item *it)
{
	list_del(&it->link);
	free(it);
}

static void item_done(struct item *it, int err, const char *text)
{
	struct sft_tree *t = it->tree;

	t->lost |= err == ERR_CLOSED || err == ERR_TIMEOUT || err == ERR_OFFLINE;
	if (err < 0 && !(t->canceled && err == -ECANCELED))
		note(t, it->e.path, err, text, true);
	else if (err >= 0 && it->e.stat.type == FILES_FILE)
		t->files++;
	if (t->ops->progress)
		t->ops->progress(t->userdata, t->files, t->bytes);
	t->running_len--;
	item_free(it);
	source_trigger(t->turn);
}

/* ---- one item ---- */

static void on_progress(void *userdata, const struct sft_progress *p)
{
	struct item *it = userdata;
	struct sft_tree *t = it->tree;

	t->bytes += p->done - it->done;
	it->done = p->done;
	if (t->ops->progress)
		t->ops->progress(t->userdata, t->files, t->bytes);
}

static void on_transferred(void *userdata, int err, const char *text) { item_done(userdata, err, text); }
static void on_folder(void *userdata, int err, struct files_reply *) { item_done(userdata, err, NULL); }

static int join(char **ret, const char *a, const char *b)
{
	return asprintf(ret, "%s%s%s", a, *b ? "/" : "", b) < 0 ? -ENOMEM : 0;
}

static int item_start(struct item *it)
{
	static const struct sft_ops ops = { .progress = on_progress, .done = on_transferred };
	_cleanup_free_ char *local = NULL, *remote = NULL;
	struct sft_tree *t = it->tree;
	struct sft_request rq = t->rq;
	unsigned mode = it->e.stat.mode | OWNER_BITS;   /* what is inside must still come in */
	int err = join(&local, t->local, it->e.path);

	if (err >= 0)
		err = join(&remote, t->remote, it->e.path);
	if (err < 0)
		return err;
	rq.local = local;
	rq.remote = remote;
	rq.parents = true;
	if (it->e.stat.type == FILES_FILE)
		return t->push ? sft_push(&it->transfer, &rq, &ops, it) : sft_pull(&it->transfer, &rq, &ops, it);
	if (t->push)
		return sft_make_folder(&it->transfer, &rq, mode, &ops, it);
	return files_ask_folder(rq.files, &it->call, on_folder, it, local, mode, true);
}

static void run_first(struct sft_tree *t)
{
	struct item *it = list_first(&t->waiting, struct item, link);
	int err;

	list_del(&it->link);
	t->waiting_len--;
	list_add_tail(&t->running, &it->link);
	t->running_len++;
	err = item_start(it);
	if (err < 0)
		item_done(it, err, NULL);
}

/* ---- the walk ---- */

static void add_entry(struct sft_tree *t, const struct files_entry *e)
{
	struct item *it;

	if (e->err < 0)
		note(t, e->path, e->err, NULL, true);
	if (e->stat.type == FILES_LINK || e->stat.type == FILES_OTHER) {
		note(t, e->path, e->stat.type == FILES_LINK ? -ELOOP : ERR_TYPE, NULL, false);
		return;
	}
	it = calloc(1, sizeof *it);
	if (!it) {
		note(t, e->path, -ENOMEM, NULL, true);
		return;
	}
	it->tree = t;
	it->e = *e;
	list_add_tail(&t->waiting, &it->link);
	t->waiting_len++;
}

static void on_page(void *userdata, int err, struct files_reply *r)
{
	struct sft_tree *t = userdata;
	struct files_entry e;

	for (size_t i = 0; err >= 0 && i < r->entries_len; i++) {
		files_get_entry(&e, &r->entries);
		err = r->entries.err;
		if (err >= 0)
			add_entry(t, &e);
	}
	if (err < 0)
		note(t, t->local, err, NULL, true);
	t->walked = err < 0 || !r->more;
	source_trigger(t->turn);
}

static void on_walk(void *userdata, int err, struct files_reply *r)
{
	struct sft_tree *t = userdata;

	if (err < 0) {
		note(t, t->local, err, NULL, true);
		t->walked = true;
	} else {
		t->has_walk = true;
		t->walk = r->handle;
	}
	source_trigger(t->turn);
}

static void on_entry(void *userdata, const struct files_entry *e)
{
	struct sft_tree *t = userdata;

	add_entry(t, e);
	source_trigger(t->turn);
}

static void on_listed(void *userdata, int err, const char *text)
{
	struct sft_tree *t = userdata;

	t->list = NULL;
	t->walked = true;
	if (err < 0 && !t->canceled)
		note(t, t->remote, err, text, true);
	source_trigger(t->turn);
}

static void walk_on(struct sft_tree *t)
{
	int err;

	if (t->push) {
		if (!t->has_walk || t->walked || t->walk_call.done || t->waiting_len > QUEUE_LOW)
			return;
		err = files_ask_next(t->rq.files, &t->walk_call, on_page, t, t->walk);
		if (err < 0)
			on_page(t, err, NULL);
	} else if (t->list && t->paused != (t->waiting_len > QUEUE_LOW)) {
		t->paused = !t->paused;
		sft_list_pause(t->list, t->paused);
	}
}

/* ---- turns ---- */

static void drop_waiting(struct sft_tree *t)
{
	struct item *it;

	while ((it = list_first(&t->waiting, struct item, link)))
		item_free(it);
	t->waiting_len = 0;
}

/* A folder runs alone: nothing overtakes it, it overtakes nothing. */
static bool may_run(const struct sft_tree *t)
{
	const struct item *first = list_first(&t->waiting, struct item, link);
	const struct item *now = list_first(&t->running, struct item, link);

	if (!first || t->running_len >= SFT_PARALLEL)
		return false;
	return !now || (now->e.stat.type == FILES_FILE && first->e.stat.type == FILES_FILE);
}

static void on_turn(void *userdata)
{
	struct sft_tree *t = userdata;

	if (t->canceled || t->lost)
		drop_waiting(t);
	while (may_run(t))
		run_first(t);
	if (!t->canceled && !t->lost)
		walk_on(t);
	if (t->waiting_len || t->running_len || t->list || t->walk_call.done || !(t->walked || t->canceled || t->lost))
		return;

	const struct sft_tree_ops *ops = t->ops;
	void *theirs = t->userdata;
	int err = t->canceled ? -ECANCELED : t->err;
	tree_free(t);
	ops->done(theirs, err);
}

/* ---- life ---- */

static char *trimmed(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return strndup(path, n);
}

static int tree_new(struct sft_tree **ret, bool push, const struct sft_request *rq, const struct sft_tree_ops *ops,
		    void *userdata)
{
	_cleanup_(tree_freep) struct sft_tree *t = calloc(1, sizeof *t);
	int err;

	if (!t)
		return -ENOMEM;
	t->push = push;
	t->rq = *rq;
	t->rq.sha256 = NULL;
	t->rq.files = files_client_ref(rq->files);
	t->ops = ops;
	t->userdata = userdata;
	list_init(&t->waiting);
	list_init(&t->running);
	t->local = trimmed(rq->local);
	t->remote = trimmed(rq->remote);
	if (!t->local || !t->remote)
		return -ENOMEM;
	err = loop_add_defer(rq->loop, &t->turn, on_turn, t);
	if (err < 0)
		return err;
	*ret = take(t);
	return 0;
}

int sft_push_tree(struct sft_tree **ret, const struct sft_request *rq, const struct sft_tree_ops *ops, void *userdata)
{
	_cleanup_(tree_freep) struct sft_tree *t = NULL;
	int err = tree_new(&t, true, rq, ops, userdata);

	if (err >= 0)
		err = files_ask_walk(t->rq.files, &t->walk_call, on_walk, t, t->local, FILES_DEPTH_MAX);
	if (err >= 0)
		*ret = take(t);
	return err;
}

int sft_pull_tree(struct sft_tree **ret, const struct sft_request *rq, const struct sft_tree_ops *ops, void *userdata)
{
	static const struct sft_list_ops list_ops = { .entry = on_entry, .done = on_listed };
	_cleanup_(tree_freep) struct sft_tree *t = NULL;
	int err = tree_new(&t, false, rq, ops, userdata);

	if (err >= 0)
		err = sft_list_open(&t->list, rq->streams, t->remote, FILES_DEPTH_MAX, &list_ops, t);
	if (err >= 0)
		*ret = take(t);
	return err;
}

void sft_tree_cancel(struct sft_tree *t)
{
	struct item *it;

	if (t->canceled)
		return;
	t->canceled = true;
	list_for_each(it, &t->running, link)
		if (it->transfer)
			sft_cancel(it->transfer);
	if (t->list)
		sft_list_cancel(t->list);
	source_trigger(t->turn);
}
