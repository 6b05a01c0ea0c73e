#include "cli/import_gateway_counts.h"

#include <inttypes.h>

void gateway_counts_add(struct gateway_counts *counts, const struct gateway_group *group)
{
	counts->groups++;
	counts->failed_only += group->head.times.pushed_ns == 0 && group->head.times.failed_ns != 0;
	counts->lossy_metrics += group->lossy_metrics;
	for (size_t i = 0; i < group->family_count; i++) {
		counts->families[group->families[i].head.type]++;
	}
}

static void print_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
	buf_printf(out, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

static void print_families(const struct gateway_counts *counts, struct buf *out)
{
	static const struct {
		enum metric_type type;
		const char *one;
		const char *many;
	} rows[] = {
		{ METRIC_COUNTER, "counter", "counters" },
		{ METRIC_GAUGE, "gauge", "gauges" },
		{ METRIC_SUMMARY, "summary", "summaries" },
		{ METRIC_HISTOGRAM, "histogram", "histograms" },
		{ METRIC_GAUGE_HISTOGRAM, "gauge histogram", "gauge histograms" },
		{ METRIC_UNTYPED, "untyped", "untyped" },
	};
	const char *before = "; families: ";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (counts->families[rows[i].type] > 0) {
			buf_append_string(out, before);
			print_count(out, counts->families[rows[i].type], rows[i].one, rows[i].many);
			before = ", ";
		}
	}
}

void gateway_counts_print(const struct gateway_counts *counts, uint64_t took_ns, struct buf *out)
{
	buf_append_string(out, "read ");
	print_count(out, counts->groups, "group", "groups");
	buf_printf(out, " in %.1f s", (double)took_ns / 1e9);
	if (counts->failed_only > 0) {
		buf_printf(out, ", %" PRIu64 " of them with refused pushes only", counts->failed_only);
	}
	print_families(counts, out);
	buf_append_byte(out, '\n');
	if (counts->lossy_metrics > 0) {
		buf_append_string(out, "not kept: the buckets of ");
		print_count(out, counts->lossy_metrics, "native histogram", "native histograms");
		buf_append_byte(out, '\n');
	}
}
