#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "files_rig.h"
#include "service/sft_internal.h"

#include "test.h"

#define HERE(name) files_rig_path(f->here, name)
#define THERE(name) files_rig_path(f->there, name)
#define NEVER(o) ((o).stop_at = 0)

static void test_files_of_all_sizes_there_and_back(void **state)
{
	static const size_t sizes[] = {
		0, 1, SFT_CHUNK - 1, SFT_CHUNK, SFT_CHUNK + 1, BLOCKHASH_BLOCK - 1, BLOCKHASH_BLOCK, BLOCKHASH_BLOCK + 1,
		10 << 20,
	};
	struct files_rig *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct outcome o = {};

		file_make(HERE("f"), sizes[i], (unsigned)i, 04751);
		CHECK_ERR(transfer_run(f, &o, false, HERE("f"), "g", NULL), 0);
		CHECK(file_same(HERE("f"), THERE("g")) && file_mode(THERE("g")) == 0751);
		CHECK(o.last.done == sizes[i] && o.last.total == sizes[i] && !o.last.resumed_at);
		CHECK_ERR(transfer_run(f, &o, true, HERE("back"), THERE("g"), NULL), 0);
		CHECK(file_same(HERE("f"), HERE("back")) && file_mode(HERE("back")) == 0751);
		CHECK(folder_len(f->there) == 1 && folder_len(f->here) == 2);
	}
	CHECK(f->workers == 2);         /* one to read, one to write */
	struct stat a, b;
	CHECK(stat(HERE("f"), &a) == 0 && stat(HERE("back"), &b) == 0 && a.st_mtime == b.st_mtime);
}

/* However a transfer is cut: all that was whole need not go again. */
static void cut_and_resume(struct files_rig *f, bool pull)
{
	enum { SIZE = (9 << 20) + 12345 };
	const char *from = pull ? THERE("from") : HERE("from"), *to = pull ? HERE("to") : THERE("to");

	for (uint64_t at = 1; at < SIZE; at += 1900000) {
		struct outcome o = { .stop_at = at };
		size_t kept;

		file_make(from, SIZE, (unsigned)at, 0644);
		file_make(to, 100, 1, 0600);
		CHECK_ERR(transfer_run(f, &o, pull, pull ? to : from, pull ? from : to, NULL), 0);
		CHECK(o.stopped || o.done);
		files_rig_reconnect(f);
		CHECK(o.done);
		CHECK_ERR(o.err, ERR_CLOSED);
		CHECK(file_size(to) == 100);    /* the old one stands until the new one is whole */
		kept = file_size(files_rig_path(pull ? f->here : f->there, ".to.carrier-part"));
		kept = kept == SIZE_MAX ? 0 : kept / BLOCKHASH_BLOCK * BLOCKHASH_BLOCK;
		if (pull && at > 1 << 20)
			CHECK(kept);

		NEVER(o);
		CHECK_ERR(transfer_run(f, &o, pull, pull ? to : from, pull ? from : to, NULL), 0);
		CHECK(file_same(from, to));
		CHECK(o.last.resumed_at == kept);
		CHECK(folder_len(pull ? f->here : f->there) == 1);
	}
}

static void test_a_cut_push_goes_on(void **state) { cut_and_resume(*state, false); }
static void test_a_cut_pull_goes_on(void **state) { cut_and_resume(*state, true); }

static void cut_then_change(struct files_rig *f, bool pull, void (*change)(const char *from, const char *part),
			    uint64_t resumed_at)
{
	enum { SIZE = 8 << 20 };
	const char *from = pull ? THERE("from") : HERE("from"), *to = pull ? HERE("to") : THERE("to");
	const char *part = files_rig_path(pull ? f->here : f->there, ".to.carrier-part");
	struct outcome o = { .stop_at = SIZE };

	file_make(from, SIZE, 7, 0644);
	/* What is left of an earlier attempt. */
	file_make(part, SIZE, 7, 0600);
	CHECK(truncate(part, 6 << 20) == 0);
	change(from, part);
	NEVER(o);
	CHECK_ERR(transfer_run(f, &o, pull, pull ? to : from, pull ? from : to, NULL), 0);
	CHECK(file_same(from, to));
	CHECK(o.last.resumed_at == resumed_at);
	CHECK(o.last.total == file_size(from));
}

static void change_nothing(const char *, const char *) {}
static void change_source(const char *from, const char *) { file_poke(from, (3 << 20) + 77); }
static void change_first(const char *from, const char *) { file_poke(from, 0); }
static void corrupt_partial(const char *, const char *part) { file_poke(part, (5 << 20) - 1); }
static void tear_partial(const char *, const char *part) { CHECK(truncate(part, (2 << 20) + 5) == 0); }
static void shorten_source(const char *from, const char *) { CHECK(truncate(from, (1 << 20) + 9) == 0); }
static void empty_source(const char *from, const char *) { CHECK(truncate(from, 0) == 0); }

static void lengthen_partial(const char *, const char *part)
{
	CHECK(truncate(part, 20 << 20) == 0);
}

static void test_what_is_gone_on_from(void **state)
{
	static const struct {
		void (*change)(const char *from, const char *part);
		uint64_t resumed_at;
	} rows[] = {
		{ change_nothing, 6 << 20 }, { change_source, 3 << 20 }, { change_first, 0 },
		{ corrupt_partial, 4 << 20 }, { tear_partial, 2 << 20 }, { shorten_source, 1 << 20 },
		{ empty_source, 0 }, { lengthen_partial, 6 << 20 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int pull = 0; pull < 2; pull++)
			cut_then_change(*state, pull, rows[i].change, rows[i].resumed_at);
}

/* The source's file while it is being read. */
static void change_meanwhile(struct files_rig *f, bool pull, void (*change)(const char *from, const char *part))
{
	enum { SIZE = 16 << 20 };
	const char *from = pull ? THERE("from") : HERE("from"), *to = pull ? HERE("to") : THERE("to");
	struct outcome o = { .stop_at = 2 << 20 };

	file_make(from, SIZE, 9, 0644);
	file_make(to, 10, 1, 0644);
	CHECK_ERR(transfer_run(f, &o, pull, pull ? to : from, pull ? from : to, NULL), 0);
	CHECK(o.stopped && !o.done);
	change(from, NULL);
	CHECK(rig_until(f->r, outcome_is_done, &o));
	CHECK_ERR(o.err, ERR_CHANGED);
	CHECK(file_size(to) == 10);

	NEVER(o);
	rig_settle(f->r);
	CHECK_ERR(transfer_run(f, &o, pull, pull ? to : from, pull ? from : to, NULL), 0);
	CHECK(file_same(from, to) && o.last.resumed_at >= (1 << 20));
}

static void shrink(const char *from, const char *) { CHECK(truncate(from, 3 << 20) == 0); }
static void grow(const char *from, const char *) { CHECK(truncate(from, 17 << 20) == 0); }
static void touch_last(const char *from, const char *) { file_poke(from, (16 << 20) - 1); }

static void test_a_source_that_changes_meanwhile(void **state)
{
	for (int pull = 0; pull < 2; pull++) {
		change_meanwhile(*state, pull, shrink);
		change_meanwhile(*state, pull, grow);
		change_meanwhile(*state, pull, touch_last);
	}
}

/* Tidying up goes on after the answer. */
static bool only_one_is_here(void *f) { return folder_len(((struct files_rig *)f)->here) == 1; }
static bool two_are_in_each(void *f)
{
	return folder_len(((struct files_rig *)f)->here) == 2 && folder_len(((struct files_rig *)f)->there) == 2;
}

static void test_a_given_sha256_is_checked(void **state)
{
	struct files_rig *f = *state;
	uint8_t right[32], wrong[32];
	struct outcome o = {};
	struct sha256 *s;

	file_make(HERE("f"), 3 << 20, 1, 0644);
	_cleanup_free_ uint8_t *b = malloc(3 << 20);
	int fd = open(HERE("f"), O_RDONLY);
	CHECK(read(fd, b, 3 << 20) == 3 << 20);
	close(fd);
	CHECK_ERR(sha256_new(&s), 0);
	CHECK_ERR(sha256_update(s, SPAN(b, 3 << 20)), 0);
	sha256_end(s, right);
	sha256_free(s);
	memcpy(wrong, right, 32);
	wrong[31] ^= 1;

	CHECK_ERR(transfer_run(f, &o, false, HERE("f"), "g", wrong), ERR_CHECKSUM);
	CHECK(rig_until(f->r, files_rig_is_empty, f));
	CHECK_ERR(transfer_run(f, &o, false, HERE("f"), "g", right), 0);
	CHECK_ERR(transfer_run(f, &o, true, HERE("b"), "g", wrong), ERR_CHECKSUM);
	CHECK(rig_until(f->r, only_one_is_here, f));
	CHECK_ERR(transfer_run(f, &o, true, HERE("b"), "g", right), 0);
	CHECK(file_same(HERE("f"), HERE("b")));
}

static void test_what_is_refused_leaves_nothing(void **state)
{
	struct files_rig *f = *state;
	struct outcome o = {};

	file_make(HERE("f"), 3 << 20, 1, 0644);
	CHECK(mkdir(THERE("d"), 0755) == 0 && mkdir(HERE("d"), 0755) == 0 && mkfifo(THERE("p"), 0644) == 0);
	static const struct { bool pull; const char *here, *there; int err; } rows[] = {
		{ false, "missing", "x", -ENOENT }, { false, "d", "x", -EISDIR },
		{ false, "f", "no/x", -ENOENT }, { false, "f", "p", ERR_TYPE }, { false, "f", "../x", ERR_UNKNOWN },
		{ false, "f", "/etc/x", ERR_UNKNOWN }, { false, "f", "p/x", -ENOTDIR },
		{ true, "x", "missing", -ENOENT }, { true, "x", "d", -EISDIR }, { true, "x", "p", ERR_TYPE },
		{ true, "no/x", "f", -ENOENT }, { true, "x", "../x", ERR_UNKNOWN }, { true, "x", "/etc/passwd", ERR_UNKNOWN },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_ERR(transfer_run(f, &o, rows[i].pull, HERE(rows[i].here), rows[i].there, NULL), rows[i].err);
		CHECK(rig_until(f->r, two_are_in_each, f));
	}
	/* Into a folder, under its own name. */
	CHECK_ERR(transfer_run(f, &o, false, HERE("f"), "d", NULL), 0);
	CHECK(file_same(HERE("f"), THERE("d/f")));
	CHECK_ERR(transfer_run(f, &o, true, HERE("d"), "d/f", NULL), 0);
	CHECK(file_same(HERE("f"), HERE("d/f")));
}

static void test_two_at_the_same_place(void **state)
{
	struct files_rig *f = *state;
	struct outcome a = { .stop_at = 1 << 20 }, b = {};

	file_make(THERE("f"), 16 << 20, 1, 0644);
	CHECK_ERR(transfer_run(f, &a, true, HERE("g"), "f", NULL), 0);
	CHECK(!a.done);
	wire_stall(f->r->wire, true);
	CHECK_ERR(transfer_run(f, &b, true, HERE("g"), "f", NULL), ERR_AGAIN);
	wire_stall(f->r->wire, false);
	CHECK(rig_until(f->r, outcome_is_done, &a));
	CHECK_ERR(a.err, 0);
	CHECK(file_same(THERE("f"), HERE("g")));
}

static void test_cancelled_at_any_point(void **state)
{
	struct files_rig *f = *state;

	file_make(HERE("f"), 6 << 20, 1, 0644);
	file_make(THERE("f"), 6 << 20, 1, 0644);
	for (int pull = 0; pull < 2; pull++)
		for (unsigned turns = 0; turns < 25; turns++) {
			struct outcome o = {};

			transfer_start(f, &o, pull, HERE(pull ? "to" : "f"), pull ? "f" : "to", NULL);
			for (unsigned i = 0; i < turns && !o.done; i++) {
				CHECK(loop_turn(f->r->loop, time_monotonic() + MILLIS(1)) >= 0);
				wire_turn(f->r->wire);
			}
			if (!o.done)
				sft_cancel(o.t);
			CHECK(rig_until(f->r, outcome_is_done, &o));
			/* The one before may not be tidied up yet. */
			CHECK(o.err == 0 || o.err == -ECANCELED || o.err == ERR_AGAIN);
		}
}

static void test_a_reader_asleep_costs_little(void **state)
{
	struct files_rig *f = *state;
	struct outcome o = {};

	file_make(THERE("f"), 32 << 20, 1, 0644);
	transfer_start(f, &o, true, HERE("f"), "f", NULL);
	wire_stall(f->r->wire, true);
	for (int i = 0; i < 300; i++) {
		CHECK(loop_turn(f->r->loop, time_monotonic() + MILLIS(1)) >= 0);
		rig_settle(f->r);
	}
	CHECK(wire_queued(f->r->wire) >= TRANSPORT_HIGH_WATER / 2);
	CHECK(wire_queued(f->r->wire) <= TRANSPORT_HIGH_WATER + SFT_CHUNK + 64);
	wire_stall(f->r->wire, false);
	CHECK(rig_until(f->r, outcome_is_done, &o));
	CHECK_ERR(o.err, 0);
	CHECK(file_same(HERE("f"), THERE("f")));
}

/* A caller who does not keep to the protocol. */
static void test_a_hostile_caller(void **state)
{
	static const uint8_t start[8] = {}, far[8] = { 0, 0, 0, 0, 1 }, odd[8] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	struct files_rig *f = *state;

	static const struct { struct span m[3]; unsigned status; } rows[] = {
		{ { { start, 8 }, { start, 8 }, { start, 8 } }, 400 },          /* hash too short */
		{ { { far, 8 } }, 400 }, { { { odd, 8 } }, 400 }, { { { start, 7 } }, 400 },
		{ { { start, 8 }, { (const uint8_t *)"123456789", 9 } }, 400 }, /* more than said */
		{ { { start, 8 }, { start, 8 }, { (const uint8_t *)"01234567890123456789012345678901", 32 } }, 409 },
		{ { { start, 0 } }, 409 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_buf_ struct buf b = {};
		struct cbor_map m;
		struct seen s;

		cbor_map_begin(&m, &b);
		cbor_map_str(&m, ":path", SFT_PATH);
		cbor_map_str(&m, ":method", "PUT");
		cbor_map_str(&m, "file", "x");
		cbor_map_uint(&m, "size", 8);
		cbor_map_end(&m);
		seen_open(f->r, &s, buf_span(&b));
		CHECK(rig_until(f->r, seen_is_answered, &s));
		CHECK(s.status == 100);
		for (size_t j = 0; j < 3 && rows[i].m[j].data; j++)
			(void)!stream_send(s.stream, rows[i].m[j]);
		stream_end(s.stream);
		CHECK(rig_until(f->r, seen_is_closed, &s));
		CHECK(s.messages == 1 && s.last.data[0] == SFT_STATUS);
		struct headers h;
		CHECK_ERR(headers_parse(&h, span_from(buf_span(&s.last), 1)), 0);
		if (headers_uint(&h, ":status", 0) != rows[i].status)
			fail_msg("row %zu: status %u", i, (unsigned)headers_uint(&h, ":status", 0));
		seen_done(&s);
	}
	CHECK(rig_until(f->r, files_rig_is_empty, f));
}

static void test_malformed_requests(void **state)
{
	struct files_rig *f = *state;

	for (int i = 0; i < 8; i++) {
		_cleanup_buf_ struct buf b = {};
		static char longest[4097];
		struct cbor_map m;
		struct seen s;

		memset(longest, 'x', 4096);
		cbor_map_begin(&m, &b);
		cbor_map_str(&m, ":path", SFT_PATH);
		cbor_map_str(&m, ":method", i == 5 ? "GET" : "PUT");
		if (i == 6)
			cbor_map_bytes(&m, "file", SPAN("a\0b", 3));
		else if (i)
			cbor_map_str(&m, "file", i == 1 ? longest : "x");
		if (i != 2)
			cbor_map_uint(&m, "size", i == 3 ? UINT64_MAX - 1 : 5);
		if (i == 4)
			cbor_map_bytes(&m, "sha256", SPAN("short", 5));
		if (i == 5)
			cbor_map_bytes(&m, "key", SPAN("short", 5));
		if (i == 7)
			cbor_map_str(&m, "name", longest);
		cbor_map_end(&m);
		seen_open(f->r, &s, buf_span(&b));
		stream_end(s.stream);
		CHECK(rig_until(f->r, seen_is_closed, &s));
		CHECK(s.status == 400);
		seen_done(&s);
	}
	CHECK(f->workers == 0);
}

static void test_a_rule_for_reading_only(void **state)
{
	struct files_rig *f = *state;
	struct outcome o = {};

	CHECK(auth_del(f->r->auth, NULL, &f->r->caller, SFT_PATH, NULL, 0) > 0);
	char get[] = "GET";
	struct auth_rule rule = { .kind = AUTH_IDENTITY, .identity = f->r->caller, .path = (char *)SFT_PATH,
				  .root = f->there, .methods = { get }, .methods_len = 1 };
	CHECK(auth_add(f->r->auth, NULL, &rule) >= 0);
	file_make(HERE("f"), 10, 1, 0644);
	file_make(THERE("g"), 10, 1, 0644);
	CHECK_ERR(transfer_run(f, &o, false, HERE("f"), "x", NULL), ERR_UNKNOWN);
	CHECK_ERR(transfer_run(f, &o, true, HERE("x"), "g", NULL), 0);
	CHECK(f->workers == 1);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, files_rig_setup, files_rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_files_of_all_sizes_there_and_back),
		T(test_a_cut_push_goes_on),
		T(test_a_cut_pull_goes_on),
		T(test_what_is_gone_on_from),
		T(test_a_source_that_changes_meanwhile),
		T(test_a_given_sha256_is_checked),
		T(test_what_is_refused_leaves_nothing),
		T(test_two_at_the_same_place),
		T(test_cancelled_at_any_point),
		T(test_a_reader_asleep_costs_little),
		T(test_a_hostile_caller),
		T(test_malformed_requests),
		T(test_a_rule_for_reading_only),
	};

	return RUN_TESTS(tests);
}
