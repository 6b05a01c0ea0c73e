#include "http/media_type.h"

#include "http/field_value.h"

static bool is_type(struct slice content_type, struct slice name)
{
	return slice_equal_nocase(field_take(&content_type, ';'), name);
}

struct slice media_type_parameter(struct slice content_type, struct slice name)
{
	struct slice found;
	struct slice value;
	field_take(&content_type, ';');
	while (field_take_parameter(&content_type, &found, &value)) {
		if (slice_equal_nocase(found, name)) {
			return value;
		}
	}
	return slice_make(NULL, 0);
}

bool media_type_is_protobuf(struct slice content_type)
{
	return is_type(content_type, SLICE("application/vnd.google.protobuf"))
			&& slice_equal(
					media_type_parameter(content_type, SLICE("encoding")), SLICE("delimited"))
			&& slice_equal(media_type_parameter(content_type, SLICE("proto")),
					SLICE("io.prometheus.client.MetricFamily"));
}

bool media_type_is_form(struct slice content_type)
{
	return is_type(content_type, SLICE("application/x-www-form-urlencoded"));
}

bool media_type_is_openmetrics(struct slice content_type)
{
	if (!is_type(content_type, SLICE("application/openmetrics-text"))) {
		return false;
	}
	struct slice charset = media_type_parameter(content_type, SLICE("charset"));
	struct slice version = media_type_parameter(content_type, SLICE("version"));
	return (charset.len == 0 || slice_equal_nocase(charset, SLICE("utf-8")))
			&& (version.len == 0 || slice_equal(version, SLICE("1.0.0"))
					|| slice_equal(version, SLICE("0.0.1")));
}
