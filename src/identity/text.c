#include "identity/text.h"

#include "base/err.h"
#include "identity/base32.h"
#include "identity/base58.h"
#include "identity/crc8.h"
#include "identity/refuse.h"
#include "identity/serial.h"

enum {
	PAYLOAD_MAX = 64,
	V2_VERSION = 1,         /* high half of generation 2's header byte */
	V1_VERSION = 8,
	V1_OVERHEAD = 3,        /* version, type, checksum */
	V1_KEY_CHARS = 47,
	V1_SIGNATURE_CHARS = 91,
	V2_KEY_CHARS = 56,
};

/* len 0: a type that these forms can claim but this code has no payload for. */
static const struct type {
	const char *name;
	uint8_t len;
	uint8_t v1;             /* its type byte in generation 1, 0: not there */
	bool may_be_short;      /* leading zero bytes were once left out */
} types[16] = {
	[TEXT_SECRET_KIT]   = { "secret kit",      64 },
	[TEXT_IDENTITY_KIT] = { "identity kit",    64 },
	[TEXT_SECRET]       = { "secret",          32, 3, true },
	[TEXT_XSECRET]      = { "network secret",  32, 4 },
	[TEXT_RSA_SECRET]   = { "RSA secret" },
	[TEXT_ADDRESS]      = { "network address", 32, 6, true },
	[TEXT_RSA_PUBLIC]   = { "RSA public key" },
	[TEXT_IDENTITY]     = { "identity",        32, 9, true },
	[TEXT_SIGNATURE]    = { "signature",       64, 2 },
	[TEXT_ALIAS]        = { "alias" },
	[TEXT_MESSAGE]      = { "message" },
};

/* What a text says, before anybody judged whether it is a good key. */
struct claim {
	enum text_type type;
	uint8_t payload[PAYLOAD_MAX];
};

static const struct type *type_at(unsigned type)
{
	return type < ARRAY_LEN(types) && types[type].name ? &types[type] : NULL;
}

size_t text_payload_len(enum text_type type)
{
	const struct type *t = type_at(type);

	return t ? t->len : 0;
}

const char *text_type_name(enum text_type type)
{
	const struct type *t = type_at(type);

	return t ? t->name : "undefined type";
}

void text_format2(char out[static TEXT_STR_MAX], enum text_type type, const uint8_t *payload)
{
	uint8_t raw[PAYLOAD_MAX + 2];
	size_t len = text_payload_len(type);

	out[0] = 0;
	if (!len)
		return;

	raw[0] = (uint8_t)(V2_VERSION << 4 | type);
	memcpy(raw + 1, payload, len);
	raw[1 + len] = crc8_koop(raw, 1 + len);
	out[0] = 'c';
	base32_encode(out + 1, raw, len + 2);
	wipe(raw, sizeof raw);
}

void text_format1(char out[static TEXT_STR_MAX], enum text_type type, const uint8_t *payload)
{
	uint8_t raw[PAYLOAD_MAX + V1_OVERHEAD];
	const struct type *t = type_at(type);

	out[0] = 0;
	if (!t || !t->v1)
		return;

	raw[0] = V1_VERSION;
	raw[1] = t->v1;
	memcpy(raw + 2, payload, t->len);
	raw[2 + t->len] = crc8_generation1(raw, 2u + t->len);
	base58_encode(out, t->len == 32 ? V1_KEY_CHARS : V1_SIGNATURE_CHARS, raw, t->len + V1_OVERHEAD);
	wipe(raw, sizeof raw);
}

static int refuse_length(struct text_error *detail, enum text_type type, size_t want, size_t got)
{
	return refuse(detail, ERR_LENGTH, "%s %s has %zu characters, this has %zu", type_article(type),
		      text_type_name(type), want, got);
}

/* Generation 2, behind its 'c'. */
static int check_base32(const char *body, size_t n, struct text_error *detail)
{
	for (size_t i = 0; i < n; i++) {
		if (base32_value(body[i]) >= 0)
			continue;
		if (body[i] >= 'a' && body[i] <= 'z')
			return refuse(detail, ERR_ALPHABET,
				      "character '%c' at position %zu is lower case; behind the 'c' this form is upper case only",
				      body[i], i + 2);
		return refuse_char(detail, body[i], i + 2, "base32 (A-Z and 2-7)");
	}
	return 0;
}

/* n characters that are fewer than the type has: good only as the form that left
 * out the leading zero bytes of the key. */
static bool decode2_short(struct claim *c, uint8_t header, size_t len, const char *body, size_t n)
{
	uint8_t raw[PAYLOAD_MAX + 2], full[1 + PAYLOAD_MAX] = {};
	size_t bytes = n * 5 / 8;
	bool ok = false;

	if (types[c->type].may_be_short && bytes > 2 && base32_decode(raw, bytes, body, n) >= 0 && raw[1]) {
		full[0] = header;
		memcpy(full + 1 + len - (bytes - 2), raw + 1, bytes - 2);
		ok = crc8_koop(full, 1 + len) == raw[bytes - 1];
		memcpy(c->payload, full + 1, len);
	}
	wipe(raw, sizeof raw);
	wipe(full, sizeof full);
	return ok;
}

static int decode2_full(struct claim *c, size_t len, const char *body, size_t n, struct text_error *detail)
{
	uint8_t raw[PAYLOAD_MAX + 2] = {};
	int err = base32_decode(raw, len + 2, body, n);

	if (err >= 0 && crc8_koop(raw, len + 1) != raw[len + 1])
		err = refuse(detail, ERR_CHECKSUM, "the checksum does not match: mistyped, or cut and pasted badly");
	else if (err == ERR_CANON)
		refuse(detail, err, "the last character is not the canonical one");
	memcpy(c->payload, raw + 1, len);
	wipe(raw, sizeof raw);
	return err;
}

static int decode2(struct claim *c, const char *text, size_t text_len, struct text_error *detail)
{
	const char *body = text + 1;
	size_t n = text_len - 1, len, full;
	int err = check_base32(body, n, detail);

	if (err < 0)
		return err;
	if (n < 2)
		return refuse(detail, ERR_LENGTH, "a generation 2 key has %d characters, this has %zu",
			      V2_KEY_CHARS, text_len);

	uint8_t header = (uint8_t)(base32_value(body[0]) << 3 | base32_value(body[1]) >> 2);
	if (header >> 4 != V2_VERSION)
		return refuse(detail, ERR_VERSION, "format version %d, only version %d is known",
			      header >> 4, V2_VERSION);

	c->type = header & 15;
	if (!type_at(c->type))
		return refuse(detail, ERR_TYPE, "type %d is not defined", (int)c->type);
	len = text_payload_len(c->type);
	if (!len)
		return refuse(detail, ERR_TYPE, "this is %s %s (type %d), not a key that is used here",
			      type_article(c->type), text_type_name(c->type), (int)c->type);

	full = base32_len(len + 2);
	if (n == full)
		return decode2_full(c, len, body, n, detail);
	if (n < full && decode2_short(c, header, len, body, n))
		return 0;
	return refuse_length(detail, c->type, 1 + full, text_len);
}

static int check_base58(const char *text, size_t n, struct text_error *detail)
{
	for (size_t i = 0; i < n; i++)
		if (base58_value(text[i]) < 0)
			return refuse_char(detail, text[i], i + 1, "base58 (which has no 0, O, I and l)");
	return 0;
}

static int decode1_raw(struct claim *c, const uint8_t *raw, size_t text_len, struct text_error *detail)
{
	size_t len = text_len == V1_KEY_CHARS ? 32 : 64;

	if (raw[0] != V1_VERSION)
		return refuse(detail, ERR_VERSION, "version %d of the base58 form, only version %d is known",
			      raw[0], V1_VERSION);

	for (unsigned t = 1; t < ARRAY_LEN(types) && !c->type; t++)
		if (types[t].v1 && types[t].v1 == raw[1])
			c->type = t;
	if (!c->type)
		return refuse(detail, ERR_TYPE, "type %d is not defined in generation 1", raw[1]);
	if (types[c->type].len != len)
		return refuse_length(detail, c->type,
				     types[c->type].len == 32 ? V1_KEY_CHARS : V1_SIGNATURE_CHARS, text_len);
	if (crc8_generation1(raw, len + 2) != raw[len + 2])
		return refuse(detail, ERR_CHECKSUM, "the checksum does not match: mistyped, or cut and pasted badly");

	memcpy(c->payload, raw + 2, len);
	return 0;
}

static int decode1(struct claim *c, const char *text, size_t text_len, struct text_error *detail)
{
	uint8_t raw[PAYLOAD_MAX + V1_OVERHEAD];
	int err = check_base58(text, text_len, detail);

	if (err < 0)
		return err;
	if (text_len != V1_KEY_CHARS && text_len != V1_SIGNATURE_CHARS)
		return refuse(detail, ERR_LENGTH, "a generation 1 key has %d characters, this has %zu",
			      V1_KEY_CHARS, text_len);

	/* The number always fits: 58^47 < 256^35 and 58^91 < 256^67. */
	err = base58_decode(raw, (text_len == V1_KEY_CHARS ? 32 : 64) + V1_OVERHEAD, text, text_len);
	if (err >= 0)
		err = decode1_raw(c, raw, text_len, detail);
	wipe(raw, sizeof raw);
	return err;
}

/* Base58 of the right length that is not generation 1 by its first character. */
static bool is_other_base58(const char *text, size_t len)
{
	uint8_t raw[32 + V1_OVERHEAD];
	bool yes = len == V1_KEY_CHARS && base58_decode(raw, sizeof raw, text, len) >= 0 &&
		   raw[0] == V1_VERSION + 1;

	wipe(raw, sizeof raw);
	return yes;
}

static int refuse_prefix(const char *text, size_t len, struct text_error *detail)
{
	uint64_t alias;

	if (alias_parse(&alias, text, NULL) >= 0)
		return refuse(detail, ERR_TYPE, "this is an alias (type %d), not a key", TEXT_ALIAS);
	if (is_other_base58(text, len))
		return refuse(detail, ERR_VERSION, "version %d of the base58 form, only version %d is known",
			      V1_VERSION + 1, V1_VERSION);
	if (text[0] == 'C' && len == V2_KEY_CHARS)
		return refuse(detail, ERR_PREFIX, "the first character must be a lower-case 'c'");
	if (len == V2_KEY_CHARS - 1 && check_base32(text, len, NULL) >= 0)
		return refuse(detail, ERR_PREFIX, "the 'c' in front is missing");
	return refuse(detail, ERR_PREFIX,
		      "not a key: it begins neither with 'c' (generation 2) nor with 'o' (generation 1)");
}

static int decode(struct claim *c, const char *text, struct text_error *detail)
{
	size_t len = strnlen(text, TEXT_STR_MAX);

	*c = (struct claim){};
	if (!len)
		return refuse(detail, ERR_LENGTH, "the text is empty");
	if (len == TEXT_STR_MAX)
		return refuse(detail, ERR_LENGTH, "longer than any key (%d characters)", TEXT_STR_MAX - 1);

	if (text[0] == 'c')
		return decode2(c, text, len, detail);
	if (text[0] == 'o' || (text[0] == 'E' && len == V1_SIGNATURE_CHARS))
		return decode1(c, text, len, detail);
	return refuse_prefix(text, len, detail);
}

static bool all_equal(const uint8_t *key)
{
	return !memcmp(key, key + 1, 31);
}

static int check_keys(const struct claim *c, struct text_error *detail)
{
	const char *name = text_type_name(c->type);
	struct sign_public pk;

	for (size_t i = 0; i < text_payload_len(c->type) && c->type != TEXT_SIGNATURE; i += 32)
		if (all_equal(c->payload + i))
			return refuse(detail, ERR_WEAK, "the key of this %s is a placeholder: all its bytes are equal",
				      name);
	if (c->type != TEXT_IDENTITY && c->type != TEXT_IDENTITY_KIT)
		return 0;

	memcpy(pk.b, c->payload, sizeof pk.b);
	if (sign_public_check(&pk) < 0)
		return refuse(detail, ERR_WEAK, "the key of this %s is not a usable Ed25519 key", name);
	return 0;
}

int text_parse(uint8_t *ret_payload, enum text_type want, const char *text, struct text_error *detail)
{
	struct claim c;
	int err = decode(&c, text, detail);

	if (err >= 0 && c.type != want)
		err = refuse_type(detail, c.type, want);
	if (err >= 0)
		err = check_keys(&c, detail);
	if (err >= 0)
		memcpy(ret_payload, c.payload, text_payload_len(want));
	wipe(&c, sizeof c);
	return err;
}

int text_parse_any(uint8_t ret_payload[static 64], enum text_type *ret_type, const char *text,
		   struct text_error *detail)
{
	struct claim c;
	int err = decode(&c, text, detail);

	if (err >= 0)
		err = check_keys(&c, detail);
	if (err >= 0) {
		memcpy(ret_payload, c.payload, sizeof c.payload);
		*ret_type = c.type;
	}
	wipe(&c, sizeof c);
	return err;
}
