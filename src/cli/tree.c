#include "cli/tree.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "stream/headers.h"
#include "wire/json.h"

enum { TYPE_MAX = 64, FIELDS_MAX = 64 };

struct tree {
	struct buf *out;
	enum tree_style style;
	int depth;
};

static const struct {
	const char *type, *fields;
} orders[] = {
	{ "DiscoveryResponse", "carrier_revision carrier_build_id application application_version paths" },
	{ "Sysinfo", "uname mem load firmware board fs netdev" },
	{ "Uname", "sysname nodename release version machine" },
	{ "Mem", "total free available swap_total swap_free" },
	{ "Load", "avg1 avg5 avg15 clock uptime idletime running procs cores threads" },
	{ "Firmware", "name id version pretty build" },
	{ "Board", "model vendor name" },
	{ "Fs", "device mount type total free available" },
	{ "Netdev", "name mac mtu up state speed duplex addrs" },
	{ "NetAddress", "addr prefix broadcast" },
};

static const struct {
	const char *key, *type;
} types[] = { { "addrs", "NetAddress" } };

static void put_value(struct tree *t, struct span value, const char *key);

static void indent(struct tree *t) { buf_printf(t->out, "%*s", t->depth * 4, ""); }

/* "mem" -> "Mem" */
static void type_of(char out[static TYPE_MAX], const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i].key, key))
			key = types[i].type;
	snprintf(out, TYPE_MAX, "%s", key);
	out[0] = (char)toupper((unsigned char)out[0]);
}

/* ---- fields ---- */

/* Both books write a mask where our devices send the length of the prefix. */
static void put_mask(struct tree *t, struct span map, struct span value)
{
	struct cbor prefix = CBOR(value), addr = cbor_map_find(map, "addr");
	uint64_t bits = cbor_uint(&prefix);
	struct span text = cbor_text(&addr);
	char shown[INET_ADDRSTRLEN];

	if (prefix.err || memchr(text.data ?: (const uint8_t *)"", ':', text.len) || bits > 32) {
		buf_printf(t->out, "mask: \"/%u\",\n", (unsigned)bits);
		return;
	}
	struct in_addr mask = { htonl(bits ? UINT32_MAX << (32 - bits) : 0) };
	inet_ntop(AF_INET, &mask, shown, sizeof shown);
	buf_printf(t->out, "mask: \"%s\",\n", shown);
}

static void put_field(struct tree *t, const char *type, struct span map, const char *key, struct span value)
{
	bool net_address = !strcmp(type, "NetAddress"), netdev = !strcmp(type, "Netdev");
	struct cbor c = CBOR(value);

	indent(t);
	if (net_address && !strcmp(key, "prefix")) {
		put_mask(t, map, value);
		return;
	}
	buf_printf(t->out, "%s: ", netdev && t->style == TREE_GENERATION_1 && !strcmp(key, "mac") ? "macaddr" : key);
	if (cbor_peek(&c) == CBOR_MAP && t->style == TREE_GENERATION_2) {
		buf_add_str(t->out, "Some(\n");
		t->depth++;
		indent(t);
		put_value(t, value, key);
		buf_add_str(t->out, ",\n");
		t->depth--;
		indent(t);
		buf_add_str(t->out, "),\n");
		return;
	}
	put_value(t, value, key);
	buf_add_str(t->out, ",\n");
}

static const char *order_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		if (!strcmp(orders[i].type, type))
			return orders[i].fields;
	return "";
}

static bool listed(const char *fields, struct span key)
{
	for (const char *p = fields; *p; ) {
		size_t n = strcspn(p, " ");

		if (n == key.len && !memcmp(p, key.data, n))
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

static void put_known(struct tree *t, const char *type, struct span map, const char *fields)
{
	char key[TYPE_MAX];

	for (const char *p = fields; *p; ) {
		size_t n = strcspn(p, " ");

		snprintf(key, sizeof key, "%.*s", (int)n, p);
		struct cbor c = cbor_map_find(map, key);
		if (c.in.len) {
			struct span value = cbor_skip(&c);
			put_field(t, type, map, key, value);
		}
		p += n + (p[n] == ' ');
	}
}

static void put_others(struct tree *t, const char *type, struct span map, const char *fields)
{
	struct cbor c = CBOR(map);
	struct span last = SPAN_NONE;
	size_t n = cbor_map(&c, CBOR_MAP_ENTRIES_MAX);
	char name[TYPE_MAX];

	while (n-- && !c.err) {
		struct span key = cbor_key(&c, &last), value = cbor_skip(&c);

		if (c.err || listed(fields, key) || key.len >= sizeof name)
			continue;
		memcpy(name, key.data, key.len);
		name[key.len] = 0;
		put_field(t, type, map, name, value);
	}
}

static void put_struct(struct tree *t, struct span map, const char *type)
{
	const char *fields = order_of(type);

	buf_printf(t->out, "%s {\n", type);
	t->depth++;
	put_known(t, type, map, fields);
	put_others(t, type, map, fields);
	t->depth--;
	indent(t);
	buf_add_str(t->out, "}");
}

static void put_list(struct tree *t, struct span list, const char *key)
{
	struct cbor c = CBOR(list);
	size_t n = cbor_array(&c, SIZE_MAX);

	if (!n) {
		buf_add_str(t->out, "[]");
		return;
	}
	buf_add_str(t->out, "[\n");
	t->depth++;
	while (n-- && !c.err) {
		struct span item = cbor_skip(&c);

		if (c.err)
			break;
		indent(t);
		put_value(t, item, key);
		buf_add_str(t->out, ",\n");
	}
	t->depth--;
	indent(t);
	buf_add_str(t->out, "]");
}

static void put_value(struct tree *t, struct span value, const char *key)
{
	struct json json = JSON(t->out);
	struct cbor c = CBOR(value);
	char type[TYPE_MAX];

	switch (cbor_peek(&c)) {
	case CBOR_MAP:
		type_of(type, key);
		put_struct(t, value, type);
		break;
	case CBOR_ARRAY:
		put_list(t, value, key);
		break;
	default:        /* texts are quoted and escaped as in JSON */
		if (json_from_cbor(&json, value) < 0)
			buf_add_str(t->out, "?");
	}
}

int tree_print(struct buf *out, struct span map, const char *type, enum tree_style style)
{
	struct tree t = { .out = out, .style = style };
	struct cbor c = CBOR(map);
	int err = cbor_validate(map);

	if (err < 0)
		return err;
	if (cbor_peek(&c) != CBOR_MAP)
		return ERR_TYPE;
	put_struct(&t, map, type);
	buf_add_str(out, "\n");
	return buf_err(out);
}

void tree_print_headers(struct buf *out, const struct headers *h)
{
	struct json json = JSON(out);
	struct span key, value;

	buf_add_str(out, "[");
	for (size_t i = 0; headers_at(h, i, &key, &value); i++) {
		struct cbor c = CBOR(value);

		buf_printf(out, "%.*s = ", (int)key.len, (const char *)key.data);
		if (cbor_peek(&c) == CBOR_TEXT) {
			struct span text = cbor_text(&c);
			for (size_t k = 0; k < text.len; k++)
				buf_add_u8(out, text.data[k] < 0x20 || text.data[k] == 0x7f ? '?' : text.data[k]);
		} else if (json_from_cbor(&json, value) < 0) {
			buf_add_str(out, "?");
		}
		buf_add_str(out, ", ");
	}
	buf_add_str(out, "]");
}
