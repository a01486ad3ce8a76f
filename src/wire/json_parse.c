#include "wire/json.h"

#include "base/err.h"
#include "wire/cbor_head.h"
#include "wire/utf8.h"

struct parser {
	struct span text;
	size_t at;              /* on failure: where */
	int depth;
	struct buf *out;
	struct buf word;        /* a string with its escapes undone */
};

/* The next byte, 0 at the end: JSON has no use for a NUL either. */
static uint8_t next(const struct parser *p)
{
	return p->at < p->text.len ? p->text.data[p->at] : 0;
}

static void skip_space(struct parser *p)
{
	for (;; p->at++) {
		uint8_t c = next(p);

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return;
	}
}

static bool accept(struct parser *p, uint8_t c)
{
	if (next(p) != c)
		return false;
	p->at++;
	return true;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static int hex4(struct parser *p, uint32_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++, p->at++) {
		uint8_t c = next(p), low = c | 0x20;

		if (is_digit(c))
			v = v << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (uint32_t)(low - 'a' + 10);
		else
			return ERR_PARSE;
	}
	*ret = v;
	return 0;
}

static void add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_add_u8(b, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		buf_add_u8(b, (uint8_t)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_add_u8(b, (uint8_t)(0xe0 | c >> 12));
		} else {
			buf_add_u8(b, (uint8_t)(0xf0 | c >> 18));
			buf_add_u8(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_add_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_add_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
}

/* After "\u": four digits, or a pair of surrogates. */
static int parse_code_point(struct parser *p)
{
	uint32_t c, low;
	int err = hex4(p, &c);

	if (err < 0)
		return err;
	if (c >= 0xdc00 && c < 0xe000)
		return ERR_PARSE;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!accept(p, '\\') || !accept(p, 'u'))
			return ERR_PARSE;
		err = hex4(p, &low);
		if (err < 0)
			return err;
		if (low < 0xdc00 || low >= 0xe000)
			return ERR_PARSE;
		c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
	}
	add_utf8(&p->word, c);
	return 0;
}

static int parse_escape(struct parser *p)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	uint8_t c;

	p->at++;        /* the backslash */
	c = next(p);
	if (c == 'u') {
		p->at++;
		return parse_code_point(p);
	}

	const char *letter = c ? strchr(letters, c) : NULL;
	if (!letter)
		return ERR_PARSE;
	p->at++;
	buf_add_u8(&p->word, (uint8_t)meanings[letter - letters]);
	return 0;
}

/* Up to the next quote or backslash. */
static int plain_run(struct parser *p, struct span *ret)
{
	size_t from = p->at;

	for (;;) {
		uint8_t c = next(p);
		size_t n;

		if (c == '"' || c == '\\')
			break;
		if (c < 0x20)
			return ERR_PARSE;
		n = utf8_next(span_from(p->text, p->at));
		if (!n)
			return ERR_PARSE;
		p->at += n;
	}
	*ret = SPAN(p->text.data + from, p->at - from);
	return 0;
}

/* The string is borrowed from the text, or from p->word where it has escapes:
 * valid until the next one. */
static int parse_string(struct parser *p, struct span *ret)
{
	struct span run = SPAN_NONE;
	bool escaped = false;

	if (!accept(p, '"'))
		return ERR_PARSE;
	p->word.len = 0;
	for (;;) {
		int err = plain_run(p, &run);

		if (err < 0)
			return err;
		if (accept(p, '"'))
			break;
		buf_add_span(&p->word, run);
		escaped = true;
		err = parse_escape(p);
		if (err < 0)
			return err;
	}
	if (escaped)
		buf_add_span(&p->word, run);
	*ret = escaped ? buf_span(&p->word) : run;
	return buf_err(&p->word);
}

static int put_number(struct buf *out, bool negative, struct span digits)
{
	uint64_t v = 0;

	for (size_t i = 0; i < digits.len; i++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(digits.data[i] - '0'), &v))
			return ERR_LIMIT;
	if (!negative) {
		cbor_put_uint(out, v);
		return 0;
	}
	if (v > (uint64_t)INT64_MAX + 1)
		return ERR_LIMIT;
	cbor_put_int(out, (int64_t)(0 - v));
	return 0;
}

static struct span take_digits(struct parser *p)
{
	size_t from = p->at;

	while (is_digit(next(p)))
		p->at++;
	return SPAN(p->text.data + from, p->at - from);
}

static int parse_number(struct parser *p)
{
	size_t from = p->at;
	bool negative = accept(p, '-'), whole = true;
	struct span digits = take_digits(p);

	if (!digits.len)
		return ERR_PARSE;
	if (digits.len > 1 && digits.data[0] == '0') {
		p->at = from;
		return ERR_PARSE;
	}
	if (accept(p, '.')) {
		whole = false;
		if (!take_digits(p).len)
			return ERR_PARSE;
	}
	if (accept(p, 'e') || accept(p, 'E')) {
		whole = false;
		if (!accept(p, '+'))
			accept(p, '-');
		if (!take_digits(p).len)
			return ERR_PARSE;
	}

	int err = whole ? put_number(p->out, negative, digits) : ERR_TYPE;
	if (err < 0)
		p->at = from;
	return err;
}

static bool accept_word(struct parser *p, const char *word)
{
	if (!span_starts(span_from(p->text, p->at), word))
		return false;
	p->at += strlen(word);
	return true;
}

static int parse_word(struct parser *p)
{
	if (accept_word(p, "true"))
		cbor_put_bool(p->out, true);
	else if (accept_word(p, "false"))
		cbor_put_bool(p->out, false);
	else if (accept_word(p, "null"))
		cbor_put_null(p->out);
	else
		return ERR_PARSE;
	return 0;
}

static int parse_value(struct parser *p);

static int parse_items(struct parser *p)
{
	size_t at = cbor_open(p->out), n = 0;

	skip_space(p);
	if (!accept(p, ']')) {
		do {
			int err = parse_value(p);

			if (err < 0)
				return err;
			n++;
		} while (accept(p, ','));
		if (!accept(p, ']'))
			return ERR_PARSE;
	}
	cbor_close(p->out, at, MAJOR_ARRAY, n);
	return buf_err(p->out);
}

static int parse_pair(struct parser *p, struct cbor_map *m)
{
	struct span key = SPAN_NONE;

	skip_space(p);

	size_t from = p->at;
	int err = parse_string(p, &key);
	if (err < 0)
		return err;
	if (m->len == CBOR_MAP_ENTRIES_MAX || cbor_map_has(m, key)) {
		p->at = from;
		return cbor_map_has(m, key) ? ERR_EXISTS : ERR_LIMIT;
	}
	cbor_map_key_span(m, key);
	skip_space(p);
	return accept(p, ':') ? parse_value(p) : ERR_PARSE;
}

static int parse_pairs(struct parser *p)
{
	_cleanup_(cbor_map_done) struct cbor_map m;

	cbor_map_begin(&m, p->out);
	skip_space(p);
	if (!accept(p, '}')) {
		do {
			int err = parse_pair(p, &m);

			if (err < 0)
				return err;
		} while (accept(p, ','));
		if (!accept(p, '}'))
			return ERR_PARSE;
	}
	cbor_map_end(&m);
	return buf_err(p->out);
}

static int parse_container(struct parser *p)
{
	bool array = next(p) == '[';
	int err;

	if (p->depth == CBOR_DEPTH_MAX)
		return ERR_LIMIT;
	p->depth++;
	p->at++;
	err = array ? parse_items(p) : parse_pairs(p);
	p->depth--;
	return err;
}

/* One value and the space around it. */
static int parse_value(struct parser *p)
{
	struct span string;
	int err;

	skip_space(p);

	uint8_t c = next(p);
	if (c == '{' || c == '[') {
		err = parse_container(p);
	} else if (c == '"') {
		err = parse_string(p, &string);
		if (err >= 0)
			cbor_put_text(p->out, string);
	} else if (c == '-' || is_digit(c)) {
		err = parse_number(p);
	} else {
		err = parse_word(p);
	}
	if (err < 0)
		return err;
	skip_space(p);
	return buf_err(p->out);
}

int json_to_cbor(struct buf *out, struct span text, size_t *ret_at)
{
	struct parser p = { .text = text, .out = out };
	size_t len = out->len;
	int err = buf_err(out) ?: parse_value(&p);

	if (err >= 0 && p.at != text.len)
		err = ERR_PARSE;
	buf_wipe(&p.word);
	if (err < 0) {
		out->len = len;
		*ret_at = p.at;
	}
	return err;
}
