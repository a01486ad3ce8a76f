#include "wire/json.h"

#include "wire/utf8.h"

static void new_line(struct json *j)
{
	size_t n = (size_t)j->indent * (size_t)j->depth;

	if (!j->indent)
		return;
	buf_add_u8(j->out, '\n');

	uint8_t *p = buf_reserve(j->out, n);
	if (!p)
		return;
	memset(p, ' ', n);
	buf_added(j->out, n);
}

/* What stands in front of a value, or of a key. */
static void separate(struct json *j)
{
	if (!j->keyed && j->depth) {
		if (j->comma)
			buf_add_u8(j->out, ',');
		new_line(j);
	}
	j->keyed = false;
	j->comma = true;
}

static void put(struct json *j, const char *word)
{
	separate(j);
	buf_add_str(j->out, word);
}

static void open_bracket(struct json *j, const char *bracket)
{
	put(j, bracket);
	j->depth++;
	j->comma = false;
}

void json_object(struct json *j) { open_bracket(j, "{"); }
void json_array(struct json *j) { open_bracket(j, "["); }

void json_close(struct json *j, char bracket)
{
	bool filled = j->comma;

	j->depth--;
	if (filled)
		new_line(j);
	buf_add_u8(j->out, (uint8_t)bracket);
	j->comma = true;
}

/* Control characters are C0, DEL and C1: the output may go to a terminal. */
static bool is_plain(struct span s, size_t len)
{
	if (len == 1)
		return s.data[0] >= 0x20 && s.data[0] != 0x7f && s.data[0] != '"' && s.data[0] != '\\';
	return len > 2 || s.data[0] != 0xc2 || s.data[1] >= 0xa0;
}

static void put_escape(struct buf *out, struct span s, size_t len)
{
	static const char letters[] = "\"\\\b\f\n\r\t", escapes[] = "\"\\bfnrt";
	const char *at = s.data[0] ? strchr(letters, s.data[0]) : NULL;

	if (!len)
		buf_add_str(out, "\xef\xbf\xbd");
	else if (at)
		buf_printf(out, "\\%c", escapes[at - letters]);
	else
		buf_printf(out, "\\u%04x", s.data[len - 1]);    /* of a C1 the second byte is the code point */
}

static void put_text(struct json *j, struct span s)
{
	buf_add_u8(j->out, '"');
	while (s.len) {
		size_t run = 0, n = 0;

		while (run < s.len) {
			n = utf8_next(span_from(s, run));
			if (!n || !is_plain(span_from(s, run), n))
				break;
			run += n;
		}
		buf_add(j->out, s.data, run);
		s = span_from(s, run);
		if (s.len) {
			put_escape(j->out, s, n);
			s = span_from(s, n ?: 1);
		}
	}
	buf_add_u8(j->out, '"');
}

void json_key_span(struct json *j, struct span key)
{
	separate(j);
	put_text(j, key);
	buf_add_str(j->out, j->indent ? ": " : ":");
	j->keyed = true;
}

void json_key(struct json *j, const char *key) { json_key_span(j, SPAN_STR(key)); }

void json_text(struct json *j, struct span s)
{
	separate(j);
	put_text(j, s);
}

void json_str(struct json *j, const char *s)
{
	if (s)
		json_text(j, SPAN_STR(s));
	else
		json_null(j);
}

void json_hex(struct json *j, struct span s)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *p;

	separate(j);
	buf_add_u8(j->out, '"');
	p = buf_reserve(j->out, s.len > SIZE_MAX / 2 ? SIZE_MAX : 2 * s.len);
	for (size_t i = 0; p && i < s.len; i++) {
		*p++ = (uint8_t)digits[s.data[i] >> 4];
		*p++ = (uint8_t)digits[s.data[i] & 15];
	}
	if (p)
		buf_added(j->out, 2 * s.len);
	buf_add_u8(j->out, '"');
}

void json_raw(struct json *j, struct span value)
{
	separate(j);
	buf_add_span(j->out, value);
}

void json_uint(struct json *j, uint64_t v)
{
	separate(j);
	buf_printf(j->out, "%llu", (unsigned long long)v);
}

void json_int(struct json *j, int64_t v)
{
	separate(j);
	buf_printf(j->out, "%lld", (long long)v);
}

void json_bool(struct json *j, bool v) { put(j, v ? "true" : "false"); }
void json_null(struct json *j) { put(j, "null"); }
