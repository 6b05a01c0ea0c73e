#include "format/json.h"

#include <stdio.h>
#include <time.h>

#include "base/number.h"
#include "base/utf8.h"

static void append_byte(struct buf *out, unsigned char byte)
{
	switch (byte) {
	case '"':
	case '\\':
		buf_append_byte(out, '\\');
		buf_append_byte(out, (char)byte);
		return;
	case '\n':
		buf_append(out, SLICE("\\n"));
		return;
	case '\r':
		buf_append(out, SLICE("\\r"));
		return;
	case '\t':
		buf_append(out, SLICE("\\t"));
		return;
	default:
		break;
	}
	if (byte < 0x20 || byte == '<' || byte == '>' || byte == '&') {
		buf_printf(out, "\\u%04x", byte);
	} else {
		buf_append_byte(out, (char)byte);
	}
}

/* The first character; returns its length. U+2028 and U+2029 end lines in JavaScript. */
static size_t append_character(struct buf *out, struct slice text)
{
	size_t len = utf8_sequence(text);
	if (len == 0) {
		buf_append(out, SLICE("\\ufffd"));
		return 1;
	}
	struct slice sequence = slice_first(text, len);
	if (len == 1) {
		append_byte(out, (unsigned char)text.ptr[0]);
	} else if (slice_equal(sequence, SLICE("\xe2\x80\xa8"))) {
		buf_append(out, SLICE("\\u2028"));
	} else if (slice_equal(sequence, SLICE("\xe2\x80\xa9"))) {
		buf_append(out, SLICE("\\u2029"));
	} else {
		buf_append(out, sequence);
	}
	return len;
}

/* How many bytes at the start stand for themselves. */
static size_t plain_bytes(struct slice text)
{
	size_t len = 0;
	for (; len < text.len; len++) {
		unsigned char byte = (unsigned char)text.ptr[len];
		if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\' || byte == '<' || byte == '>'
				|| byte == '&') {
			break;
		}
	}
	return len;
}

void json_append_string(struct buf *out, struct slice text)
{
	buf_append_byte(out, '"');
	while (text.len > 0) {
		size_t len = plain_bytes(text);
		buf_append(out, slice_first(text, len));
		text = slice_skip(text, len);
		if (text.len > 0) {
			text = slice_skip(text, append_character(out, text));
		}
	}
	buf_append_byte(out, '"');
}

void json_append_escaped(struct buf *out, struct slice escaped)
{
	buf_append_byte(out, '"');
	while (escaped.len > 0) {
		size_t len = plain_bytes(escaped);
		buf_append(out, slice_first(escaped, len));
		escaped = slice_skip(escaped, len);
		if (escaped.len > 1 && escaped.ptr[0] == '\\') {
			char c = escaped.ptr[1];
			append_byte(out, (unsigned char)(c == 'n' ? '\n' : c));
			escaped = slice_skip(escaped, 2);
		} else if (escaped.len > 0) {
			escaped = slice_skip(escaped, append_character(out, escaped));
		}
	}
	buf_append_byte(out, '"');
}

static size_t count_digits(struct slice text)
{
	size_t len = 0;
	while (len < text.len && text.ptr[len] >= '0' && text.ptr[len] <= '9') {
		len++;
	}
	return len;
}

/* Plain below that many digits before the point, and with fewer zeros behind a 0 and the point. */
static const struct {
	size_t whole_max;
	struct slice zeros;
} spellings[] = {
	[JSON_PUSHGATEWAY] = { 6, SLICE_INIT("0000") },
	[JSON_PROMETHEUS] = { 15, SLICE_INIT("000000") },
};

/*
 * Whether the text is how its value is written, seen without reading it: up to
 * so many digits, then maybe a point and others. No other text of so few digits
 * has the same value, so this is the shortest.
 */
static bool is_spelled(struct slice text, enum json_dialect dialect)
{
	enum { EXACT_DIGITS = 15 };
	bool is_negative = text.len > 0 && text.ptr[0] == '-';
	text = slice_skip(text, is_negative);
	size_t whole = count_digits(text);
	bool is_zero = whole == 1 && text.ptr[0] == '0';
	if (whole == 0 || whole > spellings[dialect].whole_max || (text.ptr[0] == '0' && !is_zero)) {
		return false;
	}
	if (whole == text.len) {
		return !(is_zero && is_negative);
	}
	struct slice part = slice_skip(text, whole + 1);
	return text.ptr[whole] == '.' && part.len > 0 && text.len <= EXACT_DIGITS
			&& count_digits(part) == part.len && part.ptr[part.len - 1] != '0'
			&& !(is_zero && slice_starts_with(part, spellings[dialect].zeros));
}

void json_append_number(struct buf *out, double number, enum json_dialect dialect)
{
	char text[NUMBER_TEXT_MAX];
	size_t len = dialect == JSON_PUSHGATEWAY ? number_format(number, text)
											 : number_format_plain(number, text);
	buf_append_byte(out, '"');
	buf_append(out, slice_make(text, len));
	buf_append_byte(out, '"');
}

void json_append_value_as(struct buf *out, struct slice value, enum json_dialect dialect)
{
	if (!is_spelled(value, dialect)) {
		json_append_number(out, number_value(value), dialect);
		return;
	}
	buf_append_byte(out, '"');
	buf_append(out, value);
	buf_append_byte(out, '"');
}

void json_append_value(struct buf *out, struct slice value)
{
	json_append_value_as(out, value, JSON_PUSHGATEWAY);
}

void json_append_time(struct buf *out, int64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	long nanoseconds = (long)(unix_ns % 1000000000);
	struct tm utc;
	char text[64];
	gmtime_r(&seconds, &utc);
	size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	buf_append_byte(out, '"');
	buf_append(out, slice_make(text, len));
	if (nanoseconds != 0) {
		/* RFC 3339 with as many digits as it takes. */
		char digits[16];
		int count = snprintf(digits, sizeof(digits), ".%09ld", nanoseconds);
		while (digits[count - 1] == '0') {
			count--;
		}
		buf_append(out, slice_make(digits, (size_t)count));
	}
	buf_append(out, SLICE("Z\""));
}
