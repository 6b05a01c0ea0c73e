#pragma once

/*
 * Random numbers for property tests. The seed is printed, so that a failure
 * can be repeated:
 *
 *     WEIR_TEST_SEED=17 WEIR_TEST_ROUNDS=100000 build/tests/test_store_model
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random_source {
	uint64_t state;
};

static inline uint64_t random_next(struct random_source *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* From 0 to count - 1. */
static inline unsigned random_below(struct random_source *random, unsigned count)
{
	return (unsigned)(random_next(random) % count);
}

/* True once in that many times. */
static inline bool random_once_in(struct random_source *random, unsigned count)
{
	return random_below(random, count) == 0;
}

static inline void random_init(struct random_source *random)
{
	const char *seed = getenv("WEIR_TEST_SEED");
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	random->state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)now.tv_nsec / 1000;
	printf("WEIR_TEST_SEED=%llu\n", (unsigned long long)random->state);
	fflush(stdout);
}

/* How often a property is to be tried. */
static inline unsigned random_rounds(unsigned usual)
{
	const char *rounds = getenv("WEIR_TEST_ROUNDS");
	return rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : usual;
}
