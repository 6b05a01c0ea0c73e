#include "transfer/line.h"

static const struct slice type_names[METRIC_TYPE_COUNT] = {
	[METRIC_UNTYPED] = SLICE_INIT("untyped"),
	[METRIC_COUNTER] = SLICE_INIT("counter"),
	[METRIC_GAUGE] = SLICE_INIT("gauge"),
	[METRIC_SUMMARY] = SLICE_INIT("summary"),
	[METRIC_HISTOGRAM] = SLICE_INIT("histogram"),
	[METRIC_GAUGE_HISTOGRAM] = SLICE_INIT("gauge_histogram"),
	[METRIC_OPEN_GAUGE_HISTOGRAM] = SLICE_INIT("gaugehistogram"),
	[METRIC_INFO] = SLICE_INIT("info"),
	[METRIC_STATESET] = SLICE_INIT("stateset"),
};

struct slice line_type_name(enum metric_type type)
{
	return type_names[type];
}

bool line_type_find(struct slice name, enum metric_type *ret_type)
{
	for (int i = 0; i < METRIC_TYPE_COUNT; i++) {
		if (slice_equal(name, type_names[i])) {
			*ret_type = (enum metric_type)i;
			return true;
		}
	}
	return false;
}
