#include "service/internal.h"

static void collected(struct services *, struct stream *s, void *, int err, struct span answer, int *, size_t)
{
	if (err < 0)
		service_answer_err(s, err);
	else
		service_answer_message(s, answer);
}

void sysinfo_open(struct services *ss, const struct service_call *call)
{
	static const uint8_t nothing[] = { 0xa0 };      /* {} */

	service_ask(ss, call, HOST_SYSINFO, SPAN_OF(nothing), collected, NULL, NULL);
}
