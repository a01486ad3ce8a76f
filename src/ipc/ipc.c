#include "ipc/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/list.h"
#include "ipc/frame.h"

enum {
	MESSAGES_A_TURN = 32,   /* so that one channel does not starve the loop */
};

struct pending {
	struct list link;
	uint32_t id;
	ipc_done_fn *done;      /* NULL: forgotten, the answer is dropped */
	void *userdata;
};

struct queued {
	struct list link;
	struct frame frame;
	int fds[IPC_FDS_MAX];
	uint8_t body[];
};

struct ipc {
	struct loop *loop;
	struct source *io, *ended;
	int fd;
	struct ipc_config config;
	struct list pending, queue;
	size_t pending_len, queued_bytes;
	size_t unanswered;      /* the other side's requests */
	uint32_t last_id;
	bool dead;
	bool *freed;            /* where a running dispatch hears of ipc_free() */
	struct ipc_area *area;
};

int ipc_pair(int ret[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	ret[0] = fds[0];
	ret[1] = fds[1];
	return 0;
}

/* Whoever waits hears of it from the defer source, never out of a call of theirs. */
static void drop(struct ipc *i)
{
	if (i->dead)
		return;
	i->dead = true;
	source_free(take(i->io));
	source_trigger(i->ended);
}

static bool congested(const struct ipc *i)
{
	return i->queued_bytes > IPC_QUEUE_MAX / 2;
}

/* A peer that does not read its answers is not read from either. */
static void update_interest(struct ipc *i)
{
	unsigned events = (congested(i) ? 0 : LOOP_IN) | (list_empty(&i->queue) ? 0 : LOOP_OUT);

	if (!i->dead && source_events(i->io, events) < 0)
		drop(i);
}

/* ---- sending ---- */

static void queued_free(struct ipc *i, struct queued *q)
{
	i->queued_bytes -= sizeof *q + q->frame.body.len;
	list_del(&q->link);
	for (size_t n = 0; n < q->frame.fds_len; n++)
		close(q->fds[n]);
	free(q);
}

static int enqueue(struct ipc *i, const struct frame *f, const int *fds)
{
	size_t size = sizeof(struct queued) + f->body.len;
	struct queued *q;

	if (i->queued_bytes + size > IPC_QUEUE_MAX)
		return ERR_LIMIT;
	q = malloc(size);
	if (!q)
		return -ENOMEM;
	q->frame = *f;
	q->frame.fds_len = 0;
	if (f->body.len)
		memcpy(q->body, f->body.data, f->body.len);
	q->frame.body = SPAN(q->body, f->body.len);
	list_add_tail(&i->queue, &q->link);
	i->queued_bytes += size;

	for (; q->frame.fds_len < f->fds_len; q->frame.fds_len++) {
		int copy = fcntl(fds[q->frame.fds_len], F_DUPFD_CLOEXEC, 3);
		if (copy < 0) {
			int err = -errno;
			queued_free(i, q);
			return err;
		}
		q->fds[q->frame.fds_len] = copy;
	}
	update_interest(i);
	return 0;
}

static int send_frame(struct ipc *i, const struct frame *f, const int *fds)
{
	int err = ERR_AGAIN;

	if (i->dead)
		return ERR_CLOSED;
	if (f->body.len > IPC_BODY_MAX || f->fds_len > IPC_FDS_MAX)
		return ERR_LIMIT;
	if (list_empty(&i->queue))
		err = frame_send(i->fd, f, fds);
	if (err == ERR_CLOSED)
		drop(i);
	return err == ERR_AGAIN ? enqueue(i, f, fds) : err;
}

static void flush(struct ipc *i)
{
	struct queued *q;

	while ((q = list_first(&i->queue, struct queued, link))) {
		int err = frame_send(i->fd, &q->frame, q->fds);
		if (err == ERR_AGAIN)
			break;
		if (err < 0) {
			drop(i);
			return;
		}
		queued_free(i, q);
	}
	update_interest(i);
}

int ipc_request(struct ipc *i, uint16_t type, struct span body, const int *fds, size_t fds_len,
		ipc_done_fn *done, void *userdata)
{
	struct frame f = { .kind = FRAME_REQUEST, .type = type, .body = body, .fds_len = fds_len };
	int err;

	if (i->pending_len >= IPC_PENDING_MAX)
		return ERR_LIMIT;
	_cleanup_free_ struct pending *p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	do
		f.id = ++i->last_id;
	while (!f.id);

	err = send_frame(i, &f, fds);
	if (err < 0)
		return err;
	p->id = f.id;
	p->done = done;
	p->userdata = userdata;
	list_add_tail(&i->pending, &p->link);
	take(p);
	i->pending_len++;
	return 0;
}

int ipc_notify(struct ipc *i, uint16_t type, struct span body, const int *fds, size_t fds_len)
{
	struct frame f = { .kind = FRAME_NOTICE, .type = type, .body = body, .fds_len = fds_len };

	return send_frame(i, &f, fds);
}

int ipc_reply(struct ipc *i, uint32_t id, int err, struct span body, const int *fds, size_t fds_len)
{
	struct frame f = { .kind = FRAME_REPLY, .id = id, .err = MIN(err, 0), .body = body, .fds_len = fds_len };
	int sent;

	if (!i->unanswered || !id)
		return ERR_STATE;
	sent = send_frame(i, &f, fds);
	if (sent >= 0)
		i->unanswered--;
	return sent;
}

void ipc_forget(struct ipc *i, const void *userdata)
{
	struct pending *p;

	list_for_each(p, &i->pending, link)
		if (p->userdata == userdata)
			p->done = NULL;
}

/* ---- receiving ---- */

static void dispatch_reply(struct ipc *i, int err, struct ipc_message *m)
{
	struct pending *p, *found = NULL;

	list_for_each(p, &i->pending, link)
		if (p->id == m->id) {
			found = p;
			break;
		}
	if (!found) {
		drop(i);
		return;
	}
	_cleanup_free_ struct pending *mine = found;
	list_del(&mine->link);
	i->pending_len--;
	if (mine->done)
		mine->done(mine->userdata, err, m);
}

static void dispatch(struct ipc *i, const struct frame *f, struct ipc_message *m)
{
	if (f->kind == FRAME_REPLY) {
		dispatch_reply(i, f->err, m);
		return;
	}
	/* An honest peer stops at as many waiting requests itself. */
	if (!i->config.handler || (f->kind == FRAME_REQUEST && ++i->unanswered > IPC_PENDING_MAX)) {
		drop(i);
		return;
	}
	i->config.handler(i->config.userdata, i, m);
}

static bool receive_one(struct ipc *i)
{
	struct ipc_message m = {};
	struct frame f;
	bool freed = false;
	int err = frame_recv(i->fd, i->area, &f, m.fds);

	if (err == ERR_AGAIN)
		return false;
	if (err < 0) {
		drop(i);
		return false;
	}
	m.type = f.type;
	m.id = f.id;
	m.body = f.body;
	m.fds_len = f.fds_len;

	i->freed = &freed;
	dispatch(i, &f, &m);
	ipc_message_done(&m);
	if (freed)
		return false;
	i->freed = NULL;
	return !i->dead && !congested(i);
}

static void on_io(void *userdata, unsigned events)
{
	struct ipc *i = userdata;

	if (events & LOOP_OUT)
		flush(i);
	if (i->dead || !(events & (LOOP_IN | LOOP_HUP)))
		return;
	if (congested(i) && (events & LOOP_HUP)) {
		drop(i);        /* nobody will read what is queued */
		return;
	}
	for (int n = 0; n < MESSAGES_A_TURN; n++)
		if (!receive_one(i))
			return;
}

/* ---- life ---- */

/* A callback may free the channel (then *freed is set) or forget those after it. */
static void end_pending(struct ipc *i, const bool *freed)
{
	struct pending *p;

	while (!*freed && (p = list_first(&i->pending, struct pending, link))) {
		_cleanup_free_ struct pending *mine = p;
		list_del(&mine->link);
		i->pending_len--;
		if (mine->done)
			mine->done(mine->userdata, ERR_CLOSED, NULL);
	}
}

static void on_ended(void *userdata)
{
	struct ipc *i = userdata;
	bool freed = false;

	i->freed = &freed;
	end_pending(i, &freed);
	if (freed)
		return;
	i->freed = NULL;
	if (i->config.gone)
		i->config.gone(i->config.userdata, i);
}

int ipc_new(struct ipc **ret, struct loop *l, int fd, const struct ipc_config *config)
{
	_cleanup_(ipc_freep) struct ipc *i = calloc(1, sizeof *i);
	int err;

	if (!i)
		return -ENOMEM;
	i->loop = l;
	i->fd = -1;
	i->config = *config;
	list_init(&i->pending);
	list_init(&i->queue);
	i->area = malloc(sizeof *i->area);
	if (!i->area)
		return -ENOMEM;

	err = loop_add_defer(l, &i->ended, on_ended, i);
	if (err < 0)
		return err;
	err = loop_add_io(l, &i->io, fd, LOOP_IN, on_io, i);
	if (err < 0)
		return err;
	i->fd = fd;
	*ret = take(i);
	return 0;
}

void ipc_free(struct ipc *i)
{
	const bool no = false;
	struct queued *q;

	if (!i)
		return;
	if (i->freed)
		*i->freed = true;
	i->dead = true;
	source_free(i->io);
	source_free(i->ended);
	while ((q = list_first(&i->queue, struct queued, link)))
		queued_free(i, q);
	end_pending(i, &no);
	if (i->fd >= 0)
		close(i->fd);
	free(i->area);
	free(i);
}
