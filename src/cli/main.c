/* `carrier VERB ...`; see cli.h for how a verb is added. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
