/* Does a backup bring a home back, and is everything that is none refused before
 * it costs anything? */
#include "place.h"
#include "vault/backup.h"
#include "wire/cbor.h"

#define WORD SPAN_STR("correct horse")

static struct buf sealed_text(const char *text)
{
	struct buf b = { 0 };

	CHECK_ERR(envelope_seal(&b, "test", WORD, SPAN_STR(text), 1, 1), 0);
	return b;
}

static void does_only_the_right_key_open_an_envelope(void **state)
{
	_cleanup_buf_ struct buf b = sealed_text("hello"), again = sealed_text("hello"), out = { 0 };

	(void)state;
	CHECK(b.len == ENVELOPE_HEAD_LEN + 5 + AEAD_TAG_LEN && envelope_is(buf_span(&b)));
	CHECK(!span_equal(buf_span(&b), buf_span(&again)));
	CHECK_ERR(envelope_open(&out, "test", WORD, buf_span(&b)), 0);
	CHECK(span_is(buf_span(&out), "hello"));
	CHECK_ERR(envelope_open(&out, "tess", WORD, buf_span(&b)), ERR_CRYPTO);
	CHECK_ERR(envelope_open(&out, "test", SPAN_STR("Correct horse"), buf_span(&b)), ERR_CRYPTO);
	CHECK_ERR(envelope_open(&out, "test", SPAN_NONE, buf_span(&b)), ERR_LENGTH);
	CHECK(span_is(buf_span(&out), "hello"));        /* failures add nothing */
}

static void is_an_envelope_noticed_to_be_damaged(void **state)
{
	_cleanup_buf_ struct buf b = sealed_text("hello"), out = { 0 };

	(void)state;
	for (size_t len = 0; len < b.len; len++)
		CHECK(envelope_open(&out, "test", WORD, SPAN(b.data, len)) < 0);
	for (size_t i = 0; i < b.len; i++) {
		if (i >= ENVELOPE_MEM_AT && i <= ENVELOPE_OPS_AT)
			continue;       /* the cost is looked at below */
		b.data[i] ^= 1;
		CHECK_ERR(envelope_open(&out, "test", WORD, buf_span(&b)), i < ENVELOPE_MEM_AT ? ERR_PREFIX : ERR_CRYPTO);
		b.data[i] ^= 1;
	}
	assert_int_equal(out.len, 0);
}

static void is_an_oversized_cost_refused_before_it_is_paid(void **state)
{
	static const struct { unsigned mem; unsigned ops; int want; } rows[] = {
		{ 0, 1, ERR_LIMIT }, { 1, 0, ERR_LIMIT }, { BACKUP_MEM_MAX_MIB + 1, 1, ERR_LIMIT }, { 0xffff, 1, ERR_LIMIT },
		{ 1, BACKUP_OPS_MAX + 1, ERR_LIMIT }, { 1, 255, ERR_LIMIT },
		{ 2, 1, ERR_CRYPTO }, { 1, 2, ERR_CRYPTO },     /* within limits, but not what was sealed */
	};
	_cleanup_buf_ struct buf b = sealed_text("hello"), out = { 0 }, big = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		b.data[ENVELOPE_MEM_AT] = (uint8_t)(rows[i].mem >> 8);
		b.data[ENVELOPE_MEM_AT + 1] = (uint8_t)rows[i].mem;
		b.data[ENVELOPE_OPS_AT] = (uint8_t)rows[i].ops;
		CHECK_ERR(envelope_open(&out, "test", WORD, buf_span(&b)), rows[i].want);
		if (rows[i].want == ERR_LIMIT && rows[i].mem <= 0xffff)
			CHECK_ERR(envelope_seal(&out, "test", WORD, SPAN_NONE, rows[i].mem, rows[i].ops), ERR_LIMIT);
	}
	CHECK_ERR(envelope_seal(&out, "test", SPAN_NONE, SPAN_STR("x"), 1, 1), ERR_LENGTH);

	memset(buf_reserve(&big, BACKUP_SIZE_MAX + 1000), 0, BACKUP_SIZE_MAX + 1000);
	memcpy(big.data, "carrier envelope 1\n\0\1\1", 22);
	CHECK_ERR(envelope_open(&out, "test", WORD, SPAN(big.data, BACKUP_SIZE_MAX + 1000)), ERR_LIMIT);
	CHECK_ERR(envelope_seal(&out, "test", WORD, SPAN(big.data, BACKUP_SIZE_MAX + 1), 1, 1), ERR_LIMIT);
	assert_int_equal(out.len, 0);
}

static struct buf backup_of(const char *config, const char *named, uint8_t seed_number)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct sign_seed seed = seed_of(seed_number);
	struct buf out = { 0 };
	char path[160];

	place_new(&p);
	put_file(p.config, config, 0600);
	snprintf(path, sizeof path, "%s/h/named.toml", p.dir);
	if (named)
		put_file(path, named, 0600);
	open_home(&h, &p);
	CHECK_ERR(backup_export(&out, &h, &seed, WORD), 0);
	return out;
}

static int64_t restored(const struct home *h)
{
	int64_t n = 0;

	return toml_integer(toml_root(h->config), "restored", &n) == 1 ? n : 0;
}

static void does_a_backup_bring_a_home_back(void **state)
{
	static const char config[] = "# kept\nport = 7\nunknown = [1]\n";
	_cleanup_buf_ struct buf file = backup_of(config, "x = \"y\"\n", 1);
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 }, fresh = { 0 };
	struct sign_seed got, want = seed_of(1);
	struct home_error error;
	char path[160];

	(void)state;
	place_new(&p);
	open_home(&h, &p);
	CHECK_ERR(backup_restore(&h, buf_span(&file), SPAN_STR("wrong horse"), &error), ERR_CRYPTO);
	CHECK(strstr(error.text, "wrong passphrase"));
	CHECK_ERR(backup_restore(&h, span_first(buf_span(&file), file.len - 1), WORD, &error), ERR_CRYPTO);
	CHECK_ERR(backup_restore(&h, SPAN_STR("hello"), WORD, &error), ERR_PREFIX);
	CHECK(strstr(error.text, "not a backup"));
	assert_int_equal(mode_of(p.secret), -1);        /* a refusal writes nothing */

	if (backup_restore(&h, buf_span(&file), WORD, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(restored(&h), 1);
	open_home(&fresh, &p);
	CHECK_ERR(home_secret(&fresh, &got, NULL, NULL, &error), 0);
	assert_memory_equal(&got, &want, sizeof got);
	assert_int_equal(mode_of(p.secret), 0600);
	_cleanup_free_ char *text = get_file(p.config);
	CHECK(strstr(text, "# kept\nport = 7\nunknown = [1]\n") && strstr(text, "restored = 1\n"));
	snprintf(path, sizeof path, "%s/h/named.toml", p.dir);
	_cleanup_free_ char *named = get_file(path);
	assert_string_equal(named, "x = \"y\"\n");

	/* again, into the same identity's home: what was there is kept beside */
	CHECK_ERR(toml_set_integer(toml_root(fresh.config), "port", 8), 0);
	CHECK_ERR(home_save(&fresh, &error), 0);
	CHECK_ERR(backup_restore(&fresh, buf_span(&file), WORD, &error), 0);
	assert_int_equal(restored(&fresh), 2);
	snprintf(path, sizeof path, "%s.before-restore", p.config);
	_cleanup_free_ char *before = get_file(path);
	CHECK(strstr(before, "port = 8\n"));
	assert_int_equal(mode_of(path), 0600);
	_cleanup_free_ char *after = get_file(p.config);
	CHECK(strstr(after, "port = 7\n") && strstr(after, "restored = 2\n"));
}

static void is_another_identitys_home_left_alone(void **state)
{
	_cleanup_buf_ struct buf file = backup_of("port = 7\n", NULL, 1);
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct sign_seed other = seed_of(2);
	struct home_error error;

	(void)state;
	place_new(&p);
	put_file(p.config, "port = 9\n", 0600);
	open_home(&h, &p);
	CHECK_ERR(home_write_secret(&h, &other, SPAN_NONE, false, &error), 0);
	_cleanup_free_ char *secret = get_file(p.secret), *config = get_file(p.config);
	CHECK_ERR(backup_restore(&h, buf_span(&file), WORD, &error), ERR_EXISTS);
	CHECK(strstr(error.text, "another identity"));
	_cleanup_free_ char *secret_now = get_file(p.secret), *config_now = get_file(p.config);
	assert_string_equal(secret, secret_now);
	assert_string_equal(config, config_now);
	assert_int_equal(restored(&h), 0);

	/* neither is one whose secret nobody here can read */
	CHECK_ERR(home_write_secret(&h, &other, SPAN_STR("other word"), true, &error), 0);
	CHECK_ERR(backup_restore(&h, buf_span(&file), WORD, &error), ERR_EXISTS);
	CHECK(strstr(error.text, "encrypted"));
}

static void does_the_counter_only_rise(void **state)
{
	_cleanup_buf_ struct buf file = backup_of("restored = 4\n", NULL, 1);
	static const struct { const char *here; int64_t want; } rows[] = {
		{ "", 5 }, { "restored = 2\n", 5 }, { "restored = 9\n", 10 }, { "restored = -9\n", 5 }, { "restored = \"x\"\n", 5 },
		{ "restored = 9223372036854775807\n", 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_place_ struct place p = { 0 };
		_cleanup_(home_done) struct home h = { 0 };
		struct home_error error;

		place_new(&p);
		put_file(p.config, rows[i].here, 0600);
		open_home(&h, &p);
		CHECK_ERR(backup_restore(&h, buf_span(&file), WORD, &error), 0);
		assert_int_equal(restored(&h), rows[i].want);
	}
}

static void does_an_old_secret_key_become_the_secret_file(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct sign_seed got, want = seed_of(1);
	struct home_error error;
	char secret[TEXT_STR_MAX], config[256];

	(void)state;
	seed_text(secret, 1);
	snprintf(config, sizeof config, "secret = \"%s\"\nport = 7\n", secret);
	_cleanup_buf_ struct buf file = backup_of(config, NULL, 1);
	place_new(&p);
	open_home(&h, &p);
	CHECK_ERR(backup_restore(&h, buf_span(&file), WORD, &error), 0);
	_cleanup_free_ char *text = get_file(p.config);
	CHECK(!strstr(text, "secret"));
	CHECK_ERR(home_secret(&h, &got, NULL, NULL, &error), 0);
	assert_memory_equal(&got, &want, sizeof got);
}

static int restore_map(void (*fill)(struct cbor_map *m), struct home_error *error)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	_cleanup_buf_ struct buf plain = { 0 }, file = { 0 };
	struct cbor_map m;
	int err;

	cbor_map_begin(&m, &plain);
	fill(&m);
	cbor_map_end(&m);
	CHECK_ERR(envelope_seal(&file, "carrier backup v1", WORD, buf_span(&plain), 1, 1), 0);
	place_new(&p);
	open_home(&h, &p);
	err = backup_restore(&h, buf_span(&file), WORD, error);
	CHECK(err >= 0 || mode_of(p.secret) == -1);
	return err;
}

static const uint8_t zeros[40];

static void fill_good(struct cbor_map *m)
{
	cbor_map_uint(m, "version", 1);
	cbor_map_bytes(m, "secret", SPAN(zeros, 32));
	cbor_map_str(m, "config", "");
	cbor_map_str(m, "later", "unknown keys are skipped");
}

static void fill_next_version(struct cbor_map *m)
{
	cbor_map_uint(m, "version", 2);
	cbor_map_bytes(m, "secret", SPAN(zeros, 32));
}

static void fill_no_secret(struct cbor_map *m)
{
	cbor_map_uint(m, "version", 1);
}

static void fill_long_secret(struct cbor_map *m)
{
	cbor_map_uint(m, "version", 1);
	cbor_map_bytes(m, "secret", SPAN(zeros, 33));
}

static void fill_bad_config(struct cbor_map *m)
{
	fill_no_secret(m);
	cbor_map_bytes(m, "secret", SPAN(zeros, 32));
	cbor_map_str(m, "config", "= nonsense");
}

static void is_a_malformed_content_refused(void **state)
{
	struct home_error error;

	(void)state;
	CHECK_ERR(restore_map(fill_good, &error), 0);
	CHECK_ERR(restore_map(fill_next_version, &error), ERR_VERSION);
	CHECK_ERR(restore_map(fill_no_secret, &error), ERR_PARSE);
	CHECK(restore_map(fill_long_secret, &error) < 0);
	CHECK_ERR(restore_map(fill_bad_config, &error), ERR_CONFIG);
	CHECK(strstr(error.text, "line 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_only_the_right_key_open_an_envelope),
		cmocka_unit_test(is_an_envelope_noticed_to_be_damaged),
		cmocka_unit_test(is_an_oversized_cost_refused_before_it_is_paid),
		cmocka_unit_test(does_a_backup_bring_a_home_back),
		cmocka_unit_test(is_another_identitys_home_left_alone),
		cmocka_unit_test(does_the_counter_only_rise),
		cmocka_unit_test(does_an_old_secret_key_become_the_secret_file),
		cmocka_unit_test(is_a_malformed_content_refused),
	};

	CHECK_ERR(crypto_init(), 0);
	return RUN_TESTS(tests);
}
