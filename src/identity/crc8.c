#include "identity/crc8.h"

uint8_t crc8_koop(const uint8_t *p, size_t n)
{
	unsigned c = 0xff;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xb2 : 0);
	}
	return (uint8_t)(c ^ 0xff);
}

uint8_t crc8_generation1(const uint8_t *p, size_t n)
{
	return p[n - 1] & 1 ? 0x54 : 0x00;
}
