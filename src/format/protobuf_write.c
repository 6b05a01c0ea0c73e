#include "format/protobuf_write.h"

#include <assert.h>
#include <math.h>

#include "base/number.h"
#include "format/protobuf_exemplar.h"
#include "format/protobuf_native.h"
#include "format/protobuf_wire.h"

/* ---- Numbers ---- */

/* Digits that are few enough for a double to have them all. */
static bool is_short_uint(struct slice text)
{
	enum { EXACT_DIGITS = 15 };
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return false;
		}
	}
	return text.len > 0 && text.len <= EXACT_DIGITS;
}

static uint64_t parse_digits(struct slice digits)
{
	uint64_t number = 0;
	for (size_t i = 0; i < digits.len; i++) {
		number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
	}
	return number;
}

static double parse_value(struct slice text)
{
	return is_short_uint(text) ? (double)parse_digits(text) : number_value(text);
}

/* Whether the text stands for a uint64, however it is written: 17, 17.0, 1e3. */
static bool parse_whole(struct slice text, uint64_t *ret_number)
{
	const double two64 = 18446744073709551616.0;
	if (number_is_uint(text)) {
		*ret_number = parse_digits(text);
		return true;
	}
	double value = number_value(text);
	if (!(value >= 0 && value < two64) || value != floor(value)) {
		return false;
	}
	*ret_number = (uint64_t)value;
	return true;
}

/* A count, in one of two fields. */
static void put_count(
		struct buf *out, uint32_t field, uint32_t float_field, bool is_float, struct slice text)
{
	uint64_t number;
	if (!is_float && parse_whole(text, &number)) {
		wire_put_uint(out, field, number);
	} else {
		wire_put_double(out, float_field, parse_value(text));
	}
}

/* ---- Text ---- */

/* What is escaped stands for itself, but for the n of a line feed. */
static void put_unescaped(struct buf *out, uint32_t field, struct slice escaped)
{
	if (slice_find_byte(escaped, '\\') == NULL) {
		wire_put_bytes(out, field, escaped);
		return;
	}
	size_t opened = wire_open(out, field);
	for (size_t i = 0; i < escaped.len; i++) {
		char c = escaped.ptr[i];
		if (c == '\\' && i + 1 < escaped.len) {
			c = escaped.ptr[++i];
			c = c == 'n' ? '\n' : c;
		}
		buf_append_byte(out, c);
	}
	wire_close(out, opened);
}

static char *encode_text(char *at, uint32_t field, struct slice text)
{
	at = wire_encode_varint(at, WIRE_TAG(field, WIRE_BYTES));
	at = wire_encode_varint(at, text.len);
	if (text.len > 0) {
		memcpy(at, text.ptr, text.len);
	}
	return at + text.len;
}

/*
 * A short label with nothing escaped, which nearly all are, is written at once;
 * it is what a page consists of. False when it is none.
 */
static bool put_short_label(struct buf *out, const struct label *label)
{
	enum { SHORT = 100, TAGS_AND_LENGTHS = 6 };
	struct slice name = label->name;
	struct slice value = label->value;
	if (name.len + value.len > SHORT || slice_find_byte(name, '\\') != NULL
			|| slice_find_byte(value, '\\') != NULL
			|| !buf_reserve(out, SHORT + TAGS_AND_LENGTHS)) {
		return false;
	}
	char *at = out->ptr + out->len;
	at = wire_encode_varint(at, WIRE_TAG(1, WIRE_BYTES));
	at = wire_encode_varint(at, name.len + value.len + 4);
	at = encode_text(at, 1, name);
	at = encode_text(at, 2, value);
	out->len = (size_t)(at - out->ptr);
	return true;
}

static void put_label(struct buf *out, const struct label *label)
{
	if (put_short_label(out, label)) {
		return;
	}
	size_t opened = wire_open(out, 1);
	put_unescaped(out, 1, label->name);
	put_unescaped(out, 2, label->value);
	wire_close(out, opened);
}

static void put_labels(struct buf *out, enum metric_type type, const struct labels *labels)
{
	struct slice bound = metric_type_has_bounds(type) ? metric_type_bound_name(type) : SLICE("");
	for (size_t i = 0; i < labels->count; i++) {
		if (!slice_equal(labels->pairs[i].name, bound)) {
			put_label(out, &labels->pairs[i]);
		}
	}
}

/* ---- Values ---- */

static void put_exemplar(struct buf *out, uint32_t field, const struct sample *sample)
{
	if (sample->extra != NULL && sample->extra->exemplar.len > 0) {
		exemplar_append(out, field, sample->extra->exemplar);
	}
}

static void put_created(struct buf *out, uint32_t field, const struct sample *last)
{
	if (last->extra != NULL && last->extra->created.len > 0) {
		timestamp_append(out, field, last->extra->created);
	}
}

/* The samples of a summary or histogram by what they are. */
struct parts {
	const struct sample *infinite; /* the +Inf bucket; likewise NULL: none */
	const struct sample *sum;
	const struct sample *count;
};

static struct slice bound_of(enum metric_type type, const struct sample *sample)
{
	return labels_find(&sample->labels, metric_type_bound_name(type));
}

static struct parts find_parts(
		enum metric_type type, const struct sample *samples, size_t sample_count)
{
	struct parts parts = { 0 };
	for (size_t i = 0; i < sample_count; i++) {
		const struct sample *sample = &samples[i];
		switch (sample->role) {
		case SAMPLE_SUM:
		case SAMPLE_GSUM:
			parts.sum = sample;
			break;
		case SAMPLE_COUNT:
		case SAMPLE_GCOUNT:
			parts.count = sample;
			break;
		case SAMPLE_BUCKET:
			if (slice_equal(bound_of(type, sample), SLICE("+Inf"))) {
				parts.infinite = sample;
			}
			break;
		case SAMPLE_QUANTILE:
		case SAMPLE_PLAIN:
			break;
		}
	}
	if (parts.count == NULL) {
		parts.count = parts.infinite;
	}
	return parts;
}

static void put_summary(struct buf *out, const struct sample *samples, size_t sample_count)
{
	struct parts parts = find_parts(METRIC_SUMMARY, samples, sample_count);
	size_t opened = wire_open(out, 4);
	if (parts.count != NULL) {
		uint64_t count;
		struct slice text = parts.count->value;
		if (!parse_whole(text, &count)) {
			count = number_to_uint(number_value(text));
		}
		wire_put_uint(out, 1, count);
	}
	if (parts.sum != NULL) {
		wire_put_double(out, 2, parse_value(parts.sum->value));
	}
	for (size_t i = 0; i < sample_count; i++) {
		if (samples[i].role == SAMPLE_QUANTILE) {
			size_t quantile = wire_open(out, 3);
			wire_put_double(out, 1, parse_value(bound_of(METRIC_SUMMARY, &samples[i])));
			wire_put_double(out, 2, parse_value(samples[i].value));
			wire_close(out, quantile);
		}
	}
	put_created(out, 4, &samples[sample_count - 1]);
	wire_close(out, opened);
}

/* A bucket that was sent, not one that is there for the sake of lines. */
static bool is_bucket(const struct sample *sample)
{
	return sample->role == SAMPLE_BUCKET && (sample->extra == NULL || !sample->extra->is_added);
}

static void put_bucket(
		struct buf *out, enum metric_type type, const struct sample *sample, bool is_float)
{
	size_t opened = wire_open(out, 3);
	put_count(out, 1, 4, is_float, sample->value);
	wire_put_double(out, 2, parse_value(bound_of(type, sample)));
	put_exemplar(out, 3, sample);
	wire_close(out, opened);
}

static void put_histogram(
		struct buf *out, enum metric_type type, const struct sample *samples, size_t sample_count)
{
	struct parts parts = find_parts(type, samples, sample_count);
	const struct sample *last = &samples[sample_count - 1];
	struct slice fields = last->extra == NULL ? SLICE("") : last->extra->native;
	struct native native = native_of(fields);
	bool is_float = native.count_float > 0;
	size_t opened = wire_open(out, 7);
	if (parts.count != NULL && !is_float) {
		put_count(out, 1, 4, false, parts.count->value);
	}
	if (parts.sum != NULL) {
		wire_put_double(out, 2, parse_value(parts.sum->value));
	}
	for (size_t i = 0; i < sample_count; i++) {
		if (is_bucket(&samples[i])) {
			put_bucket(out, type, &samples[i], is_float);
		}
	}
	buf_append(out, fields);
	put_created(out, 15, last);
	wire_close(out, opened);
}

bool protobuf_metric_is_sound(enum metric_type type, const struct sample *samples, size_t count)
{
	const struct sample_extra *extra = samples[count - 1].extra;
	if (extra == NULL || extra->native.len == 0) {
		return true;
	}
	struct parts parts = find_parts(type, samples, count);
	struct native native = native_of(extra->native);
	bool has_no_sum = parts.sum == NULL || isnan(parse_value(parts.sum->value));
	if (parts.count == NULL || !parse_whole(parts.count->value, &native.count)) {
		native.count = 0;
	}
	return native_is_sound(&native, has_no_sum);
}

/* A message with a value; the other fields are a counter's. */
static void put_value(struct buf *out, uint32_t field, const struct sample *sample, bool is_counter)
{
	size_t opened = wire_open(out, field);
	wire_put_double(out, 1, parse_value(sample->value));
	if (is_counter) {
		put_exemplar(out, 2, sample);
		put_created(out, 3, sample);
	}
	wire_close(out, opened);
}

void protobuf_append_metric(
		struct buf *out, enum metric_type type, const struct sample *samples, size_t count)
{
	assert(count > 0);
	size_t opened = wire_open(out, 4);
	put_labels(out, type, &samples[0].labels);
	switch (type) {
	case METRIC_COUNTER:
		put_value(out, 3, &samples[0], true);
		break;
	case METRIC_GAUGE:
	case METRIC_INFO:
	case METRIC_STATESET:
		put_value(out, 2, &samples[0], false);
		break;
	case METRIC_SUMMARY:
		put_summary(out, samples, count);
		break;
	case METRIC_HISTOGRAM:
	case METRIC_GAUGE_HISTOGRAM:
	case METRIC_OPEN_GAUGE_HISTOGRAM:
		put_histogram(out, type, samples, count);
		break;
	case METRIC_UNTYPED:
	case METRIC_TYPE_COUNT:
		put_value(out, 5, &samples[0], false);
		break;
	}
	wire_close(out, opened);
}

/* ---- Families ---- */

static uint64_t type_number(enum metric_type type)
{
	static const uint8_t numbers[METRIC_TYPE_COUNT] = {
		[METRIC_COUNTER] = 0,
		[METRIC_GAUGE] = 1,
		[METRIC_INFO] = 1,
		[METRIC_STATESET] = 1,
		[METRIC_SUMMARY] = 2,
		[METRIC_UNTYPED] = 3,
		[METRIC_HISTOGRAM] = 4,
		[METRIC_GAUGE_HISTOGRAM] = 5,
		[METRIC_OPEN_GAUGE_HISTOGRAM] = 5,
	};
	return numbers[type];
}

/* name_unit, of a counter name_unit_total */
static bool ends_with_unit(struct slice name, enum metric_type type, struct slice unit)
{
	struct slice total = SLICE("_total");
	if (type == METRIC_COUNTER && slice_ends_with(name, total)) {
		name = slice_first(name, name.len - total.len);
	}
	return unit.len > 0 && name.len > unit.len && slice_ends_with(name, unit)
			&& name.ptr[name.len - unit.len - 1] == '_';
}

void protobuf_append_family_head(struct buf *out, struct slice name, struct slice help,
		enum metric_type type, struct slice unit, size_t metrics_bytes)
{
	enum { LENGTH_BYTES_MAX = 5 };
	size_t start = out->len;
	put_unescaped(out, 1, name);
	if (help.len > 0) {
		put_unescaped(out, 2, help);
	}
	wire_put_uint(out, 3, type_number(type));
	if (ends_with_unit(name, type, unit)) {
		wire_put_bytes(out, 5, unit);
	}
	if (out->failed) {
		return;
	}
	size_t head_bytes = out->len - start;
	size_t total = head_bytes + metrics_bytes;
	assert(total >= metrics_bytes && total <= UINT32_MAX);
	wire_put_varint(out, total);
	if (out->failed) {
		return;
	}
	/* The length was written behind the head, and belongs in front. */
	char length[LENGTH_BYTES_MAX];
	size_t length_bytes = out->len - start - head_bytes;
	memcpy(length, out->ptr + start + head_bytes, length_bytes);
	memmove(out->ptr + start + length_bytes, out->ptr + start, head_bytes);
	memcpy(out->ptr + start, length, length_bytes);
}
