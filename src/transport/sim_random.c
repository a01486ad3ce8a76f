/* splitmix64: for a simulator, not for secrets. */
#include "transport/sim.h"
#include "transport/sim_internal.h"

static uint64_t state = 1;

void transport_sim_seed(uint64_t seed) { state = seed; }

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void sim_random_bytes(void *p, size_t n)
{
	for (uint8_t *at = p; n;) {
		uint64_t v = next();
		size_t len = MIN(n, sizeof v);

		memcpy(at, &v, len);
		at += len;
		n -= len;
	}
}
