/* stream: JSON values from standard input become messages, messages become JSON lines. */
#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/inlet.h"
#include "cli/outlet.h"
#include "service/service.h"
#include "wire/json.h"

struct talk {
	struct cli *cli;
	struct session session;
	struct stream *stream;
	struct inlet in;
	struct outlet out;
	struct buf value;               /* what of a JSON value has come */
	bool multiline, end_due;
	const char *path;
	unsigned answer;
	char error[256];
	int code;                       /* of the last message with error.code */
};

static void stop(struct talk *t, int status) { session_stop(&t->session, status); }

/* ---- messages to lines ---- */

static void note_error_code(struct talk *t, struct span m)
{
	struct cbor error = cbor_map_find(m, "error");

	if (cbor_peek(&error) != CBOR_MAP)
		return;
	struct cbor code = cbor_map_find(cbor_skip(&error), "code");
	if (cbor_peek(&code) == CBOR_UINT || cbor_peek(&code) == CBOR_NEGINT) {
		int64_t v = cbor_int(&code);
		t->code = v >= 0 && v <= 255 ? (int)v : CLI_FAILED;
	}
}

static void on_message(void *userdata, struct stream *s, struct span m)
{
	struct talk *t = userdata;
	_cleanup_buf_ struct buf line = {};
	struct json json = JSON(&line);

	if (json_from_cbor(&json, m) < 0)
		json_hex(&json, m);     /* not ours to read: bytes as hex text */
	else
		note_error_code(t, m);
	buf_add_str(&line, "\n");
	if (outlet_write(&t->out, s, buf_span(&line)) < 0)
		stop(t, cli_write_failed(t->out.err));
}

static void on_headers(void *userdata, struct stream *, const struct headers *h)
{
	struct talk *t = userdata;
	struct span error = headers_text(h, ":error");

	t->answer = (unsigned)headers_uint(h, ":status", 0);
	snprintf(t->error, sizeof t->error, "%.*s", (int)MIN(error.len, sizeof t->error - 1), (const char *)error.data ?: "");
}

static void on_end(void *, struct stream *s) { stream_end(s); }

static void on_closed(void *userdata, struct stream *s, int err)
{
	struct talk *t = userdata;

	t->stream = NULL;
	outlet_forget_stream(&t->out, s);
	if (t->answer >= 300)
		stop(t, ask_refusal(&t->session, t->path, t->answer, t->error));
	else if (err < 0 && !session_tells(&t->session, err))
		stop(t, cli_fail(cli_status_of(err), "%s: %s: %s", t->session.called, t->path, err_text(err)));
	else if (!err)
		stop(t, t->code);
}

/* ---- values to messages ---- */

static int send_value(struct talk *t, struct span text)
{
	_cleanup_buf_ struct buf m = { .max = STREAM_MESSAGE_MAX };
	size_t at = 0;
	int err = json_to_cbor(&m, text, &at);

	return err < 0 ? err : stream_send(t->stream, buf_span(&m));
}

static bool blank(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isspace(s.data[i]))
			return false;
	return true;
}

/* Is the JSON text so far still open: inside a string, or of brackets? */
static bool is_open(struct span s)
{
	bool in_string = false, escaped = false;
	long depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t ch = s.data[i];

		if (in_string) {
			if (!escaped && ch == '"')
				in_string = false;
			escaped = !escaped && ch == '\\';
		} else if (ch == '"') {
			in_string = true;
		} else if (ch == '{' || ch == '[') {
			depth++;
		} else if (ch == '}' || ch == ']') {
			depth--;
		}
	}
	return in_string || depth > 0;
}

/* One line more. ERR_AGAIN: not taken, the stream is full. */
static int add_line(struct talk *t, struct span line)
{
	size_t before = t->value.len;

	if (!t->stream)
		return 0;
	buf_add_span(&t->value, line);
	if (buf_err(&t->value) < 0)
		return buf_err(&t->value);
	if (blank(buf_span(&t->value))) {
		t->value.len = 0;
		return 0;
	}
	if (t->multiline && is_open(buf_span(&t->value)))
		return 0;
	int err = send_value(t, buf_span(&t->value));
	t->value.len = err == ERR_AGAIN ? before : 0;
	return MIN(err, 0);
}

static int take_input(void *userdata, struct span data)
{
	struct talk *t = userdata;
	size_t taken = 0;

	while (data.len) {
		const uint8_t *nl = memchr(data.data, '\n', data.len);
		size_t n = nl ? (size_t)(nl - data.data) + 1 : data.len;
		int err;

		if (!nl) {
			if (data.len > STREAM_MESSAGE_MAX * 4)
				err = ERR_LIMIT;
			else
				break;  /* stays with the inlet until the line is whole */
		} else {
			err = add_line(t, SPAN(data.data, n));
		}
		if (err == ERR_AGAIN)
			break;
		if (err < 0) {
			stop(t, cli_fail(CLI_USAGE, "standard input is not JSON: %s", err_text(err)));
			return (int)(taken + data.len);
		}
		taken += n;
		data = span_from(data, n);
	}
	return taken ? (int)taken : ERR_AGAIN;
}

static void end_input(void *userdata)
{
	struct talk *t = userdata;

	if (!t->stream)
		return;
	int err = t->in.held.len ? add_line(t, buf_span(&t->in.held)) : 0;
	if (err >= 0 && t->value.len)
		err = send_value(t, buf_span(&t->value));
	t->end_due = err == ERR_AGAIN;
	if (t->end_due)
		return;
	if (err < 0)
		stop(t, cli_fail(CLI_USAGE, "standard input is not JSON: %s", err_text(err)));
	else
		stream_end(t->stream);
}

static void on_writable(void *userdata, struct stream *)
{
	struct talk *t = userdata;

	if (t->end_due)
		end_input(t);
	else
		inlet_resume(&t->in);
}

/* ---- opening ---- */

static int put_pairs(struct cli *c, const char *option, struct cbor_map *m)
{
	const char *pair;

	for (size_t i = 0; (pair = cli_option_at(c, option, i)); i++) {
		size_t n = strcspn(pair, "=");

		if (!cbor_map_has(m, SPAN(pair, n)))
			cbor_put_str(cbor_map_key_span(m, SPAN(pair, n)), pair + n + 1);
	}
	return 0;
}

static int send_arguments(struct talk *t)
{
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	if (!cli_option(t->cli, "args"))
		return 0;
	cbor_map_begin(&m, &b);
	put_pairs(t->cli, "args", &m);
	cbor_map_end(&m);
	return buf_err(&b) < 0 ? buf_err(&b) : stream_send(t->stream, buf_span(&b));
}

static void up(void *userdata, struct session *s)
{
	static const struct stream_handler handler = {
		.headers = on_headers, .message = on_message, .end = on_end, .writable = on_writable, .closed = on_closed,
	};
	struct talk *t = userdata;
	_cleanup_buf_ struct buf b = {};
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	cbor_map_str(&m, ":path", t->path);
	put_pairs(t->cli, "header", &m);
	cbor_map_end(&m);
	int err = buf_err(&b);
	if (err >= 0)
		err = stream_open(peer_streams(s->peer), buf_span(&b), false, &handler, t, &t->stream);
	if (err >= 0)
		err = send_arguments(t);
	t->in.give = take_input;
	t->in.end = end_input;
	t->in.userdata = t;
	if (err >= 0)
		err = inlet_open(&t->in, s->loop, STDIN_FILENO);
	if (err < 0)
		stop(t, cli_fail(CLI_FAILED, "%s", err_text(err)));
}

int cmd_stream(struct cli *c)
{
	static const struct session_ops ops = { .up = up };
	const char *word = c->argv[1], *multi = cli_option(c, "multiline-json");
	struct talk t = { .cli = c, .path = word[0] == '/' ? word : service_path_of(word),
			  .multiline = !multi || strcmp(multi, "false") };
	int status;

	if (!t.path)
		return cli_usage(c, "stream: \"%s\" is no path (it begins with '/') and no short name", word);
	status = session_open(&t.session, c);
	if (!status) {
		outlet_open(&t.out, t.session.loop, STDOUT_FILENO);
		status = session_dial(&t.session, c->argv[0], &ops, &t);
	}
	if (!status)
		status = session_run(&t.session);
	inlet_close(&t.in);
	if (t.stream)
		stream_abandon(take(t.stream));
	(void)!outlet_finish(&t.out);
	session_done(&t.session);
	buf_done(&t.value);
	return status;
}
