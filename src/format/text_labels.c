#include "base/utf8.h"
#include "format/text_hint.h"
#include "format/text_parser.h"

bool text_add_label(struct text_parser *p, const char *place, struct label label)
{
	if (p->label_count == p->options->labels) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABELS);
	}
	if (label.name.len > p->options->label_bytes || label.value.len > p->options->label_bytes) {
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
		return text_fail(&p->in, place, "label name \"__name__\" is reserved")
				|| text_hint(&p->in, "the metric's name stands before the brace");
	}
	if (!labels_is_name(name) && !text_takes_quoted_name(p, name)) {
		return text_fail_quoting_escaped(&p->in, place, "invalid label name ", name)
				|| text_hint_quoted_name(&p->in, name);
	}
	if (!text_skip_blanks(&p->in)) {
		return false;
	}
	if (*p->in.at != '"') {
		return text_fail_quoting_byte(
					   &p->in, p->in.at, "expected '\"' at start of label value, found ")
				|| text_hint(&p->in, "label values are in double quotes");
	}
	const char *start = ++p->in.at;
	if (!text_read_label_value(&p->in, &label.value)) {
		return false;
	}
	if (!utf8_is_valid(label.value)) {
		return text_fail_quoting_escaped(&p->in, start, "invalid label value ", label.value)
				|| text_hint(&p->in, "label values are UTF-8");
	}
	if (!text_add_label(p, place, label) || !text_skip_blanks(&p->in)) {
		return false;
	}
	if (*p->in.at != ',' && *p->in.at != '}') {
		return text_fail_quoting_escaped(
					   &p->in, p->in.at, "unexpected end of label value ", label.value)
				|| text_hint_value_end(&p->in, p->in.at);
	}
	return true;
}

/* A metric name given inside the braces: {"m",a="b"} 1 */
static bool read_name_in_braces(struct text_parser *p, const char *place, struct slice name)
{
	if (p->family != NULL) {
		return text_fail_quoting_escaped(
					   &p->in, place, "multiple metric names for metric ", p->family->batch.name)
				|| text_hint(&p->in, "a label is written a=\"b\"");
	}
	if (*p->in.at != ',' && *p->in.at != '}') {
		return text_fail_quoting_byte(&p->in, p->in.at, "unexpected end of metric name ")
				|| text_hint(&p->in, "a comma or the brace follows the name: {\"m\",a=\"b\"} 1");
	}
	return text_enter_family(p, place, name);
}

/* A label, or the metric's name where it belongs inside; `at` is on neither blank nor brace. */
static bool read_pair(struct text_parser *p, bool names_inside)
{
	const char *start = p->in.at;
	struct slice name;
	if (!text_read_name(&p->in, false, &name)) {
		return false;
	}
	if (name.len == 0 && p->in.at == start) {
		return text_fail_quoting_escaped(&p->in, start, "invalid label name for metric ",
					   p->family == NULL ? SLICE("") : p->family->batch.name)
				|| text_hint_label_name(&p->in, start);
	}
	if (!text_skip_blanks(&p->in)) {
		return false;
	}
	if (*p->in.at == '=') {
		p->in.at++;
		return read_label(p, start, name);
	}
	if (names_inside) {
		return read_name_in_braces(p, start, name);
	}
	return text_fail_quoting_byte(&p->in, p->in.at, "expected '=' after label name, found ")
			|| text_hint_equals(&p->in, p->in.at);
}

bool text_read_labels(struct text_parser *p)
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
		if (!read_pair(p, names_inside)) {
			return false;
		}
	} while (*p->in.at == ',');
	p->in.at++;
	return true;
}

bool text_sort_labels(struct text_parser *p)
{
	struct labels labels = { .pairs = p->labels, .count = p->label_count };
	labels_sort(&labels);
	for (size_t i = 1; i < labels.count; i++) {
		if (slice_equal(labels.pairs[i - 1].name, labels.pairs[i].name)) {
			return text_fail_quoting_escaped(&p->in, labels.pairs[i].name.ptr,
						   "duplicate label names for metric ", p->family->batch.name)
					|| text_hint(&p->in, "each label is given once");
		}
	}
	return true;
}
