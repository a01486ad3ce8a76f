/* Publish, connect, ask: broker, device and callers in one process, over real sockets,
 * driven by nothing but poll() on their descriptors. */
#include "world.h"

#include <errno.h>

enum { FLOOD = 600, FLOOD_LEN = 64 << 10, STRANGERS_PATIENCE = 2500 /* ms */ };

static const char echo_path[] = "/v2/test.echo.v1/echo";

/* What one question and its connection have come to. */
struct asked {
	const char *path;
	const carrier_headers *headers;
	const char *say;
	carrier_peer *peer;
	carrier_stream *stream;
	bool up, ready, lost, got, end, done;
	int lost_err, done_err;
	char detail[128];
	uint64_t status;
	uint8_t answer[4096];
	size_t answer_len, messages;
	bool hang_up_at_message, hang_up_at_closed, reset_at_message, goes_on;
};

static carrier *device, *operator, *stranger, *hasty;
static bool registered;
static unsigned broker_calls;
static carrier_id last_caller;
static char device_id[CARRIER_ID_TEXT_MAX], operator_id[CARRIER_ID_TEXT_MAX];

/* ---- the device ---- */

static void echo_message(void *userdata, carrier_stream *s, const void *data, size_t len)
{
	(void)userdata;
	CHECK_ERR(carrier_stream_send(s, data, len), 0);
}

static void echo_end(void *userdata, carrier_stream *s)
{
	(void)userdata;
	CHECK_ERR(carrier_stream_end(s), 0);
}

static void echo(void *userdata, carrier_stream *s, const carrier_id *caller, const carrier_headers *h)
{
	carrier_stream_callbacks cb = { .size = sizeof cb, .message = echo_message, .end = echo_end };
	const char *path;
	size_t len;

	CHECK(userdata == &device);
	last_caller = *caller;
	CHECK_ERR(carrier_headers_get_text(h, ":path", &path, &len), 0);
	CHECK(len == strlen(echo_path) && !memcmp(path, echo_path, len));
	CHECK_ERR(carrier_stream_attach(s, &cb, NULL), 0);
}

/* Answers with a status and a header of its own. */
static void teapot(void *userdata, carrier_stream *s, const carrier_id *caller, const carrier_headers *h)
{
	carrier_headers *more;
	uint64_t n;

	(void)userdata;
	(void)caller;
	CHECK_ERR(carrier_headers_get_uint(h, "cups", &n), 0);
	CHECK_ERR(carrier_headers_new(&more), 0);
	CHECK_ERR(carrier_headers_put_uint(more, "poured", n), 0);
	CHECK_ERR(carrier_stream_answer(s, 418, more), 0);
	CHECK_ERR(carrier_stream_answer(s, 200, NULL), CARRIER_E_STATE);
	CHECK_ERR(carrier_stream_end(s), 0);
	CHECK_ERR(carrier_stream_send(s, "x", 1), CARRIER_E_STATE);
	carrier_headers_free(more);
}

static unsigned flooded, pushed_back;
static uint8_t flood_bytes[FLOOD_LEN];

static void flood_more(void *userdata, carrier_stream *s)
{
	int err = 0;

	(void)userdata;
	while (flooded < FLOOD && err >= 0) {
		memset(flood_bytes, (int)flooded, sizeof flood_bytes);
		err = carrier_stream_send(s, flood_bytes, sizeof flood_bytes);
		flooded += err >= 0;
	}
	if (err == CARRIER_AGAIN)
		pushed_back++;
	else
		CHECK_ERR(carrier_stream_end(s), 0);
}

static void flood(void *userdata, carrier_stream *s, const carrier_id *caller, const carrier_headers *h)
{
	carrier_stream_callbacks cb = { .size = sizeof cb, .writable = flood_more };

	(void)caller;
	(void)h;
	CHECK_ERR(carrier_stream_attach(s, &cb, NULL), 0);
	flood_more(userdata, s);
}

static bool held_closed;
static int held_err;

static void hold_closed(void *userdata, carrier_stream *s, int err)
{
	(void)userdata;
	carrier_stream_reset(s, CARRIER_RESET_CANCEL);  /* too late, and harmless */
	CHECK_ERR(carrier_stream_send(s, "x", 1), CARRIER_E_CLOSED);
	held_closed = true;
	held_err = err;
}

/* Says hello and never ends. */
static void hold(void *userdata, carrier_stream *s, const carrier_id *caller, const carrier_headers *h)
{
	carrier_stream_callbacks cb = { .size = sizeof cb, .closed = hold_closed };

	(void)userdata;
	(void)caller;
	(void)h;
	CHECK_ERR(carrier_stream_attach(s, &cb, NULL), 0);
	CHECK_ERR(carrier_stream_send(s, "hello", 5), 0);
}

static void on_broker(void *userdata, const char *broker, int state, int err, const char *detail)
{
	CHECK(userdata == &registered);
	CHECK(!strncmp(broker, "127.0.0.1:", 10));
	broker_calls++;
	if (state == CARRIER_BROKER_REGISTERED)
		registered = true;
	else if (err)
		print_message("broker: %s %s\n", carrier_error_name(err), detail);
}

/* ---- a caller ---- */

static void on_headers(void *userdata, carrier_stream *s, const carrier_headers *h)
{
	struct asked *a = userdata;

	(void)s;
	CHECK_ERR(carrier_headers_get_uint(h, ":status", &a->status), 0);
}

static void on_message(void *userdata, carrier_stream *s, const void *data, size_t len)
{
	struct asked *a = userdata;

	a->messages++;
	a->got = true;
	if (a->answer_len + len <= sizeof a->answer) {
		memcpy(a->answer + a->answer_len, data, len);
		a->answer_len += len;
	}
	if (a->hang_up_at_message)
		carrier_peer_close(a->peer);
	else if (a->reset_at_message)
		carrier_stream_reset(s, CARRIER_RESET_LIMIT);
}

static void on_end(void *userdata, carrier_stream *s)
{
	struct asked *a = userdata;

	(void)s;
	a->end = true;
}

static void on_closed(void *userdata, carrier_stream *s, int err)
{
	struct asked *a = userdata;

	CHECK(!a->lost);        /* a connection's streams are told before it is */
	(void)s;
	a->done = true;
	a->done_err = err;
	a->stream = NULL;
	if (a->hang_up_at_closed)
		carrier_peer_close(a->peer);
}

static void open_stream(struct asked *a)
{
	carrier_stream_callbacks cb = { .size = sizeof cb, .headers = on_headers, .message = on_message, .end = on_end,
					.closed = on_closed };

	CHECK_ERR(carrier_stream_open(a->peer, a->path, a->headers, &cb, a, &a->stream), 0);
	if (a->say)
		CHECK_ERR(carrier_stream_send(a->stream, a->say, strlen(a->say)), 0);
	if (!a->goes_on)
		CHECK_ERR(carrier_stream_end(a->stream), 0);
}

static void on_up(void *userdata, carrier_peer *p)
{
	struct asked *a = userdata;

	CHECK(p == a->peer);
	a->up = true;
	if (a->path)
		open_stream(a);
}

static void on_ready(void *userdata, carrier_peer *p)
{
	struct asked *a = userdata;

	(void)p;
	a->ready = true;
}

static void on_lost(void *userdata, carrier_peer *p, int err, const char *detail)
{
	struct asked *a = userdata;

	carrier_peer_close(p);  /* too late, and harmless */
	a->lost = true;
	a->lost_err = err;
	snprintf(a->detail, sizeof a->detail, "%s", detail);
}

static void dial(carrier *c, const char *target, struct asked *a)
{
	carrier_peer_callbacks cb = { .size = sizeof cb, .up = on_up, .ready = on_ready, .closed = on_lost };

	CHECK_ERR(carrier_connect(c, target, &cb, a, &a->peer), 0);
}

/* ---- the world ---- */

static int setup(void **state)
{
	char more[256];
	carrier_options o = { .application = "mything", .application_version = "7", .broker = on_broker,
			      .userdata = &registered };

	world_setup(state);
	operator = world_open("operator", NULL, NULL);
	stranger = world_open("stranger", NULL, &(carrier_options){ .connect_timeout_ms = STRANGERS_PATIENCE });
	hasty = world_open("hasty", NULL, &(carrier_options){ .connect_timeout_ms = 100 });
	world_id(operator_id, operator);
	snprintf(more, sizeof more, "[[authorize]]\nidentity = \"%s\"\nresource = \"/v2/test.*\"", operator_id);
	device = world_open("device", more, &o);
	world_id(device_id, device);
	CHECK_ERR(carrier_route(device, echo_path, NULL, echo, &device), 0);
	CHECK_ERR(carrier_route(device, "/v2/test.teapot.v1/brew", NULL, teapot, NULL), 0);
	CHECK_ERR(carrier_route(device, "/v2/test.flood.v1/flood", NULL, flood, NULL), 0);
	CHECK_ERR(carrier_route(device, "/v2/test.hold.v1/hold", NULL, hold, NULL), 0);
	CHECK_ERR(carrier_route(device, "/v2/test.get.v1/get", &(carrier_route_options){
				.size = sizeof(carrier_route_options), .methods = "GET LIST" }, hold, NULL), 0);
	CHECK_ERR(carrier_route(device, "/v2/secret.v1/secret", NULL, echo, NULL), 0);
	CHECK(carrier_publish(device) == 1);
	CHECK(carrier_publish(device) == 1);
	CHECK(!broker_calls);           /* callbacks come in carrier_dispatch() only */
	world_until(&registered, 3000);
	return 0;
}

static void asks_a_route_through_the_broker(void **state)
{
	struct asked a = { .path = echo_path, .say = "hello" };
	carrier_peer_info info = { .size = sizeof info };
	carrier_id id, self;

	(void)state;
	dial(operator, device_id, &a);
	CHECK_ERR(carrier_stream_open(a.peer, echo_path, NULL, NULL, NULL, NULL), CARRIER_E_STATE);
	CHECK(strstr(carrier_detail(operator), "up"));
	world_until(&a.done, 5000);
	CHECK_ERR(a.done_err, 0);
	CHECK(a.end && a.status == 200 && a.messages == 1);
	CHECK(a.answer_len == 5 && !memcmp(a.answer, "hello", 5));
	carrier_identity(operator, &self);
	CHECK(!memcmp(&last_caller, &self, sizeof self));       /* the handler knows who asks */
	carrier_peer_identity(a.peer, &id);
	carrier_identity(device, &self);
	CHECK(!memcmp(&id, &self, sizeof self));

	world_until(&a.ready, 2000);
	CHECK_ERR(carrier_peer_get_info(a.peer, &info), 0);
	CHECK(info.way == CARRIER_WAY_RELAYED && info.ready == 1);
	CHECK(info.rtt_us > 0 && info.rtt_us < 5000000 && info.min_rtt_us <= info.rtt_us);
	CHECK(!strncmp(info.address, "127.0.0.1:", 10));
	CHECK(strstr(world.line, "sesame") && info.tx_bytes && info.rx_bytes);
	carrier_peer_close(a.peer);
	world_run(20);
	CHECK(!a.lost);         /* who hangs up is not told so */
}

static void reaches_a_known_address(void **state)
{
	struct asked a = { .path = echo_path, .say = "direct" };
	char address[CARRIER_ADDRESS_TEXT_MAX], target[160];
	carrier_peer_info info = { .size = sizeof info };

	(void)state;
	CHECK_ERR(carrier_address(device, address, 4), CARRIER_E_LENGTH);
	CHECK_ERR(carrier_address(device, address, sizeof address), 0);
	snprintf(target, sizeof target, "%s@127.0.0.1%s", device_id, strrchr(address, ':'));
	dial(operator, target, &a);
	world_until(&a.done, 5000);
	CHECK_ERR(a.done_err, 0);
	world_until(&a.ready, 2000);
	CHECK_ERR(carrier_peer_get_info(a.peer, &info), 0);
	CHECK(info.way == CARRIER_WAY_DIRECT);
	carrier_peer_close(a.peer);
}

static void sends_headers_both_ways(void **state)
{
	struct asked a = { .path = "/v2/test.teapot.v1/brew" };
	carrier_headers *h;

	(void)state;
	CHECK_ERR(carrier_headers_new(&h), 0);
	CHECK_ERR(carrier_headers_put_uint(h, "cups", 3), 0);
	CHECK_ERR(carrier_headers_put_text(h, ":path", "/elsewhere", 10), 0);  /* the argument counts */
	a.headers = h;
	dial(operator, device_id, &a);
	world_until(&a.done, 5000);
	CHECK(a.status == 418);
	carrier_headers_free(h);
	carrier_peer_close(a.peer);
}

static void unknown_and_forbidden_paths_look_alike(void **state)
{
	static const char *const paths[] = { "/v2/test.nothing.v1/x", "/v2/secret.v1/secret", "shell", "sysinfo" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct asked a = { .path = paths[i] };

		dial(operator, device_id, &a);
		world_until(&a.done, 5000);
		CHECK(a.status == 404 && !a.messages);
		CHECK_ERR(carrier_stream_open(a.peer, "nonsense", NULL, NULL, NULL, NULL), CARRIER_E_UNKNOWN);
		carrier_peer_close(a.peer);
	}
}

static void other_methods_are_not_offered(void **state)
{
	static const struct { const char *method; uint64_t status; } cases[] = { { "GET", 200 }, { "LIST", 200 }, { "PUT", 405 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct asked a = { .path = "/v2/test.get.v1/get" };
		carrier_headers *h;
		bool *answered = cases[i].status == 200 ? &a.got : &a.done;

		CHECK_ERR(carrier_headers_new(&h), 0);
		CHECK_ERR(carrier_headers_put_text(h, ":method", cases[i].method, strlen(cases[i].method)), 0);
		a.headers = h;
		dial(operator, device_id, &a);
		world_until(answered, 5000);
		CHECK(a.status == cases[i].status);
		carrier_headers_free(h);
		carrier_peer_close(a.peer);
	}
}

static bool answer_has(const struct asked *a, const char *text)
{
	return memmem(a->answer, a->answer_len, text, strlen(text));
}

static void disco_lists_what_this_caller_may_use(void **state)
{
	struct asked a = { .path = "disco" };

	(void)state;
	dial(operator, device_id, &a);
	world_until(&a.done, 5000);
	CHECK(a.status == 200 && a.messages == 1);
	CHECK(answer_has(&a, "mything") && answer_has(&a, echo_path));
	CHECK(!answer_has(&a, "secret") && !answer_has(&a, "/v0/shell"));
	carrier_peer_close(a.peer);
}

static void the_sender_is_held_back_by_a_slow_reader(void **state)
{
	struct asked a = { .path = "/v2/test.flood.v1/flood" };

	(void)state;
	flooded = pushed_back = 0;
	dial(operator, device_id, &a);
	world_until(&a.got, 5000);
	carrier_stream_pause(a.stream);
	world_run(300);
	size_t held = a.messages;
	unsigned taken = flooded;
	CHECK(taken < FLOOD && pushed_back);
	world_run(200);
	CHECK(a.messages == held && flooded == taken);  /* stands still */
	carrier_stream_resume(a.stream);
	CHECK(a.messages == held);                      /* callbacks come in carrier_dispatch() only */
	world_until(&a.done, 20000);
	CHECK_ERR(a.done_err, 0);
	CHECK(a.messages == FLOOD && flooded == FLOOD && a.end);
	carrier_peer_close(a.peer);
}

static void a_stranger_is_refused(void **state)
{
	struct asked a = { .path = echo_path };

	(void)state;
	dial(stranger, device_id, &a);
	world_until(&a.lost, 5000);
	CHECK(!a.ready && !a.got);
	CHECK_ERR(a.lost_err, CARRIER_E_REFUSED);
}

static void a_rule_of_run_time_lets_in_and_out(void **state)
{
	struct asked a = { .path = echo_path, .say = "x" };
	char id[CARRIER_ID_TEXT_MAX];

	(void)state;
	world_id(id, stranger);
	CHECK_ERR(carrier_allow(device, id, echo_path), 0);
	dial(stranger, device_id, &a);
	world_until(&a.done, 5000);
	CHECK(a.status == 200);
	world_until(&a.ready, 5000);
	world_run(STRANGERS_PATIENCE + 100);    /* which was for connecting */
	CHECK(!a.lost);
	CHECK(carrier_disallow(device, id, NULL) == 1);
	CHECK(carrier_disallow(device, id, NULL) == 0);
	world_until(&a.lost, 5000);     /* at once, not at the next call */
	CHECK_ERR(a.lost_err, CARRIER_E_CLOSED);
}

static void bad_rules_are_errors(void **state)
{
	(void)state;
	CHECK_ERR(carrier_allow(device, operator_id, "no/path"), CARRIER_E_PARSE);
	CHECK(carrier_detail(device)[0]);
	CHECK_ERR(carrier_allow(device, "nobody", "*"), CARRIER_E_UNKNOWN);
	char target[160];
	snprintf(target, sizeof target, "%s@127.0.0.1:1", operator_id);
	CHECK_ERR(carrier_allow(device, target, "*"), CARRIER_E_PARSE);
	CHECK_ERR(carrier_route(device, echo_path, NULL, echo, NULL), -EEXIST);
	CHECK_ERR(carrier_route(device, "/v2/*", NULL, echo, NULL), CARRIER_E_PARSE);
	CHECK_ERR(carrier_offer(device, "shell"), CARRIER_E_UNKNOWN);
	CHECK_ERR(carrier_offer(device, "disco"), CARRIER_E_UNKNOWN);
}

static void without_rules_nobody_gets_in(void **state)
{
	registered = false;
	carrier *open = world_open("unclaimed", NULL, &(carrier_options){ .broker = on_broker, .userdata = &registered });
	struct asked a = { .path = "disco" };
	char id[CARRIER_ID_TEXT_MAX];

	(void)state;
	CHECK_ERR(carrier_offer(open, "sysinfo"), 0);
	CHECK_ERR(carrier_offer(open, "sysinfo"), -EEXIST);
	CHECK(carrier_publish(open) == 1);
	world_until(&registered, 3000);
	world_id(id, open);
	dial(operator, id, &a);
	world_until(&a.lost, 5000);
	CHECK_ERR(a.lost_err, CARRIER_E_REFUSED);

	struct asked b = { .path = "sysinfo" };
	CHECK_ERR(carrier_allow(open, "*", "*"), 0);
	dial(operator, id, &b);
	world_until(&b.done, 5000);
	CHECK(b.status == 200 && b.messages == 1);
	carrier_peer_close(b.peer);
	world_close(open);
}

static void before_publishing_nobody_gets_in(void **state)
{
	carrier *quiet = world_open("quiet", NULL, NULL);
	struct asked a = { .path = "disco" }, b = a;
	char id[CARRIER_ID_TEXT_MAX], address[CARRIER_ADDRESS_TEXT_MAX], target[160];

	(void)state;
	CHECK_ERR(carrier_allow(quiet, "*", "*"), 0);
	world_id(id, quiet);
	CHECK_ERR(carrier_address(quiet, address, sizeof address), 0);
	snprintf(target, sizeof target, "%s@127.0.0.1%s", id, strrchr(address, ':'));
	dial(hasty, target, &a);
	world_until(&a.lost, 5000);
	CHECK_ERR(a.lost_err, CARRIER_E_TIMEOUT);
	CHECK(carrier_publish(quiet) == 1);
	dial(stranger, target, &b);
	world_until(&b.done, 5000);
	CHECK(b.status == 200);
	carrier_peer_close(b.peer);
	world_close(quiet);
}

static void who_is_not_there_is_offline(void **state)
{
	struct asked a = { .path = echo_path };

	(void)state;
	dial(device, operator_id, &a);
	world_until(&a.lost, 5000);
	CHECK_ERR(a.lost_err, CARRIER_E_OFFLINE);
}

static struct asked second;
static void dial_again(void *userdata, carrier_peer *p, int err, const char *detail)
{
	(void)p;
	(void)err;
	(void)detail;
	dial(userdata, device_id, &second);
}

static void dialling_again_in_the_last_callback(void **state)
{
	carrier_peer_callbacks cb = { .size = sizeof cb, .closed = dial_again };
	carrier_peer *p;
	char id[CARRIER_ID_TEXT_MAX];

	(void)state;
	second = (struct asked){ .path = echo_path, .say = "again" };
	world_id(id, stranger);
	CHECK_ERR(carrier_connect(operator, id, &cb, operator, &p), 0);
	world_until(&second.done, 5000);
	CHECK_ERR(second.done_err, 0);
	carrier_peer_close(second.peer);
}

static void gives_up_after_its_own_time(void **state)
{
	struct asked a = { .path = echo_path };
	char target[160];
	carrier_peer *p = NULL;

	(void)state;
	snprintf(target, sizeof target, "%s@127.0.0.1:9", device_id);
	dial(hasty, target, &a);
	world_until(&a.lost, 5000);
	CHECK_ERR(a.lost_err, CARRIER_E_TIMEOUT);
	CHECK(a.done);          /* what was asked of it is told too */
	CHECK_ERR(carrier_connect(hasty, "cnotanidentity", NULL, NULL, &p), CARRIER_E_UNKNOWN);
	CHECK(!p && strstr(carrier_detail(hasty), "cnotanidentity"));
}

static void hanging_up_in_a_callback_is_fine(void **state)
{
	struct asked a = { .path = "/v2/test.hold.v1/hold", .hang_up_at_message = true };

	(void)state;
	held_closed = false;
	dial(operator, device_id, &a);
	world_until(&held_closed, 5000);
	CHECK_ERR(held_err, CARRIER_E_CLOSED);
	CHECK(a.got && !a.done && !a.lost);     /* nothing after the user's last word */
}

static void hanging_up_while_it_is_lost_is_fine(void **state)
{
	struct asked a = { .path = "/v2/test.hold.v1/hold", .hang_up_at_closed = true };
	char id[CARRIER_ID_TEXT_MAX];

	(void)state;
	world_id(id, stranger);
	CHECK_ERR(carrier_allow(device, id, "/v2/test.hold.*"), 0);
	dial(stranger, device_id, &a);
	world_until(&a.got, 5000);
	CHECK(carrier_disallow(device, id, NULL) == 1);
	world_until(&a.done, 5000);
	world_run(20);
	CHECK(!a.lost);
}

static void a_reset_reaches_the_other_side(void **state)
{
	struct asked a = { .path = "/v2/test.hold.v1/hold", .reset_at_message = true, .goes_on = true };

	(void)state;
	held_closed = false;
	dial(operator, device_id, &a);
	world_until(&held_closed, 5000);
	CHECK_ERR(held_err, CARRIER_E_LIMIT);
	CHECK(a.got && !a.done);
	carrier_peer_close(a.peer);
}

static bool tried;
static void try_in_callback(void *userdata, carrier_peer *p)
{
	carrier *c = userdata;

	CHECK_ERR(carrier_dispatch(c, 0), CARRIER_E_STATE);
	CHECK_ERR(carrier_close(c), CARRIER_E_STATE);
	carrier_peer_close(p);
	tried = true;
}

static void what_no_callback_may_do_is_an_error(void **state)
{
	carrier_peer_callbacks cb = { .size = sizeof cb, .up = try_in_callback };
	carrier_peer *p;

	(void)state;
	CHECK_ERR(carrier_connect(operator, device_id, &cb, operator, &p), 0);
	world_until(&tried, 5000);
	world_run(50);
}

static void messages_have_a_limit(void **state)
{
	struct asked a = { .path = echo_path };
	static uint8_t big[CARRIER_MESSAGE_MAX + 1];

	(void)state;
	a.path = NULL;
	dial(operator, device_id, &a);
	world_until(&a.ready, 5000);
	CHECK_ERR(carrier_stream_open(a.peer, echo_path, NULL, NULL, NULL, &a.stream), 0);
	CHECK_ERR(carrier_stream_send(a.stream, big, sizeof big), CARRIER_E_LIMIT);
	CHECK_ERR(carrier_stream_send(a.stream, NULL, 0), 0);
	CHECK_ERR(carrier_stream_send(a.stream, big, sizeof big - 1), 0);
	CHECK_ERR(carrier_stream_answer(a.stream, 200, NULL), CARRIER_E_STATE);
	carrier_stream_reset(a.stream, 99);
	carrier_peer_close(a.peer);
	world_run(20);
}

/* Last: it ends what the others use. */
static void closing_leaves_nothing_behind(void **state)
{
	struct asked a = { .path = "/v2/test.hold.v1/hold" };

	(void)state;
	dial(operator, device_id, &a);
	world_until(&a.got, 5000);
	unsigned calls = broker_calls;
	world_close(device);
	CHECK(calls == broker_calls);
	world_until(&a.lost, 5000);
	CHECK(a.done && a.done_err < 0);
	CHECK_ERR(a.lost_err, CARRIER_E_CLOSED);
	struct asked b = { .path = echo_path };
	dial(operator, device_id, &b);
	world_close(operator);          /* in the middle of dialling */
	CHECK(!b.lost && !b.done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_a_route_through_the_broker),
		cmocka_unit_test(reaches_a_known_address),
		cmocka_unit_test(sends_headers_both_ways),
		cmocka_unit_test(unknown_and_forbidden_paths_look_alike),
		cmocka_unit_test(other_methods_are_not_offered),
		cmocka_unit_test(disco_lists_what_this_caller_may_use),
		cmocka_unit_test(the_sender_is_held_back_by_a_slow_reader),
		cmocka_unit_test(a_stranger_is_refused),
		cmocka_unit_test(a_rule_of_run_time_lets_in_and_out),
		cmocka_unit_test(bad_rules_are_errors),
		cmocka_unit_test(without_rules_nobody_gets_in),
		cmocka_unit_test(before_publishing_nobody_gets_in),
		cmocka_unit_test(who_is_not_there_is_offline),
		cmocka_unit_test(dialling_again_in_the_last_callback),
		cmocka_unit_test(gives_up_after_its_own_time),
		cmocka_unit_test(hanging_up_in_a_callback_is_fine),
		cmocka_unit_test(hanging_up_while_it_is_lost_is_fine),
		cmocka_unit_test(a_reset_reaches_the_other_side),
		cmocka_unit_test(what_no_callback_may_do_is_an_error),
		cmocka_unit_test(messages_have_a_limit),
		cmocka_unit_test(closing_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, setup, world_teardown);
}
