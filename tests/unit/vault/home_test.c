/* Where does a home keep what, what does it create, and what does it refuse? */
#include <errno.h>

#include "place.h"

static void where_are_the_files(void **state)
{
	static const struct { const char *config, *secret, *state; } rows[] = {
		{ "/x/carrier.toml", "/x/carrier.secret", "/x/state" },
		{ "/x/other.toml", "/x/other.secret", "/x/other.state" },
		{ "/x/noext", "/x/noext.secret", "/x/noext.state" },
		{ "carrier.toml", "carrier.secret", "state" },
		{ "/x/.toml", "/x/.secret", "/x/.state" },
	};
	_cleanup_place_ struct place p = { 0 };
	struct home_error error;
	struct home h;

	(void)state;
	place_new(&p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_ERR(home_open(&h, rows[i].config, &error), 0);
		assert_string_equal(h.secret_path, rows[i].secret);
		assert_string_equal(h.state_path, rows[i].state);
		home_done(&h);
	}

	setenv("HOME", "/nowhere", 1);
	CHECK_ERR(home_open(&h, NULL, &error), 0);
	assert_string_equal(h.config_path, "/nowhere/.devguard/carrier.toml");
	home_done(&h);
	setenv("CARRIER_CONFIG", "/elsewhere/a.toml", 1);
	CHECK_ERR(home_open(&h, NULL, &error), 0);
	assert_string_equal(h.config_path, "/elsewhere/a.toml");
	home_done(&h);
	CHECK_ERR(home_open(&h, "/given.toml", &error), 0);
	assert_string_equal(h.config_path, "/given.toml");
	home_done(&h);
	/* without HOME, whom the system says we are */
	unsetenv("CARRIER_CONFIG");
	unsetenv("HOME");
	CHECK_ERR(home_open(&h, NULL, &error), 0);
	CHECK(strstr(h.config_path, "/.devguard/carrier.toml"));
	home_done(&h);
}

static void does_a_broken_file_say_where(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	struct home_error error;
	struct home h;
	char want[160];

	(void)state;
	place_new(&p);
	put_file(p.config, "port = 7\nbroker = = 3\n", 0600);
	CHECK_ERR(home_open(&h, p.config, &error), ERR_CONFIG);
	snprintf(want, sizeof want, "%s:2:", p.config);
	CHECK(!strncmp(error.text, want, strlen(want)));
	/* a folder is no file */
	snprintf(want, sizeof want, "%s/h", p.dir);
	CHECK_ERR(home_open(&h, want, &error), -EISDIR);
	CHECK(strstr(error.text, want));
}

static void does_saving_keep_what_is_there(void **state)
{
	static const char text[] = "# mine\nmystery = [1,  2] # keep\n\n[protocol]\np2p = true\n";
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error;

	(void)state;
	place_new(&p);
	put_file(p.config, text, 0644);
	open_home(&h, &p);
	CHECK_ERR(toml_set_integer(toml_root(h.config), "port", 9), 0);
	CHECK_ERR(home_save(&h, &error), 0);
	_cleanup_free_ char *now = get_file(p.config);
	CHECK(strstr(now, "# mine\nmystery = [1,  2] # keep\n"));
	CHECK(strstr(now, "[protocol]\np2p = true\n"));
	CHECK(strstr(now, "port = 9\n"));
	assert_int_equal(mode_of(p.config), 0600);
}

static void is_somebody_elses_change_kept(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 }, other = { 0 };
	struct home_error error;
	int64_t v;

	(void)state;
	place_new(&p);
	open_home(&h, &p);
	open_home(&other, &p);
	CHECK_ERR(toml_set_integer(toml_root(h.config), "mine", 1), 0);
	CHECK_ERR(toml_set_integer(toml_root(other.config), "theirs", 2), 0);
	CHECK_ERR(home_save(&other, &error), 0);
	CHECK_ERR(home_save(&other, &error), 0);        /* one's own change is none */
	CHECK_ERR(home_save(&h, &error), ERR_CHANGED);
	CHECK(strstr(error.text, p.config));
	assert_int_equal(home_reload(&h, &error), 1);
	assert_int_equal(home_reload(&h, &error), 0);
	CHECK_ERR(toml_set_integer(toml_root(h.config), "mine", 1), 0);
	CHECK_ERR(home_save(&h, &error), 0);
	assert_int_equal(home_reload(&other, &error), 1);
	CHECK(toml_integer(toml_root(other.config), "mine", &v) == 1 && v == 1);
	CHECK(toml_integer(toml_root(other.config), "theirs", &v) == 1 && v == 2);

	/* a change that is no TOML leaves what was loaded */
	put_file(p.config, "= nonsense", 0600);
	CHECK_ERR(home_reload(&h, &error), ERR_CONFIG);
	CHECK(toml_integer(toml_root(h.config), "theirs", &v) == 1);
	CHECK_ERR(home_reload(&h, &error), ERR_CONFIG);
}

static void what_does_setup_make(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error;
	struct sign_seed seed, again;
	struct network_secret network;
	struct network_address address;
	char dir[128], address_text[IDENTITY_STR_MAX];
	const char *text;

	(void)state;
	place_new(&p);
	open_home(&h, &p);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), -ENOENT);
	CHECK(strstr(error.text, "carrier setup"));
	CHECK_ERR(home_network(&h, &network, &error), -ENOENT);
	assert_int_equal(home_setup(&h, &error), 1);

	snprintf(dir, sizeof dir, "%s/h", p.dir);
	assert_int_equal(mode_of(dir), 0700);
	assert_int_equal(mode_of(p.config), 0600);
	assert_int_equal(mode_of(p.secret), 0600);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), 0);
	CHECK_ERR(home_network(&h, &network, &error), 0);
	network_address_of(&address, &network);
	network_address_format(address_text, &address);
	CHECK(toml_string(toml_root(h.config), "network.address", &text) == 1);
	assert_string_equal(text, address_text);
	CHECK(toml_string(toml_root(h.config), "network.secret", &text) == 1);
	CHECK(!strncmp(text, "cC", 2) && strchr("QRST", text[2]));      /* text type 4 */
	_cleanup_free_ char *before = get_file(p.config);

	/* the second time nothing changes, here or from a fresh start */
	assert_int_equal(home_setup(&h, &error), 0);
	home_done(&h);
	open_home(&h, &p);
	assert_int_equal(home_setup(&h, &error), 0);
	CHECK_ERR(home_secret(&h, &again, NULL, NULL, &error), 0);
	assert_memory_equal(&seed, &again, sizeof seed);
	_cleanup_free_ char *after = get_file(p.config);
	assert_string_equal(before, after);
}

static void does_setup_leave_what_the_old_generations_made(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct sign_seed seed, want = seed_of(1);
	struct network_secret network;
	struct home_error error;
	char secret[TEXT_STR_MAX], text[400];
	struct sign_seed shadow = seed_of(9);

	(void)state;
	place_new(&p);
	text_format1(secret, TEXT_SECRET, want.b);
	char shadow_text[TEXT_STR_MAX];
	text_format1(shadow_text, TEXT_SECRET, shadow.b);
	snprintf(text, sizeof text, "secret = \"%s\"\n[publish]\nshadow = \"old\"\nsecret = \"%s\"\n", secret, shadow_text);
	put_file(p.config, text, 0600);
	open_home(&h, &p);
	assert_int_equal(home_setup(&h, &error), 0);
	_cleanup_free_ char *now = get_file(p.config);
	assert_string_equal(now, text);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), 0);
	assert_memory_equal(&seed, &want, sizeof seed);
	CHECK_ERR(home_network(&h, &network, &error), 0);
	assert_memory_equal(&network, &shadow, sizeof network);
	assert_int_equal(mode_of(p.secret), -1);
}

static void is_a_failed_setup_done_the_next_time(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 }, fresh = { 0 };
	struct network_secret network;
	struct home_error error;

	(void)state;
	place_new(&p);
	open_home(&h, &p);
	/* a folder in the place of the file: it cannot be renamed over */
	CHECK_ERR(file_make_dirs(p.config), 0);
	CHECK(home_setup(&h, &error) < 0);
	CHECK(rmdir(p.config) == 0);
	assert_int_equal(home_setup(&h, &error), 1);
	open_home(&fresh, &p);
	CHECK_ERR(home_network(&fresh, &network, &error), 0);
}

static void which_secrets_are_read(void **state)
{
	char ok[TEXT_STR_MAX], other[TEXT_STR_MAX], address[TEXT_STR_MAX];
	struct sign_seed one = seed_of(1);
	seed_text(ok, 1);
	seed_text(other, 2);
	text_format2(address, TEXT_IDENTITY, one.b);
	const struct { const char *file; mode_t mode; const char *key; int want; const char *says; } rows[] = {
		{ ok, 0600, NULL, 0, "" },
		{ ok, 0644, NULL, 0, "" },
		{ ok, 0400, NULL, 0, "" },
		{ ok, 0660, NULL, ERR_CONFIG, "chmod 600" },
		{ ok, 0602, NULL, ERR_CONFIG, "chmod 600" },
		{ "", 0600, NULL, ERR_CONFIG, "carrier.secret: " },
		{ "hello\n", 0600, NULL, ERR_CONFIG, "carrier.secret: " },
		{ address, 0600, NULL, ERR_CONFIG, "carrier.secret: " },
		{ ok, 0600, ok, 0, "" },
		{ ok, 0600, other, ERR_CONFIG, "different identities" },
		{ NULL, 0, ok, 0, "" },
		{ NULL, 0, ":mtd:mtd3:0", ERR_CONFIG, "carrier.toml:1: secret: flash and EFI" },
		{ NULL, 0, "nonsense", ERR_CONFIG, "carrier.toml:1: secret: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_place_ struct place p = { 0 };
		_cleanup_(home_done) struct home h = { 0 };
		struct home_error error;
		struct sign_seed seed;
		char text[256] = "";

		place_new(&p);
		if (rows[i].key)
			snprintf(text, sizeof text, "secret = \"%s\"\n", rows[i].key);
		put_file(p.config, text, 0600);
		snprintf(text, sizeof text, "%s\n", rows[i].file);
		if (rows[i].file)
			put_file(p.secret, text, rows[i].mode);
		open_home(&h, &p);
		if (home_secret(&h, &seed, NULL, NULL, &error) != rows[i].want || !strstr(error.text, rows[i].says))
			fail_msg("row %zu: %s", i, error.text);
		if (!rows[i].want)
			assert_memory_equal(&seed, &one, sizeof seed);
		CHECK(!strstr(error.text, ok) && !strstr(error.text, other));   /* secrets stay out of messages */
	}
}

static void does_the_environment_replace_the_file(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	uint8_t kit[64] = { 5 };
	char text[TEXT_STR_MAX];
	struct network_secret network;
	struct home_error error;
	struct sign_seed seed;

	(void)state;
	place_new(&p);
	seed_text(text, 1);
	put_file(p.secret, text, 0600);
	open_home(&h, &p);
	seed_text(text, 2);
	setenv("CARRIER_SECRET", text, 1);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), 0);
	CHECK(seed.b[3] == 2);
	CHECK_ERR(home_network(&h, &network, &error), -ENOENT);

	kit[32] = 6;
	text_format2(text, TEXT_SECRET_KIT, kit);
	setenv("CARRIER_SECRETKIT", text, 1);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), 0);
	assert_memory_equal(seed.b, kit, 32);
	CHECK_ERR(home_network(&h, &network, &error), 0);
	assert_memory_equal(network.b, kit + 32, 32);
	/* with it there is nothing to set up */
	CHECK(remove(p.secret) == 0);
	assert_int_equal(home_setup(&h, &error), 0);
	assert_int_equal(mode_of(p.secret), -1);

	setenv("CARRIER_SECRETKIT", "cCEwrong", 1);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), ERR_CONFIG);
	CHECK(strstr(error.text, "CARRIER_SECRETKIT"));
	CHECK_ERR(home_network(&h, &network, &error), ERR_CONFIG);
	CHECK_ERR(home_setup(&h, &error), ERR_CONFIG);
	unsetenv("CARRIER_SECRETKIT");
	setenv("CARRIER_SECRET", "x", 1);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), ERR_CONFIG);
	CHECK(strstr(error.text, "CARRIER_SECRET in"));
	setenv("CARRIER_SECRET", "", 1);
	CHECK_ERR(home_secret(&h, &seed, NULL, NULL, &error), -ENOENT);
}

static void which_network_is_meant(void **state)
{
	static const struct { const char *text; int want; uint8_t which; const char *says; } rows[] = {
		{ "[network]\nsecret = \"%2$s\"\n[publish]\nsecret = \"%1$s\"\n", 0, 2, "" },
		{ "[subscribe]\nsecret = \"%1$s\"\ngroup = \"g\"\n", 0, 1, "" },
		{ "[publish]\nshadow = \"cCZsomething\"\nsecret = \"%1$s\"\n", 0, 1, "" },
		{ "", -ENOENT, 0, "" },
		{ "[network]\n", -ENOENT, 0, "" },
		{ "[publish]\nshadow = \"cCZsomething\"\n", ERR_CONFIG, 0, ":2: publish.shadow: an address alone" },
		{ "[network]\naddress = \"cCZsomething\"\n", ERR_CONFIG, 0, ":2: network.address: an address alone" },
		{ "[network]\nsecret = \"nonsense\"\n", ERR_CONFIG, 0, ":2: network.secret: " },
		{ "[network]\n\nsecret = 7\n", ERR_CONFIG, 0, ":3: network.secret: a string" },
	};
	char one[IDENTITY_STR_MAX], two[IDENTITY_STR_MAX];
	struct network_secret s1 = { { 1, 1 } }, s2 = { { 2, 2 } };

	(void)state;
	network_secret_format(one, &s1);
	network_secret_format(two, &s2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_place_ struct place p = { 0 };
		_cleanup_(home_done) struct home h = { 0 };
		struct network_secret got = { { 0 } };
		struct home_error error;
		char text[400];

		place_new(&p);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof text, rows[i].text, one, two);
#pragma GCC diagnostic pop
		put_file(p.config, text, 0600);
		open_home(&h, &p);
		if (home_network(&h, &got, &error) != rows[i].want || !strstr(error.text, rows[i].says))
			fail_msg("row %zu: %s", i, error.text);
		assert_int_equal(got.b[0], rows[i].which);
		if (rows[i].want == ERR_CONFIG)
			CHECK_ERR(home_setup(&h, &error), ERR_CONFIG);
	}
}

static int answer(void *userdata, const char *prompt, struct buf *ret)
{
	CHECK(strstr(prompt, "carrier.secret"));
	if (!userdata)
		return -ECANCELED;
	buf_add_str(ret, userdata);
	return 0;
}

static void is_an_encrypted_secret_opened_by_its_passphrase(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct sign_seed seed = seed_of(1), other = seed_of(2), got;
	struct home_error error;
	char plain[TEXT_STR_MAX];

	(void)state;
	place_new(&p);
	open_home(&h, &p);
	seed_text(plain, 1);
	CHECK_ERR(home_write_secret(&h, &seed, SPAN_STR("open sesame"), false, &error), 0);
	assert_int_equal(mode_of(p.secret), 0600);
	_cleanup_free_ char *file = get_file(p.secret);
	CHECK(!strstr(file, plain) && !strncmp(file, "carrier envelope 1\n", 19));

	CHECK_ERR(home_secret(&h, &got, answer, (void *)"open sesame", &error), 0);
	assert_memory_equal(&got, &seed, sizeof got);
	CHECK_ERR(home_secret(&h, &got, answer, (void *)"open sesam", &error), ERR_CRYPTO);
	CHECK(strstr(error.text, "wrong passphrase"));
	CHECK_ERR(home_secret(&h, &got, answer, (void *)"", &error), ERR_CRYPTO);
	CHECK_ERR(home_secret(&h, &got, answer, NULL, &error), -ECANCELED);
	CHECK_ERR(home_secret(&h, &got, NULL, NULL, &error), ERR_CONFIG);
	CHECK(strstr(error.text, "encrypted"));
	/* setup asks nobody and takes it for what it is */
	assert_int_equal(home_setup(&h, &error), 1);
	assert_int_equal(home_setup(&h, &error), 0);
	CHECK_ERR(home_secret(&h, &got, answer, (void *)"open sesame", &error), 0);

	/* overwritten only by the same identity, or on demand */
	CHECK_ERR(home_write_secret(&h, &seed, SPAN_NONE, false, &error), ERR_EXISTS);
	CHECK_ERR(home_write_secret(&h, &seed, SPAN_STR("wrong"), false, &error), ERR_EXISTS);
	CHECK_ERR(home_write_secret(&h, &other, SPAN_STR("open sesame"), false, &error), ERR_EXISTS);
	CHECK_ERR(home_write_secret(&h, &seed, SPAN_STR("open sesame"), false, &error), 0);
	CHECK_ERR(home_write_secret(&h, &other, SPAN_NONE, true, &error), 0);
	CHECK_ERR(home_secret(&h, &got, NULL, NULL, &error), 0);
	assert_memory_equal(&got, &other, sizeof got);
	CHECK_ERR(home_write_secret(&h, &seed, SPAN_NONE, false, &error), ERR_EXISTS);
	CHECK(strstr(error.text, "another identity"));
}

static void does_a_written_secret_replace_the_old_key(void **state)
{
	_cleanup_place_ struct place p = { 0 };
	_cleanup_(home_done) struct home h = { 0 };
	struct sign_seed one = seed_of(1), two = seed_of(2), got;
	struct home_error error;
	char secret[TEXT_STR_MAX], text[256];

	(void)state;
	place_new(&p);
	seed_text(secret, 1);
	snprintf(text, sizeof text, "# c\nsecret = \"%s\"\nport = 1\n", secret);
	put_file(p.config, text, 0600);
	open_home(&h, &p);
	CHECK_ERR(home_write_secret(&h, &two, SPAN_NONE, false, &error), ERR_EXISTS);
	CHECK_ERR(home_write_secret(&h, &one, SPAN_NONE, false, &error), 0);
	_cleanup_free_ char *now = get_file(p.config);
	assert_string_equal(now, "# c\nport = 1\n");
	CHECK_ERR(home_secret(&h, &got, NULL, NULL, &error), 0);
	assert_memory_equal(&got, &one, sizeof got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_are_the_files),
		cmocka_unit_test(does_a_broken_file_say_where),
		cmocka_unit_test(does_saving_keep_what_is_there),
		cmocka_unit_test(is_somebody_elses_change_kept),
		cmocka_unit_test(what_does_setup_make),
		cmocka_unit_test(does_setup_leave_what_the_old_generations_made),
		cmocka_unit_test(is_a_failed_setup_done_the_next_time),
		cmocka_unit_test(which_secrets_are_read),
		cmocka_unit_test(does_the_environment_replace_the_file),
		cmocka_unit_test(which_network_is_meant),
		cmocka_unit_test(is_an_encrypted_secret_opened_by_its_passphrase),
		cmocka_unit_test(does_a_written_secret_replace_the_old_key),
	};

	CHECK_ERR(crypto_init(), 0);
	return RUN_TESTS(tests);
}
