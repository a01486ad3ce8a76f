/* What the table says, as text for people, shells and the manual. */
#pragma once

#include <stdio.h>

#include "cli/cli.h"

void help_overview(FILE *out);
int help_command(FILE *out, const struct command *cmd);         /* CLI_OK */
int help_version(const struct cli *c);
/* "net" alone: the commands that begin with this word, on stderr; false if there are none. */
bool help_prefix(const char *word);
/* The COMMANDS section of the manual, in scdoc(5). */
void help_scdoc(FILE *out);

int completion_print(FILE *out, const char *shell);             /* ERR_UNKNOWN */
