/* Structs of other sizes than ours, and configurations that cannot be used. */
#include "world.h"

#include <errno.h>

#include "vault/home.h"

static char detail[512];

static int try_open(const carrier_options *o)
{
	carrier *c = (carrier *)(uintptr_t)1;
	int err = carrier_open(o, &c);

	if (err < 0)
		CHECK(c == (carrier *)(uintptr_t)1);    /* untouched on failure */
	else
		CHECK_ERR(carrier_close(c), 0);
	return err;
}

static carrier_options options(const char *name)
{
	static char path[128];

	world_path(path, name);
	detail[0] = 0;
	return (carrier_options){ .size = sizeof(carrier_options), .config = path, .flags = CARRIER_OPEN_CREATE,
				  .detail = detail, .detail_size = sizeof detail };
}

static void sizes_of_options(void **state)
{
	/* what a program of the future passes */
	struct { carrier_options o; uint64_t more[4]; } future = { .o = options("sizes") };
	struct { carrier_options o; uint8_t more[8192]; } *huge = calloc(1, sizeof *huge);

	(void)state;
	CHECK_ERR(try_open(&future.o), 0);
	future.o.size = sizeof(carrier_options) - 1;
	CHECK_ERR(try_open(&future.o), CARRIER_E_LENGTH);
	future.o.size = 0;
	CHECK_ERR(try_open(&future.o), CARRIER_E_LENGTH);
	future.o.size = sizeof future;
	CHECK_ERR(try_open(&future.o), 0);              /* it asks for nothing new */
	future.more[3] = 1;
	CHECK_ERR(try_open(&future.o), CARRIER_E_VERSION);
	CHECK(huge);
	huge->o = options("sizes");
	huge->o.size = sizeof *huge;
	CHECK_ERR(try_open(&huge->o), CARRIER_E_LENGTH);
	huge->o.size = SIZE_MAX;
	CHECK_ERR(try_open(&huge->o), CARRIER_E_LENGTH);
	free(huge);
}

static void sizes_of_callbacks(void **state)
{
	carrier *c = world_open("callbacks", NULL, NULL);
	char address[CARRIER_ADDRESS_TEXT_MAX], id[CARRIER_ID_TEXT_MAX], target[160];
	carrier_peer_callbacks pcb = { .size = sizeof pcb - 1 };
	carrier_stream_callbacks scb = { .size = 3 };
	carrier_route_options ro = { .size = sizeof ro, .reserved = 1 };
	carrier_peer_info info = { .size = 1 };
	carrier_peer *p = NULL;

	(void)state;
	world_id(id, c);
	CHECK_ERR(carrier_address(c, address, sizeof address), 0);
	snprintf(target, sizeof target, "%s@127.0.0.1:1", id);
	CHECK_ERR(carrier_connect(c, target, &pcb, NULL, &p), CARRIER_E_LENGTH);
	CHECK(!p && strstr(carrier_detail(c), "carrier_peer_callbacks"));
	CHECK_ERR(carrier_connect(c, target, NULL, NULL, &p), 0);
	CHECK_ERR(carrier_stream_open(p, "disco", NULL, &scb, NULL, NULL), CARRIER_E_LENGTH);
	CHECK_ERR(carrier_peer_get_info(p, &info), CARRIER_E_LENGTH);
	/* a program of the future may ask for more than we know: it gets what we do */
	struct { carrier_peer_info i; uint64_t more; } future = { .i = { .size = sizeof future }, .more = 7 };
	CHECK_ERR(carrier_peer_get_info(p, &future.i), 0);
	CHECK(future.more == 7 && !future.i.ready && !future.i.address[0]);
	CHECK_ERR(carrier_route(c, "/x", &ro, NULL, NULL), CARRIER_E_VERSION);
	world_close(c);
}

static void what_is_not_known_is_refused(void **state)
{
	carrier_options o = options("unknown");

	(void)state;
	o.flags = 1u << 31;
	CHECK_ERR(try_open(&o), CARRIER_E_VERSION);
	CHECK(detail[0]);
	o = options("unknown");
	o.reserved = 1;
	CHECK_ERR(try_open(&o), CARRIER_E_VERSION);
}

static void no_identity_yet(void **state)
{
	carrier_options o = options("nobody");
	char small[8] = "";

	(void)state;
	o.flags = 0;
	CHECK_ERR(try_open(&o), -ENOENT);
	CHECK(strstr(detail, "carrier setup"));
	o.detail = small;
	o.detail_size = sizeof small;
	CHECK_ERR(try_open(&o), -ENOENT);
	CHECK(strlen(small) == sizeof small - 1);
	o.detail = NULL;
	CHECK_ERR(try_open(&o), -ENOENT);
}

static void write_config(const char *name, const char *text)
{
	char path[128];

	world_path(path, name);
	FILE *f = fopen(path, "w");
	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

static void bad_configurations_say_where(void **state)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "broker = \n", ":1:" },
		{ "\nbroker = [\"nonsense\"]\n", ":2" },
		{ "keepalive = 1\n", ":1" },
		{ "[[authorize]]\nidentity = \"cbad\"\nresource = \"*\"\n", ":2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		carrier_options o = options("bad");

		o.flags = CARRIER_OPEN_CREATE;
		write_config("bad", cases[i].text);
		CHECK_ERR(try_open(&o), CARRIER_E_CONFIG);
		if (!strstr(detail, cases[i].says) || !strstr(detail, "bad.toml"))
			fail_msg("case %zu: %s", i, detail);
	}
}

static void the_same_identity_again(void **state)
{
	carrier_options o = options("again");
	carrier_id first, second;
	carrier *c;

	(void)state;
	CHECK_ERR(carrier_open(&o, &c), 0);
	carrier_identity(c, &first);
	CHECK_ERR(carrier_close(c), 0);
	o.flags = 0;
	CHECK_ERR(carrier_open(&o, &c), 0);
	carrier_identity(c, &second);
	CHECK(!memcmp(&first, &second, sizeof first));
	carrier_peer *p;
	CHECK_ERR(carrier_connect(c, "self", NULL, NULL, &p), CARRIER_E_NOBROKER);
	CHECK(strstr(carrier_detail(c), "again.toml"));
	CHECK_ERR(carrier_close(c), 0);
	CHECK_ERR(carrier_close(NULL), 0);
}

static void a_port_in_use_is_said(void **state)
{
	char address[CARRIER_ADDRESS_TEXT_MAX], text[64];
	carrier *c = world_open("first", NULL, NULL);

	(void)state;
	CHECK_ERR(carrier_address(c, address, sizeof address), 0);
	snprintf(text, sizeof text, "port = %s\n", strrchr(address, ':') + 1);
	write_config("second", text);
	carrier_options o = options("second");
	CHECK_ERR(try_open(&o), 0);     /* any port, unless asked for */
	o.flags |= CARRIER_OPEN_LISTEN;
	CHECK_ERR(try_open(&o), -EADDRINUSE);
	CHECK(detail[0]);
	world_close(c);
}

static void identities_as_text(void **state)
{
	char text[CARRIER_ID_TEXT_MAX] = "";
	carrier *c = world_open("text", NULL, NULL);
	carrier_id id, back = { { 0xaa } };

	(void)state;
	carrier_identity(c, &id);
	CHECK_ERR(carrier_identity_text(&id, text, sizeof text - 1), CARRIER_E_LENGTH);
	CHECK(!text[0]);
	CHECK_ERR(carrier_identity_text(&id, text, sizeof text), 0);
	CHECK_ERR(carrier_identity_parse(text, &back), 0);
	CHECK(!memcmp(&id, &back, sizeof id));
	text[strlen(text) - 1] = 0;
	CHECK_ERR(carrier_identity_parse(text, &(carrier_id){}), CARRIER_E_LENGTH);
	text[20] = text[20] == 'Z' ? 'Y' : 'Z';
	CHECK(carrier_identity_parse(text, &back) < 0);
	CHECK(!memcmp(&id, &back, sizeof id));
	world_close(c);
}

static void errors_have_names_and_words(void **state)
{
	(void)state;
	CHECK(!strcmp(carrier_strerror(CARRIER_E_OFFLINE), "not online"));
	CHECK(!strcmp(carrier_error_name(CARRIER_AGAIN), "AGAIN"));
	CHECK(!strcmp(carrier_error_name(-ENOENT), "ENOENT"));
	CHECK(!strcmp(carrier_strerror(0), "success"));
	CHECK(carrier_strerror(-4000) && carrier_strerror(-9999) && carrier_strerror(7));
	CHECK(!strcmp(carrier_version(), CARRIER_VERSION));
	CHECK(carrier_message_max() == CARRIER_MESSAGE_MAX);
}

static size_t lines;
static void on_log(void *userdata, int level, const char *topic, const char *text)
{
	CHECK(userdata == &lines && level <= CARRIER_LOG_DEBUG && topic[0] && text[0]);
	lines++;
}

static int give_passphrase(void *userdata, const char *prompt, char *out, size_t size)
{
	CHECK(prompt[0] && size >= 8);
	memcpy(out, "open sesame", 11);
	return *(int *)userdata;
}

/* An encrypted secret as `carrier vault` writes it. */
static void a_passphrase_is_asked_for(void **state)
{
	carrier_options o = options("sealed");
	struct home_error error;
	struct sign_seed seed;
	struct home home;
	int answer = 11;

	(void)state;
	sign_seed_new(&seed);
	CHECK_ERR(home_open(&home, o.config, &error), 0);
	CHECK_ERR(home_write_secret(&home, &seed, SPAN_STR("open sesame"), false, &error), 0);
	home_done(&home);
	o.flags = 0;
	CHECK_ERR(try_open(&o), CARRIER_E_CONFIG);
	CHECK(strstr(detail, "passphrase"));
	o.passphrase = give_passphrase;
	o.userdata = &answer;
	CHECK_ERR(try_open(&o), 0);
	answer = 4;
	CHECK(try_open(&o) < 0);
	answer = -ECANCELED;
	CHECK(try_open(&o) < 0);
	answer = 1 << 20;
	CHECK_ERR(try_open(&o), CARRIER_E_LENGTH);
}

static void the_log_goes_to_the_caller(void **state)
{
	carrier *c = world_open("log", NULL, &(carrier_options){ .log = on_log, .userdata = &lines, .log_level = 99 });

	(void)state;
	CHECK_ERR(carrier_allow(c, "self", "*"), 0);
	CHECK(carrier_publish(c) == 1);
	world_run(200);
	carrier_peer *p;
	CHECK_ERR(carrier_connect(c, "self", NULL, NULL, &p), 0);
	world_run(200);
	CHECK_ERR(carrier_stream_open(p, "/nothing", NULL, NULL, NULL, NULL), 0);
	world_run(200);
	CHECK(lines);
	world_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_of_options),
		cmocka_unit_test(sizes_of_callbacks),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(no_identity_yet),
		cmocka_unit_test(bad_configurations_say_where),
		cmocka_unit_test(the_same_identity_again),
		cmocka_unit_test(a_port_in_use_is_said),
		cmocka_unit_test(identities_as_text),
		cmocka_unit_test(errors_have_names_and_words),
		cmocka_unit_test(a_passphrase_is_asked_for),
		cmocka_unit_test(the_log_goes_to_the_caller),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
