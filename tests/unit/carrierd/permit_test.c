/* What does each request get, by which rules? */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fixture.h"

#define CONFIG_PATH "/v3/carrier.config.v1/"
#define AUTHORIZE "/v2/carrier.certificate.v1/authorize"
#define SYSINFO "/v2/carrier.sysinfo.v1/sysinfo"

static const char rules[] =
	"[[authorize]]\nidentity = \"@A\"\nresource = \"*\"\n"
	"[[authorize]]\nidentity = \"@B\"\nresource = \"" SYSINFO "\"\nmethods = [\"GET\"]\n"
	"[[authorize]]\nidentity = \"@B\"\nresource = \"/v0/sft\"\n"
	"[[service]]\npath = \"/v2/my.thing\"\nexec = [\"/bin/cat\"]\n";

static const struct {
	const char *what;
	enum host_call call;
	char who;
	const char *path;
	int err;
} table[] = {
	{ "sysinfo with *", HOST_SYSINFO, 'A', SYSINFO, 0 },
	{ "sysinfo, generation 3", HOST_SYSINFO, 'A', "/v3/carrier.sysinfo.v1/sysinfo", 0 },
	{ "sysinfo by a rule with methods", HOST_SYSINFO, 'B', SYSINFO, 0 },
	{ "sysinfo by the wrong path's rule", HOST_SYSINFO, 'B', "/v3/carrier.sysinfo.v1/sysinfo", ERR_DENIED },
	{ "a stranger's sysinfo", HOST_SYSINFO, 'C', SYSINFO, ERR_DENIED },
	{ "shell", HOST_SHELL, 'A', "/v0/shell", 0 },
	{ "shell without a rule for it", HOST_SHELL, 'B', "/v0/shell", ERR_DENIED },
	{ "shell on behalf of a path that B has", HOST_SHELL, 'B', SYSINFO, ERR_DENIED },
	{ "shell on behalf of a path that A has", HOST_SHELL, 'A', SYSINFO, ERR_DENIED },
	{ "files without arguments", HOST_FILES, 'A', "/v0/sft", ERR_PARSE },
	{ "program", HOST_SERVICE, 'A', "/v2/my.thing", 0 },
	{ "program without a rule", HOST_SERVICE, 'B', "/v2/my.thing", ERR_DENIED },
	{ "program that nobody configured", HOST_SERVICE, 'A', "/v2/other", ERR_DENIED },
	{ "leave", HOST_NET_LEAVE, 'B', CONFIG_PATH "net_leave", ERR_DENIED },
	{ "leave on behalf of get", HOST_NET_LEAVE, 'A', CONFIG_PATH "net_get", ERR_DENIED },
	{ "network", HOST_NET_GET, 'A', CONFIG_PATH "net_get", 0 },
	{ "network without a rule", HOST_NET_GET, 'C', CONFIG_PATH "net_get", ERR_DENIED },
	{ "no such call", _HOST_CALL_MAX, 'A', "/v0/shell", ERR_DENIED },
	{ "call 0", 0, 'A', "/v0/shell", ERR_DENIED },
	{ "a pattern for a path", HOST_SYSINFO, 'A', "*", ERR_DENIED },
};

static void test_the_table(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	struct identity stranger = { { 3 } };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct identity *who = table[i].who == 'A' ? &f->alice : table[i].who == 'B' ? &f->bob : &stranger;
		int err = fixture_ask(f, table[i].call, who, table[i].path, SPAN_NONE);

		if (err != table[i].err)
			fail_msg("%s: got %s, want %s", table[i].what, err_name(err), err_name(table[i].err));
		if (err < 0 && f->fds_len)
			fail_msg("%s: descriptors with a refusal", table[i].what);
	}
	fixture_free(f);
}

static void test_malformed_requests_are_refused(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	static const char *const bodies[] = { "", "80", "83", "a0", "8340606040", "83582000", "f6" };
	uint8_t b[64];

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		for (uint16_t type = 1; type < _HOST_CALL_MAX; type++) {
			size_t n = unhex(b, sizeof b, bodies[i]);
			f->done = 0;
			CHECK_ERR(ipc_request(f->net, type, SPAN(b, n), NULL, 0, fixture_on_answer, f), 0);
			fixture_until(f, &f->done);
			CHECK(f->err < 0);
		}
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->alice, "/v0/shell", SPAN("\x01", 1)), ERR_PARSE);
	fixture_free(f);
}

/* ---- unclaimed ---- */

static struct span rule_args(struct buf *b, const struct identity *who, const char *path, const char *code)
{
	char text[IDENTITY_STR_MAX];
	struct cbor_map m;

	b->len = 0;
	identity_format(text, who);
	cbor_map_begin(&m, b);
	cbor_map_str(&m, "identity", text);
	cbor_map_str(&m, "path", path);
	if (code)
		cbor_map_str(&m, "code", code);
	cbor_map_end(&m);
	CHECK_ERR(buf_err(b), 0);
	return buf_span(b);
}

static void test_an_unclaimed_device_accepts_its_first_rule_and_nothing_else(void **state)
{
	(void)state;
	struct fixture *f = fixture_new("keepalive = 30\n");
	_cleanup_buf_ struct buf b = {};

	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->alice, "/v0/shell", SPAN_NONE), ERR_DENIED);
	CHECK_ERR(fixture_ask(f, HOST_RULES_DEL, &f->alice, CONFIG_PATH "auth_del", rule_args(&b, &f->alice, "*", NULL)), ERR_DENIED);
	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->alice, SYSINFO, rule_args(&b, &f->alice, "*", NULL)), ERR_DENIED);
	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->alice, AUTHORIZE, rule_args(&b, &f->alice, "*", NULL)), 0);
	CHECK(f->answer.len == 1 && f->answer.data[0] == 0xf5);
	CHECK(auth_claimed(f->m.auth));

	/* Claimed: the next stranger is a stranger. */
	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->bob, AUTHORIZE, rule_args(&b, &f->bob, "*", NULL)), ERR_DENIED);
	fixture_until(f, &f->configs);
	CHECK(strstr(buf_str(&f->config), "[[authorize]]"));

	_cleanup_buf_ struct buf file = {};
	CHECK_ERR(file_read(f->path, 1 << 16, &file), 0);
	CHECK(strstr(buf_str(&file), "[[authorize]]") && strstr(buf_str(&file), "keepalive = 30"));
	fixture_free(f);
}

static void test_a_claim_code_is_asked_for(void **state)
{
	(void)state;
	char text[128], hash_text[65];
	_cleanup_buf_ struct buf b = {};

	claim_code_hash(hash_text, "lusab-babad-gutih-tugad");
	snprintf(text, sizeof text, "claim = \"code\"\nclaim_hash = \"%s\"\n", hash_text);
	struct fixture *f = fixture_new(text);

	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->alice, AUTHORIZE, rule_args(&b, &f->alice, "*", NULL)), ERR_CLAIM);
	CHECK(!auth_claimed(f->m.auth));
	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->alice, AUTHORIZE,
			      rule_args(&b, &f->alice, "*", "lusab-babad-gutih-tugad")), 0);
	CHECK(auth_claimed(f->m.auth));
	fixture_free(f);
}

static void test_rules_are_added_and_removed_in_the_file(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	_cleanup_buf_ struct buf b = {}, file = {};

	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->bob, AUTH_CHANGE_PATH, rule_args(&b, &f->bob, "*", NULL)), ERR_DENIED);
	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->alice, AUTH_CHANGE_PATH, rule_args(&b, &f->bob, "/v0/shell", NULL)), 0);
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->bob, "/v0/shell", SPAN_NONE), 0);
	CHECK_ERR(fixture_ask(f, HOST_RULES_ADD, &f->alice, AUTH_CHANGE_PATH, rule_args(&b, &f->bob, "not a path", NULL)), ERR_PARSE);

	CHECK_ERR(fixture_ask(f, HOST_RULES_DEL, &f->alice, CONFIG_PATH "auth_del", rule_args(&b, &f->bob, "/v0/shell", NULL)), 0);
	CHECK(f->answer.len == 1 && f->answer.data[0] == 1);
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->bob, "/v0/shell", SPAN_NONE), ERR_DENIED);
	CHECK_ERR(fixture_ask(f, HOST_RULES_DEL, &f->alice, CONFIG_PATH "auth_del", rule_args(&b, &f->alice, "*", NULL)), ERR_LASTWAY);
	CHECK_ERR(file_read(f->path, 1 << 16, &file), 0);
	CHECK(!strstr(buf_str(&file), "/v0/shell"));
	fixture_free(f);
}

static void test_an_edit_that_cannot_be_saved_changes_nothing(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	_cleanup_buf_ struct buf b = {};
	char gone[128];

	/* The folder is away: nobody, not even root, can write there. */
	snprintf(gone, sizeof gone, "%s.away", f->dir);
	CHECK(rename(f->dir, gone) == 0);
	CHECK(mkdir(f->path, 0700) < 0);
	int fd = open(f->dir, O_CREAT | O_WRONLY, 0600);
	int err = fixture_ask(f, HOST_RULES_ADD, &f->alice, AUTH_CHANGE_PATH, rule_args(&b, &f->bob, "/v0/shell", NULL));
	close(fd);
	CHECK(unlink(f->dir) == 0 && rename(gone, f->dir) == 0);
	CHECK(err < 0);
	monitor_reload(&f->m);
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->bob, "/v0/shell", SPAN_NONE), ERR_DENIED);
	CHECK_ERR(fixture_ask(f, HOST_SHELL, &f->alice, "/v0/shell", SPAN_NONE), 0);
	fixture_free(f);
}

static void test_joining_and_leaving_a_network_tells_keys_and_the_file(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	_cleanup_buf_ struct buf b = {}, file = {}, after = {};
	struct network_secret secret = { { 7 } };
	struct network_address address;
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_bytes(&m, "secret", SPAN_OF(secret.b));
	cbor_map_end(&m);
	CHECK_ERR(fixture_ask(f, HOST_NET_JOIN, &f->bob, CONFIG_PATH "net_join", buf_span(&b)), ERR_DENIED);
	CHECK(!f->keys_asked);
	CHECK_ERR(fixture_ask(f, HOST_NET_JOIN, &f->alice, CONFIG_PATH "net_join", buf_span(&b)), 0);
	network_address_of(&address, &secret);
	struct cbor c = cbor_map_find(buf_span(&f->answer), "address");
	CHECK(span_equal(cbor_bytes(&c), SPAN_OF(address.key)));
	fixture_until(f, &f->configs);
	CHECK(f->keys_asked == 1 && f->keys_has);

	char text[IDENTITY_STR_MAX];
	network_secret_format(text, &secret);
	CHECK_ERR(file_read(f->path, 1 << 16, &file), 0);
	CHECK(strstr(buf_str(&file), text));
	CHECK(!strstr(buf_str(&f->config), text));      /* net never sees it */
	CHECK(!strstr(buf_str(&f->log), text));

	CHECK_ERR(fixture_ask(f, HOST_NET_LEAVE, &f->alice, CONFIG_PATH "net_leave", SPAN_NONE), 0);
	f->configs = 0;
	fixture_until(f, &f->configs);
	CHECK(f->keys_asked == 2 && !f->keys_has);
	CHECK_ERR(file_read(f->path, 1 << 16, &after), 0);
	CHECK(!strstr(buf_str(&after), text));
	fixture_free(f);
}

static void test_a_network_that_somebody_writes_into_the_file_is_followed(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(rules);
	_cleanup_buf_ struct buf file = {};
	struct network_secret secret = { { 9 } };
	struct network_address address;
	char text[IDENTITY_STR_MAX];

	network_address_of(&address, &secret);
	network_secret_format(text, &secret);
	buf_printf(&file, "[network]\nsecret = \"%s\"\n", text);
	CHECK_ERR(file_write_atomic(f->path, 0600, buf_span(&file)), 0);
	monitor_reload(&f->m);
	f->configs = 0;
	fixture_until(f, &f->configs);
	CHECK(f->keys_asked == 1 && f->keys_has);
	CHECK(f->m.has_network && !memcmp(&f->m.network, &address, sizeof address));

	CHECK_ERR(file_write_atomic(f->path, 0600, SPAN_STR("# none\n")), 0);
	monitor_reload(&f->m);
	f->configs = 0;
	fixture_until(f, &f->configs);
	CHECK(f->keys_asked == 2 && !f->keys_has && !f->m.has_network);
	fixture_free(f);
}

/* ---- tcp ---- */

static int ask_tcp(struct fixture *f, const struct identity *who, const char *host, unsigned port)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_str(&m, "host", host);
	cbor_map_uint(&m, "port", port);
	cbor_map_end(&m);
	return fixture_ask(f, HOST_TCP, who, "/v0/tcp", buf_span(&b));
}

static int listen_local(uint16_t *ret_port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(fd, 4) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
	*ret_port = ntohs(sa.sin_port);
	return fd;
}

static void test_tcp_reaches_only_what_a_rule_names(void **state)
{
	(void)state;
	uint16_t port, other;
	int fd = listen_local(&port), fd2 = listen_local(&other);
	char config[512], c = 0;

	snprintf(config, sizeof config,
		 "[[authorize]]\nidentity = \"@A\"\nresource = \"/v0/tcp\"\n"
		 "[[authorize]]\nidentity = \"@B\"\nresource = \"/v0/tcp\"\ntcp = [\"127.0.0.1:%u\"]\n", port);
	struct fixture *f = fixture_new(config);
	struct identity stranger = { { 3 } };

	CHECK_ERR(ask_tcp(f, &f->bob, "127.0.0.1", port), 0);
	CHECK(f->fds_len == 1);
	int peer = accept(fd, NULL, NULL);
	CHECK(write(peer, "x", 1) == 1);
	usleep(10000);
	CHECK(read(f->fds[0], &c, 1) == 1 && c == 'x');
	close(peer);

	CHECK_ERR(ask_tcp(f, &f->bob, "127.0.0.1", other), ERR_DENIED);
	CHECK_ERR(ask_tcp(f, &f->bob, "203.0.113.1", port), ERR_DENIED);
	CHECK_ERR(ask_tcp(f, &f->alice, "203.0.113.1", port), ERR_DENIED);      /* no list: loopback */
	CHECK_ERR(ask_tcp(f, &f->alice, "localhost", other), 0);
	CHECK_ERR(ask_tcp(f, &stranger, "127.0.0.1", port), ERR_DENIED);
	close(fd2);
	CHECK_ERR(ask_tcp(f, &f->alice, "127.0.0.1", other), -ECONNREFUSED);
	CHECK(list_empty(&f->m.connections));
	close(fd);
	fixture_free(f);
}

static void test_names_are_resolved_for_brokers_only(void **state)
{
	(void)state;
	char config[256], id[IDENTITY_STR_MAX];
	struct identity broker;
	struct sign_seed seed = { { 5 } };
	_cleanup_buf_ struct buf b = {}, bad = {};

	identity_of_seed(&broker, &seed);
	identity_format(id, &broker);
	snprintf(config, sizeof config, "broker = [\"%s@127.0.0.1:4433\"]\n", id);
	struct fixture *f = fixture_new(config);

	cbor_put_str(&b, "127.0.0.1");
	CHECK_ERR(ipc_request(f->net, MONITOR_RESOLVE, buf_span(&b), NULL, 0, fixture_on_answer, f), 0);
	fixture_until(f, &f->done);
	CHECK_ERR(f->err, 0);
	struct cbor c = CBOR(buf_span(&f->answer));
	CHECK(cbor_array(&c, 16) >= 1);

	cbor_put_str(&bad, "secret-data.example.org");
	f->done = 0;
	CHECK_ERR(ipc_request(f->net, MONITOR_RESOLVE, buf_span(&bad), NULL, 0, fixture_on_answer, f), 0);
	fixture_until(f, &f->done);
	CHECK_ERR(f->err, ERR_DENIED);
	CHECK(list_empty(&f->m.lookups));
	fixture_free(f);
}

/* ---- files ---- */

static int ask_files(struct fixture *f, const struct identity *who, const char *file, const char *method)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_bytes(&m, "file", SPAN_STR(file));
	cbor_map_str(&m, "method", method);
	cbor_map_end(&m);
	return fixture_ask(f, HOST_FILES, who, "/v0/sft", buf_span(&b));
}

static void test_files_stay_beneath_the_root_of_a_rule_with_the_method(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(
		"[[authorize]]\nidentity = \"@A\"\nresource = \"/v0/sft\"\nroot = \"/tmp\"\nmethods = [\"GET\"]\n"
		"[[authorize]]\nidentity = \"@B\"\nresource = \"/v0/sft\"\n");
	struct identity stranger = { { 3 } };

	CHECK_ERR(ask_files(f, &f->alice, "/tmp/x", "GET"), 0);
	CHECK(f->fds_len == 1 && f->m.workers_len == 1);
	CHECK_ERR(ask_files(f, &f->alice, "/tmp/x", "PUT"), ERR_DENIED);
	CHECK_ERR(ask_files(f, &f->alice, "/etc/passwd", "GET"), ERR_DENIED);
	CHECK_ERR(ask_files(f, &f->bob, "/tmp/x", "GET"), ERR_DENIED);          /* no root: no files */
	CHECK_ERR(ask_files(f, &stranger, "/tmp/x", "GET"), ERR_DENIED);
	for (int i = 0; i < 100 && f->m.workers_len; i++)
		fixture_turn(f, 1);
	CHECK(!f->m.workers_len);       /* ends with its socket */
	fixture_free(f);
}

/* ---- programs ---- */

static void test_a_program_gets_the_callers_identity(void **state)
{
	(void)state;
	struct fixture *f = fixture_new(
		"[[authorize]]\nidentity = \"@A\"\nresource = \"*\"\n"
		"[[service]]\npath = \"/v2/who\"\nexec = [\"/bin/sh\", \"-c\", \"echo $CARRIER_IDENTITY $CARRIER_PATH; cat\"]\n");
	char want[128], id[IDENTITY_STR_MAX], got[256] = "";
	size_t n = 0;

	CHECK_ERR(fixture_ask(f, HOST_SERVICE, &f->alice, "/v2/who", SPAN_NONE), 0);
	CHECK(f->fds_len == 1);
	CHECK(write(f->fds[0], "echoed", 6) == 6);
	CHECK(shutdown(f->fds[0], SHUT_WR) == 0);
	for (ssize_t r; (r = read(f->fds[0], got + n, sizeof got - 1 - n)) > 0; )
		n += (size_t)r;
	identity_format(id, &f->alice);
	snprintf(want, sizeof want, "%s /v2/who\nechoed", id);
	assert_string_equal(got, want);
	fixture_free(f);
}

static void test_a_program_that_listens_is_connected_to(void **state)
{
	(void)state;
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "/tmp/carrierd-test-listen.sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(sa.sun_path);
	struct fixture *f = fixture_new(
		"[[authorize]]\nidentity = \"@A\"\nresource = \"*\"\n"
		"[[service]]\npath = \"/v2/who\"\nsocket = \"/tmp/carrierd-test-listen.sock\"\n");
	CHECK_ERR(fixture_ask(f, HOST_SERVICE, &f->alice, "/v2/who", SPAN_NONE), -ENOENT);
	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(fd, 1) == 0);
	CHECK_ERR(fixture_ask(f, HOST_SERVICE, &f->alice, "/v2/who", SPAN_NONE), 0);
	CHECK(f->fds_len == 1);
	close(fd);
	unlink(sa.sun_path);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_malformed_requests_are_refused),
		cmocka_unit_test(test_an_unclaimed_device_accepts_its_first_rule_and_nothing_else),
		cmocka_unit_test(test_a_claim_code_is_asked_for),
		cmocka_unit_test(test_rules_are_added_and_removed_in_the_file),
		cmocka_unit_test(test_an_edit_that_cannot_be_saved_changes_nothing),
		cmocka_unit_test(test_joining_and_leaving_a_network_tells_keys_and_the_file),
		cmocka_unit_test(test_a_network_that_somebody_writes_into_the_file_is_followed),
		cmocka_unit_test(test_tcp_reaches_only_what_a_rule_names),
		cmocka_unit_test(test_names_are_resolved_for_brokers_only),
		cmocka_unit_test(test_files_stay_beneath_the_root_of_a_rule_with_the_method),
		cmocka_unit_test(test_a_program_gets_the_callers_identity),
		cmocka_unit_test(test_a_program_that_listens_is_connected_to),
	};
	return RUN_TESTS(tests);
}
