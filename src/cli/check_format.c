#include "cli/check_format.h"

#include <stdint.h>

bool check_format_find(const char *name, enum format_id *ret_format)
{
	for (enum format_id format = 0; format < FORMAT_COUNT; format++) {
		if (strcmp(formats[format].name, name) == 0) {
			*ret_format = format;
			return true;
		}
	}
	return false;
}

/* ---- OpenMetrics ---- */

static bool is_white(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* Whether the last line that is not empty is "# EOF". */
static bool ends_in_eof(struct slice body)
{
	const struct slice eof = SLICE("# EOF");
	while (body.len > 0 && is_white(body.ptr[body.len - 1])) {
		body.len--;
	}
	return slice_ends_with(body, eof)
			&& (body.len == eof.len || body.ptr[body.len - eof.len - 1] == '\n');
}

/* ---- Protobuf ---- */

static bool take_varint(struct slice *rest, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
		unsigned char byte = (unsigned char)rest->ptr[0];
		*rest = slice_skip(*rest, 1);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool has_control_bytes(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < 0x20) {
			return true;
		}
	}
	return false;
}

/* Whether a field of a MetricFamily other than its name may begin with that byte. */
static bool is_tag(char byte)
{
	enum { HELP = 0x12, TYPE = 0x18, METRIC = 0x22, UNIT = 0x2a };
	return byte == HELP || byte == TYPE || byte == METRIC || byte == UNIT;
}

/*
 * Whether a message's length, then its first field, a name, stand there:
 *
 *     12 0a 04 'n' 'a' 'm' 'e' 18 ...
 *
 * No text begins so: a line feed in second place would be followed by a very
 * long line. A message without anything in it is a zero byte.
 */
static bool begins_with_message(struct slice body)
{
	enum { NAME = 0x0a };
	uint64_t length;
	uint64_t name_length;
	if (!take_varint(&body, &length)) {
		return false;
	}
	if (length == 0 || body.len == 0 || body.ptr[0] != NAME) {
		return length == 0;
	}
	const char *start = body.ptr;
	body = slice_skip(body, 1);
	if (!take_varint(&body, &name_length) || name_length > body.len) {
		return false;
	}
	struct slice name = slice_first(body, (size_t)name_length);
	body = slice_skip(body, name.len);
	size_t used = (size_t)(body.ptr - start);
	return used <= length && !has_control_bytes(name)
			&& (used == length || body.len == 0 || is_tag(body.ptr[0]));
}

enum format_id check_format_guess(struct slice body)
{
	if (ends_in_eof(body)) {
		return FORMAT_OPENMETRICS;
	}
	return begins_with_message(body) ? FORMAT_PROTOBUF : FORMAT_TEXT;
}
