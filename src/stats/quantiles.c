#include "stats/quantiles.h"

#include <math.h>
#include <string.h>

static const double SMALLEST = 1e-9; /* what is below counts as that */
static const double GROWTH = 1.0404; /* of a bucket's upper bound to the next: twice 2 % */
static const uint64_t AGE_NS = UINT64_C(120) * 1000000000;

static void turn_to(struct quantiles *quantiles, uint64_t now_ns)
{
	uint64_t age = now_ns / AGE_NS;
	uint64_t passed = age - quantiles->age;
	for (uint64_t i = 0; i < passed && i < QUANTILE_AGES; i++) {
		size_t stale = (age - i) % QUANTILE_AGES;
		memset(quantiles->counts[stale], 0, sizeof(quantiles->counts[stale]));
		quantiles->totals[stale] = 0;
	}
	quantiles->age = age;
}

void quantiles_observe(struct quantiles *quantiles, double value, uint64_t now_ns)
{
	turn_to(quantiles, now_ns);
	double position = value <= SMALLEST ? 0 : log(value / SMALLEST) / log(GROWTH);
	size_t bucket = position < QUANTILE_BUCKETS - 1 ? (size_t)position : QUANTILE_BUCKETS - 1;
	size_t age = quantiles->age % QUANTILE_AGES;
	quantiles->counts[age][bucket]++;
	quantiles->totals[age]++;
	quantiles->count++;
	quantiles->sum += value;
}

double quantiles_get(struct quantiles *quantiles, double quantile, uint64_t now_ns)
{
	turn_to(quantiles, now_ns);
	uint64_t total = 0;
	for (size_t age = 0; age < QUANTILE_AGES; age++) {
		total += quantiles->totals[age];
	}
	if (total == 0) {
		return NAN;
	}
	uint64_t rank = (uint64_t)(quantile * (double)(total - 1));
	uint64_t passed = 0;
	size_t bucket = 0;
	for (; bucket < QUANTILE_BUCKETS - 1; bucket++) {
		for (size_t age = 0; age < QUANTILE_AGES; age++) {
			passed += quantiles->counts[age][bucket];
		}
		if (passed > rank) {
			break;
		}
	}
	/* The middle of the bucket. */
	return SMALLEST * pow(GROWTH, (double)bucket + 0.5);
}
