#define XXH_INLINE_ALL

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

static unsigned char secret[XXH3_SECRET_DEFAULT_SIZE];
static XXH64_hash_t seed;

static void draw(void *bytes, size_t count)
{
	if (getrandom(bytes, count, 0) != (ssize_t)count) {
		perror("weir: getrandom");
		abort();
	}
}

void hash_init(void)
{
	unsigned char material[64];
	draw(material, sizeof(material));
	draw(&seed, sizeof(seed));
	XXH3_generateSecret(secret, sizeof(secret), material, sizeof(material));
}

uint64_t hash64(struct slice bytes)
{
	return XXH3_64bits_withSecretandSeed(bytes.ptr, bytes.len, secret, sizeof(secret), seed);
}

struct hash128 hash128(struct slice bytes)
{
	XXH128_hash_t hash =
			XXH3_128bits_withSecretandSeed(bytes.ptr, bytes.len, secret, sizeof(secret), seed);
	return (struct hash128){ .low = hash.low64, .high = hash.high64 };
}

uint64_t checksum64(struct slice bytes, uint64_t seed_of_sum)
{
	return XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed_of_sum);
}

struct hash128 checksum128(struct slice bytes)
{
	XXH128_hash_t hash = XXH3_128bits(bytes.ptr, bytes.len);
	return (struct hash128){ .low = hash.low64, .high = hash.high64 };
}
