#include "service/sft_workers.h"

#include <errno.h>

#include "base/err.h"

#define IDLE_TIME SECONDS(3)
#define LIFE_TIME SECONDS(60)   /* then the host judges again */

struct worker {
	struct list link;
	struct identity caller;
	char *root, *user;
	bool writable;
	tstamp born, used;
	struct files_client *client;
};

struct sft_workers {
	struct loop *loop;
	struct source *timer;
	struct list list;
	size_t len;
};

static void worker_free(struct sft_workers *ws, struct worker *w)
{
	list_del(&w->link);
	ws->len--;
	files_client_unref(w->client);
	free(w->root);
	free(w->user);
	free(w);
}

static void sweep(void *userdata, tstamp now)
{
	struct sft_workers *ws = userdata;
	struct worker *w;

	list_for_each(w, &ws->list, link) {
		if (files_client_is_shared(w->client))
			w->used = now;
		if (files_client_gone(w->client) || now - w->born >= LIFE_TIME || now - w->used >= IDLE_TIME)
			worker_free(ws, w);
	}
	if (ws->len)
		(void)!source_arm(ws->timer, now + IDLE_TIME);
}

static int workers_new(struct sft_workers **ret, struct loop *loop)
{
	struct sft_workers *ws = calloc(1, sizeof *ws);
	int err;

	if (!ws)
		return -ENOMEM;
	ws->loop = loop;
	list_init(&ws->list);
	err = loop_add_timer(loop, &ws->timer, sweep, ws);
	if (err < 0) {
		free(ws);
		return err;
	}
	*ret = ws;
	return 0;
}

void sft_workers_free(struct sft_workers *ws)
{
	struct worker *w;

	if (!ws)
		return;
	while ((w = list_first(&ws->list, struct worker, link)))
		worker_free(ws, w);
	source_free(ws->timer);
	free(ws);
}

static struct worker *find(struct sft_workers *ws, const struct identity *caller, const char *root, const char *user,
			   bool writable)
{
	tstamp now = loop_now(ws->loop);
	struct worker *w;

	list_for_each(w, &ws->list, link)
		if (w->writable == writable && identity_equal(&w->caller, caller) && !strcmp(w->root, root) &&
		    !strcmp(w->user, user) && !files_client_gone(w->client) && now - w->born < LIFE_TIME) {
			w->used = now;
			return w;
		}
	return NULL;
}

static void worker_add(struct sft_workers *ws, struct worker *w)
{
	w->born = w->used = loop_now(ws->loop);
	list_add_tail(&ws->list, &w->link);
	if (++ws->len > SFT_WORKERS_MAX)
		worker_free(ws, list_first(&ws->list, struct worker, link));
	(void)!source_arm(ws->timer, w->born + IDLE_TIME);
}

/* ---- asking the host ---- */

struct wanted {
	struct worker *worker;
	sft_worker_fn *fn;
	service_drop_fn *drop;
	void *userdata;
};

static void wanted_free(struct wanted *q)
{
	if (q->worker) {
		free(q->worker->root);
		free(q->worker->user);
		free(q->worker);
	}
	free(q);
}
DEFINE_FREEP(struct wanted *, wanted_free)

static void dropped(void *userdata)
{
	struct wanted *q = userdata;

	if (q->drop)
		q->drop(q->userdata);
	wanted_free(q);
}

static void answered(struct services *ss, struct stream *, void *userdata, int err, struct span,
		     int *fds, size_t fds_len)
{
	_cleanup_(wanted_freep) struct wanted *q = userdata;
	_cleanup_(files_client_unrefp) struct files_client *client = NULL;
	_cleanup_close_ int fd = err < 0 ? -1 : service_take_fd(fds, fds_len, 0);

	if (err >= 0)
		err = fd < 0 ? -EREMOTEIO : files_client_new(&client, ss->config.loop, fd);
	if (err < 0) {
		q->fn(q->userdata, err, NULL);
		return;
	}
	take_fd(fd);
	q->worker->client = files_client_ref(client);
	worker_add(ss->sft_workers, take(q->worker));
	q->fn(q->userdata, 0, client);
}

static int wanted_new(struct wanted **ret, const struct identity *caller, const char *root, const char *user,
		      bool writable)
{
	_cleanup_(wanted_freep) struct wanted *q = calloc(1, sizeof *q);

	if (!q || !(q->worker = calloc(1, sizeof *q->worker)))
		return -ENOMEM;
	q->worker->caller = *caller;
	q->worker->writable = writable;
	q->worker->root = strdup(root);
	q->worker->user = strdup(user);
	if (!q->worker->root || !q->worker->user)
		return -ENOMEM;
	*ret = take(q);
	return 0;
}

void sft_workers_get(struct services *ss, const struct service_call *call, const struct auth_rule *rule,
		     const char *file, bool writable, sft_worker_fn *fn, service_drop_fn *drop, void *userdata)
{
	const char *root = auth_rule_root(rule), *user = rule->user ?: "";
	_cleanup_buf_ struct buf args = {};
	struct worker *have;
	struct wanted *q = NULL;
	struct cbor_map m;
	int err = ss->sft_workers ? 0 : workers_new(&ss->sft_workers, ss->config.loop);

	have = err < 0 ? NULL : find(ss->sft_workers, &call->caller, root, user, writable);
	if (have) {
		fn(userdata, 0, have->client);
		return;
	}
	cbor_map_begin(&m, &args);
	cbor_map_bytes(&m, "file", SPAN_STR(file));
	cbor_map_str(&m, "method", call->method);
	cbor_map_end(&m);
	if (err >= 0)
		err = buf_err(&args);
	if (err >= 0)
		err = wanted_new(&q, &call->caller, root, user, writable);
	if (err < 0) {
		fn(userdata, err, NULL);
		return;
	}
	q->fn = fn;
	q->drop = drop;
	q->userdata = userdata;
	service_ask(ss, call, HOST_FILES, buf_span(&args), answered, dropped, q);
}
