#include "base/err.h"

#include <string.h>

const char *err_name(int err)
{
	switch (err) {
#define X(n, name, text) case ERR_##name: return #name;
	ERR_MAP(X)
#undef X
	default:
		if (err >= 0)
			return "OK";
		return strerrorname_np(-err) ?: "UNNAMED";
	}
}

const char *err_text(int err)
{
	switch (err) {
#define X(n, name, text) case ERR_##name: return text;
	ERR_MAP(X)
#undef X
	default:
		if (err >= 0)
			return "success";
		return strerrordesc_np(-err) ?: "an error without a name";
	}
}
