#include "transfer/gateway_scan.h"

#include <stdint.h>

enum {
	DEPTH_DOCUMENT = 1,
	DEPTH_DATA = 2,
	DEPTH_GROUP = 3,
};

void gateway_scan_init(struct gateway_scan *scan)
{
	*scan = (struct gateway_scan){ .phase = SCAN_AROUND };
	buf_init(&scan->group, GATEWAY_GROUP_BYTES);
}

void gateway_scan_finish(struct gateway_scan *scan)
{
	buf_finish(&scan->group);
}

/* ---- Strings ---- */

/* A byte of a string; the quote ends it. */
static inline void pass_in_string(struct gateway_scan *scan, char c)
{
	if (scan->is_escaped) {
		scan->is_escaped = false;
	} else if (c == '\\') {
		scan->is_escaped = true;
	} else if (c == '"') {
		scan->in_string = false;
	}
}

static void begin_text(struct gateway_scan *scan)
{
	scan->in_string = true;
	scan->text_len = 0;
}

static void take_in_text(struct gateway_scan *scan, char c)
{
	pass_in_string(scan, c);
	if (scan->in_string && scan->text_len < sizeof(scan->text)) {
		scan->text[scan->text_len++] = c;
	}
}

/* ---- Groups ---- */

/* How many bytes at the front are of the group that is open; the last one may close it. */
static size_t group_bytes(struct gateway_scan *scan, struct slice input)
{
	for (size_t i = 0; i < input.len; i++) {
		char c = input.ptr[i];
		if (scan->in_string) {
			pass_in_string(scan, c);
		} else if (c == '"') {
			scan->in_string = true;
		} else if (c == '{' || c == '[') {
			scan->depth++;
		} else if ((c == '}' || c == ']') && --scan->depth < DEPTH_GROUP) {
			return i + 1;
		}
	}
	return input.len;
}

static enum gateway_scan_result take_group(
		struct gateway_scan *scan, struct slice *input, struct slice *ret_group)
{
	size_t bytes = group_bytes(scan, *input);
	buf_append(&scan->group, slice_first(*input, bytes));
	*input = slice_skip(*input, bytes);
	if (scan->group.failed) {
		return GATEWAY_SCAN_E_LARGE;
	}
	if (scan->depth >= DEPTH_GROUP) {
		return GATEWAY_SCAN_MORE;
	}
	scan->phase = SCAN_BETWEEN;
	*ret_group = buf_slice(&scan->group);
	return GATEWAY_SCAN_GROUP;
}

/* ---- What is around them ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A byte outside of groups; false when it is out of place. */
static bool take_around(struct gateway_scan *scan, char c)
{
	if (scan->in_string) {
		take_in_text(scan, c);
		return true;
	}
	switch (c) {
	case '"':
		begin_text(scan);
		return scan->depth > 0;
	case ':':
		scan->is_data = scan->depth == DEPTH_DOCUMENT
				&& slice_equal(slice_make(scan->text, scan->text_len), SLICE("data"));
		return scan->depth > 0;
	case '{':
	case '[':
		scan->depth++;
		if (c == '[' && scan->depth == DEPTH_DATA && scan->is_data) {
			scan->phase = SCAN_BETWEEN;
			scan->has_data = true;
		}
		return scan->depth > DEPTH_DOCUMENT || c == '{';
	case '}':
	case ']':
		if (scan->depth == 0) {
			return false;
		}
		scan->phase = --scan->depth == 0 ? SCAN_DONE : SCAN_AROUND;
		return true;
	default:
		return scan->depth > 0 || is_blank(c);
	}
}

/* A byte behind the opening bracket or behind a group. */
static bool take_between(struct gateway_scan *scan, char c)
{
	switch (c) {
	case '{':
		scan->depth++;
		buf_reset(&scan->group, SIZE_MAX);
		buf_append_byte(&scan->group, c);
		scan->phase = SCAN_GROUP;
		return true;
	case ']':
		scan->depth--;
		scan->is_data = false;
		scan->phase = SCAN_AROUND;
		return true;
	default:
		return c == ',' || is_blank(c);
	}
}

enum gateway_scan_result gateway_scan_next(
		struct gateway_scan *scan, struct slice *input, struct slice *ret_group)
{
	while (input->len > 0) {
		char c = input->ptr[0];
		enum gateway_scan_result result;
		bool is_right = false;
		switch (scan->phase) {
		case SCAN_GROUP:
			result = take_group(scan, input, ret_group);
			if (result != GATEWAY_SCAN_MORE) {
				return result;
			}
			continue;
		case SCAN_AROUND:
			is_right = take_around(scan, c);
			break;
		case SCAN_BETWEEN:
			is_right = take_between(scan, c);
			break;
		case SCAN_DONE:
			is_right = is_blank(c);
			break;
		}
		if (!is_right) {
			return GATEWAY_SCAN_E_SYNTAX;
		}
		*input = slice_skip(*input, 1);
	}
	return scan->phase == SCAN_DONE ? GATEWAY_SCAN_END : GATEWAY_SCAN_MORE;
}
