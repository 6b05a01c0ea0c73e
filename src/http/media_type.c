#include "http/media_type.h"

/* Up to the separator, trimmed; *rest goes on behind it. Quoted text is passed over. */
static struct slice take_part(struct slice *rest)
{
	bool is_quoted = false;
	size_t len = 0;
	while (len < rest->len && (is_quoted || rest->ptr[len] != ';')) {
		is_quoted ^= rest->ptr[len] == '"';
		len++;
	}
	struct slice part = slice_trim(slice_first(*rest, len));
	*rest = slice_skip(*rest, len < rest->len ? len + 1 : len);
	return part;
}

struct slice media_type_parameter(struct slice content_type, struct slice name)
{
	struct slice rest = content_type;
	take_part(&rest);
	while (rest.len > 0) {
		struct slice part = take_part(&rest);
		const char *equals = slice_find_byte(part, '=');
		if (equals == NULL || !slice_equal_nocase(slice_between(part.ptr, equals), name)) {
			continue;
		}
		struct slice value = slice_between(equals + 1, part.ptr + part.len);
		bool is_quoted = value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"';
		return is_quoted ? slice_make(value.ptr + 1, value.len - 2) : value;
	}
	return slice_make(NULL, 0);
}

bool media_type_is_protobuf(struct slice content_type)
{
	if (content_type.len == 0) {
		return false;
	}
	struct slice rest = content_type;
	struct slice type = take_part(&rest);
	return slice_equal_nocase(type, SLICE("application/vnd.google.protobuf"))
			&& slice_equal(
					media_type_parameter(content_type, SLICE("encoding")), SLICE("delimited"))
			&& slice_equal(media_type_parameter(content_type, SLICE("proto")),
					SLICE("io.prometheus.client.MetricFamily"));
}
