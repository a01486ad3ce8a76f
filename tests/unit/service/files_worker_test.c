#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "crypto/crypto.h"
#include "files_rig.h"
#include "ipc/frame.h"
#include "service/files_worker.h"

#include "test.h"

/* A worker that is asked by hand. */
struct raw {
	char root[40];
	int fd, got;                    /* got: the descriptor of the last answer */
	uint32_t id;
	struct buf answer;
};

static int raw_setup(void **state, bool writable)
{
	struct raw *w = calloc(1, sizeof *w);

	signal(SIGPIPE, SIG_IGN);
	strcpy(w->root, "/tmp/carrier-work-XXXXXX");
	w->got = -1;
	if (!mkdtemp(w->root) || crypto_init() < 0 || files_worker_spawn(&w->fd, w->root, writable) < 0)
		return -1;
	file_make(files_rig_path(w->root, "f"), 10, 1, 0644);
	*state = w;
	return 0;
}

static int writable_setup(void **state) { return raw_setup(state, true); }
static int readonly_setup(void **state) { return raw_setup(state, false); }

static int raw_teardown(void **state)
{
	struct raw *w = *state;
	char cmd[64];

	closep(&w->fd);
	closep(&w->got);
	buf_done(&w->answer);
	usleep(10000);
	snprintf(cmd, sizeof cmd, "rm -rf %s", w->root);
	free(w);
	return system(cmd);
}

static int ask(struct raw *w, uint16_t type, struct span body)
{
	struct frame f = { .kind = FRAME_REQUEST, .type = type, .id = ++w->id, .body = body }, back;
	int fds[IPC_FDS_MAX], err;
	struct ipc_area *area = malloc(sizeof *area);

	closep(&w->got);
	w->got = -1;
	buf_done(&w->answer);
	CHECK_ERR(frame_send(w->fd, &f, NULL), 0);
	for (int i = 0; (err = frame_recv(w->fd, area, &back, fds)) == ERR_AGAIN && i < 5000; i++)
		usleep(1000);
	if (err >= 0) {
		CHECK(back.kind == FRAME_REPLY && back.id == w->id && back.fds_len <= 1);
		buf_add_span(&w->answer, back.body);
		w->got = back.fds_len ? fds[0] : -1;
		err = back.err;
	}
	free(area);
	return err;
}

/* s bytes; n unsigned; t, f bool; 0 null. */
static int ask_with(struct raw *w, uint16_t type, const char *format, const char *s, uint64_t n)
{
	_cleanup_buf_ struct buf b = {};

	cbor_put_array(&b, strlen(format));
	for (; *format; format++) {
		if (*format == 's')
			cbor_put_bytes(&b, SPAN_STR(s));
		else if (*format == 'n')
			cbor_put_uint(&b, n);
		else if (*format == 'm')
			cbor_put_uint(&b, 0644);
		else if (*format == '0')
			cbor_put_null(&b);
		else
			cbor_put_bool(&b, *format == 't');
	}
	CHECK_ERR(buf_err(&b), 0);
	return ask(w, type, buf_span(&b));
}

static void test_who_may_read_only(void **state)
{
	struct raw *w = *state;

	CHECK_ERR(ask_with(w, FILES_MSG_READ, "s", "f", 0), 0);
	CHECK(w->got >= 0 && write(w->got, "x", 1) < 0 && errno == EBADF);
	CHECK_ERR(ask_with(w, FILES_MSG_PARTIAL, "s0nf", "x", 0), ERR_DENIED);
	CHECK_ERR(ask_with(w, FILES_MSG_FOLDER, "smf", "x", 0), ERR_DENIED);
	CHECK_ERR(ask_with(w, FILES_MSG_COMMIT, "nnm0", "", 0), ERR_DENIED);
	CHECK_ERR(ask_with(w, FILES_MSG_ABORT, "nt", "", 0), ERR_DENIED);
	CHECK(folder_len(w->root) == 1);
}

static void test_malformed_requests(void **state)
{
	static const uint8_t nul[] = { 0x81, 0x43, 'a', 0, 'b' };
	struct raw *w = *state;
	_cleanup_buf_ struct buf longest = {};

	for (uint16_t type = 0; type < 20; type++) {
		CHECK(ask(w, type, SPAN_NONE) < 0);
		CHECK(ask(w, type, SPAN_STR("\xff\xff")) < 0);
		CHECK(ask_with(w, type, "", "", 0) < 0);
		CHECK(ask_with(w, type, "ssssss", "f", 0) < 0);
	}
	CHECK_ERR(ask(w, FILES_MSG_STAT, SPAN_OF(nul)), ERR_PARSE);
	for (int i = 0; i < 5000; i++)
		buf_add_u8(&longest, 'x');
	CHECK_ERR(ask_with(w, FILES_MSG_STAT, "s", buf_str(&longest), 0), ERR_LIMIT);
	CHECK_ERR(ask_with(w, FILES_MSG_STAT, "s", "", 0), -ENOENT);
	CHECK_ERR(ask_with(w, FILES_MSG_STAT, "s", "../../etc/passwd", 0), -ENOENT);
	CHECK_ERR(ask_with(w, FILES_MSG_READ, "s", "/etc/passwd", 0), ERR_DENIED);
	CHECK_ERR(ask_with(w, FILES_MSG_STAT, "s", "f", 0), 0);
}

static void test_wrong_handles(void **state)
{
	static const uint64_t wrong[] = { 0, 1, FILES_HANDLES_MAX - 1, FILES_HANDLES_MAX, UINT64_MAX };
	struct raw *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		CHECK(ask_with(w, FILES_MSG_COMMIT, "nnm0", "", wrong[i]) < 0);
		CHECK(ask_with(w, FILES_MSG_ABORT, "nt", "", wrong[i]) < 0);
		CHECK(ask_with(w, FILES_MSG_NEXT, "n", "", wrong[i]) < 0);
	}
	/* One that is a walk is not a file, and is no use any more once it has ended. */
	CHECK_ERR(ask_with(w, FILES_MSG_WALK, "sn", ".", 3), 0);
	CHECK_ERR(ask_with(w, FILES_MSG_COMMIT, "nnm0", "", 0), ERR_UNKNOWN);
	CHECK_ERR(ask_with(w, FILES_MSG_NEXT, "n", "", 0), 0);
	CHECK_ERR(ask_with(w, FILES_MSG_END, "n", "", 0), 0);
	CHECK_ERR(ask_with(w, FILES_MSG_NEXT, "n", "", 0), ERR_UNKNOWN);
	CHECK_ERR(ask_with(w, FILES_MSG_PARTIAL, "s0nf", "x", 0), 0);
	CHECK_ERR(ask_with(w, FILES_MSG_NEXT, "n", "", 0), ERR_UNKNOWN);
	CHECK_ERR(ask_with(w, FILES_MSG_ABORT, "nt", "", 0), 0);
	CHECK_ERR(ask_with(w, FILES_MSG_ABORT, "nt", "", 0), ERR_UNKNOWN);
	CHECK(folder_len(w->root) == 1);
}

static void test_handles_are_bounded_and_come_back(void **state)
{
	struct raw *w = *state;

	for (unsigned i = 0; i < FILES_HANDLES_MAX; i++)
		CHECK_ERR(ask_with(w, FILES_MSG_WALK, "sn", ".", 0), 0);
	CHECK_ERR(ask_with(w, FILES_MSG_WALK, "sn", ".", 0), ERR_LIMIT);
	CHECK_ERR(ask_with(w, FILES_MSG_PARTIAL, "s0nf", "x", 0), ERR_LIMIT);
	CHECK_ERR(ask_with(w, FILES_MSG_END, "n", "", 5), 0);
	CHECK_ERR(ask_with(w, FILES_MSG_PARTIAL, "s0nf", "x", 0), 0);
}

static void test_what_the_descriptor_gives(void **state)
{
	struct raw *w = *state;
	struct stat st;

	CHECK_ERR(ask_with(w, FILES_MSG_PARTIAL, "s0nf", "x", 0), 0);
	CHECK(w->got >= 0 && fstat(w->got, &st) == 0 && S_ISREG(st.st_mode));
	CHECK(pwrite(w->got, "hello", 5, 0) == 5);
	CHECK_ERR(ask_with(w, FILES_MSG_COMMIT, "nnm0", "", 0), 0);     /* handle 0, 0 bytes */
	CHECK(file_size(files_rig_path(w->root, "x")) == 0 && file_mode(files_rig_path(w->root, "x")) == 0644);
	CHECK_ERR(ask_with(w, FILES_MSG_FOLDER, "smf", "a/b", 0), -ENOENT);
	CHECK_ERR(ask_with(w, FILES_MSG_FOLDER, "smt", "a/b", 0), 0);
}

static void test_a_hang_up_ends_it_and_frees_what_it_held(void **state)
{
	struct raw *w = *state;
	int fd, err = ERR_AGAIN;

	CHECK_ERR(ask_with(w, FILES_MSG_PARTIAL, "s0nf", "x", 0), 0);
	closep(&w->got);
	w->got = -1;
	close(w->fd);
	CHECK_ERR(files_worker_spawn(&fd, w->root, true), 0);
	w->fd = fd;
	for (int i = 0; i < 200 && err == ERR_AGAIN; i++) {
		usleep(5000);
		err = ask_with(w, FILES_MSG_PARTIAL, "s0nf", "x", 0);
	}
	CHECK_ERR(err, 0);
}

static void test_a_folder_that_is_no_root(void **state)
{
	int s[2];

	(void)state;
	CHECK_ERR(ipc_pair(s), 0);
	CHECK_ERR(files_worker_main(s[1], "/nowhere/at/all", true), -ENOENT);
	CHECK_ERR(ipc_pair(s), 0);
	CHECK_ERR(files_worker_main(s[1], "relative", true), -EINVAL);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, writable_setup, raw_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_may_read_only, readonly_setup, raw_teardown),
		T(test_malformed_requests),
		T(test_wrong_handles),
		T(test_handles_are_bounded_and_come_back),
		T(test_what_the_descriptor_gives),
		T(test_a_hang_up_ends_it_and_frees_what_it_held),
		cmocka_unit_test(test_a_folder_that_is_no_root),
	};

	return RUN_TESTS(tests);
}
