/* The command line of carrierd. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "carrierd/agent.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static const char usage[] =
	"usage: carrierd [--config FILE] [--listen ADDRESS:PORT] [--claim open|code] [--verbose]\n"
	"\n"
	"Makes this device reachable by its identity. Root's configuration is\n"
	"/etc/carrier/carrier.toml, others' ~/.devguard/carrier.toml.\n"
	"\n"
	"  -c, --config FILE           another configuration; CARRIER_CONFIG does the same\n"
	"  -l, --listen ADDRESS:PORT   UDP address, instead of the configured one\n"
	"      --claim open|code       who may claim an unclaimed device: anybody, or who has the code\n"
	"  -v, --verbose               say more\n"
	"      --version, --help\n";

struct arguments {
	struct agent_options options;
	struct addr listen;
	struct log_sink log;
	bool done;
};

static void on_identity(void *userdata, const struct identity *self, bool claimed)
{
	const struct arguments *args = userdata;
	char text[IDENTITY_STR_MAX];

	identity_format(text, self);
	log_to(&args->log, LOG_INFO, "carrierd", "identity: %s%s", text, claimed ? "" : " (unclaimed)");
}

static void on_claim_code(void *userdata, const char *code)
{
	(void)userdata;
	printf("claim code: %s\n", code);
	fflush(stdout);
}

static void on_serving(void *userdata)
{
	const struct arguments *args = userdata;

	log_to(&args->log, LOG_INFO, "carrierd", "serving");
}

static int parse_claim(struct arguments *args, const char *text)
{
	if (!strcmp(text, "open"))
		args->options.claim = CLAIM_OPEN;
	else if (!strcmp(text, "code"))
		args->options.claim = CLAIM_CODE;
	else
		return fprintf(stderr, "carrierd: --claim: \"open\" or \"code\" was expected\n"), EXIT_USAGE;
	return 0;
}

static int parse_listen(struct arguments *args, const char *text)
{
	if (addr_parse(&args->listen, text) < 0)
		return fprintf(stderr, "carrierd: --listen: ADDRESS:PORT was expected, such as [::]:4433\n"), EXIT_USAGE;
	args->options.listen = &args->listen;
	return 0;
}

static int parse(struct arguments *args, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "listen", required_argument, NULL, 'l' },
		{ "claim", required_argument, NULL, 'C' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c, status = 0;

	while (!status && !args->done && (c = getopt_long(argc, argv, "c:l:vh", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			args->options.config_path = optarg;
			break;
		case 'l':
			status = parse_listen(args, optarg);
			break;
		case 'C':
			status = parse_claim(args, optarg);
			break;
		case 'v':
			args->log.max = LOG_DEBUG;
			break;
		case 'V':
			args->done = true;
			puts("carrierd " CARRIER_VERSION);
			break;
		case 'h':
			args->done = true;
			fputs(usage, stdout);
			break;
		default:
			return EXIT_USAGE;
		}
	if (!status && !args->done && optind < argc) {
		fprintf(stderr, "carrierd: what is \"%s\"?\n%s", argv[optind], usage);
		status = EXIT_USAGE;
	}
	return status;
}

int carrierd_main(int argc, char **argv)
{
	struct arguments args = {
		.log = log_stderr,
		.options = {
			.claim = AGENT_CLAIM_AS_CONFIGURED, .daemon = true,
			.application = "carrierd", .application_version = CARRIER_VERSION,
			.identity = on_identity, .claim_code = on_claim_code, .serving = on_serving,
		},
	};
	int err = parse(&args, argc, argv);

	if (err || args.done)
		return err;
	args.options.log = &args.log;
	args.options.userdata = &args;
	if (!args.options.config_path && geteuid() == 0 && !getenv("CARRIER_CONFIG"))
		args.options.config_path = "/etc/carrier/carrier.toml";
	err = agent_run(&args.options);
	return err == ERR_CONFIG ? EXIT_CONFIG : err < 0;
}
