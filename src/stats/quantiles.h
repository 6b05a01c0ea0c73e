#pragma once

/*
 * Quantiles of the last ten minutes, as a summary exposes them: observations
 * are counted in buckets whose width grows with the value (2 % of it), in five
 * ages of two minutes that take turns.
 */

#include <stdint.h>

enum {
	QUANTILE_AGES = 5,
	QUANTILE_BUCKETS = 1536,
};

struct quantiles {
	uint32_t counts[QUANTILE_AGES][QUANTILE_BUCKETS];
	uint64_t totals[QUANTILE_AGES];
	uint64_t age; /* number of the current one */
	uint64_t count;
	double sum;
};

/* now_ns by the monotonic clock; the value is positive. */
void quantiles_observe(struct quantiles *quantiles, double value, uint64_t now_ns);

/* NaN when nothing was observed lately. */
double quantiles_get(struct quantiles *quantiles, double quantile, uint64_t now_ns);
