#include "carrierd/monitor.h"

#include "base/err.h"
#include "carrierd/connect.h"
#include "carrierd/lookup.h"
#include "carrierd/worker.h"

void reply_done(struct reply *r)
{
	buf_done(&r->body);
	for (size_t i = 0; i < r->fds_len; i++)
		if (r->fds[i] >= 0)
			close(r->fds[i]);
	r->fds_len = 0;
}

void monitor_answer(struct monitor *m, uint32_t id, int err, const struct reply *r)
{
	if (err >= 0)
		err = buf_err(&r->body);
	int sent = err < 0 ? ERR_LIMIT : ipc_reply(m->net, id, 0, buf_span(&r->body), r->fds, r->fds_len);

	/* An answer that cannot go out must not leave the caller waiting. */
	if (sent < 0 && sent != ERR_CLOSED)
		sent = ipc_reply(m->net, id, err < 0 ? err : sent, SPAN_NONE, NULL, 0);
	if (sent < 0 && sent != ERR_CLOSED)
		log_to(m->log, LOG_ERROR, "monitor", "net cannot be answered: %s", err_text(sent));
}

void monitor_done(struct monitor *m)
{
	connections_free(m);
	lookups_free(m);
	workers_free(m);
	watch_free(m->watch);
	ipc_free(m->net);
	ipc_free(m->keys);
	auth_free(m->auth);
	settings_done(&m->settings);
	home_done(&m->home);
	loop_free(m->loop);
}
