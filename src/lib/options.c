#include "base/err.h"
#include "lib/internal.h"

int options_read(void *out, size_t known, size_t min, const void *in)
{
	const uint8_t *bytes = in;
	size_t size = 0;

	if (in) {
		memcpy(&size, in, sizeof size);
		if (size < min || size > OPTIONS_SIZE_MAX)
			return ERR_LENGTH;
		for (size_t i = known; i < size; i++)
			if (bytes[i])
				return ERR_VERSION;     /* it asks for something that we would not do */
	}
	memset(out, 0, known);
	if (in)
		memcpy(out, in, MIN(size, known));
	return 0;
}
