#pragma once

/*
 * How long the answer to a wrong password is held back: longer with each
 * failure of the same source, up to a limit, and forgotten with time.
 *
 * A fixed table without keys: two sources may share a row, which makes the
 * one's wrong passwords as slow as the other's. Right ones are never slowed.
 */

#include <stddef.h>
#include <stdint.h>

enum { FAILURES_ROWS = 1024 };

struct failures {
	struct {
		uint64_t at_ns; /* monotonic clock, of the last one */
		unsigned level; /* then */
	} rows[FAILURES_ROWS];
};

/* How bad the source (a keyed hash) is by now; 0: not at all. */
unsigned failures_level(const struct failures *failures, uint64_t source, uint64_t now_ns);

/* One more failure. For how many milliseconds its answer is held back. */
uint64_t failures_add(struct failures *failures, uint64_t source, uint64_t now_ns);
