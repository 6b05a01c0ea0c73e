#include "format/openmetrics_parser.h"

/* ---- Names ---- */

bool openmetrics_check_name(struct openmetrics_parser *p, const char *place, struct slice name)
{
	if (name.len > p->options->label_bytes) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABEL_BYTES);
	}
	if (name.ptr[0] == '_') {
		return openmetrics_fail_quoting(&p->in, place, "reserved metric name ", name,
				"a metric name begins with a letter or a colon");
	}
	return true;
}

bool openmetrics_read_quoted_name(
		struct openmetrics_parser *p, struct slice *ret_name, bool *ret_is_verbatim)
{
	const char *place = p->in.at;
	if (!p->options->utf8_names) {
		return openmetrics_fail(&p->in, place, "a name in quotes",
				"OpenMetrics 1.0 has none; --push.enable-utf8-names allows them");
	}
	if (!openmetrics_read_quoted(&p->in, ret_name, ret_is_verbatim)) {
		return false;
	}
	return ret_name->len > 0
			|| openmetrics_fail(
					&p->in, place, "an empty name", "names have at least one character");
}

/* ---- Labels ---- */

static bool add_label(struct openmetrics_parser *p, struct openmetrics_labels *labels,
		const char *place, struct label label)
{
	if (labels->count == p->options->labels) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABELS);
	}
	if (label.name.len > p->options->label_bytes || label.value.len > p->options->label_bytes) {
		return text_fail_limit(&p->in, place, FORMAT_LIMIT_LABEL_BYTES);
	}
	if (labels->count == labels->capacity) {
		size_t old_bytes = labels->count * sizeof(struct label);
		labels->capacity = labels->capacity == 0 ? 32 : labels->capacity * 2;
		labels->pairs = arena_grow(
				p->in.arena, labels->pairs, old_bytes, labels->capacity * sizeof(struct label));
	}
	labels->pairs[labels->count++] = label;
	return true;
}

/* A metric's name among the labels: {"a.b",c="d"} */
static bool take_name(struct openmetrics_parser *p, const char *place, struct slice name,
		struct openmetrics_sample *sample)
{
	if (sample->name.ptr != NULL) {
		return openmetrics_fail_quoting(&p->in, place, "a second metric name: ", name,
				"the metric's name is the only one without a value");
	}
	sample->name = name;
	sample->name_at = place;
	return openmetrics_check_name(p, place, name);
}

/* `at` is behind the label's name. */
static bool read_label_value(struct openmetrics_parser *p, struct openmetrics_labels *labels,
		const char *place, struct slice name)
{
	struct label label = { .name = name };
	bool is_verbatim;
	if (name.ptr[0] == '_') {
		return openmetrics_fail_quoting(
				&p->in, place, "reserved label name ", name, "a label name begins with a letter");
	}
	if (*p->in.at != '=') {
		return openmetrics_fail_byte(&p->in, p->in.at, "expected '=' after the label name, found ",
				"label names are [a-zA-Z_][a-zA-Z0-9_]*, without spaces around them");
	}
	p->in.at++;
	if (*p->in.at != '"') {
		return openmetrics_fail_byte(&p->in, p->in.at,
				"expected '\"' before the label value, found ",
				"label values are in double quotes");
	}
	if (!openmetrics_read_quoted(&p->in, &label.value, &is_verbatim)) {
		return false;
	}
	labels->is_verbatim = labels->is_verbatim && is_verbatim;
	return add_label(p, labels, place, label);
}

static bool read_label(struct openmetrics_parser *p, struct openmetrics_labels *labels,
		struct openmetrics_sample *ret_name)
{
	const char *place = p->in.at;
	struct slice name;
	bool is_verbatim;
	if (*place == '"') {
		if (!openmetrics_read_quoted_name(p, &name, &is_verbatim)) {
			return false;
		}
		if (ret_name != NULL && *p->in.at != '=') {
			return take_name(p, place, name, ret_name);
		}
		labels->is_verbatim = labels->is_verbatim && is_verbatim && !labels_is_name(name);
		return read_label_value(p, labels, place, name);
	}
	name = openmetrics_read_name(&p->in, false);
	if (name.len == 0) {
		return openmetrics_fail_byte(&p->in, place, "expected a label name, found ",
				"label names are [a-zA-Z_][a-zA-Z0-9_]*, without spaces around them");
	}
	return read_label_value(p, labels, place, name);
}

bool openmetrics_read_labels(struct openmetrics_parser *p, struct openmetrics_labels *labels,
		struct openmetrics_sample *ret_name)
{
	labels->count = 0;
	labels->is_verbatim = true;
	p->in.at++;
	if (*p->in.at == '}') {
		p->in.at++;
		return true;
	}
	while (read_label(p, labels, ret_name)) {
		const char *place = p->in.at++;
		if (*place == '}') {
			return true;
		}
		if (*place != ',') {
			return openmetrics_fail_byte(&p->in, place, "expected ',' or '}' after a label, found ",
					"a quote inside a value is written \\\"");
		}
		if (*p->in.at == '}') {
			return openmetrics_fail(&p->in, place, "a comma after the last label",
					"commas stand between labels only");
		}
	}
	return false;
}
