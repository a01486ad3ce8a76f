/* The two checksums of the text forms. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-8/KOOP: poly 0x4d reflected, init and xorout 0xff; "123456789" gives 0xd8. */
uint8_t crc8_koop(const uint8_t *p, size_t n);

/* Generation 1. Its CRC was written with a slip that makes each step forget all
 * but the lowest bit of the last byte; every text printed with it needs the
 * same. n > 0. */
uint8_t crc8_generation1(const uint8_t *p, size_t n);
