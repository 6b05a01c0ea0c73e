#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "format/openmetrics_number.h"
#include "format/openmetrics_parser.h"

static bool fail_point(struct openmetrics_parser *p, struct openmetrics_place place,
		const char *what, const char *hint)
{
	struct slice name = openmetrics_quote(p->in.arena, p->family->name.text);
	struct slice text = arena_printf(p->in.arena, "%s " SLICE_FMT, what, SLICE_ARG(name));
	return openmetrics_fail_elsewhere(&p->in, p->body, place, text, slice_of_string(hint));
}

static bool check_sum(struct openmetrics_parser *p)
{
	struct openmetrics_point *point = &p->metrics.point;
	bool is_gauge = p->family->batch.type == METRIC_OPEN_GAUGE_HISTOGRAM;
	if (openmetrics_has_part(point, PART_SUM) != openmetrics_has_part(point, PART_COUNT)) {
		size_t part = openmetrics_has_part(point, PART_SUM) ? PART_SUM : PART_COUNT;
		return fail_point(p, point->parts[part].place, "only one of sum and count for",
				is_gauge ? "_gsum and _gcount come together" : "_sum and _count come together");
	}
	if (!openmetrics_has_part(point, PART_SUM)) {
		return true;
	}
	if (openmetrics_compare(point->parts[PART_COUNT].value, point->parts[PART_MAIN].value) != 0) {
		return fail_point(p, point->parts[PART_COUNT].place,
				"a count that is not the last bucket of",
				"the count is what the bucket le=\"+Inf\" has");
	}
	if (!is_gauge && point->has_negative_bound) {
		return fail_point(p, point->parts[PART_SUM].place, "a sum beside negative buckets for",
				"a histogram with negative \"le\" has neither _sum nor _count");
	}
	bool is_negative = number_value(point->parts[PART_SUM].value) < 0;
	if (is_gauge && is_negative && !point->has_negative_bound) {
		return fail_point(p, point->parts[PART_SUM].place, "a negative sum for",
				"without negative \"le\" a _gsum is 0 or more");
	}
	return true;
}

static bool check_histogram(struct openmetrics_parser *p)
{
	struct openmetrics_point *point = &p->metrics.point;
	if (!openmetrics_has_part(point, PART_MAIN) || point->bound != __builtin_inf()) {
		struct openmetrics_place place = openmetrics_has_part(point, PART_MAIN)
				? point->parts[PART_MAIN].place
				: point->place;
		return fail_point(p, place, "no bucket le=\"+Inf\" for",
				"each metric of a histogram ends its buckets with it");
	}
	return check_sum(p);
}

struct bound {
	struct slice text;
	const struct sample *sample;
};

static int compare_bounds(const void *a, const void *b)
{
	const struct bound *left = a;
	const struct bound *right = b;
	int order = slice_compare(left->text, right->text);
	uint32_t left_line = left->sample->line;
	uint32_t right_line = right->sample->line;
	return order != 0 ? order : (left_line > right_line) - (left_line < right_line);
}

static bool fail_repeated_bound(struct openmetrics_parser *p, const struct bound *bound)
{
	struct openmetrics_place place = {
		.line = bound[1].sample->line,
		.at = bound[1].sample->value.ptr,
	};
	struct slice shown = openmetrics_quote(p->in.arena, bound->text);
	return openmetrics_fail_elsewhere(&p->in, p->body, place,
			arena_printf(p->in.arena, SLICE_FMT " was given before", SLICE_ARG(shown)),
			arena_printf(p->in.arena, "line %u has it", (unsigned)bound->sample->line));
}

/* Quantiles and states may come in any order, but once each. */
static bool check_unique(struct openmetrics_parser *p)
{
	const struct batch_family *family = &p->family->batch;
	struct slice name = family->type == METRIC_STATESET ? p->family->name.text
														: metric_type_bound_name(family->type);
	size_t count = 0;
	size_t first = p->metrics.point.first_sample;
	struct bound *bounds = memory_alloc((family->sample_count - first) * sizeof(*bounds));
	for (size_t i = first; i < family->sample_count; i++) {
		const struct sample *sample = &family->samples[i];
		struct slice text = labels_find(&sample->labels, name);
		if (text.ptr != NULL) {
			bounds[count++] = (struct bound){ .text = text, .sample = sample };
		}
	}
	qsort(bounds, count, sizeof(*bounds), compare_bounds);
	bool is_unique = true;
	for (size_t i = 1; i < count && is_unique; i++) {
		is_unique = !slice_equal(bounds[i - 1].text, bounds[i].text)
				|| fail_repeated_bound(p, &bounds[i - 1]);
	}
	free(bounds);
	return is_unique;
}

/* Bounds as they came, then sum, then count; the time of creation goes with the last. */
static void order_point(struct openmetrics_parser *p)
{
	struct openmetrics_point *point = &p->metrics.point;
	struct batch_family *family = &p->family->batch;
	struct sample last[2]; /* sum, count */
	size_t last_count = 0;
	size_t kept = point->first_sample;
	for (size_t i = kept; i < family->sample_count; i++) {
		struct sample *sample = &family->samples[i];
		bool is_bound = sample->role != SAMPLE_SUM && sample->role != SAMPLE_GSUM
				&& sample->role != SAMPLE_COUNT && sample->role != SAMPLE_GCOUNT;
		if (is_bound) {
			family->samples[kept++] = *sample;
		} else {
			last[last_count++] = *sample;
		}
	}
	bool is_swapped = last_count == 2 && last[0].role > last[1].role;
	for (size_t i = 0; i < last_count; i++) {
		family->samples[kept++] = last[is_swapped ? 1 - i : i];
	}
	if (openmetrics_has_part(point, PART_CREATED) && kept > point->first_sample) {
		struct sample_extra *extra = sample_extend(&family->samples[kept - 1], p->in.arena);
		extra->created = point->parts[PART_CREATED].value;
	}
}

bool openmetrics_finish_point(struct openmetrics_parser *p)
{
	struct openmetrics_point *point = &p->metrics.point;
	enum metric_type type = p->family->batch.type;
	if (p->metrics.last == NULL) {
		return true;
	}
	if (type == METRIC_COUNTER && !openmetrics_has_part(point, PART_MAIN)) {
		return fail_point(
				p, point->place, "no _total for the counter", "a _created stands beside a _total");
	}
	if (metric_type_is_histogram(type) && !check_histogram(p)) {
		return false;
	}
	if (point->may_repeat && !check_unique(p)) {
		return false;
	}
	if (p->family->type->part_count > 1) {
		order_point(p);
	}
	return true;
}
