/* A device that offers a service of its own: /v2/myorg.mything.v1/whodis answers any
 * request with who asks and who is asked. Run it with the configuration of the device:
 *
 *     cc publisher.c $(pkg-config --cflags --libs libcarrier) -o publisher
 *     ./publisher [CONFIG]
 */
#include <stdio.h>
#include <string.h>

#include <carrier/carrier.h>

static carrier *device;

static void whodis(void *userdata, carrier_stream *s, const carrier_id *caller, const carrier_headers *headers)
{
	char them[CARRIER_ID_TEXT_MAX], us[CARRIER_ID_TEXT_MAX], text[256];
	carrier_id self;

	(void)userdata;
	(void)headers;
	carrier_identity(device, &self);
	carrier_identity_text(caller, them, sizeof them);
	carrier_identity_text(&self, us, sizeof us);
	snprintf(text, sizeof text, "you are %s\ni am %s\n", them, us);
	if (carrier_stream_send(s, text, strlen(text)) < 0 || carrier_stream_end(s) < 0)
		carrier_stream_reset(s, CARRIER_RESET_INTERNAL);
}

static void on_log(void *userdata, int level, const char *topic, const char *text)
{
	(void)userdata;
	(void)level;
	fprintf(stderr, "%s: %s\n", topic, text);
}

static void on_broker(void *userdata, const char *broker, int state, int err, const char *detail)
{
	(void)userdata;
	if (state == CARRIER_BROKER_REGISTERED)
		fprintf(stderr, "published on %s\n", broker);
	else if (err)
		fprintf(stderr, "broker %s: %s %s\n", broker, carrier_strerror(err), detail);
}

int main(int argc, char **argv)
{
	char detail[512] = "";
	carrier_options o = {
		.size = sizeof o, .config = argc > 1 ? argv[1] : NULL, .application = "mything", .application_version = "1",
		.log_level = CARRIER_LOG_INFO, .log = on_log, .broker = on_broker, .detail = detail, .detail_size = sizeof detail,
	};
	int err = carrier_open(&o, &device);

	if (err >= 0)
		err = carrier_route(device, "/v2/myorg.mything.v1/whodis", NULL, whodis, NULL);
	if (err >= 0)
		err = carrier_publish(device);
	while (err >= 0)
		err = carrier_dispatch(device, -1);
	fprintf(stderr, "publisher: %s: %s\n", carrier_strerror(err), device ? carrier_detail(device) : detail);
	carrier_close(device);
	return 1;
}
