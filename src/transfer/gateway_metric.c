#include "transfer/gateway_metric.h"

#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "transfer/gateway_json.h"

struct bound {
	double number;
	struct slice text;
	struct slice value;
};

/* ---- Numbers ---- */

static bool take_float(
		const cJSON *object, const char *key, struct arena *arena, struct slice *ret_value)
{
	struct slice value = gateway_json_member(object, key, arena);
	if (value.ptr == NULL || !number_is_float(value)) {
		return false;
	}
	*ret_value = value;
	return true;
}

static void add(struct batch_family *family, enum sample_role role, const struct labels *labels,
		struct slice value, struct arena *arena)
{
	struct sample *sample = batch_family_add(family, arena);
	sample->role = role;
	sample->labels = *labels;
	sample->value = value;
}

/* ---- Bounds ---- */

static int compare_bounds(const void *a, const void *b)
{
	double left = ((const struct bound *)a)->number;
	double right = ((const struct bound *)b)->number;
	return (left > right) - (left < right);
}

/* Those of an object {"0.5":"1"}, ascending; a bound that is no number is none. */
static bool take_bounds(
		const cJSON *object, struct arena *arena, struct bound **ret_bounds, size_t *ret_count)
{
	const cJSON *item;
	size_t count = 0;
	struct bound *bounds =
			arena_alloc(arena, ((size_t)cJSON_GetArraySize(object) + 1) * sizeof(*bounds));
	cJSON_ArrayForEach(item, object)
	{
		struct bound bound = { .text = line_json_text(item->string, arena) };
		if (!cJSON_IsString(item) || !number_is_float(bound.text)
				|| !number_is_float(slice_of_string(item->valuestring))) {
			return false;
		}
		bound.number = number_value(bound.text);
		bound.value = arena_copy(arena, slice_of_string(item->valuestring));
		if (!isnan(bound.number)) {
			bounds[count++] = bound;
		}
	}
	qsort(bounds, count, sizeof(*bounds), compare_bounds);
	*ret_bounds = bounds;
	*ret_count = count;
	return true;
}

static void add_bound(struct batch_family *family, const struct labels *labels, struct slice text,
		struct slice value, struct arena *arena)
{
	bool is_summary = family->type == METRIC_SUMMARY;
	struct labels bounded = { .count = labels->count + 1 };
	bounded.pairs = arena_alloc(arena, bounded.count * sizeof(struct label));
	if (labels->count > 0) {
		memcpy(bounded.pairs, labels->pairs, labels->count * sizeof(struct label));
	}
	bounded.pairs[labels->count] = (struct label){
		.name = metric_type_bound_name(family->type),
		.value = text,
	};
	labels_sort(&bounded);
	add(family, is_summary ? SAMPLE_QUANTILE : SAMPLE_BUCKET, &bounded, value, arena);
}

/* ---- Metrics ---- */

static enum gateway_metric_result add_bounded(struct batch_family *family, const cJSON *metric,
		const struct labels *labels, struct arena *arena)
{
	bool is_summary = family->type == METRIC_SUMMARY;
	const cJSON *object =
			cJSON_GetObjectItemCaseSensitive(metric, is_summary ? "quantiles" : "buckets");
	bool is_native = !is_summary && cJSON_IsArray(object);
	struct bound *bounds = NULL;
	size_t count = 0;
	struct slice sum;
	struct slice total;
	if (!take_float(metric, "sum", arena, &sum) || !take_float(metric, "count", arena, &total)
			|| (!is_native && !take_bounds(object, arena, &bounds, &count))) {
		return GATEWAY_METRIC_E_INVALID;
	}
	for (size_t i = 0; i < count; i++) {
		add_bound(family, labels, bounds[i].text, bounds[i].value, arena);
	}
	if (!is_summary && (count == 0 || !isinf(bounds[count - 1].number))) {
		add_bound(family, labels, SLICE("+Inf"), total, arena);
		sample_extend(&family->samples[family->sample_count - 1], arena)->is_added = true;
	}
	add(family, SAMPLE_SUM, labels, sum, arena);
	add(family, SAMPLE_COUNT, labels, total, arena);
	return is_native && cJSON_GetArraySize(object) > 0 ? GATEWAY_METRIC_LOSSY : GATEWAY_METRIC_OK;
}

enum gateway_metric_result gateway_metric_add(struct batch_family *family, const cJSON *metric,
		const struct labels *labels, struct arena *arena)
{
	struct slice value;
	if (metric_type_has_bounds(family->type)) {
		return add_bounded(family, metric, labels, arena);
	}
	if (!take_float(metric, "value", arena, &value)) {
		return GATEWAY_METRIC_E_INVALID;
	}
	add(family, SAMPLE_PLAIN, labels, value, arena);
	return GATEWAY_METRIC_OK;
}
