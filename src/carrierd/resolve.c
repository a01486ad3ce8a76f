/* MONITOR_RESOLVE, and HOST_SYSINFO: what needs no rule of a caller's path beyond the table. */
#include <errno.h>
#include <strings.h>

#include "base/err.h"
#include "carrierd/lookup.h"
#include "carrierd/messages.h"
#include "service/sysinfo.h"
#include "wire/cbor.h"

struct resolve {
	struct monitor *monitor;
	uint32_t id;
};

static void on_done(void *userdata, int err, const struct addr *addrs, size_t len)
{
	_cleanup_free_ struct resolve *r = userdata;
	_cleanup_(reply_done) struct reply out = {};

	cbor_put_array(&out.body, len);
	for (size_t i = 0; i < len; i++)
		cbor_put_bytes(&out.body, SPAN_OF(addrs[i].ip));
	monitor_answer(r->monitor, r->id, err, &out);
}

/* Any other name would be a way for net to talk to the world through DNS. */
static bool is_broker(const struct monitor *m, const char *host)
{
	for (size_t i = 0; i < m->settings.brokers_len; i++)
		if (!strcasecmp(m->settings.brokers[i].host, host))
			return true;
	return false;
}

int answer_resolve(struct monitor *m, uint32_t id, struct span body)
{
	char host[MESSAGE_HOST_MAX + 1] = "";
	struct cbor c = CBOR(body);
	struct span text = cbor_text(&c);
	struct lookup *l;
	int err = cbor_end(&c);

	if (err < 0)
		return err;
	if (!text.len || text.len > MESSAGE_HOST_MAX || memchr(text.data, 0, text.len))
		return ERR_PARSE;
	memcpy(host, text.data, text.len);
	if (!is_broker(m, host))
		return ERR_DENIED;

	_cleanup_free_ struct resolve *r = malloc(sizeof *r);
	if (!r)
		return -ENOMEM;
	*r = (struct resolve){ m, id };
	err = lookup_start(m, &l, host, on_done, r);
	if (err < 0)
		return err;
	take(r);
	return ANSWER_LATER;
}

int answer_sysinfo(struct monitor *m, const struct request *rq, struct reply *out)
{
	(void)m;
	(void)rq;
	return sysinfo_collect(&out->body);
}
