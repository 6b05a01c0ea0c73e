#include "base/buf.h"
#include "base/number.h"
#include "format/openmetrics_number.h"
#include "format/openmetrics_parser.h"

/* Of what the escaped text stands for. */
static size_t count_characters(struct slice escaped)
{
	size_t count = 0;
	for (size_t i = 0; i < escaped.len; i++) {
		if (escaped.ptr[i] == '\\') {
			i++; /* two bytes, one character */
		}
		bool is_continuation = ((unsigned char)escaped.ptr[i] & 0xc0) == 0x80;
		count += is_continuation ? 0 : 1;
	}
	return count;
}

static bool check_length(struct openmetrics_parser *p, const char *place)
{
	enum { CHARACTERS_MAX = 128 };
	size_t count = 0;
	for (size_t i = 0; i < p->exemplar_labels.count; i++) {
		count += count_characters(p->exemplar_labels.pairs[i].name);
		count += count_characters(p->exemplar_labels.pairs[i].value);
	}
	if (count <= CHARACTERS_MAX) {
		return true;
	}
	return openmetrics_fail_with(&p->in, place,
			arena_printf(p->in.arena, "an exemplar with %zu characters in its labels", count),
			SLICE("names and values together have at most 128"));
}

/* There are few, or they would be too long. */
static bool check_unique(struct openmetrics_parser *p, const char *place)
{
	const struct openmetrics_labels *labels = &p->exemplar_labels;
	for (size_t i = 1; i < labels->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (slice_equal(labels->pairs[i].name, labels->pairs[j].name)) {
				return openmetrics_fail_quoting(&p->in, place, "an exemplar with two labels named ",
						labels->pairs[i].name, "each label is there once");
			}
		}
	}
	return true;
}

static bool read_value(struct openmetrics_parser *p, struct slice *ret_value)
{
	const struct openmetrics_sample *sample = &p->sample;
	const char *place = p->in.at;
	*ret_value = openmetrics_read_word(&p->in);
	if (!number_is_float(*ret_value)) {
		return openmetrics_fail_quoting(&p->in, place, "invalid value of an exemplar: ", *ret_value,
				"a decimal number, NaN, +Inf or -Inf");
	}
	bool is_bucket = sample->part->role == SAMPLE_BUCKET && sample->bound_value < __builtin_inf();
	if (is_bucket && !(number_value(*ret_value) <= sample->bound_value)) {
		return openmetrics_fail_quoting(&p->in, place,
				"an exemplar that is not in its bucket: ", *ret_value,
				"its value is at most the bucket's \"le\"");
	}
	return true;
}

static bool read_timestamp(struct openmetrics_parser *p, struct slice *ret_timestamp)
{
	if (!openmetrics_read_blank(&p->in, "expected a space after the exemplar's value, found ")) {
		return false;
	}
	const char *place = p->in.at;
	*ret_timestamp = openmetrics_read_word(&p->in);
	if (!openmetrics_is_real(*ret_timestamp)) {
		return openmetrics_fail_quoting(&p->in, place,
				"invalid timestamp of an exemplar: ", *ret_timestamp,
				"Unix seconds, 1520879607.789");
	}
	return p->in.at == p->in.eol
			|| openmetrics_fail(&p->in, p->in.at, "more behind the exemplar's timestamp",
					"a line ends with its exemplar");
}

static void append_label(struct buf *out, const struct label *label)
{
	bool is_plain = labels_is_name(label->name);
	buf_append_string(out, is_plain ? "" : "\"");
	buf_append(out, label->name);
	buf_append_string(out, is_plain ? "=\"" : "\"=\"");
	buf_append(out, label->value);
	buf_append_byte(out, '"');
}

static struct slice exemplar_text(
		const struct openmetrics_parser *p, struct slice value, struct slice timestamp)
{
	struct buf out;
	buf_init(&out, 0);
	for (size_t i = 0; i < p->exemplar_labels.count; i++) {
		buf_append_byte(&out, i == 0 ? '{' : ',');
		append_label(&out, &p->exemplar_labels.pairs[i]);
	}
	buf_append_string(&out, p->exemplar_labels.count == 0 ? "{} " : "} ");
	buf_append(&out, value);
	buf_append_string(&out, timestamp.ptr == NULL ? "" : " ");
	buf_append(&out, timestamp);
	struct slice text = arena_copy(p->in.arena, buf_slice(&out));
	buf_finish(&out);
	return text;
}

bool openmetrics_read_exemplar(struct openmetrics_parser *p)
{
	struct slice value;
	struct slice timestamp = { 0 };
	if ((p->sample.part->rules & RULE_EXEMPLAR) == 0) {
		return openmetrics_fail(&p->in, p->in.at, "an exemplar where there can be none",
				"only buckets and the _total of counters have exemplars");
	}
	p->in.at++;
	if (!openmetrics_read_blank(&p->in, "expected a space after '#', found ")) {
		return false;
	}
	const char *start = p->in.at;
	if (*start != '{') {
		return openmetrics_fail_byte(&p->in, start, "expected the labels of an exemplar, found ",
				"an exemplar without labels has {}");
	}
	if (!openmetrics_read_labels(p, &p->exemplar_labels, NULL) || !check_length(p, start)
			|| !check_unique(p, start)
			|| !openmetrics_read_blank(
					&p->in, "expected a space before the exemplar's value, found ")
			|| !read_value(p, &value)) {
		return false;
	}
	if (p->in.at < p->in.eol && !read_timestamp(p, &timestamp)) {
		return false;
	}
	p->sample.exemplar = p->exemplar_labels.is_verbatim ? slice_between(start, p->in.eol)
														: exemplar_text(p, value, timestamp);
	return true;
}
