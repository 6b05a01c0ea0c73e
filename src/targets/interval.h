#pragma once

/*
 * How often somebody pushes, learnt from the gaps between pushes.
 *
 * It is the median of the last nine gaps: one outage or one push more says
 * nothing. A job that pushes at its start and at its end has short gaps and
 * long ones in turn; its interval is that from one start to the next, and so it
 * is for several pushes in each run. While a pattern is not clear yet there is no
 * interval, since a wrong one would call a healthy job silent.
 */

#include <stddef.h>
#include <stdint.h>

enum {
	INTERVAL_GAPS_MAX = 9,
	INTERVAL_GAPS_MIN = 3, /* that is four pushes */
};

struct interval_gaps {
	uint32_t ms[INTERVAL_GAPS_MAX]; /* a ring */
	uint8_t count;
	uint8_t next;
};

/* What is longer than 49 days counts as that. */
void interval_add_gap(struct interval_gaps *gaps, uint64_t gap_ns);

/* 0: not known. Otherwise a minute at least. */
int64_t interval_learnt_ns(const struct interval_gaps *gaps);
