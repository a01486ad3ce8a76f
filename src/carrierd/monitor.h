/* The privileged half. It owns carrier.toml and the rules, and answers net's requests
 * after judging each against its own copy of the rules, for net may be in a stranger's
 * hands. It never waits for anybody. */
#pragma once

#include "auth/auth.h"
#include "auth/claim.h"
#include "base/list.h"
#include "carrierd/agent.h"
#include "ipc/ipc.h"

struct monitor {
	const struct agent_options *options;
	const struct log_sink *log;
	struct loop *loop;
	struct ipc *net, *keys;
	struct home home;
	struct settings settings;
	struct auth *auth;
	struct claim claim;
	struct identity self;
	bool has_network;
	struct network_address network;

	struct list workers, lookups, connections;
	size_t workers_len, lookups_len, connections_len;
	struct watch *watch;            /* of the configuration's folder */
	bool stopping;
};

enum { WORKERS_MAX = 256, LOOKUPS_MAX = 16, CONNECTIONS_MAX = 64 };

/* Reads the configuration anew, and the rules and settings from it: all or nothing. */
int monitor_load(struct monitor *m) _must_check_;
/* What the file says, if it changed; says so to net. */
void monitor_reload(struct monitor *m);
/* Rules, settings, network: as they are now. */
int monitor_push(struct monitor *m) _must_check_;
/* The reduced text as a sealed memory file; the caller's. */
int monitor_config_file(const struct monitor *m) _must_check_;
/* The network of the file, if it is another now. 1: keys has been told, and the
 * configuration goes to net once it has answered. */
int monitor_follow_network(struct monitor *m) _must_check_;
void monitor_put_network(const struct monitor *m, struct buf *b);       /* address or null */
void monitor_done(struct monitor *m);

/* Edits by others, inotify(7). */
int watch_new(struct watch **ret, struct monitor *m) _must_check_;
void watch_free(struct watch *w);

/* ---- answering, at once or later ---- */
struct reply {
	struct buf body;
	int fds[IPC_FDS_MAX];           /* closed after the answer */
	size_t fds_len;
};
void reply_done(struct reply *r);
void monitor_answer(struct monitor *m, uint32_t id, int err, const struct reply *r);

struct request {
	uint32_t id;
	struct identity caller;
	char path[AUTH_PATH_MAX + 1];
	struct span args;               /* a CBOR map, valid for the call */
	const struct auth_rule *rule;   /* what allowed it, until the next edit; NULL: the claim */
};
enum { ANSWER_LATER = 1 };              /* a handler's result: monitor_answer() follows */

/* The ipc handler of net's channel: the permit table. */
void permit_message(void *userdata, struct ipc *i, struct ipc_message *msg);
/* wanted->method NULL: whichever the rule has, for net has judged it. Its time is set
 * here. ERR_DENIED. */
int permit_judge(const struct monitor *m, const struct auth_request *wanted,
		 const struct auth_rule **ret_rule) _must_check_;

/* The handlers behind the table, one file each. */
int answer_sysinfo(struct monitor *m, const struct request *rq, struct reply *out);
int answer_shell(struct monitor *m, const struct request *rq, struct reply *out);
int answer_files(struct monitor *m, const struct request *rq, struct reply *out);
int answer_tcp(struct monitor *m, const struct request *rq, struct reply *out);
int answer_service(struct monitor *m, const struct request *rq, struct reply *out);
int answer_rules_add(struct monitor *m, const struct request *rq, struct reply *out);
int answer_rules_del(struct monitor *m, const struct request *rq, struct reply *out);
int answer_net_join(struct monitor *m, const struct request *rq, struct reply *out);
int answer_net_leave(struct monitor *m, const struct request *rq, struct reply *out);
int answer_net_get(struct monitor *m, const struct request *rq, struct reply *out);
int answer_resolve(struct monitor *m, uint32_t id, struct span body);
