/* get, disco, sysinfo: one question, its answer in the shape of the spelling. */
#include <string.h>

#include "base/err.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/outlet.h"
#include "cli/tree.h"
#include "service/service.h"
#include "wire/json.h"

enum shape {
	SHAPE_TREE_1,           /* header line and tree */
	SHAPE_TREE_DISCO,       /* the tree alone */
	SHAPE_TREE_2,           /* with Some(...) */
	SHAPE_OBJECT,           /* indented JSON */
	SHAPE_BODY,             /* any path: JSON lines, bytes where they are not CBOR */
	SHAPE_RAW, SHAPE_HEX,
	SHAPE_JSON,             /* one object a line, with "schema" */
};

struct get {
	struct cli *cli;
	enum shape shape;
	const char *type;
	struct outlet out;
	bool opened;
	uint64_t offset;        /* of the hex dump */
	int status;
};

/* ---- printing ---- */

static void hex_dump(struct buf *out, struct span m, uint64_t *offset)
{
	enum { ROW = 16 };

	for (; m.len; m = span_from(m, ROW)) {
		size_t n = MIN(m.len, (size_t)ROW);

		buf_printf(out, "%08llx ", (unsigned long long)*offset);
		for (size_t i = 0; i < ROW; i++)
			i < n ? buf_printf(out, "%s%02x", i == ROW / 2 ? "  " : " ", m.data[i])
			      : buf_printf(out, "%s  ", i == ROW / 2 ? "  " : " ");
		buf_add_str(out, "  |");
		for (size_t i = 0; i < n; i++)
			buf_add_u8(out, m.data[i] >= 0x20 && m.data[i] < 0x7f ? m.data[i] : '.');
		buf_add_str(out, "|\n");
		*offset += n;
	}
}

/* {"schema":1, ...} for a map, {"schema":1,"value": ...} for anything else. */
static int print_object(struct buf *out, struct span m)
{
	struct json json = JSON(out);
	struct span last = SPAN_NONE;
	struct cbor c = CBOR(m);
	int err = cbor_validate(m);

	json_object(&json);
	json_key(&json, "schema");
	json_uint(&json, CLI_SCHEMA);
	if (err < 0) {
		json_key(&json, "bytes");
		json_hex(&json, m);
	} else if (cbor_peek(&c) != CBOR_MAP) {
		json_key(&json, "value");
		err = json_from_cbor(&json, m);
	} else {
		for (size_t n = cbor_map(&c, CBOR_MAP_ENTRIES_MAX); n-- && !c.err; ) {
			json_key_span(&json, cbor_key(&c, &last));
			if (!c.err)
				err = json_from_cbor(&json, cbor_skip(&c));
		}
	}
	json_close(&json, '}');
	buf_add_str(out, "\n");
	return 0;
}

static int print_indented(struct buf *out, struct span m, int spaces)
{
	struct json json = JSON(out);

	json.indent = spaces;
	int err = json_from_cbor(&json, m);
	if (err >= 0)
		buf_add_str(out, "\n");
	return err;
}

static int format(struct get *g, struct buf *out, struct span m)
{
	switch (g->shape) {
	case SHAPE_TREE_1:
	case SHAPE_TREE_DISCO:
		return tree_print(out, m, g->type, TREE_GENERATION_1);
	case SHAPE_TREE_2:
		return tree_print(out, m, g->type, TREE_GENERATION_2);
	case SHAPE_OBJECT:
		return print_indented(out, m, 2);
	case SHAPE_HEX:
		hex_dump(out, m, &g->offset);
		return 0;
	case SHAPE_JSON:
		return print_object(out, m);
	case SHAPE_BODY:
		if (print_indented(out, m, 0) >= 0)
			return 0;
		break;
	case SHAPE_RAW:
		break;
	}
	buf_add_span(out, m);
	return 0;
}

static void on_message(void *userdata, struct ask *a, struct span m)
{
	struct get *g = userdata;
	_cleanup_buf_ struct buf b = {};

	if (!g->opened)
		outlet_open(&g->out, ask_session(a)->loop, STDOUT_FILENO);
	g->opened = true;
	int err = format(g, &b, m);
	if (err < 0)
		ask_stop(a, cli_fail(CLI_FAILED, "%s: the answer cannot be read: %s", ask_session(a)->called, err_text(err)));
	else if (outlet_write(&g->out, ask_stream(a), buf_span(&b)) < 0)
		ask_stop(a, cli_write_failed(g->out.err));
}

/* On stdout only where generation 1 has it there, before a tree; with a raw body on stderr. */
static void on_headers(void *userdata, const struct headers *h)
{
	struct get *g = userdata;
	_cleanup_buf_ struct buf b = {};

	tree_print_headers(&b, h);
	if (g->shape == SHAPE_TREE_1) {
		puts(buf_str(&b));
		fflush(stdout);
	} else if ((g->shape == SHAPE_BODY || g->shape == SHAPE_RAW || g->shape == SHAPE_HEX) && !cli_quiet(g->cli)) {
		fprintf(stderr, "%s\n", buf_str(&b));
	}
}

/* ---- asking ---- */

/* Text headers of -H, beside :path and :method. */
static int put_request(struct cli *c, struct buf *out, const char *path, const char *method)
{
	struct cbor_map m;
	const char *pair;

	cbor_map_begin(&m, out);
	cbor_map_str(&m, ":path", path);
	if (method)
		cbor_map_str(&m, ":method", method);
	for (size_t i = 0; (pair = cli_option_at(c, "header", i)); i++) {
		size_t n = strcspn(pair, "=");

		if (cbor_map_has(&m, SPAN(pair, n)))
			continue;
		cbor_put_str(cbor_map_key_span(&m, SPAN(pair, n)), pair + n + 1);
	}
	cbor_map_end(&m);
	return buf_err(out) ?: out->len > HEADERS_LEN_MAX ? ERR_LIMIT : 0;
}

static int run(struct cli *c, const char *target, const char *path, const char *method, enum shape shape, const char *type)
{
	static const struct ask_ops ops = { .headers = on_headers, .message = on_message };
	struct get g = { .cli = c, .shape = shape, .type = type };
	_cleanup_buf_ struct buf block = {};
	int err = put_request(c, &block, path, method);

	if (err < 0)
		return cli_usage(c, "the headers cannot be sent: %s", err_text(err));
	int status = ask_run(c, target, path, buf_span(&block), &ops, &g);
	if (g.opened && outlet_finish(&g.out) < 0 && !status)
		status = cli_write_failed(g.out.err);
	return status;
}

int cmd_disco(struct cli *c)
{
	return run(c, c->argv[0], service_path_of("disco"), "GET", cli_json(c) ? SHAPE_JSON : SHAPE_TREE_DISCO,
		   "DiscoveryResponse");
}

int cmd_sysinfo(struct cli *c)
{
	return run(c, c->argv[0], service_path_of("sysinfo"), "GET", cli_json(c) ? SHAPE_JSON : SHAPE_TREE_1, "Sysinfo");
}

/* ---- get TARGET PATH, get PATH TARGET ---- */

static bool is_path(const char *s) { return s[0] == '/'; }

/* Words that can never be names (carrier.toml(5)), and what they stand for here. */
static const char *noun_path(const char *word)
{
	if (!strcmp(word, "discovery"))
		word = "disco";
	return !strcmp(word, "disco") || !strcmp(word, "sysinfo") ? service_path_of(word) : NULL;
}

/* False: neither is a path. */
static bool split(const char *a, const char *b, const char **ret_path, const char **ret_target)
{
	bool first = is_path(a) || noun_path(a) || (!is_path(b) && !noun_path(b) && !service_path_of(b));
	const char *word = first ? a : b;

	*ret_target = first ? b : a;
	*ret_path = is_path(word) ? word : noun_path(word) ?: service_path_of(word);
	return *ret_path;
}

static enum shape shape_of(const struct cli *c, bool by_noun, const char *noun)
{
	if (cli_json(c))
		return SHAPE_JSON;
	if (cli_flag(c, "raw"))
		return SHAPE_RAW;
	if (cli_flag(c, "hex"))
		return SHAPE_HEX;
	if (!by_noun)
		return SHAPE_BODY;
	return strcmp(noun, "sysinfo") ? SHAPE_OBJECT : SHAPE_TREE_2;
}

int cmd_get(struct cli *c)
{
	const char *path, *target, *method = cli_option(c, "method");
	bool by_noun = noun_path(c->argv[0]);

	if (!strcmp(c->argv[0], "sensors") || !strcmp(c->argv[0], "trace"))
		return cli_fail(CLI_UNAVAILABLE, "get %s: no device of this generation answers that", c->argv[0]);
	if (!split(c->argv[0], c->argv[1], &path, &target))
		return cli_usage(c, "get: neither \"%s\" nor \"%s\" is a path (it begins with '/') or a short name",
				 c->argv[0], c->argv[1]);
	/* the built-in questions want their method said */
	if (!method && session_early(path))
		method = "GET";
	return run(c, target, path, method, shape_of(c, by_noun, c->argv[0]), "Sysinfo");
}
