#include "model/batch.h"

static const struct type_names {
	struct slice lower;
	struct slice upper;
	struct slice openmetrics;
} type_names[METRIC_TYPE_COUNT] = {
	[METRIC_UNTYPED] = { SLICE_INIT("untyped"), SLICE_INIT("UNTYPED"), SLICE_INIT("unknown") },
	[METRIC_COUNTER] = { SLICE_INIT("counter"), SLICE_INIT("COUNTER"), SLICE_INIT("counter") },
	[METRIC_GAUGE] = { SLICE_INIT("gauge"), SLICE_INIT("GAUGE"), SLICE_INIT("gauge") },
	[METRIC_SUMMARY] = { SLICE_INIT("summary"), SLICE_INIT("SUMMARY"), SLICE_INIT("summary") },
	[METRIC_HISTOGRAM] = { SLICE_INIT("histogram"), SLICE_INIT("HISTOGRAM"),
			SLICE_INIT("histogram") },
	[METRIC_GAUGE_HISTOGRAM] = { SLICE_INIT("histogram"), SLICE_INIT("GAUGE_HISTOGRAM"),
			SLICE_INIT("histogram") },
	[METRIC_OPEN_GAUGE_HISTOGRAM] = { SLICE_INIT("histogram"), SLICE_INIT("GAUGE_HISTOGRAM"),
			SLICE_INIT("gaugehistogram") },
	[METRIC_INFO] = { SLICE_INIT("gauge"), SLICE_INIT("GAUGE"), SLICE_INIT("info") },
	[METRIC_STATESET] = { SLICE_INIT("gauge"), SLICE_INIT("GAUGE"), SLICE_INIT("stateset") },
};

struct slice metric_type_name(enum metric_type type)
{
	return type_names[type].lower;
}

struct slice metric_type_upper_name(enum metric_type type)
{
	return type_names[type].upper;
}

struct slice metric_type_openmetrics_name(enum metric_type type)
{
	return type_names[type].openmetrics;
}

static bool is_gauge(enum metric_type type)
{
	return type == METRIC_GAUGE || type == METRIC_INFO || type == METRIC_STATESET;
}

bool metric_type_agrees(enum metric_type a, enum metric_type b)
{
	return a == b || (metric_type_is_histogram(a) && metric_type_is_histogram(b))
			|| (is_gauge(a) && is_gauge(b));
}

struct slice metric_type_bound_name(enum metric_type type)
{
	return type == METRIC_SUMMARY ? SLICE("quantile") : SLICE("le");
}

struct slice sample_suffix(enum sample_role role)
{
	switch (role) {
	case SAMPLE_BUCKET:
		return SLICE("_bucket");
	case SAMPLE_SUM:
		return SLICE("_sum");
	case SAMPLE_COUNT:
		return SLICE("_count");
	case SAMPLE_GSUM:
		return SLICE("_gsum");
	case SAMPLE_GCOUNT:
		return SLICE("_gcount");
	case SAMPLE_PLAIN:
	case SAMPLE_QUANTILE:
		break;
	}
	return SLICE("");
}

enum {
	SUMMARIES = 1 << METRIC_SUMMARY,
	HISTOGRAMS = 1 << METRIC_HISTOGRAM | 1 << METRIC_GAUGE_HISTOGRAM,
	OPEN_GAUGE_HISTOGRAMS = 1 << METRIC_OPEN_GAUGE_HISTOGRAM,
};

const struct sample_suffix_row sample_suffixes[SAMPLE_SUFFIX_COUNT] = {
	{ SLICE_INIT("_count"), SUMMARIES | HISTOGRAMS | OPEN_GAUGE_HISTOGRAMS },
	{ SLICE_INIT("_sum"), SUMMARIES | HISTOGRAMS | OPEN_GAUGE_HISTOGRAMS },
	{ SLICE_INIT("_bucket"), HISTOGRAMS | OPEN_GAUGE_HISTOGRAMS },
	{ SLICE_INIT("_gcount"), OPEN_GAUGE_HISTOGRAMS },
	{ SLICE_INIT("_gsum"), OPEN_GAUGE_HISTOGRAMS },
};

struct sample_extra *sample_extend(struct sample *sample, struct arena *arena)
{
	if (sample->extra == NULL) {
		sample->extra = arena_zalloc(arena, 1, sizeof(*sample->extra));
	}
	return sample->extra;
}

struct sample *batch_family_add(struct batch_family *family, struct arena *arena)
{
	if (family->sample_count == family->sample_capacity) {
		size_t old_bytes = family->sample_count * sizeof(struct sample);
		family->sample_capacity = family->sample_capacity == 0 ? 2 : family->sample_capacity * 2;
		family->samples = arena_grow(
				arena, family->samples, old_bytes, family->sample_capacity * sizeof(struct sample));
	}
	struct sample *sample = &family->samples[family->sample_count++];
	*sample = (struct sample){ 0 };
	return sample;
}
