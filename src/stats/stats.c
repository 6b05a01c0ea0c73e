#include "stats/stats.h"

#include <string.h>

#include "base/clock.h"

void stats_init(struct stats *stats)
{
	*stats = (struct stats){ 0 };
}

void stats_count_request(
		struct stats *stats, enum stats_handler handler, enum stats_method method, unsigned status)
{
	struct stats_status_count *counts = stats->http_requests[handler][method];
	size_t i = 0;
	while (i < STATS_STATUSES_MAX && counts[i].status != 0 && counts[i].status < status) {
		i++;
	}
	if (i < STATS_STATUSES_MAX && counts[i].status != status) {
		/* The last one goes; no handler has so many. */
		memmove(&counts[i + 1], &counts[i], (STATS_STATUSES_MAX - i - 1) * sizeof(counts[0]));
		counts[i] = (struct stats_status_count){ .status = status };
	}
	counts[i < STATS_STATUSES_MAX ? i : STATS_STATUSES_MAX - 1].count++;
}

uint32_t stats_requests(const struct stats *stats, enum stats_handler handler,
		enum stats_method method, unsigned status)
{
	const struct stats_status_count *counts = stats->http_requests[handler][method];
	for (size_t i = 0; i < STATS_STATUSES_MAX; i++) {
		if (counts[i].status == status) {
			return counts[i].count;
		}
	}
	return 0;
}

void stats_count_push(
		struct stats *stats, enum stats_method method, size_t request_bytes, uint64_t began_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	double seconds = (double)(now_ns - began_ns) / 1e9;
	quantiles_observe(&stats->push_seconds[method], seconds, now_ns);
	quantiles_observe(&stats->push_bytes[method], (double)request_bytes, now_ns);
}

void stats_count_commit(struct stats *stats, uint64_t changes, double seconds)
{
	uint64_t now_ns = clock_monotonic_ns();
	quantiles_observe(&stats->commit_seconds, seconds, now_ns);
	quantiles_observe(&stats->commit_changes, (double)changes, now_ns);
}

void stats_collect(struct stats *stats)
{
	process_stats_read(&stats->process);
	if (stats->collect != NULL) {
		stats->collect(stats->collect_data, stats);
	}
}
