#include "model/batch.h"

static const struct type_names {
	struct slice lower;
	struct slice upper;
} type_names[] = {
	[METRIC_UNTYPED] = { SLICE_INIT("untyped"), SLICE_INIT("UNTYPED") },
	[METRIC_COUNTER] = { SLICE_INIT("counter"), SLICE_INIT("COUNTER") },
	[METRIC_GAUGE] = { SLICE_INIT("gauge"), SLICE_INIT("GAUGE") },
	[METRIC_SUMMARY] = { SLICE_INIT("summary"), SLICE_INIT("SUMMARY") },
	[METRIC_HISTOGRAM] = { SLICE_INIT("histogram"), SLICE_INIT("HISTOGRAM") },
	[METRIC_GAUGE_HISTOGRAM] = { SLICE_INIT("histogram"), SLICE_INIT("GAUGE_HISTOGRAM") },
};

struct slice metric_type_name(enum metric_type type)
{
	return type_names[type].lower;
}

struct slice metric_type_upper_name(enum metric_type type)
{
	return type_names[type].upper;
}

bool metric_type_agrees(enum metric_type a, enum metric_type b)
{
	return a == b || (metric_type_is_histogram(a) && metric_type_is_histogram(b));
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
	case SAMPLE_PLAIN:
	case SAMPLE_QUANTILE:
		break;
	}
	return SLICE("");
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
