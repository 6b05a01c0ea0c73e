#include "base/quote.h"
#include "base/utf8.h"
#include "format/protobuf_parser.h"

static const struct slice replacement = SLICE_INIT("\xef\xbf\xbd"); /* U+FFFD */

struct slice protobuf_repair(struct arena *arena, struct slice text)
{
	struct buf repaired;
	if (utf8_is_valid(text)) {
		return text;
	}
	buf_init(&repaired, 0);
	while (text.len > 0) {
		size_t len = utf8_sequence(text);
		buf_append(&repaired, len == 0 ? replacement : slice_first(text, len));
		text = slice_skip(text, len == 0 ? 1 : len);
	}
	struct slice copy = arena_copy(arena, buf_slice(&repaired));
	buf_finish(&repaired);
	return copy;
}

static bool is_good_name(struct slice name)
{
	return name.len > 0 && !slice_starts_with(name, SLICE("__")) && utf8_is_valid(name);
}

/* The label that the lines of a histogram have of their own. */
static bool is_bucket_label(const struct protobuf_parser *p, struct slice name)
{
	return metric_type_is_histogram(p->family->batch.type) && slice_equal(name, SLICE("le"));
}

static bool is_quantile_label(const struct protobuf_parser *p, struct slice name)
{
	return (p->metric.values & VALUE_SUMMARY) != 0 && slice_equal(name, SLICE("quantile"));
}

static bool is_good_label(const struct protobuf_parser *p, const struct label *label)
{
	return is_good_name(label->name) && utf8_is_valid(label->value)
			&& !is_bucket_label(p, label->name) && !is_quantile_label(p, label->name);
}

static bool has_repeated_names(const struct labels *sorted)
{
	for (size_t i = 1; i < sorted->count; i++) {
		if (slice_equal(sorted->pairs[i - 1].name, sorted->pairs[i].name)) {
			return true;
		}
	}
	return false;
}

/* ---- What is wrong ---- */

static struct slice describe_value(struct arena *arena, const struct label *label)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append(&text, SLICE("has a label named "));
	quote_append(&text, label->name);
	buf_append(&text, SLICE(" whose value is not utf8: "));
	quote_append(&text, label->value);
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

static struct slice describe_name(struct arena *arena, const char *what, struct slice name)
{
	struct slice shown = protobuf_repair(arena, name);
	return arena_printf(arena, "%s" SLICE_FMT, what, SLICE_ARG(shown));
}

/* In the order and the words of client_golang's checkMetricConsistency(). */
static struct slice find_problem(struct protobuf_parser *p, const struct labels *sorted)
{
	for (size_t i = 0; i < sorted->count; i++) {
		const struct label *label = &sorted->pairs[i];
		if (label->name.len > 0 && i > 0 && slice_equal(label[-1].name, label->name)) {
			return describe_name(
					p->arena, "has two or more labels with the same name: ", label->name);
		}
		if (!is_good_name(label->name)) {
			return describe_name(p->arena, "has a label with an invalid name: ", label->name);
		}
		if (is_quantile_label(p, label->name)) {
			return SLICE("must not have an explicit \"quantile\" label");
		}
		if (!utf8_is_valid(label->value)) {
			return describe_value(p->arena, label);
		}
	}
	return slice_make(NULL, 0);
}

/* A Pushgateway takes it and exposes two; the scrape is lost then. */
static void check_bucket_label(struct protobuf_parser *p, const struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (is_bucket_label(p, labels->pairs[i].name)) {
			protobuf_set_fault(p, SLICE("must not have an explicit \"le\" label"));
			return;
		}
	}
}

/* ---- As a batch has them ---- */

static struct labels escape_all(struct protobuf_parser *p, const struct labels *raw)
{
	struct labels labels = { .count = raw->count };
	labels.pairs = arena_alloc(p->arena, (raw->count + 1) * sizeof(struct label));
	for (size_t i = 0; i < raw->count; i++) {
		labels.pairs[i].name = labels_escape(p->arena, raw->pairs[i].name);
		labels.pairs[i].value = labels_escape(p->arena, raw->pairs[i].value);
	}
	labels_sort(&labels);
	return labels;
}

/* What a line can show of labels that will be refused. */
static struct labels repair_all(struct protobuf_parser *p, const struct labels *raw)
{
	struct labels repaired = { 0 };
	struct labels labels = { 0 };
	repaired.pairs = arena_alloc(p->arena, (raw->count + 1) * sizeof(struct label));
	for (size_t i = 0; i < raw->count; i++) {
		const struct label *label = &raw->pairs[i];
		if (label->name.len > 0 && !is_bucket_label(p, label->name)
				&& !is_quantile_label(p, label->name)) {
			repaired.pairs[repaired.count++] = (struct label){
				.name = protobuf_repair(p->arena, label->name),
				.value = protobuf_repair(p->arena, label->value),
			};
		}
	}
	repaired = escape_all(p, &repaired);
	labels.pairs = repaired.pairs;
	for (size_t i = 0; i < repaired.count; i++) {
		if (labels.count == 0
				|| !slice_equal(labels.pairs[labels.count - 1].name, repaired.pairs[i].name)) {
			labels.pairs[labels.count++] = repaired.pairs[i];
		}
	}
	return labels;
}

struct labels protobuf_take_labels(struct protobuf_parser *p, struct slice *ret_problem)
{
	struct labels raw = { .pairs = p->metric.labels, .count = p->metric.label_count };
	bool is_good = true;
	*ret_problem = slice_make(NULL, 0);
	for (size_t i = 0; i < raw.count && is_good; i++) {
		is_good = is_good_label(p, &raw.pairs[i]);
	}
	if (is_good) {
		struct labels labels = escape_all(p, &raw);
		if (!has_repeated_names(&labels)) {
			return labels;
		}
	}
	labels_sort(&raw);
	*ret_problem = find_problem(p, &raw);
	check_bucket_label(p, &raw);
	return repair_all(p, &raw);
}
