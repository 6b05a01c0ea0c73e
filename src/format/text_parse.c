#include "format/text_parse.h"

#include "base/number.h"
#include "base/utf8.h"
#include "format/complete.h"
#include "format/text_parser.h"

bool text_enter_family(struct text_parser *p, const char *place, struct slice name)
{
	if (!labels_is_metric_name(name)) {
		return text_fail_quoting(&p->in, place, "invalid metric name ", name);
	}
	if (name.len > p->limits->label_bytes) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABEL_BYTES);
	}
	p->family = text_families_enter(&p->families, name, &p->suffix_role);
	return true;
}

/* ---- Labels ---- */

static bool add_label(struct text_parser *p, const char *place, struct label label)
{
	if (p->label_count == p->limits->labels) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABELS);
	}
	if (label.name.len > p->limits->label_bytes || label.value.len > p->limits->label_bytes) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABEL_BYTES);
	}
	if (p->label_count == p->label_capacity) {
		size_t old_bytes = p->label_count * sizeof(struct label);
		p->label_capacity = p->label_capacity == 0 ? 32 : p->label_capacity * 2;
		p->labels = arena_grow(
				p->in.arena, p->labels, old_bytes, p->label_capacity * sizeof(struct label));
	}
	p->labels[p->label_count++] = label;
	return true;
}

/* `at` is behind the '=' of a label named so. */
static bool read_label(struct text_parser *p, const char *place, struct slice name)
{
	struct label label = { .name = name };
	if (slice_equal(name, SLICE("__name__"))) {
		return text_fail(&p->in, place, "label name \"__name__\" is reserved");
	}
	if (!labels_is_name(name)) {
		return text_fail_quoting(&p->in, place, "invalid label name ", name);
	}
	if (!text_skip_blanks(&p->in)) {
		return false;
	}
	if (*p->in.at != '"') {
		return text_fail_quoting_byte(
				&p->in, p->in.at, "expected '\"' at start of label value, found ");
	}
	const char *start = ++p->in.at;
	if (!text_read_label_value(&p->in, &label.value)) {
		return false;
	}
	if (!utf8_is_valid(label.value)) {
		return text_fail_quoting(
				&p->in, start, "invalid label value ", labels_unescape(p->in.arena, label.value));
	}
	if (!add_label(p, place, label) || !text_skip_blanks(&p->in)) {
		return false;
	}
	if (*p->in.at != ',' && *p->in.at != '}') {
		return text_fail_quoting(&p->in, p->in.at, "unexpected end of label value ",
				labels_unescape(p->in.arena, label.value));
	}
	return true;
}

/* A metric name given inside the braces: {"m",a="b"} 1 */
static bool read_name_in_braces(struct text_parser *p, const char *place, struct slice name)
{
	if (p->family != NULL) {
		return text_fail_quoting(
				&p->in, place, "multiple metric names for metric ", p->family->batch.name);
	}
	if (*p->in.at != ',' && *p->in.at != '}') {
		return text_fail_quoting_byte(&p->in, p->in.at, "unexpected end of metric name ");
	}
	return text_enter_family(p, place, name);
}

/*
 * `at` is on the opening brace before and behind the closing one after. A line
 * that starts with the brace has no family yet: it names it inside.
 */
static bool read_labels(struct text_parser *p)
{
	bool names_inside = p->family == NULL;
	do {
		p->in.at++;
		if (!text_skip_blanks(&p->in)) {
			return false;
		}
		if (*p->in.at == '}') {
			break;
		}
		const char *start = p->in.at;
		struct slice name;
		if (!text_read_name(&p->in, false, &name)) {
			return false;
		}
		if (name.len == 0 && (p->in.at == start)) {
			return text_fail_quoting(&p->in, start, "invalid label name for metric ",
					p->family == NULL ? SLICE("") : p->family->batch.name);
		}
		if (!text_skip_blanks(&p->in)) {
			return false;
		}
		if (*p->in.at == '=') {
			p->in.at++;
			if (!read_label(p, start, name)) {
				return false;
			}
		} else if (!names_inside) {
			return text_fail_quoting_byte(
					&p->in, p->in.at, "expected '=' after label name, found ");
		} else if (!read_name_in_braces(p, start, name)) {
			return false;
		}
	} while (*p->in.at == ',');
	p->in.at++;
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
			return text_fail_quoting(
					&p->in, label.value.ptr, what, labels_unescape(p->in.arena, label.value));
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
		return add_label(p, p->in.line_start, bound);
	}
	return true;
}

static bool sort_labels(struct text_parser *p)
{
	struct labels labels = { .pairs = p->labels, .count = p->label_count };
	labels_sort(&labels);
	for (size_t i = 1; i < labels.count; i++) {
		if (slice_equal(labels.pairs[i - 1].name, labels.pairs[i].name)) {
			return text_fail_quoting(&p->in, labels.pairs[i].name.ptr,
					"duplicate label names for metric ", p->family->batch.name);
		}
	}
	return true;
}

static bool read_timestamp(struct text_parser *p)
{
	struct slice token;
	int64_t ignored;
	if (!text_skip_blanks(&p->in)) {
		return false;
	}
	const char *start = p->in.at;
	if (!text_read_until_blank(&p->in, &token)) {
		return false;
	}
	if (!number_parse_int(token, &ignored)) {
		return text_fail_quoting(&p->in, start, "expected integer as timestamp, got ", token);
	}
	const char *rest = p->in.at;
	struct slice spurious = text_rest_of_line(&p->in);
	if (!text_skip_line(&p->in)) {
		return false;
	}
	p->batch->has_timestamps = true;
	return spurious.len == 0
			|| text_fail_quoting(&p->in, rest, "spurious string after timestamp: ", spurious);
}

static bool is_negative(struct slice value)
{
	return value.ptr[0] == '-' && number_value(value) < 0;
}

/* Counts have rules of their own. */
static bool check_value(struct text_parser *p, enum sample_role role, struct slice *value)
{
	enum metric_type type = p->family->batch.type;
	if (metric_type_is_histogram(type) && is_negative(*value)) {
		if (role == SAMPLE_COUNT) {
			return text_fail_quoting(
					&p->in, value->ptr, "negative count for histogram ", p->family->batch.name);
		}
		if (role == SAMPLE_BUCKET) {
			return text_fail_quoting(&p->in, value->ptr,
					"negative bucket population for histogram ", p->family->batch.name);
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
	if (p->batch->sample_count == p->limits->samples) {
		return text_fail_limit(&p->in, p->in.line_start, FORMAT_LIMIT_SAMPLES);
	}
	struct sample *sample = batch_family_add(&p->family->batch, p->in.arena);
	sample->role = role;
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
	bool is_plain_type = !metric_type_is_histogram(p->family->batch.type)
			&& p->family->batch.type != METRIC_SUMMARY;
	if (!is_plain_type && !sort_out_role(p, &role)) {
		return false;
	}
	if (!sort_labels(p) || !text_read_until_blank(&p->in, &value)) {
		return false;
	}
	if (!number_is_float(value)) {
		return text_fail_quoting(&p->in, value.ptr, "expected float as value, got ", value);
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
	if (*start != '{') {
		struct slice name;
		if (!text_read_name(&p->in, true, &name)) {
			return false;
		}
		if (name.len == 0) {
			return text_fail(&p->in, start, "invalid metric name");
		}
		if (!text_enter_family(p, start, name)) {
			return false;
		}
		if (!text_skip_blanks(&p->in)) {
			return false;
		}
	}
	if (*p->in.at == '{' && (!read_labels(p) || !text_skip_blanks(&p->in))) {
		return false;
	}
	if (p->family == NULL) {
		return text_fail(&p->in, start, "invalid metric name");
	}
	p->family->has_type = true;
	return read_value(p);
}

static bool read_line(struct text_parser *p)
{
	const char *feed = memchr(p->in.at, '\n', (size_t)(p->in.end - p->in.at));
	p->in.line++;
	p->in.line_start = p->in.at;
	p->in.eol = feed == NULL ? p->in.end : feed;
	while (p->in.at < p->in.eol && text_is_blank(*p->in.at)) {
		p->in.at++;
	}
	if (p->in.at == p->in.eol) {
		return true;
	}
	return *p->in.at == '#' ? text_read_comment(p) : read_sample(p);
}

static bool complete(struct text_parser *p, struct text_family *family)
{
	size_t room = p->limits->samples - p->batch->sample_count;
	bool has_bounds =
			metric_type_is_histogram(family->batch.type) || family->batch.type == METRIC_SUMMARY;
	if (has_bounds && !complete_family(p->batch, &family->batch, room, p->in.arena)) {
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

enum format_result text_parse(struct slice body, const struct format_limits *limits,
		struct arena *arena, struct batch *ret_batch, struct format_error *reterr_error)
{
	struct text_parser p = {
		.in = {
			.at = body.ptr,
			.end = body.ptr + body.len,
			.arena = arena,
			.result = FORMAT_OK,
			.error = reterr_error,
		},
		.limits = limits,
		.batch = ret_batch,
	};
	*ret_batch = (struct batch){ 0 };
	text_families_init(&p.families, arena);
	while (p.in.at < p.in.end && read_line(&p)) {
		/* On to the next line; the last may lack its line feed. */
		p.in.at = p.in.eol < p.in.end ? p.in.eol + 1 : p.in.end;
	}
	text_families_finish(&p.families);
	if (p.in.result == FORMAT_OK) {
		collect_families(&p);
	}
	return p.in.result;
}
