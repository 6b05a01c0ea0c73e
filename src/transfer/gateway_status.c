#include "transfer/gateway_status.h"

#include "transfer/gateway_json.h"

static struct slice member_or(
		const cJSON *object, const char *key, struct slice otherwise, struct arena *arena)
{
	struct slice text = gateway_json_member(object, key, arena);
	return text.ptr == NULL ? otherwise : text;
}

bool gateway_status_read(struct slice text, struct arena *arena, struct gateway_status *ret_status)
{
	struct slice ignored;
	cJSON *root = line_json_parse(text, arena, &ignored);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(root, "data");
	const cJSON *build = cJSON_GetObjectItemCaseSensitive(data, "build_information");
	const cJSON *flags = cJSON_GetObjectItemCaseSensitive(data, "flags");
	bool is_status = cJSON_IsObject(build) && cJSON_IsObject(flags);
	if (is_status) {
		ret_status->version = member_or(build, "version", SLICE(""), arena);
		ret_status->page = member_or(flags, "web.telemetry-path", SLICE("/metrics"), arena);
	}
	cJSON_Delete(root);
	return is_status;
}
