#include "base/number.h"
#include "format/openmetrics_number.h"
#include "format/openmetrics_parser.h"

/* ---- The family ---- */

/* "a_total" or "a_created" */
static struct slice list_samples(struct arena *arena, const struct openmetrics_family *family)
{
	struct slice name = openmetrics_quote(arena, family->name.text);
	struct slice list = SLICE("");
	for (size_t i = 0; i < family->type->part_count; i++) {
		struct slice suffix = family->type->parts[i].suffix;
		list = arena_printf(arena, SLICE_FMT "%s" SLICE_FMT SLICE_FMT, SLICE_ARG(list),
				i == 0 ? "" : ", ", SLICE_ARG(slice_first(name, name.len - 1)), SLICE_ARG(suffix));
		list = arena_printf(arena, SLICE_FMT "\"", SLICE_ARG(list));
	}
	return list;
}

static struct slice hint_of_samples(struct arena *arena, const struct openmetrics_family *family)
{
	struct slice name = family->name.text;
	struct slice suffix = family->type->parts[PART_MAIN].suffix;
	bool is_named_by_sample = family->type->parts[PART_MAIN].role == SAMPLE_PLAIN;
	if (suffix.len > 0 && is_named_by_sample && name.len > suffix.len
			&& slice_ends_with(name, suffix)) {
		struct slice bare = slice_first(name, name.len - suffix.len);
		return arena_printf(arena, "the TYPE line has the name without " SLICE_FMT ": " SLICE_FMT,
				SLICE_ARG(suffix), SLICE_ARG(openmetrics_quote(arena, bare)));
	}
	return arena_printf(
			arena, "its samples are named " SLICE_FMT, SLICE_ARG(list_samples(arena, family)));
}

static bool fail_taken(struct openmetrics_parser *p, const struct openmetrics_family *other)
{
	struct arena *arena = p->in.arena;
	const struct openmetrics_sample *sample = &p->sample;
	struct slice shown = openmetrics_quote(arena, other->name.text);
	if (openmetrics_family_part(other, sample->name) != NULL) {
		return openmetrics_fail_with(&p->in, sample->name_at,
				arena_printf(
						arena, "the lines of " SLICE_FMT " are not together", SLICE_ARG(shown)),
				arena_printf(arena, "others begin in line %zu", other->line));
	}
	return openmetrics_fail_with(&p->in, sample->name_at,
			arena_printf(arena, "the " SLICE_FMT " " SLICE_FMT " of line %zu has no such sample",
					SLICE_ARG(openmetrics_type_name(other->type)), SLICE_ARG(shown), other->line),
			hint_of_samples(arena, other));
}

/* A name that cannot be one of the family begins another, of unknown type. */
static bool enter_family(struct openmetrics_parser *p)
{
	struct openmetrics_sample *sample = &p->sample;
	struct openmetrics_family *other;
	sample->part = p->family == NULL ? NULL : openmetrics_family_part(p->family, sample->name);
	if (sample->part == NULL) {
		if (!openmetrics_finish_family(p)) {
			return false;
		}
		struct openmetrics_family *family =
				openmetrics_families_add(&p->families, sample->name, p->in.line, &other);
		if (family == NULL) {
			return fail_taken(p, other);
		}
		openmetrics_begin_family(p, family);
		sample->part = &family->type->parts[PART_MAIN];
	}
	p->family->has_lines = true;
	return true;
}

/* ---- Labels ---- */

static bool fail_repeated_label(struct openmetrics_parser *p, const struct label *label)
{
	return openmetrics_fail_quoting(
			&p->in, label->name.ptr, "two labels named ", label->name, "each label is there once");
}

/* Into the arena, sorted by name. */
static bool copy_labels(struct openmetrics_parser *p)
{
	struct labels labels = { .pairs = p->labels.pairs, .count = p->labels.count };
	bool is_ascending = true;
	for (size_t i = 1; i < labels.count && is_ascending; i++) {
		is_ascending = slice_compare(labels.pairs[i - 1].name, labels.pairs[i].name) < 0;
	}
	if (!is_ascending) {
		labels_sort(&labels);
		for (size_t i = 1; i < labels.count; i++) {
			if (slice_equal(labels.pairs[i - 1].name, labels.pairs[i].name)) {
				return fail_repeated_label(p, &labels.pairs[i]);
			}
		}
	}
	p->sample.labels = (struct labels){ .count = labels.count };
	if (labels.count > 0) {
		size_t bytes = labels.count * sizeof(struct label);
		p->sample.labels.pairs = arena_grow(p->in.arena, labels.pairs, bytes, bytes);
	}
	return true;
}

/* ---- Bounds ---- */

static bool fail_bound(struct openmetrics_parser *p, const struct label *bound, const char *hint)
{
	struct slice what = arena_printf(p->in.arena, "invalid " SLICE_FMT ": " SLICE_FMT,
			SLICE_ARG(bound->name), SLICE_ARG(openmetrics_quote(p->in.arena, bound->value)));
	return openmetrics_fail_with(&p->in, bound->value.ptr, what, slice_of_string(hint));
}

/* le: a number; of all spellings of +Inf only this one. */
static bool check_le(struct openmetrics_parser *p, const struct label *bound)
{
	bool is_number = number_is_float(bound->value);
	double value = is_number ? number_value(bound->value) : __builtin_nan("");
	p->sample.bound_value = value;
	if (value != value) {
		return fail_bound(p, bound, "a number such as 0.5, 1.0, 1e+06 or +Inf");
	}
	bool is_infinite = value == __builtin_inf();
	return !is_infinite || slice_equal(bound->value, SLICE("+Inf"))
			|| fail_bound(p, bound, "infinity is written +Inf");
}

static bool check_quantile(struct openmetrics_parser *p, const struct label *bound)
{
	bool is_real = openmetrics_is_real(bound->value);
	p->sample.bound_value = is_real ? number_value(bound->value) : -1;
	return (p->sample.bound_value >= 0 && p->sample.bound_value <= 1)
			|| fail_bound(p, bound, "a number from 0 to 1");
}

static struct slice bound_name(const struct openmetrics_family *family)
{
	enum metric_type type = family->batch.type;
	return type == METRIC_STATESET ? family->name.text : metric_type_bound_name(type);
}

static bool fail_without_bound(struct openmetrics_parser *p, struct slice name)
{
	static const char what[] = "no label named ";
	const char *hint = "a bucket says its upper bound: le=\"0.5\"";
	if (p->family->batch.type == METRIC_SUMMARY) {
		hint = "a sample without _sum or _count is a quantile: quantile=\"0.5\"";
	} else if (p->family->batch.type == METRIC_STATESET) {
		hint = "each state is the value of a label named like the family";
	}
	return openmetrics_fail_quoting(&p->in, p->sample.name_at, what, name, hint);
}

/* Finds the label that tells a metric's samples apart, and judges it. */
static bool find_bound(struct openmetrics_parser *p)
{
	struct openmetrics_sample *sample = &p->sample;
	enum metric_type type = p->family->batch.type;
	sample->bound = SIZE_MAX;
	if (!metric_type_has_bounds(type) && type != METRIC_STATESET) {
		return true;
	}
	struct slice name = bound_name(p->family);
	bool needs_bound = sample->part == &p->family->type->parts[PART_MAIN];
	for (size_t i = 0; i < sample->labels.count && sample->bound == SIZE_MAX; i++) {
		sample->bound = slice_equal(sample->labels.pairs[i].name, name) ? i : SIZE_MAX;
	}
	if (sample->bound == SIZE_MAX) {
		return !needs_bound || fail_without_bound(p, name);
	}
	struct label *bound = &sample->labels.pairs[sample->bound];
	if (!needs_bound) {
		return openmetrics_fail_quoting(&p->in, bound->name.ptr, "a label reserved here: ", name,
				"only buckets have le, only quantiles have quantile");
	}
	if (type == METRIC_STATESET) {
		return true;
	}
	if (type == METRIC_SUMMARY ? !check_quantile(p, bound) : !check_le(p, bound)) {
		return false;
	}
	bound->value = openmetrics_shorten(p->in.arena, bound->value);
	return true;
}

/* ---- Values ---- */

static bool fail_value(struct openmetrics_parser *p, const char *what, const char *hint)
{
	struct arena *arena = p->in.arena;
	struct slice name = openmetrics_quote(arena, p->sample.name);
	return openmetrics_fail_with(&p->in, p->sample.value.ptr,
			arena_printf(arena, SLICE_FMT " %s", SLICE_ARG(name), what), slice_of_string(hint));
}

static bool is_number(struct slice text, char digit, double value)
{
	return (text.len == 1 && text.ptr[0] == digit) || number_value(text) == value;
}

/* The value is a number. */
static bool check_value(struct openmetrics_parser *p)
{
	struct slice value = p->sample.value;
	unsigned rules = p->sample.part->rules;
	if ((rules & RULE_NOT_NAN) != 0 && (value.ptr[0] == 'n' || value.ptr[0] == 'N')) {
		return fail_value(p, "is NaN", "counts and sums are numbers");
	}
	if ((rules & RULE_NOT_NEGATIVE) != 0 && value.ptr[0] == '-' && number_value(value) < 0) {
		return fail_value(p, "is negative", "counts, sums and quantiles are 0 or more");
	}
	if ((rules & RULE_WHOLE) != 0 && !openmetrics_is_whole(value)) {
		return fail_value(p, "is not a whole number", "counts are whole numbers");
	}
	if ((rules & RULE_ONE) != 0 && !is_number(value, '1', 1)) {
		return fail_value(p, "is not 1", "the value of an info is always 1");
	}
	if ((rules & RULE_BOOLEAN) != 0 && !is_number(value, '1', 1) && !is_number(value, '0', 0)) {
		return fail_value(p, "is neither 0 nor 1", "a state is either set or not");
	}
	if ((rules & RULE_CREATED) != 0 && !openmetrics_is_real(value)) {
		return fail_value(p, "is not a time", "Unix seconds, 1520430000.123");
	}
	return true;
}

static bool read_value(struct openmetrics_parser *p)
{
	const char *place = p->in.at;
	p->sample.value = openmetrics_read_word(&p->in);
	if (!number_is_float(p->sample.value)) {
		const char *hint = *place == '{' ? "labels follow the name without a space"
										 : "a decimal number, NaN, +Inf or -Inf";
		return openmetrics_fail_quoting(&p->in, place, "invalid value ", p->sample.value, hint);
	}
	return check_value(p);
}

static bool read_timestamp(struct openmetrics_parser *p)
{
	const char *place = p->in.at;
	p->sample.timestamp = openmetrics_read_word(&p->in);
	if (!openmetrics_is_real(p->sample.timestamp)) {
		return openmetrics_fail_quoting(&p->in, place, "invalid timestamp ", p->sample.timestamp,
				"Unix seconds, 1520879607.789");
	}
	p->batch->has_timestamps = true;
	return true;
}

/* What may follow the value: a timestamp, an exemplar. */
static bool read_rest(struct openmetrics_parser *p)
{
	p->sample.timestamp = (struct slice){ 0 };
	p->sample.exemplar = (struct slice){ 0 };
	if (p->in.at == p->in.eol) {
		return true;
	}
	if (!openmetrics_read_blank(&p->in, "expected a space after the value, found ")) {
		return false;
	}
	if (*p->in.at != '#') {
		if (!read_timestamp(p)) {
			return false;
		}
		if (p->in.at == p->in.eol) {
			return true;
		}
		if (!openmetrics_read_blank(&p->in, "expected a space after the timestamp, found ")) {
			return false;
		}
		if (*p->in.at != '#') {
			return openmetrics_fail(&p->in, p->in.at, "more behind the timestamp",
					"only an exemplar may follow, after \" # \"");
		}
	}
	return openmetrics_read_exemplar(p);
}

/* ---- Lines ---- */

static bool fail_name(struct openmetrics_parser *p)
{
	char first = *p->in.at;
	if (first == ' ' || first == '\t') {
		return openmetrics_fail(
				&p->in, p->in.at, "a blank at the start of the line", "lines begin with a name");
	}
	if (first == '"') {
		return openmetrics_fail(&p->in, p->in.at, "a quote at the start of the line",
				"a metric name in quotes stands inside the braces");
	}
	return openmetrics_fail_byte(&p->in, p->in.at, "expected a metric name, found ",
			"metric names are [a-zA-Z_:][a-zA-Z0-9_:]*");
}

static bool read_series(struct openmetrics_parser *p)
{
	struct openmetrics_sample *sample = &p->sample;
	sample->name = (struct slice){ 0 };
	sample->name_at = p->in.at;
	p->labels.count = 0;
	if (*p->in.at != '{') {
		sample->name = openmetrics_read_name(&p->in, true);
		if (sample->name.len == 0) {
			return fail_name(p);
		}
		if (*p->in.at != ' ' && *p->in.at != '{') {
			return openmetrics_fail_byte(&p->in, p->in.at,
					"expected a space or '{' after the metric name, found ",
					"metric names are [a-zA-Z_:][a-zA-Z0-9_:]*, a value follows");
		}
		if (!openmetrics_check_name(p, sample->name_at, sample->name)) {
			return false;
		}
	}
	if (*p->in.at == '{' && !openmetrics_read_labels(p, &p->labels, sample)) {
		return false;
	}
	return sample->name.ptr != NULL
			|| openmetrics_fail(&p->in, p->in.line_start, "no metric name",
					"a line begins with the name of its sample");
}

bool openmetrics_read_sample(struct openmetrics_parser *p)
{
	return read_series(p)
			&& openmetrics_read_blank(&p->in, "expected a space before the value, found ")
			&& enter_family(p) && copy_labels(p) && find_bound(p) && read_value(p) && read_rest(p)
			&& openmetrics_add_sample(p);
}
