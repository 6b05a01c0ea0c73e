#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "format/protobuf_parser.h"

/*
 * Label pairs that quantiles and buckets may have, for each sample that is
 * allowed. On the wire a metric has its labels once, in a batch every sample
 * has them: thousands of both are few bytes there and very many here.
 */
enum { BOUND_LABELS_PER_SAMPLE = 16 };

/* ---- Numbers ---- */

static struct slice format_uint(struct arena *arena, uint64_t value)
{
	char digits[NUMBER_TEXT_MAX];
	return arena_copy(arena, slice_make(digits, number_format_uint(value, digits)));
}

static struct slice format_double(struct arena *arena, double value)
{
	char digits[NUMBER_TEXT_MAX];
	/* Small whole numbers are most of all and have no exponent; -0 is 0, as in Go's text. */
	if (value >= 0 && value < 1e6 && value == (double)(uint32_t)value) {
		return format_uint(arena, (uint32_t)value);
	}
	return arena_copy(arena, slice_make(digits, number_format(value, digits)));
}

/* A count that may be given as a float, which then counts. */
static struct slice format_count(struct arena *arena, uint64_t count, double count_float)
{
	return count_float > 0 ? format_double(arena, count_float) : format_uint(arena, count);
}

/* ---- Bounds ---- */

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;
	return (left > right) - (left < right);
}

/* Bounds that are no number are none: the text format has it so. */
static void drop_unbounded(struct metric_bounds *bounds)
{
	size_t kept = 0;
	for (size_t i = 0; i < bounds->count; i++) {
		if (!isnan(bounds->items[i].bound)) {
			bounds->items[kept++] = bounds->items[i];
		}
	}
	bounds->count = kept;
}

static bool is_ascending(const struct metric_bounds *bounds)
{
	for (size_t i = 1; i < bounds->count; i++) {
		if (bounds->items[i].bound <= bounds->items[i - 1].bound) {
			return false;
		}
	}
	return true;
}

/* Whether two bounds are the same; *ret_bound is the least of those. */
static bool find_repeated(const struct metric_bounds *bounds, double *ret_bound)
{
	if (is_ascending(bounds)) {
		return false;
	}
	bool is_found = false;
	double *sorted = memory_zalloc(bounds->count, sizeof(double));
	for (size_t i = 0; i < bounds->count; i++) {
		sorted[i] = bounds->items[i].bound;
	}
	qsort(sorted, bounds->count, sizeof(double), compare_doubles);
	for (size_t i = 1; i < bounds->count && !is_found; i++) {
		is_found = sorted[i] == sorted[i - 1];
		*ret_bound = sorted[i];
	}
	free(sorted);
	return is_found;
}

static void set_repeated_fault(struct protobuf_parser *p, struct slice name, double bound)
{
	struct slice text = format_double(p->arena, bound);
	protobuf_set_fault(p,
			arena_printf(p->arena,
					"has two samples with " SLICE_FMT "=\"" SLICE_FMT
					"\" and otherwise the same labels",
					SLICE_ARG(name), SLICE_ARG(text)));
}

/* The labels and among them, in its place, the bound. */
static struct labels labels_with_bound(
		struct protobuf_parser *p, const struct labels *labels, size_t place, struct slice text)
{
	struct labels bounded = { .count = labels->count + 1 };
	bounded.pairs = arena_alloc(p->arena, bounded.count * sizeof(struct label));
	if (labels->count > 0) {
		memcpy(bounded.pairs, labels->pairs, place * sizeof(struct label));
		memcpy(bounded.pairs + place + 1, labels->pairs + place,
				(labels->count - place) * sizeof(struct label));
	}
	bounded.pairs[place] = (struct label){
		.name = metric_type_bound_name(p->family->batch.type),
		.value = text,
	};
	return bounded;
}

static size_t place_of(const struct labels *labels, struct slice name)
{
	size_t place = 0;
	while (place < labels->count && slice_compare(labels->pairs[place].name, name) < 0) {
		place++;
	}
	return place;
}

/* ---- Samples ---- */

static struct sample *add_sample(struct protobuf_parser *p, enum sample_role role,
		const struct labels *labels, struct slice value)
{
	struct sample *sample = batch_family_add(&p->family->batch, p->arena);
	sample->role = role;
	sample->labels = *labels;
	sample->value = value;
	p->sample_count++;
	return sample;
}

static void note_created(
		struct protobuf_parser *p, struct sample *sample, const struct metric_created *created)
{
	if (created->is_there) {
		struct slice text = timestamp_text(&created->timestamp, p->arena);
		if (text.ptr != NULL) {
			sample_extend(sample, p->arena)->created = text;
		}
	}
}

static void add_bounds(struct protobuf_parser *p, const struct metric_bounds *bounds,
		const struct labels *labels, bool is_histogram)
{
	size_t place = place_of(labels, metric_type_bound_name(p->family->batch.type));
	for (size_t i = 0; i < bounds->count; i++) {
		const struct metric_bound *item = &bounds->items[i];
		struct labels bounded =
				labels_with_bound(p, labels, place, format_double(p->arena, item->bound));
		struct slice value = is_histogram ? format_count(p->arena, item->count, item->value)
										  : format_double(p->arena, item->value);
		struct sample *sample =
				add_sample(p, is_histogram ? SAMPLE_BUCKET : SAMPLE_QUANTILE, &bounded, value);
		if (item->exemplar.ptr != NULL) {
			sample_extend(sample, p->arena)->exemplar = item->exemplar;
		}
	}
}

static bool has_infinite(const struct metric_bounds *bounds)
{
	for (size_t i = 0; i < bounds->count; i++) {
		if (isinf(bounds->items[i].bound) && bounds->items[i].bound > 0) {
			return true;
		}
	}
	return false;
}

/* Room for the metric's bounds, +Inf among them, sum and count; and the bounds are good. */
static bool check_bounds(struct protobuf_parser *p, const char *at, struct metric_bounds *bounds,
		const struct labels *labels)
{
	double repeated;
	drop_unbounded(bounds);
	if (!protobuf_may_add(p, at, bounds->count + 3)) {
		return false;
	}
	if (find_repeated(bounds, &repeated)) {
		set_repeated_fault(p, metric_type_bound_name(p->family->batch.type), repeated);
		bounds->count = 0; /* it will be refused */
	}
	p->bound_labels += bounds->count * (labels->count + 1);
	return p->bound_labels / BOUND_LABELS_PER_SAMPLE <= p->options->samples
			|| protobuf_fail_limit(p, at, FORMAT_LIMIT_SAMPLES);
}

static bool add_summary(struct protobuf_parser *p, const char *at, const struct labels *labels)
{
	struct metric *metric = &p->metric;
	if (!check_bounds(p, at, &metric->quantiles, labels)) {
		return false;
	}
	add_bounds(p, &metric->quantiles, labels, false);
	add_sample(p, SAMPLE_SUM, labels, format_double(p->arena, metric->summary_sum));
	struct sample *last =
			add_sample(p, SAMPLE_COUNT, labels, format_uint(p->arena, metric->summary_count));
	note_created(p, last, &metric->summary_created);
	return true;
}

/* What lines cannot say of the histogram; with a count that a float one gives way to. */
static void note_native(struct protobuf_parser *p, struct sample *sample)
{
	struct metric *metric = &p->metric;
	if (metric->native_fields.len == 0) {
		return;
	}
	if (metric->native.has_count && metric->native.count_float > 0) {
		wire_put_uint(&metric->native_fields, 1, metric->native.count);
	}
	sample_extend(sample, p->arena)->native =
			arena_copy(p->arena, buf_slice(&metric->native_fields));
}

static bool add_histogram(struct protobuf_parser *p, const char *at, const struct labels *labels)
{
	struct metric *metric = &p->metric;
	struct slice count = format_count(p->arena, metric->native.count, metric->native.count_float);
	if (!check_bounds(p, at, &metric->buckets, labels)) {
		return false;
	}
	add_bounds(p, &metric->buckets, labels, true);
	if (!has_infinite(&metric->buckets)) {
		struct labels bounded = labels_with_bound(p, labels,
				place_of(labels, metric_type_bound_name(p->family->batch.type)), SLICE("+Inf"));
		struct sample *infinite = add_sample(p, SAMPLE_BUCKET, &bounded, count);
		sample_extend(infinite, p->arena)->is_added = true;
	}
	add_sample(p, SAMPLE_SUM, labels, format_double(p->arena, metric->histogram_sum));
	struct sample *last = add_sample(p, SAMPLE_COUNT, labels, count);
	note_created(p, last, &metric->histogram_created);
	note_native(p, last);
	return true;
}

static void add_counter(struct protobuf_parser *p, const struct labels *labels)
{
	struct metric *metric = &p->metric;
	struct sample *sample =
			add_sample(p, SAMPLE_PLAIN, labels, format_double(p->arena, metric->counter));
	if (metric->has_exemplar) {
		struct slice text = exemplar_text(&metric->exemplar, p->arena);
		if (text.ptr != NULL) {
			sample_extend(sample, p->arena)->exemplar = text;
		}
	}
	note_created(p, sample, &metric->counter_created);
}

/* ---- What is wrong ---- */

static enum metric_value value_of_type(enum metric_type type)
{
	switch (type) {
	case METRIC_UNTYPED:
		return VALUE_UNTYPED;
	case METRIC_COUNTER:
		return VALUE_COUNTER;
	case METRIC_SUMMARY:
		return VALUE_SUMMARY;
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
	case METRIC_OPEN_GAUGE_HISTOGRAM:
		return VALUE_HISTOGRAM;
	case METRIC_GAUGE:
	case METRIC_INFO:
	case METRIC_STATESET:
	case METRIC_TYPE_COUNT:
		break;
	}
	return VALUE_GAUGE;
}

/* NULL for none. */
static const char *kind_of(unsigned value)
{
	switch (value) {
	case VALUE_GAUGE:
		return "gauge";
	case VALUE_COUNTER:
		return "counter";
	case VALUE_SUMMARY:
		return "summary";
	case VALUE_UNTYPED:
		return "untyped";
	case VALUE_HISTOGRAM:
		return "histogram";
	default:
		return NULL;
	}
}

static struct slice format_value(struct protobuf_parser *p, unsigned value)
{
	const struct metric *metric = &p->metric;
	switch (value) {
	case VALUE_GAUGE:
		return format_double(p->arena, metric->gauge);
	case VALUE_COUNTER:
		return format_double(p->arena, metric->counter);
	case VALUE_SUMMARY:
		return format_uint(p->arena, metric->summary_count);
	case VALUE_UNTYPED:
		return format_double(p->arena, metric->untyped);
	case VALUE_HISTOGRAM:
		return format_count(p->arena, metric->native.count, metric->native.count_float);
	default:
		return SLICE("0");
	}
}

/* A metric that holds something else than its family. */
static void add_mismatch(struct protobuf_parser *p, const struct labels *labels)
{
	unsigned first = p->metric.values & -p->metric.values;
	const char *kind = kind_of(first);
	struct sample *sample = add_sample(p, SAMPLE_PLAIN, labels, format_value(p, first));
	struct sample_extra *extra = p->family->mismatch;
	if (extra == NULL || extra->kind != kind) {
		extra = sample_extend(sample, p->arena);
		extra->problem = arena_printf(p->arena, "is not a " SLICE_FMT,
				SLICE_ARG(metric_type_upper_name(p->family->batch.type)));
		extra->kind = kind;
		p->family->mismatch = extra;
	}
	sample->extra = extra;
}

/* Of what was just added, which begins at that sample. */
static void note_problem(struct protobuf_parser *p, size_t first, struct slice problem)
{
	if (problem.ptr == NULL && (p->metric.values & VALUE_HISTOGRAM) != 0
			&& metric_type_is_histogram(p->family->batch.type)) {
		problem = native_problem(&p->metric.native, p->arena);
	}
	if (problem.ptr != NULL) {
		struct sample_extra *extra = sample_extend(&p->family->batch.samples[first], p->arena);
		extra->problem = problem;
		extra->kind = kind_of(value_of_type(p->family->batch.type));
	}
}

bool protobuf_add_samples(struct protobuf_parser *p, const char *at)
{
	struct metric *metric = &p->metric;
	enum metric_type type = p->family->batch.type;
	size_t first = p->family->batch.sample_count;
	struct slice problem;
	struct labels labels = protobuf_take_labels(p, &problem);
	if (!protobuf_may_add(p, at, 1)) {
		return false;
	}
	if ((metric->values & value_of_type(type)) == 0) {
		add_mismatch(p, &labels);
		return true;
	}
	if (metric_type_has_bounds(type)) {
		if (!(type == METRIC_SUMMARY ? add_summary(p, at, &labels)
									 : add_histogram(p, at, &labels))) {
			return false;
		}
	} else if (type == METRIC_COUNTER) {
		add_counter(p, &labels);
	} else {
		add_sample(p, SAMPLE_PLAIN, &labels, format_value(p, value_of_type(type)));
	}
	note_problem(p, first, problem);
	return true;
}
