#include "rig.h"

#include <stdio.h>

#include "base/err.h"
#include "service/host_rule.h"
#include "service/sysinfo.h"

#include "test.h"

static int64_t unix_time(void) { return 1700000000; }

static void log_line(void *userdata, enum log_level, const char *, const char *text)
{
	struct rig *r = userdata;

	buf_add_str(&r->log, text);
	buf_add_u8(&r->log, '\n');
}

/* ---- host ---- */

static int add_rule(struct rig *r, struct span args, struct buf *answer)
{
	_cleanup_(auth_rule_done) struct auth_rule rule = { 0 };
	char code[HOST_CODE_MAX + 1] = "";
	struct cbor_map m;
	int err = host_rule_parse(&rule, code, args);

	if (err < 0)
		return err;
	if (!auth_claimed(r->auth)) {
		err = claim_check(&r->claim, r->auth, code[0] ? code : NULL, loop_now(r->loop));
		if (err < 0)
			return err;
	}
	err = auth_add(r->auth, NULL, &rule);
	if (err < 0)
		return err;
	cbor_map_begin(&m, answer);
	cbor_map_bool(&m, "changed", err > 0);
	cbor_map_end(&m);
	return 0;
}

static int del_rule(struct rig *r, const struct identity *caller, struct span args, struct buf *answer)
{
	struct cbor id = cbor_map_find(args, "identity"), path = cbor_map_find(args, "path");
	_cleanup_free_ char *text = span_dup_str(cbor_text(&id));
	_cleanup_free_ char *p = path.in.len ? span_dup_str(cbor_text(&path)) : NULL;
	struct auth_rule like = { 0 };
	struct text_error detail;
	struct cbor_map m;
	int err = auth_subject_parse(&like, text, caller, &detail);

	if (err < 0)
		return err;
	like.path = p;
	err = auth_del_like(r->auth, NULL, &like, caller, unix_time());
	free(like.subject);
	if (err < 0)
		return err;
	cbor_map_begin(&m, answer);
	cbor_map_uint(&m, "removed", (uint64_t)err);
	cbor_map_end(&m);
	return 0;
}

static void host_call(void *userdata, enum host_call what, const struct identity *caller, const char *path,
		      struct span args, host_done_fn *done, void *done_userdata)
{
	struct rig *r = userdata;
	struct rig_host *h = &r->host;
	_cleanup_buf_ struct buf answer = {};
	int fds[RIG_FDS_MAX] = { -1, -1, -1, -1 };
	size_t len = 0;
	int err = h->err;

	h->calls++;
	h->what = what;
	snprintf(h->path, sizeof h->path, "%s", path);
	buf_done(&h->args);
	buf_add_span(&h->args, args);
	h->done = done;
	h->done_userdata = done_userdata;
	if (h->later)
		return;

	if (!err && !h->plain && what == HOST_RULES_ADD)
		err = add_rule(r, args, &answer);
	else if (!err && !h->plain && what == HOST_RULES_DEL)
		err = del_rule(r, caller, args, &answer);
	else if (!err && !h->plain && what == HOST_SYSINFO)
		err = sysinfo_collect(&answer);
	else if (!err && h->carry_out)
		err = h->carry_out(h, args, fds, &len);
	h->done = NULL;
	done(done_userdata, err, answer.len ? buf_span(&answer) : h->answer, fds, len);
	for (size_t i = 0; i < len; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void rig_host_answer(struct rig *r)
{
	struct rig_host *h = &r->host;
	int fds[RIG_FDS_MAX] = { -1, -1, -1, -1 };
	host_done_fn *done = h->done;
	size_t len = 0;
	int err = h->err;

	h->done = NULL;
	if (!done)
		return;
	if (!err && h->carry_out)
		err = h->carry_out(h, buf_span(&h->args), fds, &len);
	done(h->done_userdata, err, h->answer, fds, len);
	for (size_t i = 0; i < len; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void host_forget(void *userdata, void *done_userdata)
{
	struct rig *r = userdata;

	if (r->host.done_userdata == done_userdata)
		r->host.done = NULL;
	r->host.forgotten++;
}

/* ---- the device ---- */

static void on_accept(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	struct rig *r = userdata;

	services_accept(r->ss, &r->caller, s, h, early);
}

struct rig *rig_new(const struct wire_config *config, bool builtin)
{
	static const struct streams_ops ops = { .accept = on_accept };
	struct rig *r = calloc(1, sizeof *r);
	static struct log_sink sink;

	sink = (struct log_sink){ .line = log_line, .userdata = r, .max = LOG_DEBUG };
	struct sign_seed seed = {};
	seed.b[0] = 1;
	identity_of_seed(&r->caller, &seed);
	seed.b[0] = 2;
	identity_of_seed(&r->other, &seed);
	if (loop_new(&r->loop) < 0 || auth_new(&r->auth) < 0)
		abort();
	struct services_config c = {
		.loop = r->loop, .auth = r->auth, .claim = &r->claim, .log = &sink, .application = "test",
		.application_version = "1.2", .unix_time = unix_time,
		.host = { .call = host_call, .forget = host_forget, .userdata = r },
	};
	if (services_new(&r->ss, &c) < 0 || (builtin && services_add_builtin(r->ss) < 0))
		abort();
	r->wire = wire_new(config, &ops, r);
	return r;
}

void rig_free(struct rig *r)
{
	wire_free(r->wire);
	services_free(r->ss);
	auth_free(r->auth);
	loop_free(r->loop);
	buf_done(&r->log);
	buf_done(&r->host.args);
	free(r);
}

int rig_setup(void **state)
{
	*state = rig_new(NULL, true);
	return 0;
}

int rig_teardown(void **state)
{
	rig_free(*state);
	return 0;
}

void rig_allow(struct rig *r, const struct identity *who, const char *path, const char *method)
{
	struct auth_rule rule = {
		.kind = who ? AUTH_IDENTITY : AUTH_ANYONE, .identity = who ? *who : (struct identity){},
		.path = (char *)path, .methods_len = method != NULL, .methods = { (char *)method },
	};

	if (auth_add(r->auth, NULL, &rule) < 0)
		abort();
}

/* ---- the caller ---- */

static void on_headers(void *userdata, struct stream *, const struct headers *h)
{
	struct seen *s = userdata;
	struct span e = headers_text(h, ":error");

	buf_add_span(&s->header, h->block);
	s->status = (unsigned)headers_uint(h, ":status", 0);
	snprintf(s->error, sizeof s->error, "%.*s", (int)e.len, e.len ? (const char *)e.data : "");
}

static void on_message(void *userdata, struct stream *, struct span m)
{
	struct seen *s = userdata;

	s->messages++;
	buf_done(&s->last);
	buf_add_span(&s->last, m);
	buf_add_span(&s->text, m);
}

static void on_end(void *userdata, struct stream *)
{
	struct seen *s = userdata;

	s->end = true;
}

static void on_closed(void *userdata, struct stream *, int err)
{
	struct seen *s = userdata;

	s->closed = true;
	s->stream = NULL;
	s->err = err;
}

void seen_open(struct rig *r, struct seen *s, struct span block)
{
	static const struct stream_handler handler = {
		.headers = on_headers, .message = on_message, .end = on_end, .closed = on_closed,
	};

	*s = (struct seen){ 0 };
	if (stream_open(wire_client(r->wire), block, false, &handler, s, &s->stream) < 0)
		abort();
}

void seen_ask(struct rig *r, struct seen *s, const char *path, const char *method)
{
	_cleanup_buf_ struct buf b = {};

	service_put_request(&b, path, method);
	seen_open(r, s, buf_span(&b));
	stream_end(s->stream);
}

void seen_done(struct seen *s)
{
	buf_done(&s->header);
	buf_done(&s->text);
	buf_done(&s->last);
}

bool rig_settle(struct rig *r)
{
	bool moved = false;

	while (wire_turn(r->wire))
		moved = true;
	return moved;
}

bool rig_until(struct rig *r, bool (*ready)(void *), void *userdata)
{
	tstamp end = time_monotonic() + SECONDS(20);

	while (time_monotonic() < end) {
		rig_settle(r);
		if (ready(userdata))
			return true;
		if (loop_turn(r->loop, time_monotonic() + MILLIS(5)) < 0)
			abort();
	}
	return false;
}

static bool is_full(void *w) { return wire_queued(w) >= TRANSPORT_HIGH_WATER; }

void rig_fill(struct rig *r)
{
	CHECK(rig_until(r, is_full, r->wire));
	for (int i = 0; i < 30; i++) {
		CHECK(loop_turn(r->loop, time_monotonic() + MILLIS(2)) >= 0);
		rig_settle(r);
	}
	CHECK(wire_queued(r->wire) < TRANSPORT_HIGH_WATER + (64 << 10));
}

bool seen_is_closed(void *s) { return ((struct seen *)s)->closed; }
bool seen_is_answered(void *s) { return ((struct seen *)s)->status || ((struct seen *)s)->closed; }

unsigned rig_status(struct rig *r, const char *path, const char *method)
{
	struct seen s;
	unsigned status;

	seen_ask(r, &s, path, method);
	CHECK(rig_until(r, seen_is_closed, &s));
	status = s.status;
	seen_done(&s);
	return status;
}
