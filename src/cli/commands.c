/* The one table. */
#include "cli/cli.h"
#include "cli/cmd.h"

const struct option_row global_options[] = {
	{ 0, "config", OPTION_VALUE, "FILE", "the configuration (default ~/.devguard/carrier.toml)" },
	{ 0, "broker", OPTION_VALUE, "LINE", "a broker \"ID@HOST:PORT#TOKEN\", instead of the configured ones", true },
	{ 0, "timeout", OPTION_VALUE, "SECONDS", "give up after that long" },
	{ 0, "passphrase-file", OPTION_VALUE, "FILE", "read the passphrase from its first line" },
	{ 0, "json", OPTION_FLAG, NULL, "print objects, one a line" },
	{ 'q', "quiet", OPTION_FLAG, NULL, "no talk on stderr but errors" },
	{ 0, "verbose", OPTION_FLAG, NULL, "tell on stderr what the network does" },
	{ 'u', "domain", OPTION_VALUE, "DOMAIN", "taken from scripts of the older generations, without effect" },
	{ 'h', "help", OPTION_FLAG, NULL, "explain the command" },
	{ 'V', "version", OPTION_FLAG, NULL, "print the version" },
	{ 0 },
};

#define CLAIM_OPTION { 0, "claim", OPTION_VALUE, "CODE", "the code of a device that asks for one" }
#define HEADER_OPTION { 'H', "header", OPTION_PAIR, "NAME=VALUE", "a header of the request", true }

static const struct option_row identity_options[] = {
	{ 0, "qr", OPTION_FLAG, NULL, "as a QR code too" },
	{ 0, "fingerprint", OPTION_FLAG, NULL, "four words to compare by voice" },
	{ 0, "gen1", OPTION_FLAG, NULL, "in the text form of generation 1" },
	{ 0, "new", OPTION_VALUE, "NUMBER", "make that many identities for devices to come" },
	{ 0, "manifest", OPTION_VALUE, "FILE", "where --new writes the list; the homes go to a folder beside it" },
	{ 0 },
};

static const struct option_row authorize_options[] = {
	CLAIM_OPTION,
	{ 0, "methods", OPTION_VALUE, "WORDS", "only these methods, \"GET POST\"" },
	{ 0, "tcp", OPTION_VALUE, "HOST:PORT", "what tcp may reach; HOST or PORT may be *", true },
	{ 0, "root", OPTION_VALUE, "FOLDER", "what push and pull may reach" },
	{ 0, "user", OPTION_VALUE, "NAME", "who the caller is on the device" },
	{ 0, "not-before", OPTION_VALUE, "TIME", "2026-01-31, 2026-01-31T12:00:00Z" },
	{ 0, "expires", OPTION_VALUE, "TIME", "the same, or from now: 30m, 12h, 7d" },
	{ 0 },
};

static const struct option_row broker_options[] = {
	{ 0, "listen", OPTION_VALUE, "ADDRESS:PORT", "where to listen (default [::]:8443)", true },
	{ 0, "open", OPTION_FLAG, NULL, "serve everybody" },
	{ 0, "allow", OPTION_VALUE, "IDENTITY", "serve these only", true },
	{ 0, "name", OPTION_VALUE, "HOST", "the host name in the printed line" },
	{ 0 },
};

static const struct option_row publish_options[] = {
	{ 'c', "config", OPTION_VALUE, "FILE", "the configuration" },
	{ 'l', "listen", OPTION_VALUE, "ADDRESS:PORT", "the UDP address, instead of the configured one" },
	{ 0, "claim", OPTION_VALUE, "open|code", "who may claim an unclaimed device, in this run" },
	{ 0 },
};

static const struct option_row get_options[] = {
	HEADER_OPTION,
	{ 0, "raw", OPTION_FLAG, NULL, "the bytes as they come" },
	{ 'x', "hex", OPTION_FLAG, NULL, "a hex dump" },
	{ 0, "method", OPTION_VALUE, "WORD", "GET, POST, DELETE ..." },
	{ 'v', "generation", OPTION_VALUE, "0|1|2", "taken from scripts of generation 1, without effect" },
	{ 0 },
};

static const struct option_row sysinfo_options[] = {
	{ 'v', "generation", OPTION_VALUE, "0|1|2", "taken from scripts of generation 1, without effect" },
	{ 0 },
};

static const struct option_row stream_options[] = {
	HEADER_OPTION,
	{ 'a', "args", OPTION_PAIR, "NAME=VALUE", "a member of a first message", true },
	{ 0, "multiline-json", OPTION_VALUE, "true|false", "values may go over several lines (default true)" },
	{ 0 },
};

static const struct option_row shell_options[] = {
	{ 'c', "command", OPTION_VALUE, "COMMAND", "run it instead of a login shell" },
	{ 'T', "disable-pty", OPTION_FLAG, NULL, "no terminal" },
	{ 't', "force-pty", OPTION_FLAG, NULL, "a terminal, for a command too" },
	{ 'e', "env", OPTION_PAIR, "NAME=VALUE", "an environment variable", true },
	{ 0 },
};

static const struct option_row copy_options[] = {
	{ 'r', "recursive", OPTION_FLAG, NULL, "whole folders" },
	{ 0 },
};

static const struct option_row ping_options[] = {
	{ 'c', "count", OPTION_VALUE, "NUMBER", "that many (default 5; 0: until interrupted)" },
	{ 'i', "interval", OPTION_VALUE, "MS", "milliseconds between two (default 1000)" },
	{ 0 },
};

static const struct option_row names_options[] = {
	{ 0, "complete", OPTION_FLAG, NULL, "names only, for completion" },
	{ 0 },
};

static const struct option_row reset_options[] = {
	{ 0, "new-key", OPTION_FLAG, NULL, "a new identity too" },
	{ 'y', "yes", OPTION_FLAG, NULL, "do not ask" },
	{ 0 },
};

static const struct option_row help_options[] = {
	{ 0, "scdoc", OPTION_FLAG, NULL, "all commands, for the manual" },
	{ 0 },
};

#define YOU "This machine"
#define REACH "Reaching a device"
#define BEING "Being a device"
#define MAY "Who may do what"
#define NETS "Networks"
#define MORE "More"

const struct command commands[] = {
	{ .name = "setup", .group = YOU, .args = "", .help = "make an identity and a network, if there are none", .run = cmd_setup,
	  .details = "Writes ~/.devguard/carrier.toml and, beside it, the secret (back it up: carrier vault export).\n"
		     "Run again it changes nothing and prints the same." },
	{ .name = "identity", .aliases = "id,vault identity,vault id,ik identity", .group = YOU, .args = "",
	  .help = "print the identity of this machine", .options = identity_options, .run = cmd_identity },
	{ .name = "status", .group = YOU, .args = "", .help = "show the configuration and try the brokers", .run = cmd_status },
	{ .name = "names", .group = YOU, .args = "|add NAME IDENTITY|rm NAME", .help = "list, add or remove names for identities",
	  .options = names_options, .max_args = 3, .run = cmd_names,
	  .details = "Names are yours alone, in [names] of the configuration; ~/.devguard/named.toml is read too." },
	{ .name = "vault export", .group = YOU, .args = "FILE", .help = "back the identity up, encrypted with a passphrase",
	  .min_args = 1, .max_args = 1, .run = cmd_vault_export },
	{ .name = "vault restore", .group = YOU, .args = "FILE", .help = "bring a backup back",
	  .min_args = 1, .max_args = 1, .run = cmd_vault_restore },
	{ .name = "reset", .group = YOU, .args = "", .help = "factory reset: no rules, no networks, no remembered sessions",
	  .options = reset_options, .run = cmd_reset },

	{ .name = "disco", .aliases = "discovery", .group = REACH, .args = "TARGET", .help = "what runs there, and the paths that you may use",
	  .min_args = 1, .max_args = 1, .run = cmd_disco },
	{ .name = "sysinfo", .group = REACH, .args = "TARGET", .help = "memory, load, disks, interfaces",
	  .options = sysinfo_options, .min_args = 1, .max_args = 1, .run = cmd_sysinfo },
	{ .name = "get", .group = REACH, .args = "TARGET PATH|PATH TARGET", .help = "ask any path and print the answer",
	  .options = get_options, .min_args = 2, .max_args = 2, .run = cmd_get,
	  .details = "PATH begins with '/' or is a short name: disco, sysinfo, ... CBOR is printed as JSON." },
	{ .name = "stream", .group = REACH, .args = "TARGET PATH", .help = "exchange messages: JSON values in, JSON lines out",
	  .options = stream_options, .min_args = 2, .max_args = 2, .run = cmd_stream,
	  .details = "A message with a member \"error\" that has a \"code\" makes this the exit status." },
	{ .name = "shell", .group = REACH, .args = "TARGET [COMMAND...]", .help = "a terminal, or one command",
	  .options = shell_options, .min_args = 1, .max_args = -1, .rest_after = 2, .run = cmd_shell,
	  .details = "A command runs without a terminal unless -t is given. The exit status is the remote one, 128+n after\n"
		     "signal n, 255 when the connection broke." },
	{ .name = "push", .aliases = "fs push", .group = REACH, .args = "TARGET LOCAL REMOTE", .help = "copy a file to the device",
	  .options = copy_options, .min_args = 3, .max_args = 3, .run = cmd_push,
	  .details = "Goes on where it was cut; what stands at REMOTE is replaced at the end, at once." },
	{ .name = "pull", .aliases = "fs pull", .group = REACH, .args = "TARGET REMOTE LOCAL", .help = "copy a file from the device",
	  .options = copy_options, .min_args = 3, .max_args = 3, .run = cmd_pull },
	{ .name = "tcp", .group = REACH, .args = "TARGET REMOTE-PORT [REMOTE-HOST] LOCAL-PORT",
	  .help = "forward connections to 127.0.0.1:LOCAL-PORT", .min_args = 3, .max_args = 4, .run = cmd_tcp,
	  .details = "LOCAL-PORT 0: one is chosen and printed. REMOTE-HOST is the device itself unless its rule says more." },
	{ .name = "nc", .group = REACH, .args = "TARGET PORT", .help = "connect standard input and output to a port of the device",
	  .min_args = 2, .max_args = 2, .run = cmd_nc, .details = "ssh -o ProxyCommand='carrier nc %h 22' NAME" },
	{ .name = "ping", .group = REACH, .args = "TARGET", .help = "round trip time, direct or relayed",
	  .options = ping_options, .min_args = 1, .max_args = 1, .run = cmd_ping },

	{ .name = "publish", .aliases = "axon,axiom", .group = BEING, .args = "", .help = "be reachable: run the device agent in the foreground",
	  .options = publish_options, .run = cmd_publish },
	{ .name = "claim code", .group = BEING, .args = "", .help = "make and print a new claim code for this device",
	  .run = cmd_claim_code, .details = "Only the code's hash is kept, so the code before is worth nothing any more." },
	{ .name = "broker", .group = BEING, .args = "", .help = "run a broker: rendezvous and blind relay", .options = broker_options,
	  .max_args = -1, .flags = COMMAND_EXTERNAL, .program = "carrier-broker" },
	{ .name = "daemon", .group = BEING, .args = "", .help = "run the device agent as a system service",
	  .max_args = -1, .flags = COMMAND_EXTERNAL, .program = "carrierd" },

	{ .name = "authorize", .group = MAY, .args = "IDENTITY [PATH]|TARGET IDENTITY [PATH]", .help = "let an identity in, here or on a device",
	  .options = authorize_options, .min_args = 1, .max_args = 3, .run = cmd_authorize,
	  .details = "PATH is '*' (all; the default), a path, or the beginning of paths: '/v2/carrier.sysinfo.v1/*'.\n"
		     "The first authorization claims a device." },
	{ .name = "deauthorize", .group = MAY, .args = "IDENTITY [PATH]|TARGET IDENTITY [PATH]", .help = "take that back",
	  .min_args = 1, .max_args = 3, .run = cmd_deauthorize },
	{ .name = "config", .group = MAY,
	  .args = "TARGET auth list|TARGET auth add IDENTITY [PATH]|TARGET auth del IDENTITY [PATH]|TARGET net get|"
		  "TARGET net join SECRET|TARGET net leave",
	  .help = "rules and network of a device, or of this machine (self)", .options = authorize_options,
	  .min_args = 3, .max_args = 5, .run = cmd_config },

	{ .name = "net address", .aliases = "ik address", .group = NETS, .args = "", .help = "print the address of this machine's network", .run = cmd_net_address },
	{ .name = "net create", .group = NETS, .args = "", .help = "leave the network for a new one", .run = cmd_net_create },
	{ .name = "net join", .group = NETS, .args = "SECRET", .help = "join the network of this secret ('-': read it from standard input)",
	  .min_args = 1, .max_args = 1, .run = cmd_net_join },
	{ .name = "net leave", .group = NETS, .args = "", .help = "be in no network", .run = cmd_net_leave },
	{ .name = "net subscribe", .aliases = "subscribe", .group = NETS, .args = "[ADDRESS]", .help = "who is online: '+ ID' and '- ID' as they come and go",
	  .max_args = 1, .run = cmd_subscribe,
	  .details = "Only for a network whose secret stands in the configuration; knowing the address lists nothing." },
	{ .name = "mkshadow", .group = NETS, .args = "", .help = "print a fresh network's address and secret, store nothing", .run = cmd_mkshadow },

	{ .name = "sign", .group = MORE, .args = "PURPOSE [FILE]", .help = "sign a text with this identity", .min_args = 1, .max_args = 2, .run = cmd_sign },
	{ .name = "verify", .group = MORE, .args = "PURPOSE IDENTITY SIGNATURE [FILE]", .help = "does the signature belong to text and identity?",
	  .min_args = 3, .max_args = 4, .run = cmd_verify },
	{ .name = "ik convert", .group = MORE, .args = "CONVERSION [TEXT]", .help = "text forms into one another",
	  .max_args = 2, .run = cmd_ik_convert, .details = "Without CONVERSION the list of them; without TEXT a line of standard input." },
	{ .name = "completion", .group = MORE, .args = "bash|zsh|fish", .help = "print the completion of a shell", .min_args = 1, .max_args = 1, .run = cmd_completion,
	  .details = "bash: source <(carrier completion bash)" },
	{ .name = "version", .group = MORE, .args = "", .help = "print the version", .run = cmd_version },
	{ .name = "help", .group = MORE, .args = "[COMMAND]", .help = "explain a command", .options = help_options, .max_args = 2, .run = cmd_help },
	{ 0 },
};
