#include "base/err.h"
#include "service/internal.h"

struct ask {
	struct services *ss;
	struct stream *stream;
	service_answered_fn *fn;
	service_drop_fn *drop;
	void *userdata;
};

static void closed(void *userdata, struct stream *, int)
{
	struct ask *a = userdata;
	const struct service_host *host = &a->ss->config.host;

	host->forget(host->userdata, a);
	if (a->drop)
		a->drop(a->userdata);
	free(a);
}

static void answered(void *userdata, int err, struct span answer, int *fds, size_t fds_len)
{
	struct ask a = *(struct ask *)userdata;

	free(userdata);
	stream_attach(a.stream, &service_ignore, NULL);
	a.fn(a.ss, a.stream, a.userdata, err, answer, fds, fds_len);
	stream_resume(a.stream);        /* last: what was held may end the stream */
}

void service_ask(struct services *ss, const struct service_call *call, enum host_call what, struct span args,
		 service_answered_fn *fn, service_drop_fn *drop, void *userdata)
{
	static const struct stream_handler waiting = { .closed = closed };
	const struct service_host *host = &ss->config.host;
	struct ask *a = malloc(sizeof *a);

	if (!a) {
		service_answer(call->stream, 500, NULL);
		if (drop)
			drop(userdata);
		return;
	}
	*a = (struct ask){ .ss = ss, .stream = call->stream, .fn = fn, .drop = drop, .userdata = userdata };
	stream_attach(call->stream, &waiting, a);
	stream_pause(call->stream);
	host->call(host->userdata, what, &call->caller, call->path, args, answered, a);
}

int service_take_fd(int *fds, size_t fds_len, size_t i)
{
	return i < fds_len ? take_fd(fds[i]) : -1;
}
