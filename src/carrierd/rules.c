/* Requests that change carrier.toml: rules and the network. The file is the truth: an
 * edit that cannot be saved is undone by reading it again. */
#include <errno.h>

#include "base/err.h"
#include "carrierd/clock.h"
#include "carrierd/messages.h"
#include "carrierd/monitor.h"
#include "service/host_rule.h"
#include "wire/cbor.h"

enum { EDIT_TRIES = 3 };

/* ---- arguments ---- */

/* 1 found, 0 absent. The text is the caller's to free. */
static int take_text(struct span args, const char *key, char **ret)
{
	struct cbor c = cbor_map_find(args, key);

	if (c.err || !c.in.len)
		return c.err;
	struct span s = cbor_text(&c);
	if (c.err || (s.len && memchr(s.data, 0, s.len)))
		return ERR_PARSE;
	*ret = span_dup_str(s);
	return *ret ? 1 : -ENOMEM;
}

/* "self" in a request is whoever asks. */
static int take_subject(const struct request *rq, struct auth_rule *r)
{
	_cleanup_free_ char *text = NULL;
	struct text_error detail;
	int err = take_text(rq->args, "identity", &text);

	if (err <= 0)
		return err < 0 ? err : ERR_PARSE;
	return auth_subject_parse(r, text, &rq->caller, &detail);
}

/* ---- editing ---- */

typedef int edit_fn(struct monitor *m, void *what);

static void read_again(struct monitor *m)
{
	struct home_error he;

	if (home_reload(&m->home, &he) < 0 || monitor_load(m) < 0)
		log_to(m->log, LOG_ERROR, "monitor", "%s cannot be read", m->home.config_path);
}

/* Forgets what is in memory only: a file that was not written has not changed, so
 * home_reload() would see nothing to do. */
static void undo(struct monitor *m)
{
	memset(m->home.seen, 0, sizeof m->home.seen);
	read_again(m);
}

/* Edits and saves; > 0 if there was something to change. Somebody else may have written
 * the file meanwhile: then on what it says now. */
static int edit(struct monitor *m, edit_fn *fn, void *what)
{
	struct home_error he = {};
	int err = ERR_CHANGED;

	for (int i = 0; i < EDIT_TRIES && err == ERR_CHANGED; i++) {
		int changed = err = fn(m, what);
		if (changed > 0)
			err = home_save(&m->home, &he);
		if (err >= 0 && changed > 0)
			log_to(m->log, LOG_INFO, "monitor", "%s written", m->home.config_path);
		if (err >= 0)
			return changed;
		undo(m);
	}
	if (*he.text)
		log_to(m->log, LOG_ERROR, "monitor", "%s", he.text);
	return err;
}

static void push(struct monitor *m)
{
	int err = monitor_push(m);

	if (err < 0)
		log_to(m->log, LOG_ERROR, "monitor", "net does not take the configuration: %s", err_text(err));
}

/* ---- rules ---- */

static int edit_add(struct monitor *m, void *what)
{
	return auth_add(m->auth, m->home.config, what);
}

int answer_rules_add(struct monitor *m, const struct request *rq, struct reply *out)
{
	_cleanup_(auth_rule_done) struct auth_rule rule = {};
	char code[HOST_CODE_MAX + 1];
	bool claim = !rq->rule;
	int err = host_rule_parse(&rule, code, rq->args);

	if (err < 0)
		return err;
	if (claim) {
		err = claim_check(&m->claim, m->auth, *code ? code : NULL, loop_now(m->loop));
		wipe(code, sizeof code);
		if (err < 0)
			return err;
	}
	err = edit(m, edit_add, &rule);
	if (err < 0)
		return err;
	if (err > 0) {
		log_to(m->log, LOG_INFO, "monitor", "%s for %s", claim ? "claimed: first rule" : "rule added", rule.path);
		push(m);
	}
	cbor_put_bool(&out->body, err > 0);
	return 0;
}

struct removal {
	struct auth_rule like;
	const struct identity *caller;
};

static int edit_del(struct monitor *m, void *what)
{
	const struct removal *r = what;

	return auth_del_like(m->auth, m->home.config, &r->like, r->caller, clock_unix_time());
}

int answer_rules_del(struct monitor *m, const struct request *rq, struct reply *out)
{
	struct removal r = { .caller = &rq->caller };
	int err = take_subject(rq, &r.like);

	if (err >= 0)
		err = take_text(rq->args, "path", &r.like.path);
	if (err >= 0)
		err = edit(m, edit_del, &r);
	auth_rule_done(&r.like);
	if (err < 0)
		return err;
	if (err > 0)
		push(m);
	cbor_put_uint(&out->body, (uint64_t)err);
	return 0;
}

/* ---- network ---- */

static int edit_network(struct monitor *m, void *what)
{
	static const char *const old[] = { "publish.secret", "subscribe.secret", "publish.shadow", "subscribe.shadow",
					   "publish.address", "subscribe.address", "network.secret", "network.address" };
	char secret[IDENTITY_STR_MAX], address[IDENTITY_STR_MAX];
	struct toml_table *root = toml_root(m->home.config);
	struct network_address a;
	int err = 0;

	for (size_t i = 0; err >= 0 && i < ARRAY_LEN(old); i++)
		err = toml_remove(root, old[i]);
	if (err < 0 || !what)
		return err < 0 ? err : 1;

	network_address_of(&a, what);
	network_secret_format(secret, what);
	network_address_format(address, &a);
	err = toml_set_string(root, "network.address", address);
	if (err >= 0)
		err = toml_set_string(root, "network.secret", secret);
	wipe(secret, sizeof secret);
	return err < 0 ? err : 1;
}

static void on_keys_answer(void *userdata, int err, struct ipc_message *reply)
{
	struct monitor *m = userdata;

	(void)reply;
	if (err < 0)
		log_to(m->log, LOG_ERROR, "monitor", "keys does not take the network: %s", err_text(err));
	else
		push(m);
}

/* keys first, so that net never asks for a proof of what keys does not know yet. */
static int tell_network(struct monitor *m, const struct network_secret *secret)
{
	_cleanup_(buf_wipe) struct buf b = {};

	m->has_network = secret;
	if (secret)
		network_address_of(&m->network, secret);
	cbor_put_array(&b, 1);
	if (secret)
		cbor_put_bytes(&b, SPAN_OF(secret->b));
	else
		cbor_put_null(&b);
	return buf_err(&b) < 0 ? buf_err(&b) :
	       ipc_request(m->keys, KEYS_NETWORK, buf_span(&b), NULL, 0, on_keys_answer, m);
}

static int set_network(struct monitor *m, struct network_secret *secret)
{
	int err = edit(m, edit_network, secret);

	return err < 0 ? err : tell_network(m, secret);
}

int monitor_follow_network(struct monitor *m)
{
	struct network_secret secret = { 0 };
	struct network_address a = { 0 };
	struct home_error he = {};
	int err = home_network(&m->home, &secret, &he);
	bool some = err >= 0, same;

	if (err < 0 && err != -ENOENT) {
		log_to(m->log, LOG_ERROR, "monitor", "%s; the network stays as it was", he.text);
		return 0;
	}
	if (some)
		network_address_of(&a, &secret);
	same = some == m->has_network && (!some || !memcmp(&a, &m->network, sizeof a));
	err = same ? 0 : tell_network(m, some ? &secret : NULL);
	wipe(&secret, sizeof secret);
	return err < 0 || same ? err : 1;
}

int answer_net_join(struct monitor *m, const struct request *rq, struct reply *out)
{
	struct cbor c = cbor_map_find(rq->args, "secret");
	struct network_secret secret;

	cbor_bytes_exact(&c, secret.b, sizeof secret.b);
	if (c.err)
		return ERR_PARSE;
	int err = set_network(m, &secret);
	wipe(&secret, sizeof secret);
	return err < 0 ? err : answer_net_get(m, rq, out);
}

int answer_net_leave(struct monitor *m, const struct request *rq, struct reply *out)
{
	struct cbor_map map;
	int err = set_network(m, NULL);

	(void)rq;
	cbor_map_begin(&map, &out->body);
	cbor_map_end(&map);
	return err < 0 ? err : 0;
}

int answer_net_get(struct monitor *m, const struct request *rq, struct reply *out)
{
	struct cbor_map map;

	(void)rq;
	cbor_map_begin(&map, &out->body);
	if (m->has_network)
		cbor_map_bytes(&map, "address", SPAN_OF(m->network.key));
	cbor_map_end(&map);
	return 0;
}
