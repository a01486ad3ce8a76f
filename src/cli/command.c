/* Finding a command by what was typed. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { NAME_LEN_MAX = 64, NEAR_MAX = 3 };

bool command_spelling(const struct command *cmd, size_t *at, char *out, size_t size)
{
	const char *from = cmd->aliases;

	if (*at == 0) {
		snprintf(out, size, "%s", cmd->name);
		(*at)++;
		return true;
	}
	for (size_t i = 1; from && i < *at; i++) {
		from = strchr(from, ',');
		from = from ? from + 1 : NULL;
	}
	if (!from)
		return false;
	snprintf(out, size, "%.*s", (int)strcspn(from, ","), from);
	(*at)++;
	return true;
}

/* Number of words if the first words spell name, else 0. */
static int matches(const char *name, int argc, char *const *argv)
{
	int words = 0;

	while (*name && words < argc) {
		size_t n = strlen(argv[words]);

		if (!n || strncmp(name, argv[words], n) || (name[n] && name[n] != ' '))
			return 0;
		words++;
		name += n + (name[n] == ' ');
	}
	return *name ? 0 : words;
}

const struct command *command_find(int argc, char *const *argv, int *ret_words, const char **ret_spelled)
{
	static char spelled[NAME_LEN_MAX];
	const struct command *best = NULL;
	char name[NAME_LEN_MAX];
	int words = 0;

	for (const struct command *cmd = commands; cmd->name; cmd++)
		for (size_t at = 0; command_spelling(cmd, &at, name, sizeof name); ) {
			int n = matches(name, argc, argv);

			if (n > words) {
				best = cmd;
				words = n;
				memcpy(spelled, name, sizeof spelled);
			}
		}
	if (!best)
		return NULL;
	*ret_words = words;
	*ret_spelled = spelled;
	return best;
}

/* Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NAME_LEN_MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > NAME_LEN_MAX || lb > NAME_LEN_MAX)
		return NAME_LEN_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *last = rows[(i - 1) % 3], *older = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t other = MIN(last[j], now[j - 1]) + 1;
			now[j] = MIN(other, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], older[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

const char *command_nearest(const char *typed)
{
	static char best[NAME_LEN_MAX];
	size_t least = MIN((size_t)NEAR_MAX, (strlen(typed) + 2) / 3) + 1;
	char name[NAME_LEN_MAX];
	bool found = false;

	for (const struct command *cmd = commands; cmd->name; cmd++)
		for (size_t at = 0; command_spelling(cmd, &at, name, sizeof name); ) {
			size_t d = distance(typed, name);

			if (d < least) {
				least = d;
				found = true;
				memcpy(best, name, sizeof best);
			}
		}
	return found ? best : NULL;
}
