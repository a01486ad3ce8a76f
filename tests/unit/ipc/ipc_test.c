/* Do messages and descriptors arrive, and does a hostile other side only hurt itself? */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "ipc/frame.h"
#include "ipc/ipc.h"
#include "test.h"

enum { ECHO = 1, TAKE, IGNORE, FREE_ME };

struct side {
	struct ipc *ipc;
	unsigned handled, gone, done;
	int last_err, taken;
	char body[64];
	size_t fds_len;
	bool reply_null;
};

struct pair {
	struct loop *loop;
	struct side a, b;
	int raw;                /* the other end where no struct ipc holds it */
};

static size_t open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void handler(void *userdata, struct ipc *i, struct ipc_message *m)
{
	struct side *s = userdata;

	s->handled++;
	s->fds_len = m->fds_len;
	switch (m->type) {
	case ECHO:
		CHECK_ERR(ipc_reply(i, m->id, 0, m->body, m->fds, m->fds_len), 0);
		break;
	case TAKE:
		s->taken = take_fd(m->fds[0]);
		CHECK_ERR(ipc_reply(i, m->id, ERR_DENIED, SPAN_NONE, NULL, 0), 0);
		break;
	case FREE_ME:
		ipc_free(take(s->ipc));
		break;
	default:
		break;
	}
}

static void gone(void *userdata, struct ipc *i)
{
	struct side *s = userdata;

	(void)i;
	s->gone++;
}

static void done(void *userdata, int err, struct ipc_message *reply)
{
	struct side *s = userdata;

	s->done++;
	s->last_err = err;
	s->reply_null = !reply;
	if (!reply)
		return;
	size_t n = MIN(reply->body.len, sizeof s->body - 1);
	if (n)
		memcpy(s->body, reply->body.data, n);
	s->body[n] = 0;
	s->fds_len = reply->fds_len;
	if (reply->fds_len)
		s->taken = take_fd(reply->fds[0]);
}

static int setup_common(void **state, bool raw)
{
	struct pair *p = calloc(1, sizeof *p);
	int fds[2];

	CHECK_ERR(loop_new(&p->loop), 0);
	CHECK_ERR(ipc_pair(fds), 0);
	p->a.taken = p->b.taken = -1;
	struct ipc_config a = { handler, gone, &p->a }, b = { handler, gone, &p->b };
	CHECK_ERR(ipc_new(&p->a.ipc, p->loop, fds[0], &a), 0);
	p->raw = fds[1];
	if (!raw) {
		CHECK_ERR(ipc_new(&p->b.ipc, p->loop, fds[1], &b), 0);
		p->raw = -1;
	}
	*state = p;
	return 0;
}

static int setup(void **state) { return setup_common(state, false); }
static int setup_raw(void **state) { return setup_common(state, true); }

static int teardown(void **state)
{
	struct pair *p = *state;

	ipc_free(p->a.ipc);
	ipc_free(p->b.ipc);
	closep(&p->raw);
	closep(&p->a.taken);
	closep(&p->b.taken);
	loop_free(p->loop);
	free(p);
	return 0;
}

static void turn(struct pair *p)
{
	for (int i = 0; i < 200 && loop_turn(p->loop, time_monotonic() + MILLIS(2)) > 0; i++)
		;
}

static void test_a_request_comes_back_with_its_body(void **state)
{
	struct pair *p = *state;

	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN_STR("hello"), NULL, 0, done, &p->a), 0);
	CHECK(!p->a.done);
	turn(p);
	CHECK(p->a.done == 1 && p->a.last_err == 0);
	assert_string_equal(p->a.body, "hello");
}

static void test_the_other_sides_error_arrives(void **state)
{
	struct pair *p = *state;
	int fd = open("/dev/null", O_RDONLY);

	CHECK_ERR(ipc_request(p->a.ipc, TAKE, SPAN_NONE, &fd, 1, done, &p->a), 0);
	turn(p);
	CHECK_ERR(p->a.last_err, ERR_DENIED);
	CHECK(p->b.taken >= 0);
	close(fd);
}

static void test_descriptors_travel_and_are_close_on_exec(void **state)
{
	struct pair *p = *state;
	int pipe_fds[2];
	char c = 0;

	CHECK(pipe(pipe_fds) == 0);
	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN_NONE, &pipe_fds[1], 1, done, &p->a), 0);
	turn(p);
	CHECK(p->a.fds_len == 1 && p->a.taken >= 0 && p->a.taken != pipe_fds[1]);
	CHECK(fcntl(p->a.taken, F_GETFD) & FD_CLOEXEC);
	CHECK(write(p->a.taken, "x", 1) == 1 && read(pipe_fds[0], &c, 1) == 1 && c == 'x');
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void test_descriptors_that_nobody_takes_are_closed(void **state)
{
	struct pair *p = *state;
	int fds[4] = { 0, 1, 2, 2 };

	turn(p);
	size_t before = open_fds();
	for (int i = 0; i < 50; i++)
		CHECK_ERR(ipc_notify(p->a.ipc, IGNORE, SPAN_NONE, fds, 4), 0);
	turn(p);
	CHECK(p->b.handled == 50 && p->b.fds_len == 4);
	CHECK(open_fds() == before);
}

static void test_queued_descriptors_are_closed_with_the_channel(void **state)
{
	struct pair *p = *state;
	static uint8_t big[IPC_BODY_MAX];
	int fds[2] = { 0, 1 }, n = 0;
	size_t before = open_fds();

	while (ipc_notify(p->a.ipc, IGNORE, SPAN_OF(big), fds, 2) >= 0)
		n++;
	CHECK(n > 4 && open_fds() > before);
	ipc_free(take(p->a.ipc));
	turn(p);
	CHECK(p->b.gone == 1);
	CHECK(open_fds() < before);     /* only our own end is gone */
}

static void test_a_full_queue_says_so_and_loses_nothing_accepted(void **state)
{
	struct pair *p = *state;
	static uint8_t big[IPC_BODY_MAX];
	unsigned accepted = 0;
	int err;

	while ((err = ipc_notify(p->a.ipc, IGNORE, SPAN_OF(big), NULL, 0)) >= 0)
		accepted++;
	CHECK_ERR(err, ERR_LIMIT);
	CHECK((size_t)accepted * IPC_BODY_MAX >= IPC_QUEUE_MAX - 2 * IPC_BODY_MAX);
	turn(p);
	CHECK(p->b.handled == accepted);
	CHECK_ERR(ipc_notify(p->a.ipc, IGNORE, SPAN_OF(big), NULL, 0), 0);
}

static void test_a_body_that_is_too_long_is_not_sent(void **state)
{
	struct pair *p = *state;
	static uint8_t big[IPC_BODY_MAX + 1];
	int fds[5] = { 0, 0, 0, 0, 0 };

	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN_OF(big), NULL, 0, done, &p->a), ERR_LIMIT);
	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN_NONE, fds, 5, done, &p->a), ERR_LIMIT);
	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN(big, IPC_BODY_MAX), NULL, 0, done, &p->a), 0);
	turn(p);
	CHECK(p->a.done == 1 && p->a.last_err == 0);
}

static void test_death_of_the_peer_ends_every_request(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 20; i++)
		CHECK_ERR(ipc_request(p->a.ipc, IGNORE, SPAN_NONE, NULL, 0, done, &p->a), 0);
	turn(p);
	CHECK(p->a.done == 0 && p->b.handled == 20);
	ipc_free(take(p->b.ipc));
	turn(p);
	CHECK(p->a.done == 20 && p->a.reply_null && p->a.gone == 1);
	CHECK_ERR(p->a.last_err, ERR_CLOSED);
	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN_NONE, NULL, 0, done, &p->a), ERR_CLOSED);
}

static void test_freeing_ends_every_request(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 3; i++)
		CHECK_ERR(ipc_request(p->a.ipc, IGNORE, SPAN_NONE, NULL, 0, done, &p->a), 0);
	ipc_free(take(p->a.ipc));
	CHECK(p->a.done == 3);
	CHECK_ERR(p->a.last_err, ERR_CLOSED);
	turn(p);
}

static void test_the_forgotten_are_not_called(void **state)
{
	struct pair *p = *state;

	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN_NONE, NULL, 0, done, &p->a), 0);
	CHECK_ERR(ipc_request(p->a.ipc, ECHO, SPAN_NONE, NULL, 0, done, &p->b), 0);
	ipc_forget(p->a.ipc, &p->a);
	turn(p);
	CHECK(p->a.done == 0 && p->b.done == 1);
	CHECK(p->a.gone == 0);
}

static void test_a_handler_may_free_its_channel(void **state)
{
	struct pair *p = *state;

	CHECK_ERR(ipc_notify(p->a.ipc, FREE_ME, SPAN_NONE, NULL, 0), 0);
	CHECK_ERR(ipc_notify(p->a.ipc, ECHO, SPAN_NONE, NULL, 0), 0);
	turn(p);
	CHECK(p->b.handled == 1 && p->a.gone == 1);
}

static void test_too_many_waiting_requests_are_refused_here(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < IPC_PENDING_MAX; i++)
		CHECK_ERR(ipc_request(p->a.ipc, IGNORE, SPAN_NONE, NULL, 0, done, &p->a), 0);
	CHECK_ERR(ipc_request(p->a.ipc, IGNORE, SPAN_NONE, NULL, 0, done, &p->a), ERR_LIMIT);
}

static void test_an_answer_is_given_once(void **state)
{
	struct pair *p = *state;

	CHECK_ERR(ipc_reply(p->a.ipc, 7, 0, SPAN_NONE, NULL, 0), ERR_STATE);
}

/* ---- the other end is hostile: raw bytes on the socket ---- */

static void put_raw(int fd, const void *bytes, size_t len, const int *fds, size_t fds_len)
{
	union { struct cmsghdr align; char b[CMSG_SPACE(16 * sizeof(int))]; } control = {};
	struct iovec iov = { (void *)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fds_len) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fds_len * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(fds_len * sizeof(int)) };
		memcpy(CMSG_DATA(c), fds, fds_len * sizeof(int));
	}
	CHECK(sendmsg(fd, &msg, 0) == (ssize_t)len);
}

static const struct {
	const char *what, *hex;
	size_t pad, fds_len;
} bad_frames[] = {
	{ "one byte", "01", 0, 0 },
	{ "header cut short", "0100000100000001000000", 0, 0 },
	{ "kind 0", "000000010000000100000000", 0, 0 },
	{ "kind 4", "040000010000000100000000", 0, 0 },
	{ "a request without id", "010000010000000000000000", 0, 0 },
	{ "a request with an error", "0100000100000001ffffffff", 0, 0 },
	{ "a notice with an id", "030000010000000100000000", 0, 0 },
	{ "a reply to nothing", "020000000000000900000000", 0, 0 },
	{ "a reply with a type", "020000010000000100000000", 0, 0 },
	{ "a reply with a success for an error", "020000000000000100000001", 0, 0 },
	{ "a reply with an error outside the table", "0200000000000001ffffec00", 0, 0 },
	{ "descriptors announced, none there", "010100010000000100000000", 0, 0 },
	{ "descriptors there, none announced", "010000010000000100000000", 0, 2 },
	{ "five announced", "010500010000000100000000", 0, 0 },
	{ "ten descriptors", "010400010000000100000000", 0, 10 },
	{ "longer than the limit", "010000010000000100000000", IPC_BODY_MAX + 1, 0 },
	{ "much longer than the limit", "010000010000000100000000", IPC_BODY_MAX + 9000, 0 },
};

static void test_a_malformed_frame_ends_the_channel_and_leaks_nothing(void **state)
{
	(void)state;
	static uint8_t frame[FRAME_MAX + 9000];
	static const int many[10] = { 0, 1, 2, 0, 1, 2, 0, 1, 2, 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad_frames); i++) {
		void *s;
		setup_raw(&s);
		struct pair *p = s;
		size_t before = open_fds();
		size_t n = unhex(frame, sizeof frame, bad_frames[i].hex);

		put_raw(p->raw, frame, n + bad_frames[i].pad, many, bad_frames[i].fds_len);
		turn(p);
		if (p->a.handled || p->a.gone != 1)
			fail_msg("%s: handled %u, gone %u", bad_frames[i].what, p->a.handled, p->a.gone);
		if (open_fds() != before)
			fail_msg("%s leaks descriptors", bad_frames[i].what);
		teardown(&s);
	}
}

static void test_an_empty_datagram_is_a_hang_up(void **state)
{
	struct pair *p = *state;

	put_raw(p->raw, "", 0, NULL, 0);
	turn(p);
	CHECK(p->a.gone == 1);
}

static void test_a_flood_of_requests_ends_the_channel(void **state)
{
	struct pair *p = *state;
	uint8_t frame[FRAME_HEADER_LEN];

	for (uint32_t n = 1; n <= IPC_PENDING_MAX + 1; n++) {
		frame_write_header(frame, &(struct frame){ .kind = FRAME_REQUEST, .type = IGNORE, .id = n });
		while (send(p->raw, frame, sizeof frame, MSG_DONTWAIT) < 0)
			turn(p);
	}
	turn(p);
	CHECK(p->a.handled == IPC_PENDING_MAX && p->a.gone == 1);
}

static void test_who_does_not_read_answers_is_not_read_from(void **state)
{
	struct pair *p = *state;
	static uint8_t frame[FRAME_MAX];
	unsigned sent = 0;

	for (uint32_t n = 1; n < 200; n++) {
		frame_write_header(frame, &(struct frame){ .kind = FRAME_REQUEST, .type = ECHO, .id = n });
		for (int tries = 0; tries < 3; tries++) {
			if (send(p->raw, frame, sizeof frame, MSG_DONTWAIT) > 0) {
				sent++;
				break;
			}
			turn(p);
		}
	}
	CHECK(p->a.gone == 0);
	CHECK(sent < IPC_QUEUE_MAX / IPC_BODY_MAX);     /* every answer fitted */
}

/* ---- without a loop ---- */

static void test_a_blocking_call_gets_its_answer_and_its_error(void **state)
{
	(void)state;
	_cleanup_free_ struct ipc_area *area = malloc(sizeof *area);
	_cleanup_buf_ struct buf out = {};
	struct ipc_message m;
	int fds[2];

	CHECK_ERR(ipc_pair(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		while (ipc_wait(fds[1], -1, area, &m) >= 0) {
			/* A late answer to somebody else's call must not be taken for ours. */
			if (ipc_answer(fds[1], m.id + 1000, 0, SPAN_STR("stale")) < 0 ||
			    ipc_answer(fds[1], m.id, m.type == ECHO ? 0 : ERR_DENIED, m.body) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	CHECK_ERR(ipc_call(fds[0], ECHO, SPAN_STR("ping"), &out), 0);
	assert_string_equal(buf_str(&out), "ping");
	CHECK_ERR(ipc_call(fds[0], TAKE, SPAN_STR("ping"), &out), ERR_DENIED);
	assert_string_equal(buf_str(&out), "ping");
	close(fds[0]);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void test_waiting_ends_by_time_and_by_hang_up(void **state)
{
	(void)state;
	_cleanup_free_ struct ipc_area *area = malloc(sizeof *area);
	struct ipc_message m;
	int fds[2];

	CHECK_ERR(ipc_pair(fds), 0);
	CHECK_ERR(ipc_wait(fds[0], 20, area, &m), ERR_TIMEOUT);
	CHECK_ERR(ipc_tell(fds[1], 9, SPAN_STR("b"), &fds[1], 1), 0);
	CHECK_ERR(ipc_wait(fds[0], 20, area, &m), 0);
	CHECK(m.type == 9 && m.id == 0 && m.fds_len == 1 && span_is(m.body, "b"));
	ipc_message_done(&m);
	close(fds[1]);
	CHECK_ERR(ipc_wait(fds[0], -1, area, &m), ERR_CLOSED);
	CHECK_ERR(ipc_call(fds[0], ECHO, SPAN_NONE, NULL), ERR_CLOSED);
	close(fds[0]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define R(f) cmocka_unit_test_setup_teardown(f, setup_raw, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_request_comes_back_with_its_body),
		T(test_the_other_sides_error_arrives),
		T(test_descriptors_travel_and_are_close_on_exec),
		T(test_descriptors_that_nobody_takes_are_closed),
		T(test_queued_descriptors_are_closed_with_the_channel),
		T(test_a_full_queue_says_so_and_loses_nothing_accepted),
		T(test_a_body_that_is_too_long_is_not_sent),
		T(test_death_of_the_peer_ends_every_request),
		T(test_freeing_ends_every_request),
		T(test_the_forgotten_are_not_called),
		T(test_a_handler_may_free_its_channel),
		T(test_too_many_waiting_requests_are_refused_here),
		T(test_an_answer_is_given_once),
		cmocka_unit_test(test_a_malformed_frame_ends_the_channel_and_leaks_nothing),
		R(test_an_empty_datagram_is_a_hang_up),
		R(test_a_flood_of_requests_ends_the_channel),
		R(test_who_does_not_read_answers_is_not_read_from),
		cmocka_unit_test(test_a_blocking_call_gets_its_answer_and_its_error),
		cmocka_unit_test(test_waiting_ends_by_time_and_by_hang_up),
	};
	return RUN_TESTS(tests);
}
