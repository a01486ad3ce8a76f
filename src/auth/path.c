#include "auth/auth.h"
#include "base/err.h"

static bool climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || !p[3])
			return true;
	return false;
}

int auth_path_check(const char *path)
{
	size_t n = strlen(path);

	if (!n || n > AUTH_PATH_MAX)
		return ERR_LENGTH;
	if (!strcmp(path, "*"))
		return 0;
	if (path[0] != '/')
		return ERR_PREFIX;
	for (size_t i = 0; i < n; i++) {
		if (path[i] < 0x21 || path[i] > 0x7e)
			return ERR_ALPHABET;
		if (path[i] == '*' && i != n - 1)
			return ERR_PARSE;
	}
	return climbs(path) ? ERR_CANON : 0;
}

bool auth_glob_matches(const char *glob, const char *path)
{
	size_t n = strlen(glob);

	if (n && glob[n - 1] == '*')
		return !strncmp(glob, path, n - 1);
	return !strcmp(glob, path);
}
