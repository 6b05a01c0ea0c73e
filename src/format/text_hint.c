#include "format/text_hint.h"

#include "base/number.h"
#include "base/utf8.h"

static const char name_rule[] = "a metric name has letters, digits, '_' and ':' only, and no digit "
								"first";
static const char label_rule[] =
		"a label name has letters, digits and '_' only, and no digit first";
static const char line_end_rule[] = "lines end in a line feed alone, without a carriage return";

bool text_hint(struct text_reader *r, const char *hint)
{
	r->error->hint = slice_of_string(hint);
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_at_return(const struct text_reader *r, const char *place)
{
	return place < r->eol && *place == '\r';
}

static bool ends_in_return(struct slice text)
{
	return text.len > 0 && text.ptr[text.len - 1] == '\r';
}

static bool is_one_of(struct slice text, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (slice_equal_nocase(text, slice_of_string(*words))) {
			return true;
		}
	}
	return false;
}

/* ---- Names ---- */

bool text_hint_metric_name(struct text_reader *r, const char *place)
{
	struct slice rest = slice_between(place, r->eol);
	if (is_at_return(r, place)) {
		return text_hint(r, line_end_rule);
	}
	if (slice_starts_with(rest, SLICE("\xef\xbb\xbf"))) {
		return text_hint(r, "leave out the byte order mark");
	}
	if (slice_starts_with(rest, SLICE("{"))) {
		return text_hint(r, "a metric needs a name: m{a=\"b\"} 1 or {\"m\",a=\"b\"} 1");
	}
	if (slice_starts_with(rest, SLICE("\""))) {
		return text_hint(r, "a name has at least one character");
	}
	return text_hint(r, name_rule);
}

bool text_hint_label_name(struct text_reader *r, const char *place)
{
	if (is_at_return(r, place)) {
		return text_hint(r, line_end_rule);
	}
	if (place < r->eol && *place == ',') {
		return text_hint(r, "there is one comma between two labels, at most one behind the last");
	}
	if (place < r->eol && *place == '=') {
		return text_hint(r, "a label has a name: m{a=\"b\"} 1");
	}
	if (place == r->eol) {
		return text_hint(r, "labels end with a brace, in the same line");
	}
	return text_hint(r, label_rule);
}

bool text_hint_comment_name(struct text_reader *r, const char *place)
{
	return text_hint(r, is_at_return(r, place) ? line_end_rule : name_rule);
}

bool text_hint_quoted_name(struct text_reader *r, struct slice name)
{
	if (name.len == 0) {
		return text_hint(r, "a name has at least one character");
	}
	return text_hint(r,
			utf8_is_valid(name) ? "--push.enable-utf8-names allows such names" : "names are UTF-8");
}

/* ---- Labels ---- */

bool text_hint_equals(struct text_reader *r, const char *place)
{
	char c = place < r->eol ? *place : '\n';
	switch (c) {
	case '}':
	case ',':
	case ':':
		return text_hint(r, "a label is written a=\"b\"");
	case '\n':
	case '\r':
		return text_hint(r, "labels end with a brace, in the same line");
	default:
		return text_hint(r, text_is_blank(place[-1]) ? "a label name has no blanks" : label_rule);
	}
}

bool text_hint_value_end(struct text_reader *r, const char *place)
{
	char c = place < r->eol ? *place : '\n';
	if (c == '\n' || c == '\r') {
		return text_hint(r, "labels end with a brace, in the same line");
	}
	bool begins_label = is_letter(c) || c == '_' || c == '"';
	bool is_apart = begins_label && text_is_blank(place[-1]);
	return text_hint(r,
			is_apart ? "there is a comma between two labels"
					 : "a quote in a label value is written \\\", and a comma or brace follows the "
					   "value");
}

/* ---- Values ---- */

/* Right in form, so it is its size that is wrong. */
static bool is_too_large(struct slice value)
{
	size_t mantissa = 0;
	int64_t exponent;
	while (mantissa < value.len && (value.ptr[mantissa] | 0x20) != 'e') {
		mantissa++;
	}
	return mantissa < value.len && number_is_float(slice_first(value, mantissa))
			&& number_parse_int(slice_skip(value, mantissa + 1), &exponent);
}

/* The value is a word that is no number at all; NULL when it is not one of those. */
static const char *hint_of_word(struct slice value)
{
	static const char *const truths[] = { "true", "false", "yes", "no", "on", "off", NULL };
	static const char *const nothings[] = { "null", "none", "nil", "undefined", "n/a", "-", NULL };
	static const char *const signed_nans[] = { "+nan", "-nan", NULL };
	if (is_one_of(value, truths)) {
		return "1 is for true, 0 for false";
	}
	if (is_one_of(value, nothings)) {
		return "what has no value is left out, or is NaN";
	}
	return is_one_of(value, signed_nans) ? "NaN has no sign" : NULL;
}

/* The value begins like a number; NULL when it goes on like none that is known. */
static const char *hint_of_number(struct slice value)
{
	struct slice digits = value.ptr[0] == '-' || value.ptr[0] == '+' ? slice_skip(value, 1) : value;
	if (digits.len == 0 || !is_digit(digits.ptr[0])) {
		return NULL;
	}
	char last = digits.ptr[digits.len - 1];
	if (digits.len > 1 && digits.ptr[0] == '0' && (digits.ptr[1] | 0x20) == 'x') {
		return "numbers are decimal: 16, not 0x10";
	}
	if (slice_find_byte(digits, '_') != NULL) {
		return "digits are not grouped: 1000, not 1_000";
	}
	if (slice_find_byte(digits, ',') != NULL) {
		return "a number has no commas: 1000, not 1,000, and 0.5, not 0,5";
	}
	if (is_too_large(value)) {
		return "no double is that large; there is +Inf";
	}
	return is_letter(last) || last == '%' ? "a value has no unit; the name says it, as in m_seconds"
										  : NULL;
}

static const char *hint_of_value(const struct text_reader *r, struct slice value)
{
	const char *before = value.ptr - 1;
	if (ends_in_return(value)) {
		return line_end_rule;
	}
	if (value.len == 0) {
		return "a value follows the name and its labels: m 1";
	}
	if (before >= r->line_start && *before != '}' && !text_is_blank(*before)) {
		return name_rule;
	}
	if (value.ptr[0] == '"' || value.ptr[0] == '\'') {
		return "a value has no quotes";
	}
	const char *hint = hint_of_word(value);
	if (hint == NULL) {
		hint = hint_of_number(value);
	}
	if (hint == NULL && is_letter(value.ptr[0]) && value.ptr + value.len < r->eol) {
		return "a name has no blanks";
	}
	return hint != NULL ? hint : "a value is a number such as 1, 0.5 or 1e6, or NaN, +Inf or -Inf";
}

bool text_hint_value(struct text_reader *r, struct slice value)
{
	return text_hint(r, hint_of_value(r, value));
}

bool text_hint_timestamp(struct text_reader *r, struct slice token)
{
	if (ends_in_return(token)) {
		return text_hint(r, line_end_rule);
	}
	if (token.len == 0) {
		return text_hint(r, "nothing follows the value, not even a blank");
	}
	if (token.ptr[0] == '#') {
		return text_hint(r,
				"nothing follows the value; exemplars need "
				"Content-Type: application/openmetrics-text");
	}
	return text_hint(r,
			number_is_float(token) ? "a timestamp is a whole number of milliseconds"
								   : "nothing follows the value but a timestamp in milliseconds");
}

bool text_hint_behind_timestamp(struct text_reader *r, struct slice rest)
{
	return text_hint(r,
			ends_in_return(rest) ? line_end_rule : "nothing follows a timestamp, not even a blank");
}

/* ---- Types ---- */

bool text_hint_type(struct text_reader *r, struct slice type)
{
	static const char *const openmetrics_types[] = { "info", "stateset", NULL };
	if (ends_in_return(type)) {
		return text_hint(r, line_end_rule);
	}
	if (slice_equal_nocase(type, SLICE("unknown"))) {
		return text_hint(r, "the text format calls it untyped");
	}
	if (is_one_of(type, openmetrics_types)) {
		return text_hint(r, "only OpenMetrics has this type; the text format makes it a gauge");
	}
	if (slice_trim(type).len < type.len) {
		return text_hint(r, "nothing follows the type, not even a blank");
	}
	return text_hint(r, "types are counter, gauge, histogram, summary and untyped");
}

bool text_hint_second_type(struct text_reader *r, const struct text_family *family)
{
	if (family->type_line > 0) {
		r->error->hint =
				arena_printf(r->fault_arena, "line %zu says the type already", family->type_line);
	} else if (family->batch.sample_count > 0) {
		r->error->hint = arena_printf(r->fault_arena,
				"the type comes before the samples, the first of which is in line %u",
				(unsigned)family->batch.samples[0].line);
	}
	return false;
}
