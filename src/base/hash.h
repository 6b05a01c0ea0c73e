#pragma once

/*
 * Keyed hashes (XXH3). The key is drawn at random at start, so that nobody
 * outside can choose texts that collide.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct hash128 {
	uint64_t low;
	uint64_t high;
};

/* Draws the key. To be called once, before any hash is taken. */
void hash_init(void);

uint64_t hash64(struct slice bytes);
struct hash128 hash128(struct slice bytes);

static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
	return a.low == b.low && a.high == b.high;
}
