/* Asks a device that runs publisher.c who it is, and prints the answer:
 *
 *     cc whodis.c $(pkg-config --cflags --libs libcarrier) -o whodis
 *     ./whodis TARGET [CONFIG]
 *
 * Its loop is poll(2): put your own descriptors beside the library's. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <carrier/carrier.h>

enum { RUNNING = -1 };
static int status = RUNNING;

static void on_headers(void *userdata, carrier_stream *s, const carrier_headers *h)
{
	uint64_t answer = 0;

	(void)userdata;
	(void)s;
	if (carrier_headers_get_uint(h, ":status", &answer) < 0 || answer != 200) {
		fprintf(stderr, "whodis: the answer is %d\n", (int)answer);
		status = 1;
	}
}

static void on_message(void *userdata, carrier_stream *s, const void *data, size_t len)
{
	(void)userdata;
	(void)s;
	fwrite(data, 1, len, stdout);
}

static void on_stream_closed(void *userdata, carrier_stream *s, int err)
{
	(void)userdata;
	(void)s;
	if (err < 0)
		fprintf(stderr, "whodis: %s\n", carrier_strerror(err));
	if (status == RUNNING)
		status = err < 0;
}

static void on_up(void *userdata, carrier_peer *p)
{
	carrier_stream_callbacks cb = { .size = sizeof cb, .headers = on_headers, .message = on_message,
					.closed = on_stream_closed };
	carrier_stream *s;

	if (carrier_stream_open(p, "/v2/myorg.mything.v1/whodis", NULL, &cb, userdata, &s) < 0 ||
	    carrier_stream_end(s) < 0)
		status = 1;
}

static void on_peer_closed(void *userdata, carrier_peer *p, int err, const char *detail)
{
	(void)userdata;
	(void)p;
	fprintf(stderr, "whodis: %s %s\n", carrier_strerror(err), detail);
	status = 1;
}

int main(int argc, char **argv)
{
	char detail[512] = "";
	carrier_options o = { .size = sizeof o, .config = argc > 2 ? argv[2] : NULL, .detail = detail,
			      .detail_size = sizeof detail };
	carrier_peer_callbacks cb = { .size = sizeof cb, .up = on_up, .closed = on_peer_closed };
	carrier_peer *peer;
	carrier *c = NULL;

	if (argc < 2) {
		fprintf(stderr, "usage: whodis TARGET [CONFIG]\n");
		return 2;
	}
	int err = carrier_open(&o, &c);
	if (err >= 0)
		err = carrier_connect(c, argv[1], &cb, NULL, &peer);
	while (err >= 0 && status == RUNNING) {
		struct pollfd fd = { .fd = carrier_fd(c), .events = POLLIN };
		if (poll(&fd, 1, -1) >= 0)
			err = carrier_dispatch(c, 0);
	}
	if (err < 0)
		fprintf(stderr, "whodis: %s: %s\n", carrier_strerror(err), c ? carrier_detail(c) : detail);
	carrier_close(c);
	return err < 0 ? EXIT_FAILURE : status;
}
