#include "format/json_metric.h"

#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "format/json.h"
#include "format/json_native.h"

static bool is_bound(const struct sample *sample)
{
	return sample->role == SAMPLE_BUCKET || sample->role == SAMPLE_QUANTILE;
}

/* Those that tell metrics apart: without le or quantile. */
static void append_labels(struct buf *out, const struct sample *sample, struct slice bound_name)
{
	bool is_first = true;
	buf_append(out, SLICE("\"labels\":{"));
	for (size_t i = 0; i < sample->labels.count; i++) {
		const struct label *label = &sample->labels.pairs[i];
		if (is_bound(sample) && slice_equal(label->name, bound_name)) {
			continue;
		}
		if (!is_first) {
			buf_append_byte(out, ',');
		}
		is_first = false;
		json_append_escaped(out, label->name);
		buf_append_byte(out, ':');
		json_append_escaped(out, label->value);
	}
	buf_append_byte(out, '}');
}

/* Whole numbers, which Go has as integers, without an exponent. */
static void append_count(struct buf *out, struct slice value)
{
	char text[NUMBER_TEXT_MAX];
	double number;
	if (!number_is_uint(value)) {
		number = number_value(value);
		if (!(number >= 0 && number < 0x1p64 && number == floor(number))) {
			json_append_value(out, value);
			return;
		}
		value = slice_make(text, number_format_uint((uint64_t)number, text));
	}
	buf_append_byte(out, '"');
	buf_append(out, value);
	buf_append_byte(out, '"');
}

/* ---- Bounds ---- */

struct bound {
	struct slice name;
	struct slice value;
};

static int compare_bounds(const void *a, const void *b)
{
	return slice_compare(((const struct bound *)a)->name, ((const struct bound *)b)->name);
}

static bool is_added(const struct sample *sample)
{
	return sample->extra != NULL && sample->extra->is_added;
}

/* Those that were sent, sorted as text: that is how Go writes a map. */
static struct bound *sort_bounds(const struct sample *samples, size_t count,
		struct slice bound_name, struct arena *arena, size_t *ret_count)
{
	struct bound *bounds = arena_alloc(arena, (count + 1) * sizeof(*bounds));
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_bound(&samples[i]) && !is_added(&samples[i])) {
			struct slice name = labels_find(&samples[i].labels, bound_name);
			bounds[found++] = (struct bound){ .name = name, .value = samples[i].value };
		}
	}
	qsort(bounds, found, sizeof(*bounds), compare_bounds);
	*ret_count = found;
	return bounds;
}

/* {"+Inf":"2","0.1":"1"} */
static void append_bounds(struct buf *out, enum metric_type type, const struct sample *samples,
		size_t count, struct arena *arena)
{
	struct bound *bounds = sort_bounds(samples, count, metric_type_bound_name(type), arena, &count);
	buf_append_byte(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0) {
			buf_append_byte(out, ',');
		}
		json_append_escaped(out, bounds[i].name);
		buf_append_byte(out, ':');
		if (type == METRIC_SUMMARY) {
			json_append_value(out, bounds[i].value);
		} else {
			append_count(out, bounds[i].value);
		}
	}
	buf_append_byte(out, '}');
}

/* ---- Summaries and histograms ---- */

static const struct sample *find_role(
		const struct sample *samples, size_t count, enum sample_role role, enum sample_role other)
{
	for (size_t i = count; i > 0; i--) {
		const struct sample *sample = &samples[i - 1];
		if (sample->role == role || sample->role == other) {
			return sample;
		}
	}
	return NULL;
}

static const struct sample *find_infinite(const struct sample *samples, size_t count)
{
	for (size_t i = count; i > 0; i--) {
		const struct sample *sample = &samples[i - 1];
		if (sample->role == SAMPLE_BUCKET
				&& slice_equal(labels_find(&sample->labels, SLICE("le")), SLICE("+Inf"))) {
			return sample;
		}
	}
	return NULL;
}

/* A histogram without a count has it in the bucket that everything is in. */
static const struct sample *find_count(const struct sample *samples, size_t count)
{
	const struct sample *found = find_role(samples, count, SAMPLE_COUNT, SAMPLE_GCOUNT);
	return found != NULL ? found : find_infinite(samples, count);
}

static void append_buckets(struct buf *out, enum metric_type type, const struct sample *samples,
		size_t count, struct arena *arena)
{
	const struct sample_extra *extra = samples[count - 1].extra;
	buf_append(out, SLICE("\"buckets\":"));
	if (extra == NULL || extra->native.len == 0
			|| !json_append_native_buckets(out, extra->native, JSON_PUSHGATEWAY, arena)) {
		append_bounds(out, type, samples, count, arena);
	}
	buf_append_byte(out, ',');
}

/* Keys in order: buckets, count, labels, quantiles, sum. */
static void append_bounded(struct buf *out, enum metric_type type, const struct sample *samples,
		size_t count, struct arena *arena)
{
	const struct sample *total = find_count(samples, count);
	const struct sample *sum = find_role(samples, count, SAMPLE_SUM, SAMPLE_GSUM);
	if (type != METRIC_SUMMARY) {
		append_buckets(out, type, samples, count, arena);
	}
	buf_append(out, SLICE("\"count\":"));
	append_count(out, total != NULL ? total->value : SLICE("0"));
	buf_append_byte(out, ',');
	append_labels(out, &samples[count - 1], metric_type_bound_name(type));
	if (type == METRIC_SUMMARY) {
		buf_append(out, SLICE(",\"quantiles\":"));
		append_bounds(out, type, samples, count, arena);
	}
	buf_append(out, SLICE(",\"sum\":"));
	json_append_value(out, sum != NULL ? sum->value : SLICE("0"));
}

void json_append_metric(struct buf *out, enum metric_type type, const struct sample *samples,
		size_t count, struct arena *arena)
{
	buf_append_byte(out, '{');
	if (metric_type_has_bounds(type)) {
		append_bounded(out, type, samples, count, arena);
	} else {
		append_labels(out, samples, slice_make(NULL, 0));
		buf_append(out, SLICE(",\"value\":"));
		json_append_value(out, samples->value);
	}
	buf_append_byte(out, '}');
}
