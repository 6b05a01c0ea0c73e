#include "targets/virtual_names.h"

#include <cjson/cJSON.h>

#include "base/utf8.h"
#include "transfer/line_json.h"

static bool refuse(struct slice *reterr_why, struct slice why)
{
	*reterr_why = why;
	return false;
}

static bool add(struct virtual_names *names, struct slice name, struct slice *reterr_why)
{
	if (name.len == 0) {
		return refuse(reterr_why, SLICE("a name is empty"));
	}
	if (name.len > VIRTUAL_NAME_BYTES_MAX || !utf8_is_valid(name)) {
		return refuse(reterr_why, SLICE("a name has to be UTF-8 of 1024 bytes at most"));
	}
	if (names->count == VIRTUAL_NAMES_MAX) {
		return refuse(reterr_why, SLICE("1000 names are allowed at most"));
	}
	names->names[names->count++] = name;
	return true;
}

static bool read_json(struct slice text, struct arena *arena, struct virtual_names *names,
		struct slice *reterr_why)
{
	cJSON *tree = line_json_parse(text, arena, reterr_why);
	bool is_good = tree != NULL;
	for (const cJSON *each = is_good ? tree->child : NULL; each != NULL && is_good;
			each = each->next) {
		is_good = cJSON_IsString(each)
				? add(names, line_json_text(each->valuestring, arena), reterr_why)
				: refuse(reterr_why, SLICE("a list in JSON has to have strings alone"));
	}
	cJSON_Delete(tree);
	return is_good;
}

bool virtual_names_read(struct slice text, struct arena *arena, struct virtual_names *ret_names,
		struct slice *reterr_why)
{
	text = slice_trim(text);
	*ret_names = (struct virtual_names){
		.names = arena_zalloc(arena, VIRTUAL_NAMES_MAX, sizeof(*ret_names->names)),
	};
	if (text.len > 0 && text.ptr[0] == '[') {
		return read_json(text, arena, ret_names, reterr_why);
	}
	while (text.len > 0) {
		const char *comma = slice_find_byte(text, ',');
		struct slice name = comma == NULL ? text : slice_between(text.ptr, comma);
		text = slice_skip(text, name.len + (comma != NULL));
		if (!add(ret_names, slice_trim(name), reterr_why)) {
			return false;
		}
	}
	return true;
}
