#include <math.h>

#include "targets/targets_reader.h"

enum {
	SEVERITY_BYTES_MAX = 64,
	NAME_BYTES_MAX = 200,
};

static bool read_threshold_name(
		struct targets_reader *reader, const cJSON *value, struct slice *ret_text)
{
	return targets_read_text(reader, value, NAME_BYTES_MAX, ret_text)
			&& (labels_is_metric_name(*ret_text)
					|| targets_refuse_value(reader, value, "has to be a name as metrics have"));
}

static bool read_threshold_field(
		struct targets_reader *reader, const cJSON *value, struct target_threshold *threshold)
{
	struct slice name = slice_of_string(value->string);
	struct slice text;
	if (slice_equal(name, SLICE("name"))) {
		return read_threshold_name(reader, value, &threshold->name);
	}
	if (slice_equal(name, SLICE("metric"))) {
		return read_threshold_name(reader, value, &threshold->metric);
	}
	if (slice_equal(name, SLICE("op"))) {
		return targets_read_text(reader, value, SIZE_MAX, &text)
				&& (target_comparison_find(text, &threshold->comparison)
						|| targets_refuse_value(reader, value, "has to be >, <, >=, <=, == or !="));
	}
	if (slice_equal(name, SLICE("value"))) {
		threshold->value = value->valuedouble;
		return (cJSON_IsNumber(value) && isfinite(value->valuedouble))
				|| targets_refuse_value(reader, value, "has to be a number");
	}
	if (slice_equal(name, SLICE("for"))) {
		return targets_read_duration(reader, value, &threshold->for_ns);
	}
	if (slice_equal(name, SLICE("severity"))) {
		return targets_read_text(reader, value, SEVERITY_BYTES_MAX, &threshold->severity)
				&& (targets_has_only(threshold->severity, "_-.")
						|| targets_refuse_value(reader, value, "has to be letters and digits"));
	}
	return targets_refuse_value(reader, value, "is no field of a threshold");
}

static bool read_threshold(
		struct targets_reader *reader, const cJSON *value, struct target_threshold *threshold)
{
	bool has_value = false;
	if (!cJSON_IsObject(value)) {
		return targets_refuse(reader, SLICE("thresholds"), "has to be an array of objects");
	}
	for (const cJSON *field = value->child; field != NULL; field = field->next) {
		if (!read_threshold_field(reader, field, threshold)) {
			return false;
		}
		has_value |= strcmp(field->string, "value") == 0;
	}
	if (threshold->name.len == 0 || threshold->metric.len == 0 || !has_value) {
		return targets_refuse(reader, SLICE("thresholds"), "need name, metric and value each");
	}
	return true;
}

bool targets_read_thresholds(struct targets_reader *reader, const cJSON *value)
{
	struct target_config *config = &reader->read->config;
	size_t count = targets_count_children(value);
	if (!cJSON_IsArray(value) && !cJSON_IsNull(value)) {
		return targets_refuse_value(reader, value, "has to be an array of objects");
	}
	if (count > TARGETS_THRESHOLDS_MAX) {
		return targets_refuse_value(reader, value, "are too many");
	}
	config->thresholds = arena_zalloc(reader->arena, count + 1, sizeof(struct target_threshold));
	config->threshold_count = 0;
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (!read_threshold(reader, child, &config->thresholds[config->threshold_count++])) {
			return false;
		}
	}
	return true;
}
