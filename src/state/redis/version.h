#pragma once

/*
 * Versions: when a change was received, by Redis' clock, and by whom. They order all changes
 * of all replicas, and no two changes have the same.
 *
 *     63                      12 11        0
 *     | microseconds, Unix time | replica  |
 *
 * In Redis they are 16 hexadecimal digits, which compare as they do. A deadline is kept
 * in the same way, as the version that a change in that moment would have.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	VERSION_DIGITS = 16,
	VERSION_REPLICA_BITS = 12,
	VERSION_REPLICAS = 1 << VERSION_REPLICA_BITS,
};

static inline uint64_t version_make(uint64_t us, unsigned replica)
{
	return us << VERSION_REPLICA_BITS | replica;
}

static inline uint64_t version_us(uint64_t version)
{
	return version >> VERSION_REPLICA_BITS;
}

static inline unsigned version_replica(uint64_t version)
{
	return (unsigned)(version & (VERSION_REPLICAS - 1));
}

static inline uint64_t version_later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Writes the digits, without a NUL; returns behind them. */
static inline char *version_write(char *out, uint64_t version)
{
	for (int i = VERSION_DIGITS - 1; i >= 0; i--) {
		out[i] = "0123456789abcdef"[version & 15];
		version >>= 4;
	}
	return out + VERSION_DIGITS;
}

/* False: they are no digits as version_write() writes them. */
static inline bool version_read(const char *digits, uint64_t *ret_version)
{
	uint64_t version = 0;
	for (int i = 0; i < VERSION_DIGITS; i++) {
		char c = digits[i];
		bool is_digit = c >= '0' && c <= '9';
		if (!is_digit && (c < 'a' || c > 'f')) {
			return false;
		}
		version = version << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
	}
	*ret_version = version;
	return true;
}
