#pragma once

/*
 * What a Pushgateway had, counted and summed up:
 *
 *     read 1000 groups in 0.3 s, 12 of them with refused pushes only; families: 2000 counters,
 *     5400 gauges
 */

#include "base/buf.h"
#include "transfer/gateway_group.h"

struct gateway_counts {
	uint64_t groups;
	uint64_t failed_only; /* groups that nothing but refused pushes came for */
	uint64_t families[METRIC_TYPE_COUNT];
	uint64_t lossy_metrics; /* native histograms without their buckets */
	uint64_t rounds;
};

void gateway_counts_add(struct gateway_counts *counts, const struct gateway_group *group);
void gateway_counts_print(const struct gateway_counts *counts, uint64_t took_ns, struct buf *out);
