#include "identity/convert.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "identity/network.h"
#include "identity/refuse.h"
#include "identity/serial.h"

enum { HEX_CHARS = 64 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int hex_parse(uint8_t out[static 32], const char *in, struct text_error *detail)
{
	size_t len = strlen(in);

	if (len != HEX_CHARS)
		return refuse(detail, ERR_LENGTH, "a key has %d hexadecimal digits, this has %zu characters",
			      HEX_CHARS, len);
	for (size_t i = 0; i < HEX_CHARS; i++) {
		int v = hex_digit(in[i]);

		if (v < 0)
			return refuse_char(detail, in[i], i + 1, "hexadecimal");
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | v);
	}
	return 0;
}

/* Reading it back is what finds a key that is no good. */
static int hex_to(char out[static TEXT_STR_MAX], enum text_type type, const char *in,
		  struct text_error *detail)
{
	char text[TEXT_STR_MAX];
	uint8_t key[32];
	int err = hex_parse(key, in, detail);

	if (err >= 0) {
		text_format2(text, type, key);
		err = text_parse(key, type, text, detail);
		if (err >= 0)
			memcpy(out, text, sizeof text);
		wipe(text, sizeof text);
	}
	wipe(key, sizeof key);
	return err;
}

static int hex2secret(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	return hex_to(out, TEXT_SECRET, in, detail);
}

static int hex2identity(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	return hex_to(out, TEXT_IDENTITY, in, detail);
}

static int id32to58(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	struct identity id;
	int err = text_parse(id.key, TEXT_IDENTITY, in, detail);

	if (err < 0)
		return err;

	text_format1(out, TEXT_IDENTITY, id.key);
	return 0;
}

/* Whatever generation 1 carries, so that an old configuration can be brought over. */
static int id58to32(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	uint8_t payload[64];
	enum text_type type;
	int err = text_parse_any(payload, &type, in, detail);

	if (err < 0)
		return err;

	text_format2(out, type, payload);
	wipe(payload, sizeof payload);
	return 0;
}

static int secret2public(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	struct sign_seed seed;
	struct identity id;
	int err = text_parse(seed.b, TEXT_SECRET, in, detail);

	if (err < 0)
		return err;

	identity_of_seed(&id, &seed);
	wipe(&seed, sizeof seed);
	text_format2(out, TEXT_IDENTITY, id.key);
	return 0;
}

static int secret2address(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	struct network_secret secret;
	struct network_address a;
	int err = network_secret_parse(&secret, in, detail);

	if (err < 0)
		return err;

	network_address_of(&a, &secret);
	wipe(&secret, sizeof secret);
	text_format2(out, TEXT_ADDRESS, a.key);
	return 0;
}

static int secret2address_carrier(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	struct network_secret secret;
	uint8_t old[32];
	int err = network_secret_parse(&secret, in, detail);

	if (err < 0)
		return err;

	network_old_address_of(old, &secret);
	wipe(&secret, sizeof secret);
	text_format2(out, TEXT_ADDRESS, old);
	return 0;
}

static int secret2address_ik(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	struct network_secret secret;
	struct sign_seed seed;
	struct agree_secret sk;
	struct agree_public pk;
	int err = network_secret_parse(&secret, in, detail);

	if (err < 0)
		return err;

	memcpy(seed.b, secret.b, sizeof seed.b);
	agree_secret_from_sign(&sk, &seed);
	agree_public_of(&pk, &sk);
	wipe(&secret, sizeof secret);
	wipe(&seed, sizeof seed);
	wipe(&sk, sizeof sk);
	text_format2(out, TEXT_ADDRESS, pk.b);
	return 0;
}

static int number_parse(uint64_t *ret, const char *in, struct text_error *detail)
{
	uint64_t n = 0;

	if (!*in)
		return refuse(detail, ERR_LENGTH, "the text is empty");
	for (size_t i = 0; in[i]; i++) {
		if (in[i] < '0' || in[i] > '9')
			return refuse_char(detail, in[i], i + 1, "a decimal digit");
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, in[i] - '0', &n))
			return refuse(detail, ERR_LIMIT, "the number needs more than 64 bits");
	}
	*ret = n;
	return 0;
}

static int serial2number(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	uint64_t n;
	int err = serial_parse(&n, in, detail);

	if (err >= 0)
		snprintf(out, TEXT_STR_MAX, "%" PRIu64, n);
	return err;
}

static int number2serial(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	uint64_t n = 0;
	int err = number_parse(&n, in, detail);

	if (err >= 0)
		serial_format(out, n);
	return err;
}

static int alias2number(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	uint64_t n;
	int err = alias_parse(&n, in, detail);

	if (err >= 0)
		snprintf(out, TEXT_STR_MAX, "%" PRIu64, n);
	return err;
}

static int number2alias(char out[static TEXT_STR_MAX], const char *in, struct text_error *detail)
{
	uint64_t n = 0;
	int err = number_parse(&n, in, detail);

	if (err >= 0)
		alias_format(out, n);
	return err;
}

const struct conversion conversions[] = {
	{ "hex2secret",             "64 hexadecimal digits -> secret",                   hex2secret },
	{ "hex2identity",           "64 hexadecimal digits -> identity",                 hex2identity },
	{ "id32to58",               "identity of generation 2 -> generation 1",          id32to58 },
	{ "id58to32",               "any key of generation 1 -> generation 2",           id58to32 },
	{ "secret2public",          "secret -> its identity",                            secret2public },
	{ "secret2address",         "network secret -> network address",                 secret2address },
	{ "secret2address-carrier", "secret -> X25519 address as the old carrier made it", secret2address_carrier },
	{ "secret2address-ik",      "secret -> X25519 address as identitykit makes it",  secret2address_ik },
	{ "serial2number",          "serial (+...) -> decimal",                          serial2number },
	{ "number2serial",          "decimal -> serial (+...)",                          number2serial },
	{ "alias2number",           "alias (a...) -> decimal",                           alias2number },
	{ "number2alias",           "decimal -> alias (a...)",                           number2alias },
	{},
};

const struct conversion *conversion_find(const char *name)
{
	for (const struct conversion *c = conversions; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

int convert(char out[static TEXT_STR_MAX], const char *name, const char *in, struct text_error *detail)
{
	const struct conversion *c = conversion_find(name);

	if (!c)
		return refuse(detail, ERR_UNKNOWN, "no such conversion");
	return c->run(out, in, detail);
}
