#include "format/protobuf_exemplar.h"

#include <math.h>

#include "base/number.h"
#include "base/utf8.h"
#include "format/protobuf_wire.h"

enum { NANOS_PER_SECOND = 1000000000, NANO_DIGITS = 9 };

/* The years that google.protobuf.Timestamp may say: 1 to 9999. */
static const int64_t first_second = INT64_C(-62135596800);
static const int64_t last_second = INT64_C(253402300799);

/* ---- From the wire ---- */

void exemplar_init(struct exemplar *exemplar)
{
	exemplar->label_count = 0;
	exemplar->value = 0;
	exemplar->has_timestamp = false;
	exemplar->timestamp = (struct timestamp){ 0 };
}

const char *timestamp_read(struct timestamp *timestamp, struct slice message)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	while (wire_next(&in, &field)) {
		switch (field.tag) {
		case WIRE_TAG(1, WIRE_VARINT):
			timestamp->seconds = (int64_t)field.number;
			break;
		case WIRE_TAG(2, WIRE_VARINT):
			timestamp->nanos = wire_int32(field.number);
			break;
		default:
			break;
		}
	}
	return in.failed ? in.at : NULL;
}

static const char *read_label(struct exemplar *exemplar, struct slice message)
{
	struct label label = { .name = SLICE(""), .value = SLICE("") };
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(1, WIRE_BYTES)) {
			label.name = field.bytes;
		} else if (field.tag == WIRE_TAG(2, WIRE_BYTES)) {
			label.value = field.bytes;
		}
	}
	if (exemplar->label_count < EXEMPLAR_CHARACTERS_MAX) {
		exemplar->labels[exemplar->label_count] = label;
	}
	exemplar->label_count++;
	return in.failed ? in.at : NULL;
}

const char *exemplar_read(struct exemplar *exemplar, struct slice message)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	const char *broken = NULL;
	while (broken == NULL && wire_next(&in, &field)) {
		switch (field.tag) {
		case WIRE_TAG(1, WIRE_BYTES):
			broken = read_label(exemplar, field.bytes);
			break;
		case WIRE_TAG(2, WIRE_FIXED64):
			exemplar->value = wire_double(field.number);
			break;
		case WIRE_TAG(3, WIRE_BYTES):
			exemplar->has_timestamp = true;
			broken = timestamp_read(&exemplar->timestamp, field.bytes);
			break;
		default:
			break;
		}
	}
	return in.failed ? in.at : broken;
}

/* ---- To text ---- */

static size_t count_characters(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		count += (text.ptr[i] & 0xc0) != 0x80;
	}
	return count;
}

/* Whether OpenMetrics can say the labels. Few are looked at, so each beside each is. */
static bool has_sayable_labels(const struct exemplar *exemplar)
{
	size_t characters = 0;
	if (exemplar->label_count > EXEMPLAR_CHARACTERS_MAX) {
		return false;
	}
	for (size_t i = 0; i < exemplar->label_count; i++) {
		const struct label *label = &exemplar->labels[i];
		if (!labels_is_name(label->name) || !utf8_is_valid(label->value)) {
			return false;
		}
		characters += label->name.len + count_characters(label->value);
		for (size_t j = 0; j < i; j++) {
			if (slice_equal(exemplar->labels[j].name, label->name)) {
				return false;
			}
		}
	}
	return characters <= EXEMPLAR_CHARACTERS_MAX;
}

static bool is_sayable_timestamp(const struct timestamp *timestamp)
{
	return timestamp->seconds >= first_second && timestamp->seconds <= last_second
			&& timestamp->nanos >= 0 && timestamp->nanos < NANOS_PER_SECOND;
}

bool exemplar_is_sayable(const struct exemplar *exemplar)
{
	return has_sayable_labels(exemplar)
			&& (!exemplar->has_timestamp || is_sayable_timestamp(&exemplar->timestamp));
}

static void append_value(struct buf *out, double value)
{
	char digits[NUMBER_TEXT_MAX];
	buf_append(out, slice_make(digits, number_format(value, digits)));
}

/* With as many decimals as there are. */
static void append_timestamp(struct buf *out, const struct timestamp *timestamp)
{
	int64_t seconds = timestamp->seconds;
	int32_t nanos = timestamp->nanos;
	char decimals[NANO_DIGITS + 1];
	size_t count = NANO_DIGITS;
	if (seconds < 0) {
		/* Nanoseconds count onwards: half a second before 1970 is -1 and 500000000. */
		buf_append_byte(out, '-');
		seconds = -seconds - (nanos > 0);
		nanos = nanos > 0 ? NANOS_PER_SECOND - nanos : 0;
	}
	buf_printf(out, "%lld", (long long)seconds);
	if (nanos == 0) {
		return;
	}
	for (size_t i = NANO_DIGITS; i > 0; i--) {
		decimals[i] = (char)('0' + nanos % 10);
		nanos /= 10;
	}
	decimals[0] = '.';
	while (decimals[count] == '0') {
		count--;
	}
	buf_append(out, slice_make(decimals, count + 1));
}

static struct slice take_text(struct buf *text, struct arena *arena)
{
	struct slice copy = arena_copy(arena, buf_slice(text));
	buf_finish(text);
	return copy;
}

struct slice timestamp_text(const struct timestamp *timestamp, struct arena *arena)
{
	struct buf text;
	if (!is_sayable_timestamp(timestamp)) {
		return slice_make(NULL, 0);
	}
	buf_init(&text, 0);
	append_timestamp(&text, timestamp);
	return take_text(&text, arena);
}

struct slice exemplar_text(const struct exemplar *exemplar, struct arena *arena)
{
	struct buf text;
	if (!exemplar_is_sayable(exemplar)) {
		return slice_make(NULL, 0);
	}
	buf_init(&text, 0);
	buf_append_byte(&text, '{');
	for (size_t i = 0; i < exemplar->label_count; i++) {
		buf_append_string(&text, i == 0 ? "" : ",");
		buf_append(&text, exemplar->labels[i].name);
		buf_append_string(&text, "=\"");
		buf_append(&text, labels_escape(arena, exemplar->labels[i].value));
		buf_append_byte(&text, '"');
	}
	buf_append_string(&text, "} ");
	append_value(&text, exemplar->value);
	if (exemplar->has_timestamp) {
		buf_append_byte(&text, ' ');
		append_timestamp(&text, &exemplar->timestamp);
	}
	return take_text(&text, arena);
}

/* ---- From text ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whole digits and up to nine decimals: no double has that many. */
static bool parse_decimal(struct slice text, struct timestamp *ret_timestamp)
{
	bool is_negative = text.len > 0 && text.ptr[0] == '-';
	size_t i = is_negative ? 1 : 0;
	size_t start = i;
	int64_t seconds = 0;
	int32_t nanos = 0;
	for (; i < text.len && is_digit(text.ptr[i]); i++) {
		seconds = seconds > last_second ? seconds : seconds * 10 + (text.ptr[i] - '0');
	}
	if (i == start) {
		return false;
	}
	if (i < text.len && text.ptr[i] == '.') {
		int32_t unit = NANOS_PER_SECOND / 10;
		for (i++; i < text.len && is_digit(text.ptr[i]); i++) {
			nanos += unit * (text.ptr[i] - '0');
			unit /= 10;
		}
	}
	if (is_negative) {
		seconds = -seconds - (nanos > 0);
		nanos = nanos > 0 ? NANOS_PER_SECOND - nanos : 0;
	}
	*ret_timestamp = (struct timestamp){ .seconds = seconds, .nanos = nanos };
	return i == text.len;
}

/* 1.5e9 and the like. */
static bool parse_float(struct slice text, struct timestamp *ret_timestamp)
{
	if (!number_is_float(text)) {
		return false;
	}
	double value = number_value(text);
	if (!(value >= (double)first_second && value <= (double)last_second)) {
		return false;
	}
	double seconds = floor(value);
	ret_timestamp->seconds = (int64_t)seconds;
	ret_timestamp->nanos = (int32_t)((value - seconds) * NANOS_PER_SECOND);
	return true;
}

void timestamp_append(struct buf *out, uint32_t field, struct slice text)
{
	struct timestamp timestamp;
	if ((!parse_decimal(text, &timestamp) && !parse_float(text, &timestamp))
			|| !is_sayable_timestamp(&timestamp)) {
		return;
	}
	size_t opened = wire_open(out, field);
	wire_put_uint(out, 1, (uint64_t)timestamp.seconds);
	if (timestamp.nanos != 0) {
		wire_put_uint(out, 2, (uint64_t)timestamp.nanos);
	}
	wire_close(out, opened);
}

/* Up to the quote that ends it; *at moves behind. False when there is none. */
static bool read_quoted(const char **at, const char *end, struct slice *ret_escaped)
{
	const char *start = *at;
	for (const char *c = start; c < end; c++) {
		if (*c == '\\') {
			c++;
		} else if (*c == '"') {
			*ret_escaped = slice_between(start, c);
			*at = c + 1;
			return true;
		}
	}
	return false;
}

static void append_unescaped(struct buf *out, uint32_t field, struct slice escaped)
{
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

/* name="value", the name in quotes or not; *at is on its first byte. */
static bool append_label(struct buf *out, const char **at, const char *end)
{
	struct slice name;
	struct slice value;
	if (**at == '"') {
		++*at;
		if (!read_quoted(at, end, &name)) {
			return false;
		}
	} else {
		const char *start = *at;
		while (*at < end && **at != '=') {
			++*at;
		}
		name = slice_between(start, *at);
	}
	if (end - *at < 2 || (*at)[0] != '=' || (*at)[1] != '"') {
		return false;
	}
	*at += 2;
	if (!read_quoted(at, end, &value)) {
		return false;
	}
	size_t opened = wire_open(out, 1);
	append_unescaped(out, 1, name);
	append_unescaped(out, 2, value);
	wire_close(out, opened);
	return true;
}

/* The content of an exemplar message; false when the text is none. */
static bool append_content(struct buf *out, struct slice text)
{
	const char *at = text.ptr;
	const char *end = at + text.len;
	if (at == end || *at++ != '{') {
		return false;
	}
	while (at < end && *at != '}') {
		if (!append_label(out, &at, end)) {
			return false;
		}
		at += at < end && *at == ',';
	}
	if (end - at < 2 || at[1] != ' ') {
		return false;
	}
	struct slice value = slice_between(at + 2, end);
	const char *blank = slice_find_byte(value, ' ');
	struct slice timestamp = SLICE("");
	if (blank != NULL) {
		timestamp = slice_between(blank + 1, end);
		value = slice_between(value.ptr, blank);
	}
	if (!number_is_float(value)) {
		return false;
	}
	wire_put_double(out, 2, number_value(value));
	timestamp_append(out, 3, timestamp);
	return true;
}

void exemplar_append(struct buf *out, uint32_t field, struct slice text)
{
	size_t before = out->len;
	size_t opened = wire_open(out, field);
	if (!append_content(out, text)) {
		out->len = before;
		return;
	}
	wire_close(out, opened);
}
