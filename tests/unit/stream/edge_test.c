/* What no well-behaved transport does, or only when memory is short: on a fake one. */
#include <errno.h>

#include "stream/stream.h"
#include "test.h"

struct transport { bool ended; int open_err; };
struct transport_stream { void *userdata; unsigned writes, fail_at, aborts, finishes; size_t consumed, written; uint64_t code; };

static struct transport_stream ts;
static struct transport tr;
static bool no_memory;

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_calloc(size_t n, size_t size) { return no_memory ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t size) { return no_memory ? NULL : __real_realloc(p, size); }

int transport_stream_open(struct transport *t, bool early, void *userdata, struct transport_stream **ret)
{
	(void)early;
	if (t->open_err)
		return t->open_err;
	ts.userdata = userdata;
	*ret = &ts;
	return 0;
}

int transport_stream_write(struct transport_stream *s, struct span data)
{
	if (++s->writes == s->fail_at)
		return -ENOMEM;
	s->written += data.len;
	return 0;
}

bool transport_ended(const struct transport *t, struct transport_end *ret)
{
	*ret = (struct transport_end){};
	return t->ended;
}

void transport_stream_bind(struct transport_stream *s, void *userdata) { s->userdata = userdata; }
size_t transport_stream_queued(const struct transport_stream *s) { (void)s; return 0; }
void transport_stream_write_chunk(struct transport_stream *s, struct chunk *c) { s->written += c->len; }
void transport_stream_finish(struct transport_stream *s) { s->finishes++; }
void transport_stream_consume(struct transport_stream *s, size_t n) { s->consumed += n; }

void transport_stream_abort(struct transport_stream *s, uint64_t code)
{
	s->aborts++;
	s->code = code;
}

/* ---- one stream on it ---- */

static unsigned messages, writables, closed;
static int closed_err;

static void on_message(void *userdata, struct stream *s, struct span m)
{
	(void)userdata;
	(void)s;
	(void)m;
	messages++;
}

static void on_writable(void *userdata, struct stream *s)
{
	(void)userdata;
	(void)s;
	writables++;
}

static void on_closed(void *userdata, struct stream *s, int err)
{
	(void)userdata;
	(void)s;
	closed++;
	closed_err = err;
}

static const struct stream_handler handler = { .message = on_message, .writable = on_writable, .closed = on_closed };
static struct stream *accepted;

static void on_accept(void *userdata, struct stream *s, const struct headers *h, bool early)
{
	(void)userdata;
	(void)h;
	(void)early;
	accepted = s;
	stream_attach(s, &handler, NULL);
}

static const struct streams_ops ops = { .accept = on_accept };

static struct streams *fresh(void)
{
	struct streams *ss;

	ts = (struct transport_stream){};
	tr = (struct transport){};
	messages = writables = closed = 0;
	closed_err = 0;
	accepted = NULL;
	no_memory = false;
	CHECK_ERR(streams_new(&ss, &ops, NULL), 0);
	streams_set_transport(ss, &tr);
	return ss;
}

static struct stream *opened(struct streams *ss)
{
	struct stream *s;

	CHECK_ERR(stream_open(ss, SPAN("\xa0", 1), false, &handler, NULL, &s), 0);
	return s;
}

static void feed(const char *hex, bool fin)
{
	uint8_t b[64];

	streams_on_data(ts.userdata, SPAN(b, unhex(b, sizeof b, hex)), fin, false);
}

static void test_a_failed_open_leaves_nothing(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct streams *ss = fresh();
		struct stream *s = NULL;

		tr.open_err = how == 0 ? ERR_CLOSED : 0;
		ts.fail_at = how == 1;
		no_memory = how == 2;
		CHECK_ERR(stream_open(ss, SPAN("\xa0", 1), false, &handler, NULL, &s), how ? -ENOMEM : ERR_CLOSED);
		no_memory = false;
		CHECK(!s && !streams_len(ss) && !closed);
		CHECK(ts.aborts == (how == 1) && !ts.userdata);
		streams_free(ss, 0);
	}
	struct streams *none = NULL;
	no_memory = true;
	CHECK_ERR(streams_new(&none, &ops, NULL), -ENOMEM);
	no_memory = false;
	CHECK(!none);
}

static void test_a_header_block_of_many_writes_may_fail_in_the_middle(void **state)
{
	_cleanup_buf_ struct buf b = {};
	static char text[4000];
	struct cbor_map m;

	(void)state;
	memset(text, 'a', sizeof text);
	cbor_map_begin(&m, &b);
	cbor_map_text(&m, "k", SPAN_OF(text));
	cbor_map_end(&m);
	for (unsigned at = 1; at <= 2; at++) {
		struct streams *ss = fresh();
		struct stream *s = NULL;

		ts.fail_at = at;
		CHECK_ERR(stream_open(ss, buf_span(&b), false, &handler, NULL, &s), -ENOMEM);
		CHECK(!s && !streams_len(ss) && ts.aborts == 1 && ts.code == STREAM_CODE_INTERNAL);
		streams_free(ss, 0);
	}
}

static unsigned released;
static void on_release(struct chunk *c)
{
	(void)c;
	released++;
}

static void test_half_a_message_resets_the_stream(void **state)
{
	static uint8_t big[5000];
	static const struct { size_t prefix; bool chunk; unsigned fail_at; bool broken; } table[] = {
		{ 0, false, 1, false }, { 0, false, 2, true },
		{ 10, true, 1, false }, { 3000, true, 1, false }, { 3000, true, 2, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct chunk c = { .data = big, .len = 100, .release = on_release };
		struct streams *ss = fresh();
		struct stream *s = opened(ss);

		released = 0;
		ts.writes = 0;
		ts.fail_at = table[i].fail_at;
		CHECK_ERR(table[i].chunk ? stream_send_chunk(s, SPAN(big, table[i].prefix), &c) : stream_send(s, SPAN_OF(big)), -ENOMEM);
		CHECK(!released);               /* stays the caller's */
		CHECK(ts.aborts == table[i].broken);
		CHECK_ERR(stream_send(s, SPAN_NONE), table[i].broken ? ERR_CLOSED : 0);
		streams_free(ss, 0);
		CHECK(closed == 1 && closed_err == (table[i].broken ? -ENOMEM : ERR_CLOSED));
	}
}

static void test_a_failed_header_answer_may_be_tried_again(void **state)
{
	struct streams *ss = fresh();

	(void)state;
	streams_on_opened(ss, &ts);
	feed("01a0", false);
	CHECK(accepted);
	ts.fail_at = ts.writes + 1;
	CHECK_ERR(stream_send_headers(accepted, SPAN("\xa0", 1)), -ENOMEM);
	CHECK_ERR(stream_send_headers(accepted, SPAN("\xa0", 1)), 0);
	CHECK_ERR(stream_send_headers(accepted, SPAN("\xa0", 1)), ERR_STATE);
	streams_free(ss, 0);
}

static void test_no_memory_costs_the_stream_only(void **state)
{
	struct streams *ss = fresh();

	(void)state;
	no_memory = true;
	streams_on_opened(ss, &ts);
	no_memory = false;
	CHECK(ts.aborts == 1 && !ts.userdata && !streams_len(ss));
	feed("01a0", true);
	streams_on_writable(NULL);
	streams_on_reset(NULL, 1);
	streams_on_closed(NULL);

	opened(ss);
	feed("01a0", false);
	no_memory = true;
	feed("7fff00", false);          /* part of a message */
	no_memory = false;
	CHECK(ts.aborts == 2 && ts.code == STREAM_CODE_INTERNAL && ts.consumed == 5);
	streams_on_closed(ts.userdata);
	CHECK(closed == 1 && closed_err == -ENOMEM);

	struct stream *s = opened(ss);
	stream_pause(s);
	no_memory = true;
	feed("01a0", false);
	no_memory = false;
	CHECK(ts.aborts == 3 && ts.code == STREAM_CODE_LIMIT);
	streams_free(ss, 0);
	CHECK(closed == 2 && closed_err == ERR_LIMIT);
}

static void test_data_after_the_end_breaks_the_stream(void **state)
{
	struct streams *ss = fresh();

	(void)state;
	opened(ss);
	feed("01a0", true);
	feed("", true);
	CHECK(!ts.aborts);
	feed("00", false);
	CHECK(ts.aborts == 1 && ts.code == STREAM_CODE_PROTOCOL && ts.consumed == 3);
	feed("0000", false);
	CHECK(!messages && ts.consumed == 5);
	streams_on_reset(ts.userdata, STREAM_CODE_CANCEL);
	streams_on_writable(ts.userdata);
	streams_on_closed(ts.userdata);
	CHECK(closed == 1 && closed_err == ERR_PROTOCOL && !writables);
	streams_free(ss, 0);
}

static void test_an_empty_packet_in_0rtt_is_not_early_data(void **state)
{
	struct streams *ss = fresh();

	(void)state;
	streams_on_opened(ss, &ts);
	streams_on_data(ts.userdata, SPAN_NONE, false, true);
	feed("01a0", false);
	CHECK(accepted);
	streams_on_writable(ts.userdata);       /* nobody waits */
	CHECK(!writables);
	stream_end(accepted);
	stream_resume(accepted);
	CHECK(ts.finishes == 1);
	feed("", true);
	tr.ended = true;
	streams_on_closed(ts.userdata);
	CHECK(closed == 1 && closed_err == ERR_CLOSED);         /* lost before the peer had all */
	streams_free(ss, 0);
}

static void test_broken_while_the_transport_is_gone_closes_at_once(void **state)
{
	struct streams *ss = fresh();
	struct stream *s = opened(ss);

	(void)state;
	stream_pause(s);
	feed("0180", true);             /* a header block that is none */
	stream_end(s);
	streams_on_closed(ts.userdata);
	streams_on_closed(ts.userdata);
	streams_on_data(ts.userdata, SPAN("x", 1), false, false);
	CHECK(!closed && ts.consumed == 2);
	stream_resume(s);
	CHECK(closed == 1 && closed_err == ERR_PROTOCOL && !ts.aborts && !streams_len(ss));
	streams_free(ss, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_failed_open_leaves_nothing),
		cmocka_unit_test(test_a_header_block_of_many_writes_may_fail_in_the_middle),
		cmocka_unit_test(test_half_a_message_resets_the_stream),
		cmocka_unit_test(test_a_failed_header_answer_may_be_tried_again),
		cmocka_unit_test(test_no_memory_costs_the_stream_only),
		cmocka_unit_test(test_data_after_the_end_breaks_the_stream),
		cmocka_unit_test(test_an_empty_packet_in_0rtt_is_not_early_data),
		cmocka_unit_test(test_broken_while_the_transport_is_gone_closes_at_once),
	};

	return RUN_TESTS(tests);
}
