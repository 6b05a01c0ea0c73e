#pragma once

/*
 * Keyed hashes (XXH3). The key is drawn at random at start, so that nobody
 * outside can choose texts that collide. Checksums are the same without it.
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

/* Without the key: for what is stored. The same in every process. */
uint64_t checksum64(struct slice bytes, uint64_t seed);
struct hash128 checksum128(struct slice bytes);

static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
	return a.low == b.low && a.high == b.high;
}
