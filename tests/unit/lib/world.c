#include "world.h"

#include <poll.h>
#include <unistd.h>

#include "broker/broker.h"

struct world world;

void world_path(char out[static 128], const char *name)
{
	snprintf(out, 128, "%s/%s.toml", world.folder, name);
}

int world_setup(void **state)
{
	struct sign_seed seed;
	struct identity id;
	char text[IDENTITY_STR_MAX];
	struct addr any, at;

	(void)state;
	CHECK_ERR(crypto_init(), 0);
	unsetenv("CARRIER_BROKERS");
	unsetenv("CARRIER_CONFIG");
	unsetenv("CARRIER_SECRET");
	unsetenv("CARRIER_SECRETKIT");
	snprintf(world.folder, sizeof world.folder, "%s/carrier-lib-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	CHECK(mkdtemp(world.folder));
	CHECK_ERR(loop_new(&world.loop), 0);
	sign_seed_new(&seed);
	identity_of_seed(&id, &seed);
	identity_format(text, &id);
	CHECK_ERR(vault_new_local(&world.vault, &seed, 1u << VAULT_TLS), 0);
	struct broker_config bc = { .loop = world.loop, .vault = world.vault, .token = "sesame" };
	CHECK_ERR(broker_new(&world.broker, &bc), 0);
	CHECK_ERR(addr_parse(&any, "127.0.0.1:0"), 0);
	CHECK_ERR(broker_listen(world.broker, &any, -1, &at), 0);
	snprintf(world.line, sizeof world.line, "broker = [\"%s@127.0.0.1:%u#sesame\"]", text, at.port);
	return 0;
}

int world_teardown(void **state)
{
	char command[128];

	(void)state;
	while (world.len)
		world_close(world.parties[0]);
	broker_free(world.broker);
	vault_free(world.vault);
	loop_free(world.loop);
	snprintf(command, sizeof command, "rm -rf '%s'", world.folder);
	return system(command);
}

carrier *world_open(const char *name, const char *more, const carrier_options *o)
{
	carrier_options mine = o ? *o : (carrier_options){};
	char path[128], detail[512] = "";
	carrier *c = NULL;

	world_path(path, name);
	FILE *f = fopen(path, "w");
	CHECK(f);
	fprintf(f, "%s\n%s\n", world.line, more ?: "");
	fclose(f);
	mine.size = sizeof mine;
	mine.config = path;
	mine.flags |= CARRIER_OPEN_CREATE;
	mine.detail = detail;
	mine.detail_size = sizeof detail;
	int err = carrier_open(&mine, &c);
	if (err < 0)
		fail_msg("%s: %s: %s", name, carrier_error_name(err), detail);
	CHECK(world.len < WORLD_PARTIES_MAX);
	world.parties[world.len++] = c;
	return c;
}

void world_close(carrier *c)
{
	for (size_t i = 0; i < world.len; i++)
		if (world.parties[i] == c) {
			world.parties[i] = world.parties[--world.len];
			break;
		}
	CHECK_ERR(carrier_close(c), 0);
}

static void turn(int ms)
{
	struct pollfd fds[WORLD_PARTIES_MAX + 1] = { { .fd = loop_fd(world.loop), .events = POLLIN } };
	carrier *who[WORLD_PARTIES_MAX];
	size_t n = world.len;

	for (size_t i = 0; i < n; i++) {
		who[i] = world.parties[i];
		fds[i + 1] = (struct pollfd){ .fd = carrier_fd(who[i]), .events = POLLIN };
	}
	CHECK(poll(fds, n + 1, ms) >= 0);
	if (fds[0].revents)
		CHECK(loop_turn(world.loop, 0) >= 0);
	for (size_t i = 0; i < n; i++)
		if (fds[i + 1].revents)
			CHECK(carrier_dispatch(who[i], 0) >= 0);
}

void world_until_(const bool *so, unsigned ms, const char *what, int line)
{
	tstamp now = time_monotonic(), end = now + MILLIS(ms);

	for (; !*so && now < end; now = time_monotonic())
		turn((int)((end - now) / MILLIS(1)) + 1);
	if (!*so)
		fail_msg("line %d: not within %u ms: %s", line, ms, what);
}

void world_run(unsigned ms)
{
	tstamp now = time_monotonic(), end = now + MILLIS(ms);

	for (; now < end; now = time_monotonic())
		turn((int)((end - now) / MILLIS(1)) + 1);
}

void world_id(char out[static CARRIER_ID_TEXT_MAX], const carrier *c)
{
	carrier_id id;

	carrier_identity(c, &id);
	CHECK_ERR(carrier_identity_text(&id, out, CARRIER_ID_TEXT_MAX), 0);
}
