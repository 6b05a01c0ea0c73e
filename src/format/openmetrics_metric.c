#include "base/hash.h"
#include "format/openmetrics_number.h"
#include "format/openmetrics_parser.h"

/* ---- Which metric ---- */

/* The index of a label from there on that counts. */
static size_t next_label(size_t index, size_t skipped)
{
	return index == skipped ? index + 1 : index;
}

/* A total order of the metrics of a family; 0: the same metric. */
static int compare_metrics(
		const struct labels *a, size_t a_skipped, const struct labels *b, size_t b_skipped)
{
	size_t i = next_label(0, a_skipped);
	size_t j = next_label(0, b_skipped);
	while (i < a->count && j < b->count) {
		int order = slice_compare(a->pairs[i].name, b->pairs[j].name);
		if (order == 0) {
			order = slice_compare(a->pairs[i].value, b->pairs[j].value);
		}
		if (order != 0) {
			return order;
		}
		i = next_label(i + 1, a_skipped);
		j = next_label(j + 1, b_skipped);
	}
	return (i < a->count) - (j < b->count);
}

/* Of name="value", which lies in the body like that most often. */
static uint64_t hash_label(const struct openmetrics_parser *p, const struct label *label)
{
	size_t bytes = label->name.len + 2 + label->value.len;
	bool is_in_body = label->name.ptr >= p->body.ptr && label->name.ptr < p->in.end;
	if (is_in_body && label->value.ptr == label->name.ptr + label->name.len + 2) {
		return hash64(slice_make(label->name.ptr, bytes));
	}
	char *text = arena_text(p->in.arena, bytes);
	memcpy(text, label->name.ptr, label->name.len);
	memcpy(text + label->name.len, "=\"", 2);
	memcpy(text + label->name.len + 2, label->value.ptr, label->value.len);
	return hash64(slice_make(text, bytes));
}

/* The hashes are keyed, so that the way they are combined need not be. */
static uint64_t hash_metric(
		const struct openmetrics_parser *p, const struct openmetrics_metric *metric)
{
	uint64_t hash = 0;
	for (size_t i = next_label(0, metric->skipped); i < metric->labels.count;
			i = next_label(i + 1, metric->skipped)) {
		hash = hash * UINT64_C(0x9e3779b97f4a7c15) + hash_label(p, &metric->labels.pairs[i]);
	}
	return hash;
}

/* The metric before that has the same labels, or NULL. */
static struct openmetrics_metric *enter_by_labels(
		struct openmetrics_parser *p, struct openmetrics_metric *metric)
{
	struct openmetrics_metrics *metrics = &p->metrics;
	uint64_t hash = hash_metric(p, metric);
	struct map_node *node = map_first(&metrics->by_labels, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct openmetrics_metric *other = MAP_ENTRY(node, struct openmetrics_metric, node);
		if (compare_metrics(&other->labels, other->skipped, &metric->labels, metric->skipped)
				== 0) {
			return other;
		}
	}
	map_insert(&metrics->by_labels, &metric->node, hash);
	return NULL;
}

/* From here on order does not tell what is new. */
static void leave_order(struct openmetrics_parser *p)
{
	p->metrics.is_ascending = false;
	for (struct openmetrics_metric *m = p->metrics.first; m != NULL; m = m->next) {
		enter_by_labels(p, m);
	}
}

/* ---- The sample's metric and point ---- */

static void begin_point(struct openmetrics_parser *p)
{
	p->metrics.point = (struct openmetrics_point){
		.first_sample = p->family->batch.sample_count,
		.timestamp = p->sample.timestamp,
		.place = { .line = p->in.line, .at = p->sample.name_at },
	};
}

static bool fail_again(
		struct openmetrics_parser *p, const char *what, const struct openmetrics_metric *other)
{
	return openmetrics_fail_with(&p->in, p->sample.name_at, slice_of_string(what),
			arena_printf(p->in.arena, "line %zu has the same labels", other->line));
}

/* Points of an info differ in their labels: the same ones may come again, at another time. */
static bool may_come_again(const struct openmetrics_parser *p)
{
	return p->family->batch.type == METRIC_INFO && p->sample.timestamp.ptr != NULL;
}

static bool begin_metric(struct openmetrics_parser *p, bool is_ascending)
{
	struct openmetrics_metrics *metrics = &p->metrics;
	struct openmetrics_metric *metric = arena_alloc(p->in.arena, sizeof(*metric));
	*metric = (struct openmetrics_metric){
		.labels = p->sample.labels,
		.skipped = p->sample.bound,
		.line = p->in.line,
	};
	if (metrics->is_ascending && !is_ascending) {
		leave_order(p);
	}
	if (!metrics->is_ascending) {
		const struct openmetrics_metric *other = enter_by_labels(p, metric);
		if (other != NULL && !may_come_again(p)) {
			bool is_single = p->family->type->part_count == 1 && p->sample.bound == SIZE_MAX
					&& p->sample.timestamp.ptr == NULL;
			return fail_again(p,
					is_single ? "the series was given before"
							  : "the lines of the metric are not together",
					other);
		}
	}
	if (metrics->last == NULL) {
		metrics->first = metric;
	} else {
		metrics->last->next = metric;
	}
	metrics->last = metric;
	begin_point(p);
	return true;
}

/* One more sample of the metric before: of its point, or of the next one. */
static bool continue_metric(struct openmetrics_parser *p)
{
	struct slice before = p->metrics.point.timestamp;
	struct slice timestamp = p->sample.timestamp;
	if ((before.ptr == NULL) != (timestamp.ptr == NULL)) {
		return fail_again(
				p, "some samples of the metric have timestamps, some have none", p->metrics.last);
	}
	int order = before.ptr == NULL ? 0 : openmetrics_compare(timestamp, before);
	if (order < 0) {
		return openmetrics_fail(&p->in, timestamp.ptr, "a timestamp before that of the line above",
				"points of a metric are in order of time");
	}
	if (order > 0) {
		if (!openmetrics_finish_point(p)) {
			return false;
		}
		begin_point(p);
	}
	return true;
}

static bool enter_metric(struct openmetrics_parser *p)
{
	const struct openmetrics_metric *last = p->metrics.last;
	int order = last == NULL
			? 1
			: compare_metrics(&p->sample.labels, p->sample.bound, &last->labels, last->skipped);
	if (order == 0) {
		return continue_metric(p);
	}
	return openmetrics_finish_point(p) && begin_metric(p, order > 0);
}

/* ---- The sample's part ---- */

static bool check_bucket(struct openmetrics_parser *p)
{
	const struct openmetrics_point *point = &p->metrics.point;
	const struct openmetrics_sample *sample = &p->sample;
	if (!openmetrics_has_part(point, PART_MAIN)) {
		return true;
	}
	if (sample->bound_value <= point->bound) {
		return openmetrics_fail(&p->in, sample->labels.pairs[sample->bound].value.ptr,
				"buckets out of order", "each \"le\" is greater than the one before");
	}
	if (openmetrics_compare(sample->value, point->parts[PART_MAIN].value) < 0) {
		return openmetrics_fail(&p->in, sample->value.ptr, "a bucket with less than the one before",
				"a bucket counts what the smaller ones count, too");
	}
	return true;
}

static bool is_ascending_bound(const struct openmetrics_parser *p)
{
	const struct openmetrics_point *point = &p->metrics.point;
	const struct openmetrics_sample *sample = &p->sample;
	if (p->family->batch.type == METRIC_STATESET) {
		struct slice state = sample->labels.pairs[sample->bound].value;
		return slice_compare(point->parts[PART_MAIN].value, state) < 0;
	}
	return point->bound < sample->bound_value;
}

/* In all types alike. */
static size_t part_index(const struct openmetrics_parser *p)
{
	const struct openmetrics_part *part = p->sample.part;
	bool is_created = (part->rules & RULE_CREATED) != 0;
	return is_created ? PART_CREATED : (size_t)(part - p->family->type->parts);
}

/* Notes what the sample says; it may not have been said before. */
static bool note_part(struct openmetrics_parser *p)
{
	struct openmetrics_point *point = &p->metrics.point;
	const struct openmetrics_sample *sample = &p->sample;
	size_t part = part_index(p);
	struct slice value = sample->value;
	if (sample->bound == SIZE_MAX && openmetrics_has_part(point, part)) {
		return fail_again(p, "the series was given before", p->metrics.last);
	}
	if (sample->bound != SIZE_MAX) {
		if (sample->part->role == SAMPLE_BUCKET) {
			if (!check_bucket(p)) {
				return false;
			}
			point->has_negative_bound = point->has_negative_bound || sample->bound_value < 0;
		} else if (openmetrics_has_part(point, part) && !is_ascending_bound(p)) {
			point->may_repeat = true;
		}
		if (p->family->batch.type == METRIC_STATESET) {
			value = sample->labels.pairs[sample->bound].value;
		}
		point->bound = sample->bound_value;
	}
	point->parts[part].place =
			(struct openmetrics_place){ .line = p->in.line, .at = sample->name_at };
	point->parts[part].value = value;
	return true;
}

static bool put_sample(struct openmetrics_parser *p)
{
	const struct openmetrics_sample *read = &p->sample;
	if ((read->part->rules & RULE_CREATED) != 0) {
		return true;
	}
	if (p->batch->sample_count == p->options->samples) {
		return text_fail_limit(&p->in, p->in.line_start, FORMAT_LIMIT_SAMPLES);
	}
	struct sample *sample = batch_family_add(&p->family->batch, p->in.arena);
	sample->role = read->part->role;
	sample->line = (uint32_t)p->in.line;
	sample->labels = read->labels;
	sample->value = read->value;
	if (read->exemplar.ptr != NULL) {
		sample_extend(sample, p->in.arena)->exemplar = read->exemplar;
	}
	p->batch->sample_count++;
	return true;
}

bool openmetrics_add_sample(struct openmetrics_parser *p)
{
	return enter_metric(p) && note_part(p) && put_sample(p);
}

/* ---- Families ---- */

bool openmetrics_finish_family(struct openmetrics_parser *p)
{
	return p->family == NULL || openmetrics_finish_point(p);
}

void openmetrics_begin_family(struct openmetrics_parser *p, struct openmetrics_family *family)
{
	struct openmetrics_metrics *metrics = &p->metrics;
	if (!metrics->is_ascending) {
		map_finish(&metrics->by_labels);
	}
	map_init(&metrics->by_labels);
	metrics->first = NULL;
	metrics->last = NULL;
	metrics->is_ascending = true;
	p->family = family;
}
