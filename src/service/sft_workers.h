/* The files workers that this device has running for its callers: one for a caller and
 * a rule's folder, user and right to write, used by any number of streams, kept for a
 * moment after the last one, for a tree is many files. */
#pragma once

#include "service/files_client.h"
#include "service/internal.h"

struct sft_workers;

enum { SFT_WORKERS_MAX = 64 };

/* client is the callee's reference, valid to keep; NULL with err. May run at once. */
typedef void sft_worker_fn(void *userdata, int err, struct files_client *client);

/* file: what the rule was chosen for. s is paused while the host is asked, and fn is
 * not called if it closes meanwhile: drop is (service_ask()). */
void sft_workers_get(struct services *ss, const struct service_call *call, const struct auth_rule *rule,
		     const char *file, bool writable, sft_worker_fn *fn, service_drop_fn *drop, void *userdata);
void sft_workers_free(struct sft_workers *w);
