#pragma once

/*
 * A token bucket, as golang.org/x/time/rate: it starts full, a request takes a
 * token, and one comes back with every interval.
 */

#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
	int64_t interval_ns; /* 0: no limit */
	uint64_t burst;
	double tokens;
	uint64_t filled_ns; /* monotonic clock, when they were counted */
};

/* Full, unless the limit is what it was before. */
void rate_limit_set(struct rate_limit *limit, int64_t interval_ns, uint64_t burst, uint64_t now_ns);

/* False: there is none left. */
bool rate_limit_take(struct rate_limit *limit, uint64_t now_ns);
