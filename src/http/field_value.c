#include "http/field_value.h"

/* Where the separator is, or the text ends. A backslash within quotes hides the next byte. */
static size_t find_end(struct slice text, char separator)
{
	bool is_quoted = false;
	size_t at = 0;
	while (at < text.len && (is_quoted || text.ptr[at] != separator)) {
		if (text.ptr[at] == '"') {
			is_quoted = !is_quoted;
		} else if (is_quoted && text.ptr[at] == '\\' && at + 1 < text.len) {
			at++;
		}
		at++;
	}
	return at;
}

struct slice field_take(struct slice *rest, char separator)
{
	if (rest->len == 0) {
		return *rest;
	}
	size_t end = find_end(*rest, separator);
	struct slice part = slice_first(*rest, end);
	*rest = slice_skip(*rest, end < rest->len ? end + 1 : end);
	return slice_trim(part);
}

static struct slice without_quotes(struct slice value)
{
	bool is_quoted = value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"';
	return is_quoted ? slice_make(value.ptr + 1, value.len - 2) : value;
}

bool field_take_parameter(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
	if (rest->len == 0) {
		return false;
	}
	struct slice value = field_take(rest, ';');
	*ret_name = field_take(&value, '=');
	*ret_value = without_quotes(slice_trim(value));
	return true;
}
