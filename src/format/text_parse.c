#include "format/text_parse.h"

#include "base/number.h"
#include "base/utf8.h"
#include "format/complete.h"
#include "format/text_hint.h"
#include "format/text_parser.h"

bool text_takes_quoted_name(const struct text_parser *p, struct slice name)
{
	return p->options->utf8_names && name.len > 0 && utf8_is_valid(name);
}

bool text_enter_family(struct text_parser *p, const char *place, struct slice name)
{
	if (!labels_is_metric_name(name) && !text_takes_quoted_name(p, name)) {
		return text_fail_quoting_escaped(&p->in, place, "invalid metric name ", name)
				|| text_hint_quoted_name(&p->in, name);
	}
	if (name.len > p->options->label_bytes) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABEL_BYTES);
	}
	p->family = text_families_enter(&p->families, name, &p->suffix_role);
	return true;
}

/* ---- Samples ---- */

/* Takes le or quantile out of the line's labels; false when it is no float. */
static bool take_bound(
		struct text_parser *p, struct slice name, bool *ret_found, struct slice *ret_text)
{
	size_t kept = 0;
	*ret_found = false;
	for (size_t i = 0; i < p->label_count; i++) {
		struct label label = p->labels[i];
		if (!slice_equal(label.name, name)) {
			p->labels[kept++] = label;
			continue;
		}
		if (!number_is_float(label.value)) {
			const char *what = name.len == 2 ? "expected float as value for 'le' label, got "
											 : "expected float as value for 'quantile' label, got ";
			return text_fail_quoting_escaped(&p->in, label.value.ptr, what, label.value)
					|| text_hint(&p->in,
							name.len == 2 ? "le is a bucket's upper bound: a number, or +Inf"
										  : "a quantile is a number from 0 to 1");
		}
		*ret_text = label.value;
		*ret_found = !slice_equal_nocase(label.value, SLICE("nan"));
	}
	p->label_count = kept;
	return true;
}

/* Go's shortest form, so that one bound has one identity in every format. */
static struct slice normalise_bound(struct arena *arena, struct slice text)
{
	char shortest[NUMBER_TEXT_MAX];
	double bound = number_value(text);
	size_t len = number_format(bound == 0 ? 0 : bound, shortest); /* -0 is 0 */
	struct slice formatted = slice_make(shortest, len);
	return slice_equal(formatted, text) ? text : arena_copy(arena, formatted);
}

/* What a line of a summary or histogram family says, by its name and bound. */
static bool sort_out_role(struct text_parser *p, enum sample_role *ret_role)
{
	bool is_summary = p->family->batch.type == METRIC_SUMMARY;
	struct label bound = { .name = is_summary ? SLICE("quantile") : SLICE("le") };
	bool found;
	if (!take_bound(p, bound.name, &found, &bound.value)) {
		return false;
	}
	*ret_role = p->suffix_role;
	if (p->suffix_role == SAMPLE_PLAIN && found) {
		*ret_role = is_summary ? SAMPLE_QUANTILE : SAMPLE_BUCKET;
		bound.value = normalise_bound(p->in.arena, bound.value);
		return text_add_label(p, p->in.line_start, bound);
	}
	return true;
}

static bool read_timestamp(struct text_parser *p)
{
	struct slice token;
	p->part = TEXT_PART_TIMESTAMP;
	if (!text_skip_blanks(&p->in)) {
		return false;
	}
	const char *start = p->in.at;
	if (!text_read_until_blank(&p->in, &token)) {
		return false;
	}
	if (!number_parse_int(token, &p->timestamp)) {
		return text_fail_quoting(&p->in, start, "expected integer as timestamp, got ", token)
				|| text_hint_timestamp(&p->in, token);
	}
	const char *rest = p->in.at;
	struct slice spurious = text_rest_of_line(&p->in);
	if (!text_skip_line(&p->in)) {
		return false;
	}
	p->batch->has_timestamps = true;
	p->has_timestamp = true;
	return spurious.len == 0
			|| text_fail_quoting(&p->in, rest, "spurious string after timestamp: ", spurious)
			|| text_hint_behind_timestamp(&p->in, spurious);
}

static bool is_negative(struct slice value)
{
	return value.ptr[0] == '-' && number_value(value) < 0;
}

/* Counts have rules of their own. */
static bool check_value(struct text_parser *p, enum sample_role role, struct slice *value)
{
	static const char negative_hint[] = "a count is 0 or more";
	enum metric_type type = p->family->batch.type;
	if (metric_type_is_histogram(type) && is_negative(*value)) {
		if (role == SAMPLE_COUNT) {
			return text_fail_quoting_escaped(&p->in, value->ptr, "negative count for histogram ",
						   p->family->batch.name)
					|| text_hint(&p->in, negative_hint);
		}
		if (role == SAMPLE_BUCKET) {
			return text_fail_quoting_escaped(&p->in, value->ptr,
						   "negative bucket population for histogram ", p->family->batch.name)
					|| text_hint(&p->in, negative_hint);
		}
	}
	if (type == METRIC_SUMMARY && role == SAMPLE_COUNT && !number_is_uint(*value)) {
		char digits[NUMBER_TEXT_MAX];
		size_t len = number_format_uint(number_to_uint(number_value(*value)), digits);
		*value = arena_copy(p->in.arena, slice_make(digits, len));
	}
	return true;
}

static bool add_sample(struct text_parser *p, enum sample_role role, struct slice value)
{
	if (p->batch->sample_count == p->options->samples) {
		return text_fail_limit(&p->in, p->in.line_start, FORMAT_LIMIT_SAMPLES);
	}
	struct sample *sample = batch_family_add(&p->family->batch, p->in.arena);
	sample->role = role;
	sample->line = (uint32_t)p->in.line;
	sample->value = value;
	sample->labels.count = p->label_count;
	if (p->label_count > 0) {
		size_t bytes = p->label_count * sizeof(struct label);
		sample->labels.pairs = arena_grow(p->in.arena, p->labels, bytes, bytes);
	}
	p->batch->sample_count++;
	return true;
}

/* `at` is on the first byte that is neither blank nor part of name and labels. */
static bool read_value(struct text_parser *p)
{
	struct slice value;
	enum sample_role role = SAMPLE_PLAIN;
	if (metric_type_has_bounds(p->family->batch.type) && !sort_out_role(p, &role)) {
		return false;
	}
	p->part = TEXT_PART_SORTED_LABELS;
	if (!text_sort_labels(p)) {
		return false;
	}
	p->part = TEXT_PART_VALUE;
	if (!text_read_until_blank(&p->in, &value)) {
		return false;
	}
	if (!number_is_float(value)) {
		return text_fail_quoting(&p->in, value.ptr, "expected float as value, got ", value)
				|| text_hint_value(&p->in, value);
	}
	if (!check_value(p, role, &value) || !add_sample(p, role, value)) {
		return false;
	}
	return p->in.at == p->in.eol || read_timestamp(p);
}

static bool read_sample(struct text_parser *p)
{
	const char *start = p->in.at;
	p->family = NULL;
	p->label_count = 0;
	p->part = TEXT_PART_NAME;
	if (*start != '{') {
		struct slice name;
		if (!text_read_name(&p->in, true, &name)) {
			return false;
		}
		if (name.len == 0) {
			return text_fail(&p->in, start, "invalid metric name")
					|| text_hint_metric_name(&p->in, start);
		}
		if (!text_enter_family(p, start, name)) {
			return false;
		}
		if (!text_skip_blanks(&p->in)) {
			return false;
		}
	}
	p->part = p->family == NULL ? TEXT_PART_NAME : TEXT_PART_LABELS;
	if (*p->in.at == '{' && (!text_read_labels(p) || !text_skip_blanks(&p->in))) {
		return false;
	}
	if (p->family == NULL) {
		return text_fail(&p->in, start, "invalid metric name")
				|| text_hint_metric_name(&p->in, start);
	}
	p->family->has_type = true;
	return read_value(p);
}

bool text_read_line_within(struct text_parser *p)
{
	p->part = TEXT_PART_LINE;
	p->has_timestamp = false;
	while (p->in.at < p->in.eol && text_is_blank(*p->in.at)) {
		p->in.at++;
	}
	if (p->in.at == p->in.eol) {
		return true;
	}
	return *p->in.at == '#' ? text_read_comment(p) : read_sample(p);
}

bool text_read_line(struct text_parser *p)
{
	const char *feed = memchr(p->in.at, '\n', (size_t)(p->in.end - p->in.at));
	p->in.line++;
	p->in.line_start = p->in.at;
	p->in.eol = feed == NULL ? p->in.end : feed;
	return text_read_line_within(p);
}

static bool complete(struct text_parser *p, struct text_family *family)
{
	size_t room = p->options->samples - p->batch->sample_count;
	if (metric_type_has_bounds(family->batch.type)
			&& !complete_family(p->batch, &family->batch, room, p->in.arena)) {
		return text_fail_limit(&p->in, p->in.line_start, FORMAT_LIMIT_SAMPLES);
	}
	return true;
}

/* Families without samples are dropped; summaries and histograms completed. */
static void collect_families(struct text_parser *p)
{
	struct batch_family **link = &p->batch->families;
	p->batch->sample_count = 0;
	for (struct text_family *family = p->families.first; family != NULL; family = family->next) {
		if (family->batch.sample_count == 0) {
			continue;
		}
		if (!complete(p, family)) {
			return;
		}
		*link = &family->batch;
		link = &family->batch.next;
		p->batch->family_count++;
		p->batch->sample_count += family->batch.sample_count;
	}
	*link = NULL;
}

enum format_result text_parse(struct slice body, const struct format_options *options,
		struct arena *arena, struct batch *ret_batch, struct format_error *reterr_error)
{
	struct text_parser p = {
		.in = {
			.at = body.ptr,
			.end = body.ptr + body.len,
			.arena = arena,
			.fault_arena = arena,
			.result = FORMAT_OK,
			.error = reterr_error,
		},
		.options = options,
		.batch = ret_batch,
	};
	*ret_batch = (struct batch){ 0 };
	text_families_init(&p.families, arena);
	while (p.in.at < p.in.end && text_read_line(&p)) {
		/* On to the next line; the last may lack its line feed. */
		p.in.at = p.in.eol < p.in.end ? p.in.eol + 1 : p.in.end;
	}
	text_families_finish(&p.families);
	if (p.in.result == FORMAT_OK) {
		collect_families(&p);
	}
	return p.in.result;
}
