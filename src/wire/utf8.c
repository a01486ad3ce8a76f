#include "wire/utf8.h"

static bool is_tail(uint8_t b)
{
	return (b & 0xc0) == 0x80;
}

size_t utf8_next(struct span s)
{
	const uint8_t *p = s.data;

	if (!s.len)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < 2 || !is_tail(p[1]))
		return 0;
	if (p[0] < 0xe0)
		return 2;

	if (s.len < 3 || !is_tail(p[2]))
		return 0;
	if (p[0] < 0xf0) {
		bool overlong = p[0] == 0xe0 && p[1] < 0xa0;
		bool surrogate = p[0] == 0xed && p[1] >= 0xa0;

		return overlong || surrogate ? 0 : 3;
	}

	bool overlong = p[0] == 0xf0 && p[1] < 0x90;
	bool beyond = p[0] == 0xf4 && p[1] >= 0x90;
	if (overlong || beyond || s.len < 4 || !is_tail(p[3]))
		return 0;
	return 4;
}

size_t utf8_valid_len(struct span s)
{
	size_t at = 0;

	while (at < s.len) {
		uint64_t word;
		size_t n;

		/* most text is ASCII */
		if (s.len - at >= sizeof word) {
			memcpy(&word, s.data + at, sizeof word);
			if (!(word & 0x8080808080808080u)) {
				at += sizeof word;
				continue;
			}
		}
		if (s.data[at] < 0x80) {
			at++;
			continue;
		}
		n = utf8_next(SPAN(s.data + at, s.len - at));
		if (!n)
			break;
		at += n;
	}
	return at;
}
