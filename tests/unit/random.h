/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that are the same in each run. */
#ifndef TESTS_UNIT_RANDOM_H
#define TESTS_UNIT_RANDOM_H

#include <stdint.h>

static uint64_t seed = 0x9e3779b97f4a7c15;

static inline uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

#endif
