#include "base/err.h"
#include "service/shell.h"

static uint16_t get_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static void put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

int shell_message_parse(struct shell_message *ret, struct span m, bool to_device)
{
	struct shell_message r = {};
	const uint8_t *p = m.data;

	if (!m.len)
		return ERR_PROTOCOL;
	if (m.len > 1 + SHELL_DATA_MAX)
		return ERR_LIMIT;

	switch (p[0]) {
	case SHELL_DATA:
		r.data = span_from(m, 1);
		break;
	case SHELL_STDERR:
		if (to_device)
			return ERR_PROTOCOL;
		r.data = span_from(m, 1);
		break;
	case SHELL_EXIT:
		if (to_device || m.len != SHELL_EXIT_LEN)
			return ERR_PROTOCOL;
		r.exit = (int32_t)((uint32_t)get_u16(p + 1) << 16 | get_u16(p + 3));
		break;
	case SHELL_WINDOW:
		if (!to_device || m.len != SHELL_WINDOW_LEN)
			return ERR_PROTOCOL;
		r.window = (struct shell_window){ get_u16(p + 1), get_u16(p + 3), get_u16(p + 5), get_u16(p + 7) };
		break;
	default:
		return ERR_PROTOCOL;
	}
	r.kind = (enum shell_kind)p[0];
	*ret = r;
	return 0;
}

void shell_window_format(uint8_t out[static SHELL_WINDOW_LEN], const struct shell_window *w)
{
	out[0] = SHELL_WINDOW;
	put_u16(out + 1, w->row);
	put_u16(out + 3, w->col);
	put_u16(out + 5, w->xpixel);
	put_u16(out + 7, w->ypixel);
}

void shell_exit_format(uint8_t out[static SHELL_EXIT_LEN], int32_t status)
{
	out[0] = SHELL_EXIT;
	put_u16(out + 1, (uint16_t)((uint32_t)status >> 16));
	put_u16(out + 3, (uint16_t)status);
}

bool shell_env_allowed(struct span name)
{
	static const char *const never[] = {
		"PATH", "HOME", "SHELL", "USER", "LOGNAME", "IFS", "ENV", "CDPATH", "SHELLOPTS", "PROMPT_COMMAND",
	};
	static const char *const never_starting[] = { "LD_", "BASH", "CARRIER_", "GCONV_", "MALLOC_" };

	if (!name.len || name.len > SHELL_ENV_NAME_MAX || (name.data[0] >= '0' && name.data[0] <= '9'))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (span_is(name, never[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(never_starting); i++)
		if (span_starts(name, never_starting[i]))
			return false;
	return true;
}
