/* A monitor without its processes: net's end and keys' end of the channels are the test's. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "carrierd/messages.h"
#include "carrierd/monitor.h"
#include "base/file.h"
#include "service/host.h"
#include "test.h"
#include "wire/cbor.h"

struct fixture {
	char dir[64], path[96];
	struct agent_options options;
	struct monitor m;
	struct ipc *net, *keys;         /* the other ends */
	struct identity alice, bob;
	/* what came */
	unsigned done, configs;
	int err, fds[IPC_FDS_MAX];
	size_t fds_len;
	struct buf answer, config, log;
	unsigned keys_asked;
	bool keys_has;
};

static inline void fixture_log(void *userdata, enum log_level level, const char *topic, const char *text)
{
	struct fixture *f = userdata;

	(void)level;
	(void)topic;
	buf_add_str(&f->log, text);
	buf_add_str(&f->log, "\n");
}

static inline void fixture_on_net(void *userdata, struct ipc *i, struct ipc_message *m)
{
	struct fixture *f = userdata;

	(void)i;
	if (m->type != NET_CONFIG)
		return;
	f->configs++;
	f->config.len = 0;
	uint8_t *p = buf_reserve(&f->config, 65536);
	ssize_t n = pread(m->fds[0], p, 65536, 0);
	CHECK(n >= 0);
	buf_added(&f->config, (size_t)n);
	CHECK(write(m->fds[0], "x", 1) < 0);    /* sealed */
}

static inline void fixture_on_keys(void *userdata, struct ipc *i, struct ipc_message *m)
{
	struct fixture *f = userdata;
	struct cbor c = CBOR(m->body);

	CHECK(m->type == KEYS_NETWORK && cbor_array(&c, 1) == 1);
	f->keys_asked++;
	f->keys_has = cbor_peek(&c) == CBOR_BYTES;
	CHECK_ERR(ipc_reply(i, m->id, 0, SPAN_NONE, NULL, 0), 0);
}

static inline void fixture_write(struct fixture *f, const char *text)
{
	char alice[IDENTITY_STR_MAX], bob[IDENTITY_STR_MAX];
	_cleanup_buf_ struct buf b = {};

	identity_format(alice, &f->alice);
	identity_format(bob, &f->bob);
	for (; *text; text++) {
		if (*text == '@' && (text[1] == 'A' || text[1] == 'B'))
			buf_add_str(&b, *++text == 'A' ? alice : bob);
		else
			buf_add_u8(&b, (uint8_t)*text);
	}
	CHECK_ERR(file_write_atomic(f->path, 0600, buf_span(&b)), 0);
}

/* "@A" and "@B" in config stand for the identities of alice and bob. */
static inline struct fixture *fixture_new(const char *config)
{
	static const struct log_sink sink = { .line = fixture_log, .max = LOG_DEBUG };
	struct fixture *f = calloc(1, sizeof *f);
	struct log_sink *log = malloc(sizeof *log);
	struct sign_seed seed;
	struct home_error he;
	int a[2], b[2];

	*log = sink;
	log->userdata = f;
	CHECK_ERR(crypto_init(), 0);
	memset(&seed, 1, sizeof seed);
	identity_of_seed(&f->alice, &seed);
	memset(&seed, 2, sizeof seed);
	identity_of_seed(&f->bob, &seed);
	strcpy(f->dir, "/tmp/carrierd-test-XXXXXX");
	CHECK(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/carrier.toml", f->dir);
	fixture_write(f, config);

	f->options.claim = AGENT_CLAIM_AS_CONFIGURED;
	f->m.options = &f->options;
	f->m.log = log;
	memset(&seed, 9, sizeof seed);
	identity_of_seed(&f->m.self, &seed);
	list_init(&f->m.workers);
	list_init(&f->m.lookups);
	list_init(&f->m.connections);
	CHECK_ERR(loop_new(&f->m.loop), 0);
	CHECK_ERR(home_open(&f->m.home, f->path, &he), 0);
	CHECK_ERR(auth_new(&f->m.auth), 0);
	CHECK_ERR(monitor_load(&f->m), 0);

	CHECK_ERR(ipc_pair(a), 0);
	CHECK_ERR(ipc_pair(b), 0);
	CHECK_ERR(ipc_new(&f->m.net, f->m.loop, a[0], &(struct ipc_config){ .handler = permit_message, .userdata = &f->m }), 0);
	CHECK_ERR(ipc_new(&f->net, f->m.loop, a[1], &(struct ipc_config){ .handler = fixture_on_net, .userdata = f }), 0);
	CHECK_ERR(ipc_new(&f->m.keys, f->m.loop, b[0], &(struct ipc_config){ .userdata = &f->m }), 0);
	CHECK_ERR(ipc_new(&f->keys, f->m.loop, b[1], &(struct ipc_config){ .handler = fixture_on_keys, .userdata = f }), 0);
	return f;
}

static inline void fixture_close_fds(struct fixture *f)
{
	for (size_t i = 0; i < f->fds_len; i++)
		closep(&f->fds[i]);
	f->fds_len = 0;
}

static inline void fixture_free(struct fixture *f)
{
	char cmd[128];

	fixture_close_fds(f);
	ipc_free(f->net);
	ipc_free(f->keys);
	free((void *)f->m.log);
	f->m.log = NULL;
	monitor_done(&f->m);
	buf_done(&f->answer);
	buf_done(&f->config);
	buf_done(&f->log);
	snprintf(cmd, sizeof cmd, "rm -rf %s", f->dir);
	CHECK(system(cmd) == 0);
	free(f);
}

static inline void fixture_on_answer(void *userdata, int err, struct ipc_message *reply)
{
	struct fixture *f = userdata;

	f->done++;
	f->err = err;
	fixture_close_fds(f);
	f->answer.len = 0;
	if (!reply)
		return;
	buf_add_span(&f->answer, reply->body);
	for (size_t i = 0; i < reply->fds_len; i++)
		f->fds[f->fds_len++] = take_fd(reply->fds[i]);
}

static inline void fixture_turn(struct fixture *f, unsigned times)
{
	while (times--)
		CHECK(loop_turn(f->m.loop, time_monotonic() + MILLIS(20)) >= 0);
}

/* Turns the loop until *what is not zero, at most some seconds. */
static inline void fixture_until(struct fixture *f, const unsigned *what)
{
	tstamp end = time_monotonic() + SECONDS(12);

	while (!*what && time_monotonic() < end)
		fixture_turn(f, 1);
	CHECK(*what);
}

/* What net's host would ask; the answer's error. */
static inline int fixture_ask(struct fixture *f, enum host_call what, const struct identity *caller,
			      const char *path, struct span args)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, 3);
	cbor_put_bytes(&b, SPAN_OF(caller->key));
	cbor_put_str(&b, path);
	cbor_put_bytes(&b, args.len ? args : SPAN("\xa0", 1));
	f->done = 0;
	CHECK_ERR(ipc_request(f->net, (uint16_t)what, buf_span(&b), NULL, 0, fixture_on_answer, f), 0);
	fixture_until(f, &f->done);
	return f->err;
}
