#include "carrierd/host_ipc.h"

#include <errno.h>

#include "base/err.h"
#include "wire/cbor.h"

/* The userdata that services know must also be the one that ipc_forget() looks for,
 * so each waiting call has a ticket and the list of them is searched. */
struct ticket {
	struct ticket *next, **at;
	host_done_fn *done;
	void *userdata;
};

static struct ticket *tickets;  /* of the one net process */

static void ticket_free(struct ticket *t)
{
	*t->at = t->next;
	if (t->next)
		t->next->at = t->at;
	free(t);
}

static struct ticket *ticket_new(host_done_fn *done, void *userdata)
{
	struct ticket *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	*t = (struct ticket){ tickets, &tickets, done, userdata };
	if (tickets)
		tickets->at = &t->next;
	tickets = t;
	return t;
}

static void on_answer(void *userdata, int err, struct ipc_message *reply)
{
	struct ticket *t = userdata;
	host_done_fn *done = t->done;
	void *done_userdata = t->userdata;

	ticket_free(t);
	if (!done)
		return;
	if (reply)
		done(done_userdata, err, reply->body, reply->fds, reply->fds_len);
	else
		done(done_userdata, err, SPAN_NONE, NULL, 0);
}

static void call(void *userdata, enum host_call what, const struct identity *caller, const char *path,
		 struct span args, host_done_fn *done, void *done_userdata)
{
	_cleanup_buf_ struct buf rq = {};
	struct ticket *t = ticket_new(done, done_userdata);
	int err = t ? 0 : -ENOMEM;

	cbor_put_array(&rq, 3);
	cbor_put_bytes(&rq, SPAN_OF(caller->key));
	cbor_put_str(&rq, path);
	cbor_put_bytes(&rq, args);
	if (err >= 0)
		err = buf_err(&rq);
	if (err >= 0)
		err = ipc_request(userdata, (uint16_t)what, buf_span(&rq), NULL, 0, on_answer, t);
	if (err >= 0)
		return;
	if (t)
		ticket_free(t);
	done(done_userdata, err, SPAN_NONE, NULL, 0);
}

static void forget(void *userdata, void *done_userdata)
{
	(void)userdata;
	for (struct ticket *t = tickets; t; t = t->next)
		if (t->userdata == done_userdata)
			t->done = NULL;
}

struct service_host host_over_ipc(struct ipc *monitor)
{
	return (struct service_host){ .call = call, .forget = forget, .userdata = monitor };
}
