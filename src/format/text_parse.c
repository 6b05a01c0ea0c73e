#include "format/text_parse.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/number.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "format/complete.h"
#include "format/text_family.h"

/*
 * A body is read line by line; no token spans two lines. Within one, `at` runs
 * towards `eol`, which is the line feed or, in a last line without one, the
 * end of the body. Running into the latter is its own error, wherever in the
 * line that happens.
 */
struct parser {
	const char *at;
	const char *eol;
	const char *end;
	const char *line_start;
	size_t line;
	struct arena *arena;
	const struct format_limits *limits;
	struct text_families families;
	struct text_family *family;   /* the line's */
	enum sample_role suffix_role; /* what the suffix of the line's name says */
	struct label *labels;         /* the line's, reused */
	size_t label_count;
	size_t label_capacity;
	struct batch *batch;
	enum format_result result;
	struct format_error *error;
};

/* ---- Errors ---- */

static bool fail_at(struct parser *p, const char *place, struct slice what)
{
	const char *line_end = p->eol;
	if (place < p->line_start || place > line_end) {
		place = p->line_start; /* a name that was unescaped lies elsewhere */
	}
	p->result = FORMAT_E_SYNTAX;
	*p->error = (struct format_error){
		.line = p->line,
		.column = (size_t)(place - p->line_start) + 1,
		.line_text = slice_between(p->line_start, line_end),
		.what = what,
	};
	return false;
}

static bool fail(struct parser *p, const char *place, const char *what)
{
	return fail_at(p, place, slice_of_string(what));
}

/* what "quoted", the latter cut to what one can read */
static bool fail_quoting(struct parser *p, const char *place, const char *what, struct slice quoted)
{
	enum { SHOWN_BYTES = 256 };
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, what);
	quote_append(&text, slice_first(quoted, SHOWN_BYTES));
	if (quoted.len > SHOWN_BYTES) {
		buf_append_string(&text, "...");
	}
	struct slice copy = arena_copy(p->arena, buf_slice(&text));
	buf_finish(&text);
	return fail_at(p, place, copy);
}

/* what 'x' */
static bool fail_quoting_byte(struct parser *p, const char *place, const char *what)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, what);
	quote_append_byte(&text, (unsigned char)*place);
	struct slice copy = arena_copy(p->arena, buf_slice(&text));
	buf_finish(&text);
	return fail_at(p, place, copy);
}

static bool fail_escape(struct parser *p, const char *place)
{
	char byte = *place;
	struct slice what = byte >= ' ' && byte <= '~'
			? arena_printf(p->arena, "invalid escape sequence '\\%c'", byte)
			: arena_printf(p->arena, "invalid escape sequence '\\\\x%02x'", (unsigned char)byte);
	return fail_at(p, place - 1, what);
}

static bool fail_limit(struct parser *p, const char *place, enum format_limit limit)
{
	fail(p, place, "");
	p->error->limit = limit;
	p->result = FORMAT_E_LIMIT;
	return false;
}

/* Whether there is a byte at `at`; the line feed counts. */
static bool has_byte(struct parser *p)
{
	return p->at < p->end || fail(p, p->at, "unexpected end of input stream");
}

/* ---- Tokens ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool skip_blanks(struct parser *p)
{
	while (p->at < p->eol && is_blank(*p->at)) {
		p->at++;
	}
	return has_byte(p);
}

static bool read_until_blank(struct parser *p, struct slice *ret_token)
{
	const char *start = p->at;
	while (p->at < p->eol && !is_blank(*p->at)) {
		p->at++;
	}
	*ret_token = slice_between(start, p->at);
	return has_byte(p);
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_byte(char c)
{
	return is_name_start(c) || (c >= '0' && c <= '9');
}

/* A quoted name, its escapes undone; `at` is on the opening quote. */
static bool read_quoted_name(struct parser *p, struct slice *ret_name)
{
	const char *start = ++p->at;
	struct buf name;
	buf_init(&name, 0);
	bool ok = true;
	while (ok && p->at < p->eol && *p->at != '"') {
		char c = *p->at++;
		if (c == '\\' && p->at < p->end) {
			c = *p->at++;
			ok = c == '\\' || c == '"' || c == 'n' || fail_escape(p, p->at - 1);
			c = c == 'n' ? '\n' : c;
		}
		buf_append_byte(&name, c);
	}
	*ret_name = arena_copy(p->arena, buf_slice(&name));
	buf_finish(&name);
	if (!ok || !has_byte(p)) {
		return false;
	}
	if (*p->at != '"') {
		return fail_quoting(p, start, "name contains unescaped new-line: ", *ret_name);
	}
	p->at++;
	return has_byte(p);
}

/* Empty when none starts here. Metric names may have colons. */
static bool read_name(struct parser *p, bool colons, struct slice *ret_name)
{
	if (p->at < p->eol && *p->at == '"') {
		return read_quoted_name(p, ret_name);
	}
	const char *start = p->at;
	if (p->at < p->eol && (is_name_start(*p->at) || (colons && *p->at == ':'))) {
		while (p->at < p->eol && (is_name_byte(*p->at) || (colons && *p->at == ':'))) {
			p->at++;
		}
	}
	*ret_name = slice_between(start, p->at);
	return has_byte(p);
}

/*
 * The text of a label value, still escaped; `at` is behind the opening quote
 * before and behind the closing one after.
 */
static bool read_label_value(struct parser *p, struct slice *ret_value)
{
	const char *start = p->at;
	const char *quote = memchr(start, '"', (size_t)(p->eol - start));
	const char *stop = quote == NULL ? p->eol : quote;
	if (memchr(start, '\\', (size_t)(stop - start)) != NULL) {
		const char *c = start;
		for (; c < p->eol && *c != '"'; c++) {
			if (*c == '\\' && ++c < p->end && *c != '\\' && *c != '"' && *c != 'n') {
				return fail_escape(p, c);
			}
		}
		stop = c > p->eol ? p->eol : c;
	}
	p->at = stop;
	*ret_value = slice_between(start, stop);
	if (!has_byte(p)) {
		return false;
	}
	if (*stop != '"') {
		return fail_quoting(p, start, "label value ", labels_unescape(p->arena, *ret_value))
				|| fail_at(p, start,
						arena_printf(p->arena, SLICE_FMT " contains unescaped new-line",
								SLICE_ARG(p->error->what)));
	}
	p->at++;
	return true;
}

/* ---- Comments ---- */

static struct slice repair_utf8(struct arena *arena, struct slice text)
{
	if (utf8_is_valid(text)) {
		return text;
	}
	struct buf out;
	buf_init(&out, 0);
	while (text.len > 0) {
		size_t len = utf8_sequence(text);
		buf_append(&out, len == 0 ? SLICE("\xef\xbf\xbd") : slice_first(text, len));
		text = slice_skip(text, len == 0 ? 1 : len);
	}
	struct slice repaired = arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return repaired;
}

/* As a HELP line needs it: \\ and \n stay escaped, \" becomes a quote. */
static struct slice normalise_help(struct arena *arena, struct slice raw)
{
	if (slice_find_byte(raw, '\\') == NULL) {
		return raw;
	}
	char *text = arena_text(arena, raw.len);
	char *out = text;
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] == '\\' && raw.ptr[i + 1] == '"') {
			i++;
		} else if (raw.ptr[i] == '\\') {
			*out++ = raw.ptr[i++];
		}
		*out++ = raw.ptr[i];
	}
	return slice_between(text, out);
}

static bool read_help(struct parser *p)
{
	if (p->family->batch.help.ptr != NULL) {
		return fail_quoting(
				p, p->line_start, "second HELP line for metric name ", p->family->batch.name);
	}
	const char *start = p->at;
	for (; p->at < p->eol; p->at++) {
		if (*p->at == '\\' && ++p->at < p->end && *p->at != '\\' && *p->at != 'n'
				&& *p->at != '"') {
			return fail_escape(p, p->at);
		}
	}
	p->at = p->eol;
	if (!has_byte(p)) {
		return false;
	}
	struct slice raw = slice_between(start, p->eol);
	p->family->batch.help = repair_utf8(p->arena, normalise_help(p->arena, raw));
	return true;
}

/* The rest of the line; backslashes vanish, as they do upstream. */
static struct slice rest_of_line(struct parser *p)
{
	struct slice rest = slice_between(p->at, p->eol);
	if (slice_find_byte(rest, '\\') == NULL) {
		return rest;
	}
	char *text = arena_text(p->arena, rest.len);
	size_t len = 0;
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.ptr[i] != '\\') {
			text[len++] = rest.ptr[i];
		}
	}
	return slice_make(text, len);
}

static bool read_type(struct parser *p)
{
	static const struct {
		struct slice name;
		enum metric_type type;
	} types[] = {
		{ SLICE_INIT("counter"), METRIC_COUNTER },
		{ SLICE_INIT("gauge"), METRIC_GAUGE },
		{ SLICE_INIT("gauge_histogram"), METRIC_GAUGE_HISTOGRAM },
		{ SLICE_INIT("gaugehistogram"), METRIC_GAUGE_HISTOGRAM },
		{ SLICE_INIT("histogram"), METRIC_HISTOGRAM },
		{ SLICE_INIT("summary"), METRIC_SUMMARY },
		{ SLICE_INIT("untyped"), METRIC_UNTYPED },
	};
	if (p->family->has_type) {
		fail_quoting(p, p->line_start, "second TYPE line for metric name ", p->family->batch.name);
		return fail_at(p, p->line_start,
				arena_printf(p->arena, SLICE_FMT ", or TYPE reported after samples",
						SLICE_ARG(p->error->what)));
	}
	const char *start = p->at;
	struct slice name = rest_of_line(p);
	p->at = p->eol;
	if (!has_byte(p)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (slice_equal_nocase(name, types[i].name)) {
			p->family->batch.type = types[i].type;
			p->family->has_type = true;
			return true;
		}
	}
	return fail_quoting(p, start, "unknown metric type ", name);
}

/* The family that a name belongs to, made when it is new. */
static bool enter_family(struct parser *p, const char *place, struct slice name)
{
	if (!labels_is_metric_name(name)) {
		return fail_quoting(p, place, "invalid metric name ", name);
	}
	if (name.len > p->limits->label_bytes) {
		return fail_limit(p, place, FORMAT_LIMIT_LABEL_BYTES);
	}
	p->family = text_families_enter(&p->families, name, &p->suffix_role);
	return true;
}

static bool skip_line(struct parser *p)
{
	p->at = p->eol;
	return has_byte(p);
}

static bool read_comment(struct parser *p)
{
	struct slice keyword;
	p->at++;
	if (!skip_blanks(p) || !read_until_blank(p, &keyword)) {
		return false;
	}
	bool is_help = slice_equal(keyword, SLICE("HELP"));
	if (p->at == p->eol || (!is_help && !slice_equal(keyword, SLICE("TYPE")))) {
		return skip_line(p);
	}
	if (!skip_blanks(p) || p->at == p->eol) {
		return p->result == FORMAT_OK;
	}
	const char *start = p->at;
	struct slice name;
	if (!read_name(p, true, &name) || p->at == p->eol) {
		return p->result == FORMAT_OK;
	}
	if (!is_blank(*p->at)) {
		return fail(p, p->at, "invalid metric name in comment");
	}
	if (!enter_family(p, start, name) || !skip_blanks(p) || p->at == p->eol) {
		return p->result == FORMAT_OK;
	}
	return is_help ? read_help(p) : read_type(p);
}

/* ---- Labels ---- */

static bool add_label(struct parser *p, const char *place, struct label label)
{
	if (p->label_count == p->limits->labels) {
		return fail_limit(p, place, FORMAT_LIMIT_LABELS);
	}
	if (label.name.len > p->limits->label_bytes || label.value.len > p->limits->label_bytes) {
		return fail_limit(p, place, FORMAT_LIMIT_LABEL_BYTES);
	}
	if (p->label_count == p->label_capacity) {
		size_t old_bytes = p->label_count * sizeof(struct label);
		p->label_capacity = p->label_capacity == 0 ? 32 : p->label_capacity * 2;
		p->labels = arena_grow(
				p->arena, p->labels, old_bytes, p->label_capacity * sizeof(struct label));
	}
	p->labels[p->label_count++] = label;
	return true;
}

/* `at` is behind the '=' of a label named so. */
static bool read_label(struct parser *p, const char *place, struct slice name)
{
	struct label label = { .name = name };
	if (slice_equal(name, SLICE("__name__"))) {
		return fail(p, place, "label name \"__name__\" is reserved");
	}
	if (!labels_is_name(name)) {
		return fail_quoting(p, place, "invalid label name ", name);
	}
	if (!skip_blanks(p)) {
		return false;
	}
	if (*p->at != '"') {
		return fail_quoting_byte(p, p->at, "expected '\"' at start of label value, found ");
	}
	const char *start = ++p->at;
	if (!read_label_value(p, &label.value)) {
		return false;
	}
	if (!utf8_is_valid(label.value)) {
		return fail_quoting(
				p, start, "invalid label value ", labels_unescape(p->arena, label.value));
	}
	if (!add_label(p, place, label) || !skip_blanks(p)) {
		return false;
	}
	if (*p->at != ',' && *p->at != '}') {
		return fail_quoting(
				p, p->at, "unexpected end of label value ", labels_unescape(p->arena, label.value));
	}
	return true;
}

/* A metric name given inside the braces: {"m",a="b"} 1 */
static bool read_name_in_braces(struct parser *p, const char *place, struct slice name)
{
	if (p->family != NULL) {
		return fail_quoting(p, place, "multiple metric names for metric ", p->family->batch.name);
	}
	if (*p->at != ',' && *p->at != '}') {
		return fail_quoting_byte(p, p->at, "unexpected end of metric name ");
	}
	return enter_family(p, place, name);
}

/*
 * `at` is on the opening brace before and behind the closing one after. A line
 * that starts with the brace has no family yet: it names it inside.
 */
static bool read_labels(struct parser *p)
{
	bool names_inside = p->family == NULL;
	do {
		p->at++;
		if (!skip_blanks(p)) {
			return false;
		}
		if (*p->at == '}') {
			break;
		}
		const char *start = p->at;
		struct slice name;
		if (!read_name(p, false, &name)) {
			return false;
		}
		if (name.len == 0 && (p->at == start)) {
			return fail_quoting(p, start, "invalid label name for metric ",
					p->family == NULL ? SLICE("") : p->family->batch.name);
		}
		if (!skip_blanks(p)) {
			return false;
		}
		if (*p->at == '=') {
			p->at++;
			if (!read_label(p, start, name)) {
				return false;
			}
		} else if (!names_inside) {
			return fail_quoting_byte(p, p->at, "expected '=' after label name, found ");
		} else if (!read_name_in_braces(p, start, name)) {
			return false;
		}
	} while (*p->at == ',');
	p->at++;
	return true;
}

/* ---- Samples ---- */

/* Takes le or quantile out of the line's labels; false when it is no float. */
static bool take_bound(struct parser *p, struct slice name, bool *ret_found, struct slice *ret_text)
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
			return fail_quoting(p, label.value.ptr, what, labels_unescape(p->arena, label.value));
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
	size_t len = number_format(number_value(text), shortest);
	struct slice formatted = slice_make(shortest, len);
	return slice_equal(formatted, text) ? text : arena_copy(arena, formatted);
}

/* What a line of a summary or histogram family says, by its name and bound. */
static bool sort_out_role(struct parser *p, enum sample_role *ret_role)
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
		bound.value = normalise_bound(p->arena, bound.value);
		return add_label(p, p->line_start, bound);
	}
	return true;
}

static bool sort_labels(struct parser *p)
{
	struct labels labels = { .pairs = p->labels, .count = p->label_count };
	labels_sort(&labels);
	for (size_t i = 1; i < labels.count; i++) {
		if (slice_equal(labels.pairs[i - 1].name, labels.pairs[i].name)) {
			return fail_quoting(p, labels.pairs[i].name.ptr, "duplicate label names for metric ",
					p->family->batch.name);
		}
	}
	return true;
}

static bool read_timestamp(struct parser *p)
{
	struct slice token;
	int64_t ignored;
	if (!skip_blanks(p)) {
		return false;
	}
	const char *start = p->at;
	if (!read_until_blank(p, &token)) {
		return false;
	}
	if (!number_parse_int(token, &ignored)) {
		return fail_quoting(p, start, "expected integer as timestamp, got ", token);
	}
	const char *rest = p->at;
	struct slice spurious = rest_of_line(p);
	if (!skip_line(p)) {
		return false;
	}
	p->batch->has_timestamps = true;
	return spurious.len == 0
			|| fail_quoting(p, rest, "spurious string after timestamp: ", spurious);
}

static bool is_negative(struct slice value)
{
	return value.ptr[0] == '-' && number_value(value) < 0;
}

/* Counts have rules of their own. */
static bool check_value(struct parser *p, enum sample_role role, struct slice *value)
{
	enum metric_type type = p->family->batch.type;
	if (metric_type_is_histogram(type) && is_negative(*value)) {
		if (role == SAMPLE_COUNT) {
			return fail_quoting(
					p, value->ptr, "negative count for histogram ", p->family->batch.name);
		}
		if (role == SAMPLE_BUCKET) {
			return fail_quoting(p, value->ptr, "negative bucket population for histogram ",
					p->family->batch.name);
		}
	}
	if (type == METRIC_SUMMARY && role == SAMPLE_COUNT) {
		char digits[NUMBER_TEXT_MAX];
		size_t len = number_format_uint(number_to_uint(number_value(*value)), digits);
		struct slice formatted = slice_make(digits, len);
		if (!slice_equal(formatted, *value)) {
			*value = arena_copy(p->arena, formatted);
		}
	}
	return true;
}

static bool add_sample(struct parser *p, enum sample_role role, struct slice value)
{
	if (p->batch->sample_count == p->limits->samples) {
		return fail_limit(p, p->line_start, FORMAT_LIMIT_SAMPLES);
	}
	struct sample *sample = batch_family_add(&p->family->batch, p->arena);
	sample->role = role;
	sample->value = value;
	sample->labels.count = p->label_count;
	if (p->label_count > 0) {
		size_t bytes = p->label_count * sizeof(struct label);
		sample->labels.pairs = arena_grow(p->arena, p->labels, bytes, bytes);
	}
	p->batch->sample_count++;
	return true;
}

/* `at` is on the first byte that is neither blank nor part of name and labels. */
static bool read_value(struct parser *p)
{
	struct slice value;
	enum sample_role role = SAMPLE_PLAIN;
	bool is_plain_type = !metric_type_is_histogram(p->family->batch.type)
			&& p->family->batch.type != METRIC_SUMMARY;
	if (!is_plain_type && !sort_out_role(p, &role)) {
		return false;
	}
	if (!sort_labels(p) || !read_until_blank(p, &value)) {
		return false;
	}
	if (!number_is_float(value)) {
		return fail_quoting(p, value.ptr, "expected float as value, got ", value);
	}
	if (!check_value(p, role, &value) || !add_sample(p, role, value)) {
		return false;
	}
	return p->at == p->eol || read_timestamp(p);
}

static bool read_sample(struct parser *p)
{
	const char *start = p->at;
	p->family = NULL;
	p->label_count = 0;
	if (*start != '{') {
		struct slice name;
		if (!read_name(p, true, &name)) {
			return false;
		}
		if (name.len == 0) {
			return fail(p, start, "invalid metric name");
		}
		if (!enter_family(p, start, name)) {
			return false;
		}
		if (!skip_blanks(p)) {
			return false;
		}
	}
	if (*p->at == '{' && (!read_labels(p) || !skip_blanks(p))) {
		return false;
	}
	if (p->family == NULL) {
		return fail(p, start, "invalid metric name");
	}
	p->family->has_type = true;
	return read_value(p);
}

static bool read_line(struct parser *p)
{
	const char *feed = memchr(p->at, '\n', (size_t)(p->end - p->at));
	p->line++;
	p->line_start = p->at;
	p->eol = feed == NULL ? p->end : feed;
	while (p->at < p->eol && is_blank(*p->at)) {
		p->at++;
	}
	if (p->at == p->eol) {
		return true;
	}
	return *p->at == '#' ? read_comment(p) : read_sample(p);
}

/* Families without samples are dropped; summaries and histograms completed. */
static void collect_families(struct parser *p)
{
	struct batch_family **link = &p->batch->families;
	p->batch->sample_count = 0;
	for (struct text_family *family = p->families.first; family != NULL; family = family->next) {
		if (family->batch.sample_count == 0) {
			continue;
		}
		if (metric_type_is_histogram(family->batch.type) || family->batch.type == METRIC_SUMMARY) {
			complete_family(p->batch, &family->batch, p->arena);
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
	struct parser p = {
		.at = body.ptr,
		.end = body.ptr + body.len,
		.arena = arena,
		.limits = limits,
		.batch = ret_batch,
		.result = FORMAT_OK,
		.error = reterr_error,
	};
	*ret_batch = (struct batch){ 0 };
	text_families_init(&p.families, arena);
	while (p.at < p.end && read_line(&p)) {
		/* On to the next line; the last may lack its line feed. */
		p.at = p.eol < p.end ? p.eol + 1 : p.end;
	}
	text_families_finish(&p.families);
	if (p.result == FORMAT_OK) {
		collect_families(&p);
	}
	return p.result;
}
