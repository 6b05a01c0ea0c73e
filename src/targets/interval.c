#include "targets/interval.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What pushes more often is not called silent sooner. */
static const uint64_t SHORTEST_MS = 60 * 1000;

static const uint64_t MS = 1000000;

void interval_add_gap(struct interval_gaps *gaps, uint64_t gap_ns)
{
	uint64_t ms = gap_ns / MS;
	gaps->ms[gaps->next] = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
	gaps->next = (uint8_t)((gaps->next + 1) % INTERVAL_GAPS_MAX);
	gaps->count += gaps->count < INTERVAL_GAPS_MAX;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

/* Sorts them. Of an even number the larger of the two in the middle: rather late than wrong. */
static uint64_t median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* Oldest first. */
static size_t unroll(const struct interval_gaps *gaps, uint64_t ret_ms[static INTERVAL_GAPS_MAX])
{
	size_t first = gaps->count < INTERVAL_GAPS_MAX ? 0 : gaps->next;
	for (size_t i = 0; i < gaps->count; i++) {
		ret_ms[i] = gaps->ms[(first + i) % INTERVAL_GAPS_MAX];
	}
	return gaps->count;
}

struct kinds {
	uint64_t longest;
	size_t longs;  /* at least half of the longest */
	size_t shorts; /* less than a quarter of it */
};

static bool is_long(const struct kinds *kinds, uint64_t gap)
{
	return gap * 2 >= kinds->longest;
}

static struct kinds tell_apart(const uint64_t *ms, size_t count)
{
	struct kinds kinds = { 0 };
	for (size_t i = 0; i < count; i++) {
		kinds.longest = ms[i] > kinds.longest ? ms[i] : kinds.longest;
	}
	for (size_t i = 0; i < count; i++) {
		kinds.longs += is_long(&kinds, ms[i]);
		kinds.shorts += ms[i] * 4 < kinds.longest;
	}
	return kinds;
}

/*
 *     push  push             push  push             push
 *       |--s--|-------l-------|--s--|-------l-------|
 *                              |<---- a period ----->|
 */
static uint64_t median_period(const struct kinds *kinds, const uint64_t *ms, size_t count)
{
	uint64_t periods[INTERVAL_GAPS_MAX];
	size_t period_count = 0;
	uint64_t since_long = 0;
	bool had_long = false;
	for (size_t i = 0; i < count; i++) {
		since_long += ms[i];
		if (!is_long(kinds, ms[i])) {
			continue;
		}
		if (had_long) {
			periods[period_count++] = since_long;
		}
		had_long = true;
		since_long = 0;
	}
	return median(periods, period_count);
}

int64_t interval_learnt_ns(const struct interval_gaps *gaps)
{
	uint64_t ms[INTERVAL_GAPS_MAX];
	size_t count = unroll(gaps, ms);
	if (count < INTERVAL_GAPS_MIN) {
		return 0;
	}
	struct kinds kinds = tell_apart(ms, count);
	uint64_t interval;
	/* What takes less than a minute is no pattern: jitter, retries. */
	if (kinds.shorts == 0 || kinds.longest < SHORTEST_MS) {
		interval = median(ms, count);
	} else if (kinds.longs > 1) {
		interval = median_period(&kinds, ms, count);
	} else if (count == INTERVAL_GAPS_MAX) {
		interval = median(ms, count); /* there was one outage */
	} else {
		return 0;
	}
	interval = interval < SHORTEST_MS ? SHORTEST_MS : interval;
	return (int64_t)(interval * MS);
}
