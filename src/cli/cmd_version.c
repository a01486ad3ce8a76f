#include <stdio.h>

#include "cli/cmd.h"
#include "cli/help.h"
#include "cli/out.h"

int help_version(const struct cli *c)
{
	struct out_object o;

	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "version", CARRIER_VERSION);
		out_end(&o);
	} else {
		puts("carrier " CARRIER_VERSION);
	}
	return CLI_OK;
}

int cmd_version(struct cli *c) { return help_version(c); }
