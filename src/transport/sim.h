/* The simulator's transport has its randomness from here, so that a run repeats. */
#pragma once

#include <stdint.h>

void transport_sim_seed(uint64_t seed);
