/* What the files of this folder share: the set of rows, the way to the host, and
 * the open functions that the table in builtin.c names. */
#pragma once

#include "service/service.h"

struct services {
	struct services_config config;
	struct service **rows;          /* by path */
	size_t len, cap;
	struct sft_workers *sft_workers;        /* made at the first file */
	struct list sft_serves;                 /* transfers, see sft_serve.c */
};

/* The built-in table; a row without a path ends it. */
extern const struct service service_table[];

/* Of a stream that has been answered, or not yet: takes everything, keeps nothing. */
extern const struct stream_handler service_ignore;

/* May the caller use the row? Why, or why not, in *ret. */
bool service_is_allowed(const struct services *ss, const struct service *sv, const struct identity *caller,
			const char *method, struct auth_decision *ret);

/* ---- asking the host on behalf of a stream ---- */
/* s stays valid throughout; its handler is one that ignores everything until fn
 * attaches another. fds: as in host.h. userdata is fn's from here on. */
typedef void service_answered_fn(struct services *ss, struct stream *s, void *userdata, int err,
				 struct span answer, int *fds, size_t fds_len);
typedef void service_drop_fn(void *userdata);

/* The stream is paused until the answer is there, so nothing that the caller sent
 * early is lost. A stream that closes before is forgotten: then, or where the
 * question cannot be put at all, drop (may be NULL) frees userdata instead of fn.
 * fn may run before this returns. */
void service_ask(struct services *ss, const struct service_call *call, enum host_call what, struct span args,
		 service_answered_fn *fn, service_drop_fn *drop, void *userdata);
/* The i-th descriptor, the caller's from here on; -1 if there is none. */
int service_take_fd(int *fds, size_t fds_len, size_t i);

/* ---- rows ---- */
void disco_open(struct services *ss, const struct service_call *call);
void sysinfo_open(struct services *ss, const struct service_call *call);
void shell_open(struct services *ss, const struct service_call *call);
void sft_open(struct services *ss, const struct service_call *call);
/* What still waits for its worker after its stream has gone. */
void sft_end_all(struct services *ss);
void tcp_open(struct services *ss, const struct service_call *call);
void ping_open(struct services *ss, const struct service_call *call);
void program_open(struct services *ss, const struct service_call *call);
void config_authorize_open(struct services *ss, const struct service_call *call);
void config_auth_add_open(struct services *ss, const struct service_call *call);
void config_auth_del_open(struct services *ss, const struct service_call *call);
void config_auth_list_open(struct services *ss, const struct service_call *call);
void config_net_get_open(struct services *ss, const struct service_call *call);
void config_net_join_open(struct services *ss, const struct service_call *call);
void config_net_leave_open(struct services *ss, const struct service_call *call);
